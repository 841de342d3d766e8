"""Delivers notices and relay effects: in order, within budgets, with at most one attempt for a chat at a time.

All deliveries for one person through one bot form a queue, retries included. The queue decides (see `domain.delivery`),
and the courier performs what it commands, in the same turn of the event loop if nothing has to be waited for:
`budget_requests` gets the budget, `send_checks` asks the store, `sends` makes the attempt, `outcome_writer` stores the
end. Every answer goes back into the queue as an event (see `performer`).

With several processes, budgets are shared (see `limiters`), and a delivery may wait for other processes (see
`send_checks`). No send begins unless this worker is sure of its leases.

A relay that is not delivered after PARK_AFTER_S is *parked*: sealed into the outbox, so that its update counts as done
and does not hold up Telegram's queue. It keeps its place in its queue. Behind CROWD others, a relay is parked at once:
its turn is far away, and updates of other people wait behind it in Telegram's queue.

A passing notice, which says that a search goes on, waits for PASSING_WAIT_S unless something is behind it. If the
search ends before the notice has left, the notice is dropped (see `passing_notices`).
"""

from contextlib import AbstractContextManager
from random import Random

from passerby.domain.budgets import Budget
from passerby.domain.delivery.commands import (
    AskBudget,
    Check,
    Hold,
    Park,
    Send,
    StoreDelivered,
    StoreFailed,
    StoreStep,
    WaitUntil,
    Withdraw,
)
from passerby.domain.delivery.events import (
    Added,
    BotBack,
    BotLost,
    ChatEnded,
    EndStored,
    Event,
    Superseded,
)
from passerby.domain.delivery.phases import Custody
from passerby.domain.fingerprint import Prints
from passerby.kernel.effect import Relay, RelayEffect
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, PersonId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.leases import NOBODY, Fence, WorkerId
from passerby.ports.live_store import LiveStore
from passerby.ports.outbox import Notice
from passerby.ports.telegram import Telegram
from passerby.runtime.delivery.budget_requests import BudgetRequests
from passerby.runtime.delivery.by_chat import KINDS, NOTICE
from passerby.runtime.delivery.courier_queue import CourierQueue
from passerby.runtime.delivery.deliveries import Delivery, relay_effect_id, through_another_bot
from passerby.runtime.delivery.new_deliveries import NewDeliveries
from passerby.runtime.delivery.outcome_writer import Outcomes, OutcomeWriter
from passerby.runtime.delivery.parks import Parker, Parks
from passerby.runtime.delivery.passing_notices import Claims
from passerby.runtime.delivery.performer import Performer
from passerby.runtime.delivery.register import Register
from passerby.runtime.delivery.send_checks import SendChecks
from passerby.runtime.delivery.sends import Look, Sends
from passerby.runtime.delivery.spare_budget import SpareBudget
from passerby.runtime.delivery.waits import Waits
from passerby.runtime.delivery.wording import Wording
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.membership.heartbeat import Assurance
from passerby.runtime.membership.tokens import Tokens, Trust
from passerby.runtime.tasks import Background
from passerby.telemetry import metrics

PARK_AFTER_S = 1.5
CROWD = 10


class Courier:
    """`outcomes` stores how each delivery ends. A send begins only while `assurance` says that no other worker can hold
    our leases. Without `tokens` it has its own. `shared`: other processes send through the same bots. `worker` owns
    the notices.
    """

    def __init__(
        self,
        telegram: Telegram,
        store: LiveStore,
        wording: Wording,
        background: Background,
        clock: Clock,
        rng: Random,
        bot_budget: Budget,
        chat_budget: Budget,
        *,
        outcomes: Outcomes,
        assurance: Assurance,
        prints: Prints,
        shared: bool = False,
        worker: WorkerId = NOBODY,
        park_after_s: float = PARK_AFTER_S,
        recorder: FlightRecorder | None = None,
        tokens: Tokens | None = None,
        look: Look | None = None,
    ) -> None:
        self._store = store
        self._background = background
        self._clock = clock
        self._recorder = recorder or FlightRecorder()
        self._shared = shared
        self._park_after_s = park_after_s
        self.tokens = tokens or Tokens(telegram, background, clock, rng)
        self.tokens.listeners.append(self._on_trust)
        self._queues: dict[tuple[BotId, PersonId], CourierQueue] = {}
        self._register = Register()
        self._by_chat = self._register.by_chat
        self.is_crowded = self._register.is_crowded
        self.waiting = self._register.waiting
        """How many of a person's messages, and of the notices about them, are not delivered yet."""
        self._new = NewDeliveries(clock, shared=shared)
        self._performer = Performer(background, clock)
        feed = self._feed = self._performer.feed
        self._send_checks = SendChecks(store, clock, Claims(store, assurance, worker), shared=shared)
        self._sends = Sends(
            telegram,
            store,
            wording,
            self.tokens,
            assurance,
            prints,
            background,
            self._recorder,
            clock,
            rng,
            feed,
            look,
        )
        self._outcome_writer = OutcomeWriter(outcomes, background, self._recorder, clock, self._stored, feed)
        self._budgets = BudgetRequests(
            store,
            self.tokens,
            background,
            clock,
            bot_budget,
            chat_budget,
            self._performer.feed_first,
            self._sends.store_pause_s,
            shared=shared,
        )
        self.spare_budget = SpareBudget(
            store, self.tokens, self._budgets, self._queue, self._oldest_s, clock, bot_budget, shared=shared
        )
        self._parks = Parks(background, feed)
        waits = Waits(
            store, self._send_checks, self._budgets, self._sends, background, self._recorder, feed, shared=shared
        )
        self._performer.perform |= {
            AskBudget: self._budgets.ask,
            Withdraw: self._budgets.withdraw,
            Check: waits.check,
            WaitUntil: waits.wait_until,
            Send: self._sends.begin,
            Hold: waits.hold,
            StoreStep: self._outcome_writer.step,
            StoreDelivered: self._outcome_writer.delivered,
            StoreFailed: self._outcome_writer.failed,
            Park: self._parks.park,
        }
        metrics.know_bots(telegram.bots)

    def say(self, notice: Notice, *, found_again: bool = False) -> None:
        """Deliver a notice of the outbox. `found_again`: it is older than the deliveries that came since, and goes
        first."""
        delivery = self._new.of_notice(notice, self._store.generation)
        delivery.found_again = found_again
        self._put(delivery)

    def pass_on(
        self,
        relay_effect: RelayEffect,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        fences: tuple[Fence, ...] = (),
        reader_told: bool = True,
        taken_at: float | None = None,
        must_park: bool = False,
        parked: bool = False,
        generation: str | None = None,
    ) -> Delivery | None:
        """Deliver a relay effect through `bot`. Its `refs`, taken under `fences`, are done when it is delivered.

        `reader_told`: its reader has been told of the chat. `taken_at`: when the update was taken, in monotonic
        seconds. `must_park`: do not send it before it is parked, which the caller sees to (`park`). `parked`: it has
        been parked. `generation`: the store's, when the facts were read that it was decided on. Returns the new
        delivery; None if there is none, because the effect was merged into another one or its chat has ended.
        """
        id_ = relay_effect_id(relay_effect, refs)
        chat, by_chat = relay_effect.chat, self._by_chat
        if chat in by_chat.chats:
            if by_chat.takes_in(relay_effect, id_, refs, fences):
                return None
            bot = by_chat.bot_behind(relay_effect) or bot
        if self.tokens.doubted and (lost := self.tokens.lost):
            # Those before it move one by one. Behind them, it keeps its place.
            bot = by_chat.bot_before(relay_effect, lost) or bot
        if generation is None:
            generation = self._store.generation
        delivery = self._new.of_relay_effect(relay_effect, bot, refs, id_, generation, fences, taken_at)
        if parked:
            delivery.custody = Custody.OUTBOX
        if self._shared:
            delivery.reader_told = reader_told
            delivery.is_cleared = reader_told and not parked
            delivery.must_park = must_park and not parked
        has_ended = chat in by_chat.ended
        if has_ended:
            delivery.chat_ended = True
        queue = self._put(delivery)
        if has_ended:
            return None
        if queue.current is not delivery and not parked and len(queue) > CROWD:
            self._register.crowd_with(delivery)
        return delivery

    def resume(
        self,
        relay_effect: RelayEffect,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        id_: str,
        left_s: float,
        refusal: Refusal | None = None,
    ) -> None:
        """Deliver a relay effect that an earlier process parked, if its chat is still open.

        `refusal`: fail it with this reason instead of trying it.
        """
        delivery = self._new.of_parked(relay_effect, bot, refs, id_, self._store.generation, left_s)
        delivery.refusal = refusal
        self._put(delivery)

    def move(self, delivery: Delivery, bot: BotId) -> None:
        """Deliver it through another bot, because its own is lost. Nothing of it has arrived.

        The outbox keeps the entry as it is: if this process dies, its heir moves it again.
        """
        moved = through_another_bot(delivery, bot, self._clock.monotonic())
        delivery.has_moved = True
        self._put(moved)

    def _put(self, delivery: Delivery) -> CourierQueue:
        queue = self._queues.get((delivery.bot, delivery.person))
        if queue is None:
            queue = self._queue(delivery.bot, delivery.person)
        self._register.add(delivery)
        if type(delivery.relay_effect) is not Relay:
            self._supersede(delivery)
        self._feed(queue, Added(delivery))
        return queue

    def _supersede(self, delivery: Delivery) -> None:
        for older in self._by_chat.superseded_by(delivery):
            assert older.relay_effect is not None, "only relay effects are superseded"
            metrics.SUPERSEDED.add(KINDS[type(older.relay_effect)])
            self._feed(self._queue(older.bot, older.person), Superseded(older))

    def _queue(self, bot: BotId, person: PersonId) -> CourierQueue:
        queue = self._queues.get((bot, person))
        if queue is None:
            queue = self._queues[bot, person] = CourierQueue(self._budgets.chat_limiter(bot, person))
            if self.tokens.is_lost(bot):
                queue.handle(BotLost(), self._clock.monotonic())
        return queue

    def drop(self, chat: ChatId) -> None:
        """Note that a chat has ended. Its waiting relay effects, and those decided on before its end, are dropped."""
        self._by_chat.end(chat, self._clock.monotonic())
        ended = ChatEnded(chat)
        for key in dict.fromkeys((delivery.bot, delivery.person) for delivery in self._by_chat.of(chat)):
            if key in self._queues:
                self._feed(self._queues[key], ended)

    def end_search(self, person: PersonId, since: float) -> None:
        """Note that a search is over. Notices that say it goes on are dropped, except one that is under way."""
        for delivery in self._register.of_search(person, since):
            if delivery.is_untouched:
                metrics.SUPERSEDED.add(NOTICE)
                self._feed(self._queue(delivery.bot, person), Superseded(delivery))

    def tell(self, delivery: Delivery, event: Event) -> None:
        """Tell a delivery's queue what has happened to it."""
        self._feed(self._queue(delivery.bot, delivery.person), event)

    def _on_trust(self, bot: BotId, trust: Trust) -> None:
        """React to a bot that is suspected, lost, or works again. Wakes the queues that waited for this."""
        bot_queue = self._budgets.bot_queue(bot)
        bot_queue.lost = False
        if trust is Trust.LOST:
            bot_queue.lose()
        if trust is Trust.SUSPECTED:
            return
        event = BotLost() if trust is Trust.LOST else BotBack()
        for (of, _), queue in list(self._queues.items()):
            if of == bot:
                self._feed(queue, event)

    def park_with(self, parker: Parker) -> None:
        """Set who parks."""
        self._parks.parker = parker

    async def park(self, delivery: Delivery) -> None:
        """Park a relay, with those before it in its queue. If one of them cannot be parked now, neither is this one.

        Raises: LiveStoreLost.
        """
        await self._parks.wait(self._queue(delivery.bot, delivery.person), delivery)

    @property
    def pending(self) -> int:
        """The number of deliveries that have not ended."""
        return self._register.pending

    @property
    def under_way(self) -> bool:
        """Whether the outcome of some send is not known, or not stored yet."""
        return bool(self._sends.under_way or self._outcome_writer.under_way)

    def is_sending_since_before(self, generation: str) -> bool:
        """Whether a call to Telegram that began in another generation than this one is still under way."""
        return any(began_in != generation for began_in in self._sends.calls.values())

    def halt(self) -> None:
        """Begin no further send. Sends under way continue: if cut off, they might have arrived and would be sent
        again."""
        self._sends.halted = True

    def abandon(self) -> None:
        """End this incarnation, whose leases are others' now: begin nothing more, and report nothing about deliveries
        in hand."""
        self._sends.halted = True
        self._performer.abandon()

    def inheritance(self) -> AbstractContextManager[None]:
        """Mark the time in which we take over entries of others, for `say` and `resume` (see `send_checks`)."""
        return self._send_checks.inheritance()

    def known(self, entry: str) -> bool:
        """Whether this process is delivering an entry of the outbox."""
        return self._register.known(entry)

    def in_hand(self) -> tuple[Delivery, ...]:
        """All deliveries whose outcome is not stored yet."""
        return self._register.in_hand()

    def has_settled(self, entry: str) -> bool:
        """Whether this process has delivered an entry of the outbox, or given it up. A store that went back in time may
        have it again."""
        return self._register.has_settled(entry)

    def overdue(self, more_s: float = 0.0) -> list[Delivery]:
        """Return relays that have waited longer than an update may be held, plus `more_s`, oldest first."""
        return self._register.overdue(self._clock.monotonic() - self._park_after_s - more_s)

    def is_in_crowd(self, delivery: Delivery) -> bool:
        """Whether this last relay has come behind many others. Then it is parked together with them."""
        return self._register.is_in_crowd(delivery)

    def crowd(self) -> list[Delivery]:
        """Return relays that have come behind many others and that nobody has tried to park."""
        return self._register.crowd()

    def forget_idle(self) -> None:
        """Drop empty queues whose budget is full again, and chats that ended long ago."""
        now = self._clock.monotonic()
        self._by_chat.forget_ended(now)
        idle = [
            key
            for key, queue in self._queues.items()
            if not queue and queue.held_until <= now and queue.limiter.is_idle(now)
        ]
        for key in idle:
            del self._queues[key]
        metrics.PENDING.set(self.pending)
        metrics.OUTBOX_OLDEST.set(now - self._register.oldest_stored_at(now))
        self._budgets.show_holds(now)

    def _oldest_s(self) -> float:
        now = self._clock.monotonic()
        return now - self._register.oldest_stored_at(now)

    def _stored(self, queue: CourierQueue, delivery: Delivery, is_known: bool) -> None:
        self._register.end(delivery, is_known)
        self._feed(queue, EndStored(delivery))
