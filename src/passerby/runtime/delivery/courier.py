"""Delivers notices and relay effects: in order, within budgets, with at most one attempt for a chat at a time.

All deliveries for one person through one bot form a *queue* (see `delivery_queue`), retries included: a delivery waits
until the one before it has arrived or was given up. A queue sends the next delivery only after the outcome of the last
one is stored. So if the process dies, at most one message of a chat may have arrived without our knowing, and at most
that one is sent twice.

What can go wrong, and what the courier does:

    429                it holds the chat; if a second chat follows soon, the bot. Then it retries. This costs no try.
    not sent           (refused connection) it retries, with growing pauses, until the delivery's deadline.
    unknown outcome    (5xx, reset, time-out after the bytes left) it retries, up to UNCERTAIN_TRIES in all.
    refused            the delivery ends: the outcome says why.
    superseded         the delivery ends without a send: a newer edit or reaction of the same message is behind it (see
                       `domain.newest`). An edit of a message that has not been sent changes what is sent.
    token refused      all deliveries of that bot wait while this is confirmed (see `tokens`), then continue or end.
                       If the token works after all, the call is retried like one that was not sent.

If another bot is at fault, because the file is fetched through it, the sending bot is not blamed.

With several processes, budgets are shared (see `limiters`). A notice waits until earlier notices to its reader have
left other processes, and a relay waits until its reader has been told of the chat. Both waits are limited. No send
begins unless this worker is sure of its leases.

A relay that is not delivered after PARK_AFTER_S is *parked*: sealed into the outbox, so that its update counts as done
and does not hold up Telegram's queue. It keeps its place in its queue. Behind CROWD others, a relay is parked at once:
its turn is far away, and updates of other people wait behind it in Telegram's queue.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from random import Random
from typing import Any, Final, Protocol

from passerby.domain.budgets import Budget
from passerby.domain.fingerprint import Prints
from passerby.domain.newest import overtakes, with_edit
from passerby.kernel.effect import Priority, React, Relay, RelayDelete, RelayEdit, RelayEffect
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.outbox import Notice
from passerby.ports.shared_budgets import Account
from passerby.ports.telegram import (
    FloodWait,
    OutgoingCall,
    Refused,
    Telegram,
    TokenRefused,
    Unavailable,
)
from passerby.runtime.backoff import Backoff
from passerby.runtime.delivery.addressing import address, apart
from passerby.runtime.delivery.bot_queue import BotQueue
from passerby.runtime.delivery.delivery_queue import Delivery as Delivery
from passerby.runtime.delivery.delivery_queue import DeliveryQueue, relay_effect_id
from passerby.runtime.delivery.limiters import Limiter, LocalLimiter, SharedLimiter
from passerby.runtime.delivery.stale_notices import as_things_stand
from passerby.runtime.delivery.steps import FOR_ALL, EditSteps, RelaySteps
from passerby.runtime.delivery.wording import Wording
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.membership.heartbeat import Assurance
from passerby.runtime.membership.tokens import Tokens, Trust
from passerby.runtime.tasks import Background
from passerby.runtime.waiting import event_within
from passerby.telemetry import logs, metrics

PARK_AFTER_S = 1.5
CROWD = 10
RELAY_TTL_S = 3600.0
"""How long a relay may wait before its sender is told that it was dropped."""

NOTICE_TTL_S = 24 * 3600.0
NOTICE_LEAST_S = 60.0
"""An inherited notice is tried for at least this long. It may only look old because the machine's clock was set, and it
may be the notice that tells a person that their message did not arrive."""

RECHECK_AFTER_S = 0.05
"""A relay that waited longer than this is sent only if its chat is still open."""

ENDED_KEPT_S = 60.0
"""For this long after the end of a chat, we remember it: relay effects that were decided on before may still come."""

SETTLED_KEPT = 20_000
"""So many entries of the outbox that are settled are remembered: those of several minutes, if many people chat."""

UNCERTAIN_TRIES = 7
REFUSED_TRIES = 7
"""After this many refusals, over at least the time that confirms a token's loss, the call itself is refused."""

BACKOFF = Backoff(0.5, 30.0)
STORE_BACKOFF = Backoff(0.5, 2.0)
"""The same while the live store is away. It is our own server, so we may ask it often."""

WRITE_BACKOFF = Backoff(0.05, 5.0)
"""For storing what has happened (`persistently`)."""

FLOOD_MARGIN_S = 0.1
ELSEWHERE_POLL_S = 0.5
"""How often a delivery checks whether a second bot that it needs works again."""

ORDER_POLL_S = 0.05
TOLD_WAIT_S = 10.0
"""How long a relay waits for the notice that tells its reader of the chat."""

PRECEDED_WAIT_S = 60.0
"""How long a notice waits for an earlier one of another process. That process may be dead, and its notice inherited."""

NO_WAIT_S = 120.0
"""After a wait in vain, deliveries in this queue do not wait for other processes for this long."""

KINDS: dict[type[RelayEffect], str] = {Relay: "relay", RelayEdit: "edit", React: "react", RelayDelete: "delete"}


class _Overtaken:
    """Another delivery that goes first has come into the queue."""


OVERTAKEN: Final = _Overtaken()


class _Superseded:
    """Nobody needs to see this delivery any more."""


SUPERSEDED: Final = _Superseded()

End = tuple[MessageId, ...] | Refusal
"""The messages that a delivery became, or why it failed."""


class Outcomes(Protocol):
    """Stores how deliveries end. When a method returns, the outcome is stored."""

    async def delivered(self, delivery: Delivery, messages: tuple[MessageId, ...]) -> None: ...

    async def failed(self, delivery: Delivery, refusal: Refusal) -> None: ...

    async def advanced(self, delivery: Delivery) -> None:
        """One of several steps has arrived. If this cannot be stored now, nothing is lost."""
        ...


class Courier:
    """`outcomes` stores how each delivery ends. A send begins only while `assurance` says that no other worker can hold
    our leases. Without `tokens` it has its own. `shared`: other processes send through the same bots.
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
        park_after_s: float = PARK_AFTER_S,
        recorder: FlightRecorder | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self._outcomes = outcomes
        self._assurance = assurance
        self._recorder = recorder or FlightRecorder()
        self._telegram = telegram
        self._store = store
        self._wording = wording
        self._background = background
        self._clock = clock
        self._rng = rng
        self._bot_budget = bot_budget
        self._chat_budget = chat_budget
        self.prints = prints
        self._shared = shared
        self._park_after_s = park_after_s
        self.tokens = tokens or Tokens(telegram, background, clock, rng)
        self.tokens.listeners.append(self._on_trust)
        self._queues: dict[tuple[BotId, PersonId], DeliveryQueue] = {}
        self._bot_queues: dict[BotId, BotQueue] = {}
        self._relay_effects: dict[ChatId, dict[str, Delivery]] = {}
        self._ended: dict[ChatId, float] = {}
        self._in_hand: dict[str, Delivery] = {}
        self._sends_under_way = 0
        self._settled: dict[str, None] = {}  # the newest last
        self._calls: dict[Delivery, str] = {}
        """Each call to Telegram under way, with the store's generation when it began."""
        self._pending = 0
        self._halted = False
        self._abandoned = False
        self._inheriting = self._inherited = 0
        self._unparked: dict[str, Delivery] = {}  # relay effects whose updates are not done, oldest first
        self._crowd: list[Delivery] = []
        self._waiting: dict[PersonId, int] = {}
        self.is_crowded = asyncio.Event()
        """Set when relays should be parked at once."""
        metrics.know_bots(telegram.bots)

    def say(self, notice: Notice, *, found_again: bool = False) -> None:
        """Deliver a notice of the outbox. `found_again`: it is older than the deliveries that came since, and goes
        first."""
        now = self._clock.monotonic()
        age_s = max(0.0, self._clock.now() - notice.made_at)
        deadline = now + max(NOTICE_LEAST_S, NOTICE_TTL_S - age_s)
        delivery = Delivery(notice.id, notice.bot, notice.to, notice.priority, now, deadline)
        delivery.notice = notice
        delivery.generation = self._store.generation
        delivery.made_at, delivery.found_again = notice.made_at, found_again
        self._start(self._put(delivery))

    def pass_on(
        self,
        relay_effect: RelayEffect,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        *,
        fences: tuple[Fence, ...] = (),
        reader_told: bool = True,
        taken_at: float | None = None,
        must_park: bool = False,
        start: bool = True,
        parked: bool = False,
        generation: str | None = None,
    ) -> Delivery | None:
        """Deliver a relay effect through `bot`. Its `refs`, taken under `fences`, are done when it is delivered.

        `reader_told`: its reader has been told of the chat. `taken_at`: when the update was taken, in monotonic
        seconds. `must_park`: do not send it before the caller has parked it. `parked`: it has been parked.
        `generation`: the store's, when the facts were read that it was decided on. `start`: start its queue here;
        otherwise the caller must do so at once (`drain`). Returns the new delivery; None if there is none, because the
        effect was merged into another one or its chat has ended.
        """
        waiting = self._relay_effects.get(relay_effect.chat)
        id_ = relay_effect_id(relay_effect, refs)
        if waiting is not None:
            same = waiting.get(id_)
            if same is not None and not (same.parked or same.over):
                same.refs += refs
                same.fences = tuple(dict.fromkeys(same.fences + fences))
                return None
            if not isinstance(relay_effect, Relay):
                bot = self._behind(relay_effect.source, waiting.values()) or bot
                if self._is_folded(relay_effect, refs, fences, waiting.values()):
                    return None
        now = self._clock.monotonic()
        delivery = self._relay_effect_delivery(relay_effect, bot, refs, id_, now, now + RELAY_TTL_S)
        delivery.fences = fences
        if generation is not None:
            delivery.generation = generation
        delivery.reader_told = reader_told or not self._shared
        delivery.parked = delivery.may_be_parked = parked
        if taken_at is not None:
            delivery.taken_at = taken_at
        if relay_effect.chat in self._ended:
            delivery.dropped = True
            self._background.spawn(self._fail(delivery, Refusal.LEFT))
            return None
        delivery.must_park = must_park and self._shared and not parked
        if not parked:
            self._unparked[delivery.id] = delivery
        queue = self._put(delivery)
        self._supersede(delivery)
        if not parked and len(queue) > CROWD:
            self._crowd.append(delivery)
            self.is_crowded.set()
        if start:
            self._start(queue)
        return delivery

    def drain(self, delivery: Delivery) -> Coroutine[Any, Any, None] | None:
        """Return a coroutine that drains a delivery's queue; None if the queue is already running."""
        queue = self._queues[delivery.bot, delivery.person]
        if queue.running:
            return None
        queue.running = True
        return self._drain(queue)

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
        now = self._clock.monotonic()
        left_s = min(left_s, RELAY_TTL_S)  # it is more if the machine's clock has been set back
        delivery = self._relay_effect_delivery(relay_effect, bot, refs, id_, now, now + left_s)
        delivery.refusal = refusal
        delivery.put_at = float("-inf")
        delivery.made_at = self._clock.now() - (RELAY_TTL_S - left_s)
        delivery.found_again = True
        delivery.may_be_parked = True
        delivery.reader_told = not self._shared
        delivery.parked = True
        queue = self._put(delivery)
        self._supersede(delivery)
        self._start(queue)

    def _relay_effect_delivery(
        self, relay_effect: RelayEffect, bot: BotId, refs: tuple[UpdateRef, ...], id_: str, now: float, deadline: float
    ) -> Delivery:
        delivery = Delivery(id_, bot, relay_effect.to, Priority.CHAT, now, deadline)
        delivery.relay_effect = relay_effect
        delivery.generation = self._store.generation
        delivery.made_at = self._clock.now()
        delivery.refs = refs
        self._relay_effects.setdefault(relay_effect.chat, {})[id_] = delivery
        return delivery

    def _behind(self, source: MessageRef, waiting: Iterable[Delivery]) -> BotId | None:
        """Return the bot that a message still waits for. An effect about that message then waits in the same queue."""
        for delivery in waiting:
            relay = delivery.relay_effect
            if isinstance(relay, Relay) and relay.source_bot == source.bot and source.message in relay.sources:
                return delivery.bot
        return None

    def _is_folded(
        self,
        relay_effect: RelayEffect,
        refs: tuple[UpdateRef, ...],
        fences: tuple[Fence, ...],
        waiting: Iterable[Delivery],
    ) -> bool:
        """Whether an edit was merged into a message that still waits. Then its updates are done with the message.

        A parked message stays as it was sealed; its edit follows it like any other edit.
        """
        if not isinstance(relay_effect, RelayEdit):
            return False
        for delivery in waiting:
            relay = delivery.relay_effect
            if not isinstance(relay, Relay) or not delivery.is_untouched or delivery.may_be_parked:
                continue
            edited = with_edit(relay, relay_effect)
            if edited is not None:
                delivery.relay_effect = edited
                delivery.refs += refs
                delivery.fences = tuple(dict.fromkeys(delivery.fences + fences))
                metrics.SUPERSEDED.add(KINDS[RelayEdit])
                return True
        return False

    def _supersede(self, delivery: Delivery) -> None:
        """Leave out older deliveries that nobody needs to see any more because of this one."""
        newer = delivery.relay_effect
        if newer is None or isinstance(newer, Relay):
            return
        for older in list(self._relay_effects[newer.chat].values()):
            if older is delivery or older.relay_effect is None or not older.is_untouched:
                continue
            if not overtakes(newer, older.relay_effect):
                continue
            older.superseded = True
            metrics.SUPERSEDED.add(KINDS[type(older.relay_effect)])
            queue = self._queues[older.bot, older.person]
            if queue.current is not older:
                self._take_out(queue, older)
                self._background.spawn(self._skip(older))
            elif queue.wake is not None:
                queue.wake.set()

    async def _skip(self, delivery: Delivery) -> None:
        """End a delivery that was not sent: its updates are done."""
        await self._outcomes.delivered(delivery, ())
        self._forget(delivery)

    def drop(self, chat: ChatId) -> None:
        """Note that a chat has ended. Its waiting relay effects, and those decided on before its end, are dropped."""
        self._ended[chat] = self._clock.monotonic()
        for delivery in list(self._relay_effects.get(chat, {}).values()):
            if delivery.under_way or delivery.dropped or delivery.superseded:
                continue
            delivery.dropped = True
            queue = self._queues[delivery.bot, delivery.person]
            if queue.current is delivery:
                if queue.wake is not None:
                    queue.wake.set()
            else:
                self._take_out(queue, delivery)
                self._background.spawn(self._fail(delivery, Refusal.LEFT))

    def _on_trust(self, bot: BotId, trust: Trust) -> None:
        """React to a bot that is suspected, lost, or works again. Wakes the queues that waited for this."""
        bot_queue = self._bot_queue(bot)
        if trust is Trust.LOST:
            bot_queue.lose()
        else:
            bot_queue.lost = False
        if trust is not Trust.SUSPECTED:
            for (of, _), queue in self._queues.items():
                if of == bot and queue.wake is not None:
                    queue.wake.set()

    @property
    def pending(self) -> int:
        """The number of deliveries that have not ended."""
        return self._pending

    @property
    def under_way(self) -> bool:
        """Whether the outcome of some send is not known, or not stored yet."""
        return self._sends_under_way > 0

    def is_sending_since_before(self, generation: str) -> bool:
        """Whether a call to Telegram that began in another generation than this one is still under way."""
        return any(began_in != generation for began_in in self._calls.values())

    def halt(self) -> None:
        """Begin no further send. Sends under way continue: if cut off, they might have arrived and would be sent
        again."""
        self._halted = True

    def abandon(self) -> None:
        """End this incarnation, whose leases are others' now: begin nothing more, and report nothing about deliveries
        in hand."""
        self._halted = self._abandoned = True

    @contextmanager
    def inheriting(self) -> Iterator[None]:
        """Mark the time in which we take over entries of others and pass them to `say` and `resume`.

        Meanwhile the store counts the entries as ours, but they are in no queue yet. So deliveries that may come after
        one of them wait.
        """
        self._inheriting += 1
        self._inherited += 1
        try:
            yield
        finally:
            self._inheriting -= 1

    def known(self, entry: str) -> bool:
        """Whether this process is delivering an entry of the outbox."""
        return entry in self._in_hand

    def in_hand(self) -> tuple[Delivery, ...]:
        """All deliveries whose outcome is not stored yet."""
        return tuple(self._in_hand.values())

    def has_settled(self, entry: str) -> bool:
        """Whether this process has delivered an entry of the outbox, or given it up. A store that went back in time may
        have it again."""
        return entry in self._settled

    def waiting(self, person: PersonId) -> int:
        """How many of a person's messages, and of the notices about them, are not delivered yet."""
        return self._waiting.get(person, 0)

    def overdue(self, more_s: float = 0.0) -> list[Delivery]:
        """Return relays that have waited longer than an update may be held, plus `more_s`, oldest first."""
        before = self._clock.monotonic() - self._park_after_s - more_s
        found = []
        for delivery in self._unparked.values():
            if delivery.put_at > before:
                break
            if not (delivery.parked or delivery.superseded):
                found.append(delivery)
        return found

    def is_in_crowd(self, delivery: Delivery) -> bool:
        """Whether this last relay has come behind many others. Then it is parked together with them."""
        return bool(self._crowd) and self._crowd[-1] is delivery

    def crowd(self) -> list[Delivery]:
        """Return relays that have come behind many others and that nobody has tried to park."""
        self.is_crowded.clear()
        self._crowd = [
            each for each in self._crowd if not (each.may_be_parked or each.over or each.superseded or each.dropped)
        ]
        return self._crowd

    def unparked_before(self, delivery: Delivery) -> list[Delivery]:
        """Return the unparked relay effects before this one in its queue: they must come first in the outbox, too."""
        queue = self._queues.get((delivery.bot, delivery.person))
        before = takewhile(lambda each: each is not delivery, queue if queue is not None else ())
        return [
            each for each in before if each.relay_effect is not None and not (each.parked or each.over or each.dropped)
        ]

    def settles_before(self, delivery: Delivery) -> bool:
        """Whether the outcome of the previous delivery in its queue is being stored at this moment.

        If this delivery were parked first and the process were killed, the next process would send them in the wrong
        order.
        """
        queue = self._queues.get((delivery.bot, delivery.person))
        current = queue.current if queue is not None else None
        return current is not None and current is not delivery and current.over

    def forget_idle(self) -> None:
        """Drop empty queues whose budget is full again, and chats that ended long ago."""
        now = self._clock.monotonic()
        while self._ended and now - self._ended[oldest := next(iter(self._ended))] > ENDED_KEPT_S:
            del self._ended[oldest]
        idle = [
            key
            for key, queue in self._queues.items()
            if not queue.running and queue.held_until <= now and queue.limiter.is_idle(now)
        ]
        for key in idle:
            del self._queues[key]
        metrics.PENDING.set(self._pending)
        stored = (each.put_at for each in self._in_hand.values() if each.notice is not None or each.parked)
        metrics.OUTBOX_OLDEST.set(now - next(stored, now))
        for bot, bot_queue in self._bot_queues.items():
            metrics.BOT_HELD.set(bot_queue.held_s(now), bot)

    def _bot_queue(self, bot: BotId) -> BotQueue:
        bot_queue = self._bot_queues.get(bot)
        if bot_queue is None:
            limiter = self._limiter(Account(bot), self._bot_budget)
            bot_queue = self._bot_queues[bot] = BotQueue(limiter, self._background, self._clock)
        return bot_queue

    def _limiter(self, account: Account, budget: Budget) -> Limiter:
        return (
            SharedLimiter(account, budget, self._store, self._clock)
            if self._shared
            else LocalLimiter(budget, self._clock)
        )

    def _put(self, delivery: Delivery) -> DeliveryQueue:
        """Put it into its queue. The caller starts the queue."""
        key = (delivery.bot, delivery.person)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = DeliveryQueue(self._limiter(Account(*key), self._chat_budget))
        queue.put(delivery)
        self._pending += 1
        if (owner := delivery.owner) is not None:
            self._waiting[owner] = self._waiting.get(owner, 0) + 1
        self._in_hand[delivery.id] = delivery
        if queue.place is not None and queue.current is not None and delivery.priority < queue.current.priority:
            self._bot_queue(delivery.bot).raise_priority(queue.place, delivery.priority)
        return queue

    def _start(self, queue: DeliveryQueue) -> None:
        if not queue.running and queue:
            queue.running = True
            self._background.spawn(self._drain(queue))

    def _take_out(self, queue: DeliveryQueue, delivery: Delivery) -> None:
        queue.remove(delivery)
        self._pending -= 1
        if (owner := delivery.owner) is not None:
            self._waiting[owner] -= 1
            if not self._waiting[owner]:
                del self._waiting[owner]

    async def _drain(self, queue: DeliveryQueue) -> None:
        try:
            while queue:
                delivery = queue.current = queue.first
                await self._recorder.follow(self._deliver_and_store(queue, delivery), delivery.refs)
        except Exception:
            queue.running = False
            self._start(queue)  # the background reports this delivery's bug; the next deliveries continue
            raise
        finally:
            queue.running = queue.running and bool(queue)
            queue.current, queue.passed = None, False

    async def _deliver_and_store(self, queue: DeliveryQueue, delivery: Delivery) -> None:
        end = await self._deliver(queue, delivery)
        if self._abandoned:
            await _for_ever()
        if not isinstance(end, _Overtaken):
            await self._conclude(queue, delivery, end)

    async def _conclude(self, queue: DeliveryQueue, delivery: Delivery, end: End) -> None:
        """Store the outcome. Only then does the queue continue."""
        self._count(delivery, end)
        if delivery.steps is not None:
            if isinstance(end, Refusal):
                delivery.steps.give_up(end)
            end = next(iter(delivery.steps.failed.values()), _end(delivery))
        try:
            if isinstance(end, Refusal):
                await self._fail(delivery, end)
            else:
                self._sends_under_way += 1
                try:
                    await self._outcomes.delivered(delivery, end)
                finally:
                    self._sends_under_way -= 1
                self._forget(delivery)
        finally:
            self._take_out(queue, delivery)

    def _count(self, delivery: Delivery, end: End) -> None:
        outcome = str(end) if isinstance(end, Refusal) else "delivered" if delivery.tried_at is not None else "nothing"
        if delivery.relay_effect is None:
            metrics.NOTICES.add(metrics.PRIORITIES[delivery.priority], outcome)
            return
        metrics.RELAYS.add(delivery.through, KINDS[type(delivery.relay_effect)], outcome)
        if outcome == "delivered":
            metrics.RELAY_LATENCY.observe(self._clock.monotonic() - delivery.taken_at)

    async def _fail(self, delivery: Delivery, refusal: Refusal) -> None:
        await self._outcomes.failed(delivery, refusal)
        self._forget(delivery)

    def _forget(self, delivery: Delivery) -> None:
        if delivery.notice is not None or delivery.may_be_parked:
            self._settled[delivery.id] = None
            if len(self._settled) > SETTLED_KEPT:
                del self._settled[next(iter(self._settled))]
        if self._in_hand.get(delivery.id) is delivery:
            del self._in_hand[delivery.id]
        if self._unparked.get(delivery.id) is delivery:
            del self._unparked[delivery.id]
        if delivery.relay_effect is not None:
            chat = delivery.relay_effect.chat
            waiting = self._relay_effects.get(chat)
            if waiting is not None and waiting.get(delivery.id) is delivery:
                del waiting[delivery.id]
                if not waiting:
                    del self._relay_effects[chat]

    async def _deliver(self, queue: DeliveryQueue, delivery: Delivery) -> End | _Overtaken:
        """Deliver it to its end, unless another delivery goes first after all."""
        if delivery.refusal is not None:
            return delivery.refusal
        bot_queue = self._bot_queue(delivery.bot)
        uncertain, tries, refused = 0, 0, 0
        refused_since = float("inf")
        elsewhere: BotId | None = None
        metrics.QUEUE_WAIT.observe(self._clock.monotonic() - delivery.put_at, metrics.PRIORITIES[delivery.priority])
        while True:
            bot = delivery.bot
            try:
                over = await self._wait_turn(queue, bot_queue, delivery, elsewhere)
                if isinstance(over, _Superseded):
                    return ()
                if over is not None:
                    return over
                if self._halted:
                    await _for_ever()
                delivery.under_way = True
                self._sends_under_way += 1
                outgoing = await self._outgoing_call(delivery)
                if outgoing is None:
                    return _end(delivery)
                if isinstance(outgoing, Refusal):
                    return outgoing
                if not await self._is_sure():
                    continue
                if outgoing.bot != delivery.bot and not self.tokens.works(outgoing.bot):
                    elsewhere = outgoing.bot
                    continue
                bot = delivery.through = outgoing.bot
                if delivery.relay_effect is not None and delivery.generation != self._store.generation:
                    continue  # a new generation has begun since the last check
                delivery.tried_at = self._clock.now()
                self._calls[delivery] = self._store.generation
                try:
                    sent = await self._telegram.send(outgoing)
                finally:
                    del self._calls[delivery]
                if delivery.steps is None:
                    return sent
                uncertain = tries = refused = 0
                refused_since = float("inf")
                delivery.steps.took(sent)
                if delivery.steps.next() is None:
                    return _end(delivery)
                await self._outcomes.advanced(delivery)
            except LiveStoreLost:
                tries += 1
                delivery.waits_until = None  # what others must send first, they could not send either
                metrics.RETRIES.add(bot, "store")
                queue.held_until = self._clock.monotonic() + STORE_BACKOFF.pause_s(tries, self._rng)
            except FloodWait as error:
                self._hold(queue, bot, delivery, error)
            except Unavailable as error:
                tries += 1
                uncertain += error.uncertain
                if uncertain >= UNCERTAIN_TRIES:
                    return Refusal.UNCERTAIN
                metrics.RETRIES.add(bot, "uncertain" if error.uncertain else "not_sent")
                queue.held_until = self._clock.monotonic() + BACKOFF.pause_s(tries, self._rng)
            except Refused as error:
                if error.refusal is Refusal.BROKEN:
                    logs.record("courier.rejected", "error", reason=error.detail, bot=bot)
                if await self._can_continue(delivery, error.refusal):
                    continue
                if error.refusal is Refusal.UNREACHABLE and bot != delivery.bot:
                    return Refusal.CANNOT_COPY  # the partner has left this other bot, but still uses theirs
                return error.refusal
            except TokenRefused as error:
                blamed = error.bot if error.bot is not None else bot
                if blamed != delivery.bot:
                    elsewhere = blamed
                tries, refused = tries + 1, refused + 1
                now = self._clock.monotonic()
                refused_since = min(refused_since, now)
                metrics.RETRIES.add(blamed, "refused")
                if not self.tokens.refused(blamed):
                    if refused > REFUSED_TRIES and now - refused_since >= self.tokens.refused_after_s:
                        logs.record("courier.rejected", "error", reason=error.reason, bot=blamed)
                        return Refusal.BROKEN
                    queue.held_until = now + BACKOFF.pause_s(tries, self._rng)
            except Exception as error:  # noqa: BLE001  # one delivery's bug ends that delivery, not its queue
                metrics.BUGS.add()
                logs.failed("courier.broken", error)
                return Refusal.BROKEN
            finally:
                self._sends_under_way -= delivery.under_way
                delivery.under_way = False

    async def _can_continue(self, delivery: Delivery, refusal: Refusal) -> bool:
        """Whether a part of a refused delivery can still be sent."""
        if delivery.relay_effect is None or delivery.dropped or refusal in FOR_ALL:
            return False
        if delivery.steps is not None:
            delivery.steps.refused(refusal)
            return True
        try:
            delivery.steps = await apart(delivery.relay_effect, delivery.bot, refusal, self._store, self.prints)
        except LiveStoreLost:
            return False
        return delivery.steps is not None

    async def _is_sure(self) -> bool:
        """Whether a send may begin now. After a longer wait, the caller checks everything again."""
        if self._assurance.is_assured and not self._halted:
            return True
        asked_at = self._clock.monotonic()
        await self._assurance.assured()
        if self._halted:
            await _for_ever()
        return self._clock.monotonic() - asked_at <= RECHECK_AFTER_S

    async def _wait_turn(
        self, queue: DeliveryQueue, bot_queue: BotQueue, delivery: Delivery, elsewhere: BotId | None
    ) -> Refusal | _Overtaken | _Superseded | None:
        """Return None when the delivery may be sent now, otherwise why it ends.

        `elsewhere`: a second bot that it needs, because the file or the message is there.
        """
        limiter = queue.limiter
        while True:
            if delivery.dropped:
                return Refusal.LEFT
            if delivery.superseded:
                return SUPERSEDED
            if bot_queue.lost:
                return Refusal.BOT_LOST
            if elsewhere is not None and self.tokens.is_lost(elsewhere):
                return Refusal.CANNOT_COPY  # the other bot is gone; the partner's bot works
            now = self._clock.monotonic()
            if now >= delivery.deadline:
                return Refusal.EXPIRED
            if queue.is_overtaken(delivery):
                return OVERTAKEN
            wait_s = max(queue.held_until, bot_queue.held_until) - now
            if not self.tokens.works(delivery.bot):
                wait_s = delivery.deadline - now
            elif elsewhere is not None and not self.tokens.works(elsewhere):
                wait_s = ELSEWHERE_POLL_S
            elif wait_s <= 0 and self._shared and await self._must_wait(delivery):
                if delivery.relay_effect is not None and not await self._store.open_chats(
                    (delivery.relay_effect.chat,)
                ):
                    return Refusal.LEFT
                wait_s = ORDER_POLL_S
            elif wait_s <= 0 and not limiter.ready(now):
                wait_s = await limiter.ask()
                if wait_s <= 0:
                    continue
                metrics.BUDGET_WAIT.observe(wait_s, "chat")
            if wait_s > 0:
                await self._pause(queue, min(wait_s, delivery.deadline - now))
                continue
            if not queue.passed:
                if not bot_queue.passes():
                    await self._queue(queue, bot_queue)
                queue.passed = True
            if self._is_void(delivery, bot_queue) or queue.is_overtaken(delivery):
                continue
            if delivery.relay_effect is not None and not await self._is_open(delivery, delivery.relay_effect.chat):
                return Refusal.LEFT
            now = self._clock.monotonic()
            if not limiter.ready(now):
                continue
            limiter.spend(now)
            queue.passed = False
            return None

    async def _is_open(self, delivery: Delivery, chat: ChatId) -> bool:
        """Whether a relay may be sent into its chat. Asks the store if the relay has waited, or if its decision is of
        another generation."""
        generation = self._store.generation
        waited = self._clock.monotonic() - delivery.put_at > RECHECK_AFTER_S
        if not waited and delivery.generation == generation:
            return True
        if not await self._store.open_chats((chat,)):
            return False
        delivery.generation = generation
        return True

    async def _queue(self, queue: DeliveryQueue, bot_queue: BotQueue) -> None:
        """Wait for the bot's budget, with the highest priority that waits in the queue."""
        began_at = self._clock.monotonic()
        queue.place = bot_queue.queue(queue.urgency)
        try:
            await queue.place
        finally:
            queue.place = None
        metrics.BUDGET_WAIT.observe(self._clock.monotonic() - began_at, "bot")

    async def _must_wait(self, delivery: Delivery) -> bool:
        """Whether another process must send something first. The wait is limited. Once it is over, it is never asked
        again for this delivery."""
        relay_effect = delivery.relay_effect
        if delivery.must_park:
            return True
        if relay_effect is not None and not delivery.reader_told:
            if not await self._store.told(relay_effect.chat, delivery.person) and self._may_wait(delivery, TOLD_WAIT_S):
                return True
            delivery.reader_told, delivery.waits_until = True, None
        if delivery.in_turn or delivery.is_aside or (relay_effect is not None and not delivery.parked):
            return False
        queue = self._queues[delivery.bot, delivery.person]
        now = self._clock.monotonic()
        if now >= queue.no_wait_until and await self._is_preceded(delivery):
            if self._may_wait(delivery, PRECEDED_WAIT_S):
                return True
            queue.no_wait_until = now + NO_WAIT_S
        delivery.in_turn = True
        return False

    async def _is_preceded(self, delivery: Delivery) -> bool:
        inherited = self._inherited
        if self._inheriting or await self._store.is_preceded(delivery.id):
            return True
        return inherited != self._inherited  # the earlier entry may be ours by now: asked again, it is in the queue

    def _may_wait(self, delivery: Delivery, bound_s: float) -> bool:
        """Whether a delivery may still wait for others."""
        now = self._clock.monotonic()
        if delivery.waits_until is None:
            delivery.waits_until = now + bound_s
        return now < delivery.waits_until

    def _is_void(self, delivery: Delivery, bot_queue: BotQueue) -> bool:
        """Whether something happened while the delivery waited that ends it or makes it wait longer."""
        return delivery.dropped or delivery.superseded or bot_queue.lost or not self.tokens.works(delivery.bot)

    async def _pause(self, queue: DeliveryQueue, wait_s: float) -> None:
        queue.passed = False
        queue.wake = asyncio.Event()
        try:
            await event_within(queue.wake, wait_s)
        finally:
            queue.wake = None

    def _hold(self, queue: DeliveryQueue, bot: BotId, delivery: Delivery, error: FloodWait) -> None:
        """Obey a 429: hold the chat, and the whole bot if two chats are held, in every process.

        If the file's bot is held, other processes are not told to hold this chat.
        """
        blamed = error.bot if error.bot is not None else bot
        hold_s = error.retry_after_s + FLOOD_MARGIN_S
        queue.held_until = self._clock.monotonic() + hold_s
        whole_s = self._bot_queue(blamed).note_flood(delivery.person, hold_s)
        if self._shared and blamed == bot:
            self._background.spawn(self._share_hold(Account(bot, delivery.person), hold_s))
        if self._shared and whole_s:
            self._background.spawn(self._share_hold(Account(blamed), whole_s))
        kind = "bot" if whole_s else "chat"
        metrics.FLOODS.add(blamed, kind)
        logs.record("courier.flood", "warning", bot=blamed, retry_after_s=error.retry_after_s, kind=kind)

    async def _share_hold(self, account: Account, hold_s: float) -> None:
        with suppress(LiveStoreLost):  # then the other processes get their own 429
            await self._store.hold(account, hold_s)

    async def _outgoing_call(self, delivery: Delivery) -> OutgoingCall | Refusal | None:
        if delivery.relay_effect is not None:
            if delivery.steps is None or delivery.tried_at is None:  # an untried message may have been edited
                found = await address(delivery.relay_effect, delivery.bot, self._store, self.prints)
                if not isinstance(found, RelaySteps | EditSteps):
                    return found
                delivery.steps = found
            return delivery.steps.next()
        assert delivery.notice is not None, "a delivery is a relay_effect or a notice"
        facts, notice = await self._store.load(delivery.person), delivery.notice
        if facts is None:
            return self._wording.notice(notice, "")
        if delivery.generation != self._store.generation:
            notice = as_things_stand(notice, facts)
        return self._wording.notice(notice, facts.me.profile.language)


async def persistently(
    attempt: Callable[[], Awaitable[object]], lost: type[Exception], clock: Clock, rng: Random
) -> None:
    """Try until the store is back, with growing pauses. This is for results that only need to be stored."""
    failures = 0
    while True:
        try:
            await attempt()
        except lost:
            failures += 1
            await clock.sleep(WRITE_BACKOFF.pause_s(failures, rng))
        else:
            return


def _end(delivery: Delivery) -> End:
    """Return the end of a delivery with nothing left to send: its messages, or if nothing arrived, why not."""
    steps = delivery.steps
    if steps is None:
        return ()
    messages = tuple(each.copy.message for each in steps.copied)
    return messages or next(iter(steps.failed.values()), ())


async def _for_ever() -> None:
    """Wait until the task is cancelled."""
    await asyncio.get_running_loop().create_future()
