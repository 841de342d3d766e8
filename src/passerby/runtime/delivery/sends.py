"""Makes one attempt: finds the address, writes the call, and tells the queue what came of it.

Failures, and the events that tell the queue of them:

    429                `Flooded`: the chat is held; if a second chat follows soon, the bot.
    not sent           `NotSent` (refused connection)
    unknown outcome    `NotSent`, uncertain (5xx, reset, time-out after the bytes left)
    refused            `Refused`; or `SplitUp`, if a part of it can be sent
    token refused      `CallRefused`: the bot's deliveries wait while this is confirmed (see `tokens`)
    store away         `StoreAway`, before anything was sent

If another bot is at fault, because the file is fetched through it, the sending bot is not blamed.

Whether this worker is sure of its leases is looked up in the very turn in which the call is written. The register of
sends under way is here, and only here: what is in it may have arrived.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from random import Random

from passerby.domain.delivery.commands import Send
from passerby.domain.delivery.events import (
    CallRefused,
    Delayed,
    Event,
    Flooded,
    NotSent,
    Refused,
    Sent,
    SplitUp,
    StoreAway,
    Wakeup,
)
from passerby.domain.delivery.line import NEVER
from passerby.domain.delivery.phases import Phase
from passerby.domain.fingerprint import Prints
from passerby.domain.pictures import covered
from passerby.kernel.decision import Facts
from passerby.kernel.effect import Relay
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, MessageId
from passerby.ports import telegram as answers
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.outbox import Notice
from passerby.ports.soon import Outstanding, Soon
from passerby.ports.telegram import OutgoingCall, Telegram, TokenRefused, Unavailable
from passerby.runtime.backoff import Backoff
from passerby.runtime.delivery.addressing import address, address_at_hand, in_parts
from passerby.runtime.delivery.by_chat import NOTICE
from passerby.runtime.delivery.courier_queue import CourierQueue, Feed
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.delivery.ended_chats import is_end_told_next, tells_of_ended_chat
from passerby.runtime.delivery.passing_notices import search_is_over
from passerby.runtime.delivery.stale_notices import Corrections
from passerby.runtime.delivery.steps import FOR_ALL, EditSteps, RelaySteps
from passerby.runtime.delivery.wording import Wording
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.membership.heartbeat import Assurance
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.tasks import Background
from passerby.telemetry import logs, metrics

BACKOFF = Backoff(0.5, 30.0)
STORE_BACKOFF = Backoff(0.5, 2.0)
"""The same while the live store is away. It is our own server, so we may ask it often."""

FLOOD_MARGIN_S = 0.1

Look = Callable[[Relay], Awaitable[Relay]]
"""Looks at the pictures of a message, and returns it as it may be shown. Never raises."""

Found = OutgoingCall | RelaySteps | EditSteps | Refusal | None


class Sends:
    def __init__(
        self,
        telegram: Telegram,
        store: LiveStore,
        wording: Wording,
        tokens: Tokens,
        assurance: Assurance,
        prints: Prints,
        background: Background,
        recorder: FlightRecorder,
        clock: Clock,
        rng: Random,
        feed: Feed,
        look: Look | None = None,
    ) -> None:
        self._telegram = telegram
        self._store = store
        self._wording = wording
        self._tokens = tokens
        self._assurance = assurance
        self._prints = prints
        self._background = background
        self._recorder = recorder
        self._clock = clock
        self._rng = rng
        self._feed = feed
        self._look = look
        self._corrections = Corrections(store)
        self.under_way: set[Delivery] = set()
        """Deliveries that are being sent: addressed, written, or answered and not settled."""
        self.calls: dict[Delivery, str] = {}
        """Each call to Telegram under way, with the store's generation when it began."""
        self.halted = False
        background.on_close.append(self._give_up)

    def _give_up(self) -> None:
        """Nobody waits for the answers any more."""
        for delivery in tuple(self.calls):
            if isinstance(delivery.call, Outstanding):
                delivery.call.give_up()

    def store_pause_s(self, delivery: Delivery) -> float:
        """How long a delivery waits when the store is away."""
        metrics.RETRIES.add(delivery.bot, "store")
        return STORE_BACKOFF.pause_s(delivery.tries + 1, self._rng)

    def begin(self, queue: CourierQueue, command: Send, now: float) -> None:
        delivery = command.delivery
        assert isinstance(delivery, Delivery), "the courier put it in"
        if self.halted:
            return
        self.under_way.add(delivery)
        is_outer = not self._recorder.is_on and self._recorder.enter(delivery.refs)
        relay_effect, steps = delivery.relay_effect, delivery.steps
        try:
            if delivery.notice is not None and delivery.generation != self._store.generation:
                corrected = self._corrections.correct(
                    delivery.notice, is_stored=delivery.stored_in == self._store.generation
                )
                self._background.when_done(
                    self._background.begin(corrected, delivery.refs), partial(self._corrected, queue, delivery)
                )
            elif relay_effect is None:
                loading = self._background.begin(self._store.load(delivery.person))
                self._background.when_done(loading, partial(self._loaded, queue, delivery))
            elif steps is not None and delivery.tried_at is not None:
                self._write(queue, delivery, steps.next())
            elif type(relay_effect) is Relay and relay_effect.look:
                looking = self._background.begin(self._looked_at(delivery, relay_effect), delivery.refs)
                self._background.when_done(looking, partial(self._addressed, queue, delivery))
            elif (call := address_at_hand(relay_effect, delivery.bot)) is not None:
                delivery.steps = None  # an untried message may have been edited
                self._write(queue, delivery, call)
            else:
                addressing = address(relay_effect, delivery.bot, self._store, self._prints)
                found = self._background.begin(addressing, delivery.refs)
                self._background.when_done(found, partial(self._addressed, queue, delivery))
        except Exception as error:  # noqa: BLE001  # one delivery's bug ends that delivery, not its queue
            self._failed(queue, delivery, error)
        finally:
            if is_outer:
                self._recorder.leave()

    async def _looked_at(self, delivery: Delivery, relay: Relay) -> Found:
        """Address a message as it may be shown. Later attempts send it so, too, without another look."""
        delivery.relay_effect = seen = await self._look(relay) if self._look is not None else covered(relay)
        return await address(seen, delivery.bot, self._store, self._prints)

    def _loaded(self, queue: CourierQueue, delivery: Delivery, loaded: Soon[Facts | None]) -> None:
        try:
            notice, facts = delivery.notice, loaded.result()
            if notice is not None and search_is_over(notice, facts):
                metrics.SUPERSEDED.add(NOTICE)
                notice = None
            elif notice is not None and tells_of_ended_chat(notice, facts):
                looking = self._background.begin(is_end_told_next(notice, self._store))
                self._background.when_done(looking, partial(self._looked_behind, queue, delivery, facts))
                return
            self._word(queue, delivery, notice, facts)
        except Exception as error:  # noqa: BLE001  # one delivery's bug ends that delivery, not its queue
            self._failed(queue, delivery, error)

    def _looked_behind(self, queue: CourierQueue, delivery: Delivery, facts: Facts | None, told: Soon[bool]) -> None:
        """Send a notice of a chat that has ended only if the notice of its end comes next."""
        try:
            notice = delivery.notice
            if not told.result():
                metrics.SUPERSEDED.add(NOTICE)
                notice = None
            self._word(queue, delivery, notice, facts)
        except Exception as error:  # noqa: BLE001  # one delivery's bug ends that delivery, not its queue
            self._failed(queue, delivery, error)

    def _corrected(
        self, queue: CourierQueue, delivery: Delivery, corrected: Soon[tuple[Notice | None, Facts | None]]
    ) -> None:
        try:
            self._word(queue, delivery, *corrected.result())
        except Exception as error:  # noqa: BLE001  # one delivery's bug ends that delivery, not its queue
            self._failed(queue, delivery, error)

    def _word(self, queue: CourierQueue, delivery: Delivery, notice: Notice | None, facts: Facts | None) -> None:
        call = None
        if notice is not None:
            call = self._wording.notice(notice, facts.me.profile.language if facts is not None else "")
        self._write(queue, delivery, call)

    def _addressed(self, queue: CourierQueue, delivery: Delivery, addressed: Soon[Found]) -> None:
        try:
            found = addressed.result()
            if isinstance(found, Refusal):
                self._tell(queue, delivery, Refused(found))
                return
            delivery.steps = found if isinstance(found, RelaySteps | EditSteps) else None
            self._write(queue, delivery, found.next() if isinstance(found, RelaySteps | EditSteps) else found)
        except Exception as error:  # noqa: BLE001  # one delivery's bug ends that delivery, not its queue
            self._failed(queue, delivery, error)

    def _write(self, queue: CourierQueue, delivery: Delivery, call: OutgoingCall | None) -> None:
        """Write the call in this turn, if that may be."""
        if self.halted:
            self.under_way.discard(delivery)
        elif call is None:
            self._tell(queue, delivery, _ended(delivery))
        elif not self._assurance.is_assured:
            self._tell(queue, delivery, Delayed(NEVER))
            self._background.when_done(self._assurance.assured(), partial(self._is_assured, queue))
        elif delivery.relay_effect is not None and delivery.generation != self._store.generation:
            delivery.is_cleared = False  # the store was wiped and rebuilt: the chat may be over
            self._tell(queue, delivery, Delayed(self._clock.monotonic()))
        elif call.bot != delivery.bot and not self._tokens.works(call.bot):
            delivery.elsewhere = call.bot
            self._tell(queue, delivery, Delayed(self._clock.monotonic()))
        else:
            delivery.through = call.bot
            delivery.tried_at = self._clock.now()
            self.calls[delivery] = self._store.generation
            sending = self._telegram.send(call)
            if not isinstance(sending, Soon):
                sending = self._background.begin(sending, delivery.refs)
            delivery.call = sending
            sending.then(partial(self._answered, queue, delivery, call.bot))

    def _is_assured(self, queue: CourierQueue, answer: Soon[None]) -> None:
        if queue.current is not None and queue.current.phase is Phase.PAUSED and not self.halted:
            self._feed(queue, Wakeup())

    def _answered(
        self, queue: CourierQueue, delivery: Delivery, bot: BotId, answer: Soon[tuple[MessageId, ...]]
    ) -> None:
        """Raises nothing."""
        if self._background.is_closed:
            return
        del self.calls[delivery]
        is_outer = self._recorder.enter(delivery.refs)
        try:
            messages = answer.result()
            steps = delivery.steps
            if steps is None:
                self._tell(queue, delivery, Sent(messages))
                return
            steps.took(messages)
            self._tell(queue, delivery, Sent(more=True) if steps.next() is not None else _ended(delivery))
        except answers.Refused as error:
            self._refused(queue, delivery, bot, error)
        except Exception as error:  # noqa: BLE001  # one delivery's bug ends that delivery, not its queue
            self._failed(queue, delivery, error, bot)
        finally:
            if is_outer:
                self._recorder.leave()

    def _refused(self, queue: CourierQueue, delivery: Delivery, bot: BotId, error: answers.Refused) -> None:
        """Send a part of it, if that is possible."""
        refusal, relay_effect, steps = error.refusal, delivery.relay_effect, delivery.steps
        if refusal is Refusal.BROKEN:
            logs.record("courier.rejected", "error", reason=error.detail, bot=bot)
        if refusal is Refusal.UNREACHABLE and bot != delivery.bot:
            self._tell(queue, delivery, Refused(Refusal.CANNOT_COPY))  # they left this other bot, and use theirs
        elif relay_effect is None or refusal in FOR_ALL:
            self._tell(queue, delivery, Refused(refusal))
        elif steps is not None:
            steps.refused(refusal)
            self._tell(queue, delivery, SplitUp())
        else:
            parts = in_parts(relay_effect, delivery.bot, refusal, self._store, self._prints)
            then = partial(self._taken_apart, queue, delivery, refusal)
            self._background.when_done(self._background.begin(parts, delivery.refs), then)

    def _taken_apart(
        self, queue: CourierQueue, delivery: Delivery, refusal: Refusal, parts: Soon[RelaySteps | EditSteps | None]
    ) -> None:
        try:
            delivery.steps = parts.result()
        except LiveStoreLost:
            delivery.steps = None
        except Exception as error:  # noqa: BLE001  # one delivery's bug ends that delivery, not its queue
            self._failed(queue, delivery, error)
            return
        self._tell(queue, delivery, SplitUp() if delivery.steps is not None else Refused(refusal))

    def _failed(self, queue: CourierQueue, delivery: Delivery, error: Exception, bot: BotId | None = None) -> None:
        self._tell(queue, delivery, self._meaning(delivery, error, bot if bot is not None else delivery.bot))

    def _meaning(self, delivery: Delivery, error: Exception, bot: BotId) -> Event:
        tries = delivery.tries + 1
        match error:
            case LiveStoreLost():
                return StoreAway(self.store_pause_s(delivery))
            case answers.FloodWait():
                return Flooded(error.bot if error.bot is not None else bot, error.retry_after_s + FLOOD_MARGIN_S)
            case Unavailable():
                metrics.RETRIES.add(bot, "uncertain" if error.uncertain else "not_sent")
                return NotSent(error.uncertain, BACKOFF.pause_s(tries, self._rng))
            case TokenRefused():
                blamed = error.bot if error.bot is not None else bot
                if blamed != delivery.bot:
                    delivery.elsewhere = blamed
                metrics.RETRIES.add(blamed, "refused")
                suspected, final_after_s = self._tokens.refused(blamed), self._tokens.refused_after_s
                return CallRefused(suspected, BACKOFF.pause_s(tries, self._rng), final_after_s)
            case _:
                metrics.BUGS.add()
                logs.failed("courier.broken", error)
                return Refused(Refusal.BROKEN)

    def _tell(self, queue: CourierQueue, delivery: Delivery, event: Event) -> None:
        self.under_way.discard(delivery)
        self._feed(queue, event)


def _ended(delivery: Delivery) -> Sent | Refused:
    """How a delivery with nothing left to send has ended: with its messages, or with the first part that failed."""
    steps = delivery.steps
    if steps is None:
        return Sent()
    for refusal in steps.failed.values():
        return Refused(refusal)
    return Sent(tuple(each.copy.message for each in steps.copied))
