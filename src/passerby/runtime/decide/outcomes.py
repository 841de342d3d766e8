"""Stores what became of each delivery. A failed delivery becomes an event of its sender."""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

import msgspec

from passerby.domain.delivery.phases import IN_OUTBOX, IN_TELEGRAM, Custody
from passerby.domain.fingerprint import Prints
from passerby.kernel.effect import Discard, Relay, RelayDelete, RelayEffect
from passerby.kernel.event import BotBlocked, BotLost, DeliveryFailed, Refusal
from passerby.kernel.ids import NOWHERE, BotId, MessageId, MessageRef, UpdateRef, search_of
from passerby.kernel.participant import Chatting
from passerby.ports.clock import Clock
from passerby.ports.facts import ChatTold, Fact
from passerby.ports.leases import Fenced
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.soon import Soon
from passerby.runtime.backoff import persistently
from passerby.runtime.delivery.addressing import ATTEMPTS, copies, subject
from passerby.runtime.delivery.best_effort import BestEffort
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.inbound.albums import marker_id
from passerby.runtime.inbound.person_queues import PersonQueues, Work
from passerby.runtime.membership.fencing import OwnLeases, write_refused
from passerby.runtime.tasks import Background

Then = Callable[[BaseException | None], None]


class DeliveryOutcomes:
    """See `delivery.outcome_writer.Outcomes`. `finished` is called with updates that are done and stored as done."""

    def __init__(
        self,
        store: LiveStore,
        person_queues: PersonQueues,
        best_effort: BestEffort,
        background: Background,
        prints: Prints,
        leases: OwnLeases,
        finished: Callable[[tuple[UpdateRef, ...]], None],
        clock: Clock,
        rng: Random,
    ) -> None:
        self._store = store
        self._person_queues = person_queues
        self._best_effort = best_effort
        self._background = background
        self._prints = prints
        self._leases = leases
        self._finished = finished
        self._move: Callable[[Delivery, BotId], None] = _nowhere
        self._clock = clock
        self._rng = rng

    def move_with(self, move: Callable[[Delivery, BotId], None]) -> None:
        """Set who delivers through another bot what its own bot cannot deliver any more."""
        self._move = move

    def delivered(
        self, delivery: Delivery, messages: tuple[MessageId, ...], then: Then
    ) -> Coroutine[Any, Any, None] | None:
        """Store that a delivery has arrived. Nearly always one callback is enough for the rest."""
        mark = self._mark(delivery, messages)
        stored = self._store.mark(mark)
        if not isinstance(stored, Soon) or type(delivery.relay_effect) is RelayDelete:
            return self._follow(delivery, mark, stored)
        stored.then(partial(self._is_stored, delivery, mark, then))
        return None

    def _is_stored(self, delivery: Delivery, mark: Mark, then: Then, stored: Soon[None]) -> None:
        if stored.error is not None:
            following = self._background.begin(self._follow(delivery, mark, stored), delivery.refs)
            following.then(lambda end: then(end.error))
            return
        try:
            self._finished(delivery.refs)
        except Exception as error:  # noqa: BLE001  # whoever waits for the end reports it
            then(error)
        else:
            then(None)

    async def _follow(self, delivery: Delivery, mark: Mark, stored: Awaitable[None]) -> None:
        """Do what follows when a mark is stored, or not."""
        try:
            try:
                await stored
            except LiveStoreLost:
                await persistently(partial(self._store.mark, mark), LiveStoreLost, self._clock, self._rng)
        except Fenced:
            await write_refused(self._leases, mark.fences)
            return
        self._finished(delivery.refs)
        deleted = delivery.relay_effect
        if isinstance(deleted, RelayDelete):
            self._best_effort.send(Discard(deleted.sender, deleted.tidy), deleted.source.bot, "")

    async def failed(self, delivery: Delivery, refusal: Refusal) -> None:
        """Store that a delivery has ended undelivered, or only in part, and raise the events that follow from it."""
        if refusal is Refusal.UNREACHABLE:
            blocked = BotBlocked(delivery.person, delivery.bot, delivery.tried_at)
            await self._person_queues.run(Work(blocked, cause=delivery.id))
        elif refusal is Refusal.BOT_LOST:
            await self._person_queues.run(Work(BotLost(delivery.person, delivery.bot), cause=delivery.id))
            if await self._moves(delivery):
                return
        relay_effect = delivery.relay_effect
        if relay_effect is None:
            mark = self._mark(delivery, ())
            await self._follow(delivery, mark, self._store.mark(mark))
            return
        if delivery.may_be_parked and not delivery.parked:
            await persistently(partial(self._find_out, delivery), LiveStoreLost, self._clock, self._rng)
        await self.advanced(delivery)
        works = _failures(delivery, relay_effect, refusal)
        # The last of these events finishes the relay effect.
        if delivery.parked:  # its updates are done already; only its outbox entries are left
            works[-1] = msgspec.structs.replace(works[-1], sent=_in_outbox(delivery))
        else:
            works[-1] = msgspec.structs.replace(works[-1], refs=delivery.refs, fences=delivery.fences)
        for work in works:
            self._person_queues.put(work)

    async def _moves(self, delivery: Delivery) -> bool:
        """Send it through the bot that its reader uses now instead of the lost one. Returns whether that is possible.

        A relay moves only if none of its parts has arrived. A notice that changes another one, and what is about a
        message that the lost bot has, cannot move.
        """
        relay_effect, notice = delivery.relay_effect, delivery.notice
        is_whole = isinstance(relay_effect, Relay) and not (delivery.steps is not None and delivery.steps.copied)
        if not is_whole and (notice is None or notice.revises is not None):
            return False
        if delivery.may_be_parked and not delivery.parked:
            await persistently(partial(self._find_out, delivery), LiveStoreLost, self._clock, self._rng)
        loading = partial(self._store.load, delivery.person)
        facts = await persistently(loading, LiveStoreLost, self._clock, self._rng)
        bot, state = (facts.me.bot, facts.me.state) if facts is not None else (None, None)
        if bot is None or bot == delivery.bot:
            return False
        if relay_effect is not None and not (isinstance(state, Chatting) and state.chat == relay_effect.chat):
            return False
        # In a turn of its own: the queue of that bot may have asked for a budget, and not know the answer yet.
        await self._clock.sleep(0)
        self._move(delivery, bot)
        return True

    async def advanced(self, delivery: Delivery) -> None:
        """Store which steps of a relay effect have arrived, so that another process that takes it over does not send
        them again."""
        steps, relay_effect = delivery.steps, delivery.relay_effect
        if steps is None or relay_effect is None or not steps.copied:
            return
        speaker = relay_effect.sender if isinstance(relay_effect, Relay) else None
        with suppress(LiveStoreLost):
            await self._store.mark(Mark(chat=relay_effect.chat, pairs=steps.copied, speaker=speaker))

    def _mark(self, delivery: Delivery, messages: tuple[MessageId, ...]) -> Mark:
        relay_effect = delivery.relay_effect
        sent = _in_outbox(delivery) if delivery.custody is not IN_TELEGRAM else ()
        if relay_effect is not None:
            spoke = messages and type(relay_effect) is Relay
            return Mark(
                delivery.refs,
                sent,
                relay_effect.chat,
                delivery.steps.copied
                if delivery.steps is not None
                else copies(relay_effect, delivery.through, messages, self._prints),
                speaker=relay_effect.sender if spoke else None,
                # The updates of a parked relay are done already, whichever worker polls the bot now.
                fences=() if delivery.custody is IN_OUTBOX else delivery.fences,
            )
        notice = delivery.notice
        if notice is None or notice.anchors is None:
            return Mark(sent=sent)
        chat = notice.anchors
        if not messages and chat == search_of(delivery.person):
            return Mark(sent=sent)  # its reader may be in another search by now
        at = MessageRef(delivery.bot, messages[0]) if messages else NOWHERE
        facts: tuple[Fact, ...] = ()
        if messages and chat != search_of(delivery.person):
            facts = (ChatTold(chat, delivery.person, at, self._clock.now()),)
        return Mark(sent=sent, anchor=Anchor(chat, delivery.person, at), facts=facts)

    async def _find_out(self, delivery: Delivery) -> None:
        """The commit that parks a delivery was not answered. If its updates are done, it was stored."""
        ref = delivery.refs[0]
        entered = ref.update in await self._store.done(ref.bot, (ref.update,))
        delivery.custody = Custody.OUTBOX if entered else Custody.TELEGRAM
        if entered:
            self._finished(delivery.refs)


def _nowhere(delivery: Delivery, bot: BotId) -> None:
    raise AssertionError("nobody has said who moves")


def _failures(delivery: Delivery, relay_effect: RelayEffect, refusal: Refusal) -> list[Work]:
    """One event for each message that did not arrive."""
    about, attempt = subject(relay_effect), ATTEMPTS[type(relay_effect)]
    failed = delivery.steps.failed if delivery.steps is not None else {about.message: refusal}
    return [
        Work(
            DeliveryFailed(
                relay_effect.sender,
                about.bot,
                message,
                relay_effect.chat,
                relay_effect.to,
                delivery.bot,
                why,
                attempt,
            ),
            cause=delivery.id,
        )
        for message, why in failed.items()
    ]


def _in_outbox(delivery: Delivery) -> tuple[str, ...]:
    """The outbox entries that end with a delivery."""
    return (delivery.id, marker_id(delivery.refs)) if delivery.refs else (delivery.id,)
