"""Getting things delivered: in order, within budgets, at most one attempt of a chat under way.

Everything for one person through one bot is a *lane* (see `parcels`), retries included: what follows waits until what
precedes has arrived or has been given up. A lane sends the next parcel only after the last one's outcome is
stored; so whenever the process dies, at most one message a chat can have arrived without our knowing, and at most that
one is sent twice.

What goes wrong, and what is done:

    429                held: the chat; with a second chat soon after, the bot. Then again. Costs no try.
    not sent           (refused connection) again, with growing pauses, until the parcel's time is up.
    unknown outcome    (5xx, reset, time-out after the bytes left) again, up to UNCERTAIN_TRIES in all.
    refused            over: the outcome says why.
    superseded         over, without a send: a newer edit or reaction of the same message is behind it (see
                       `domain.newest`). An edit of a message that has not been sent changes what is sent.
    token refused      everything for that bot waits while that is confirmed (see `tokens`), then goes on or is over.
                       A call that is refused although the token works is made again, as one that was not sent.

Where a fault is another bot's, the one that a file is fetched through, the one that sends is not blamed for it.

Over several processes budgets are shared (see `allowance`); a notice waits until what was said to its reader earlier
has gone out elsewhere, and a relay until its reader has been told of the chat: for a while each, not for ever. No send
begins while this worker is not assured of its leases.

A relay that is not through after PARK_AFTER_S is *parked*: sealed into the outbox, so that its update counts as done
and does not hold Telegram's queue up. It stays where it is in its lane. Behind CROWD others nothing is waited for: its
turn is far, and the updates of other people stand behind it in Telegram's queue.
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
from passerby.kernel.effect import Amend, Answer, Discard, Erase, Passage, Priority, React, Relay
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence
from passerby.ports.live_store import LiveStore, LiveStoreLost, Notice
from passerby.ports.shared_budgets import Account
from passerby.ports.telegram import (
    Delete,
    Dispatch,
    FloodWait,
    Refused,
    Telegram,
    TelegramError,
    TokenRefused,
    Unavailable,
)
from passerby.runtime.delivery.addressing import address, apart
from passerby.runtime.delivery.bot_queue import Gate
from passerby.runtime.delivery.delivery_queue import Lane, passage_id
from passerby.runtime.delivery.delivery_queue import Parcel as Parcel
from passerby.runtime.delivery.limiters import Allowance, Own, Shared
from passerby.runtime.delivery.stale_notices import as_things_stand
from passerby.runtime.delivery.steps import FOR_ALL, AmendSteps, RelaySteps
from passerby.runtime.delivery.wording import Wording
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.membership.tokens import Tokens, Trust
from passerby.runtime.tasks import Background
from passerby.telemetry import logs, metrics

PARK_AFTER_S = 1.5
CROWD = 10
RELAY_TTL_S = 3600.0
"""How long a relay may wait before its sender is told that it was dropped."""

NOTICE_TTL_S = 24 * 3600.0
NOTICE_LEAST_S = 60.0
"""An inherited notice is tried for at least this long. It may only look old, because the machine's clock was set, and
it may be the one that tells somebody that their message did not arrive."""

RECHECK_AFTER_S = 0.05
"""A relay that waited longer than this is sent only if its chat is still open."""

ENDED_KEPT_S = 60.0
"""A passage that was decided on while its chat was open may come here so much after the end of the chat."""

UNCERTAIN_TRIES = 7
REFUSED_TRIES = 7
"""A call that is refused so often, and for as long as a token's loss is confirmed, is refused whatever the token."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LONGEST_STORE_PAUSE_S = 2.0
"""The same while the live store is away: it is ours, and takes being asked often."""
FLOOD_MARGIN_S = 0.1
ELSEWHERE_POLL_S = 0.5
"""How often a delivery that needs a second bot, which is suspected, looks whether that one works again."""

COURTESY_WAIT_S = 60.0
"""How long a courtesy waits for a suspected bot: later nobody looks at that button any more."""

ORDER_POLL_S = 0.05
TOLD_WAIT_S = 10.0
"""How long a relay waits for the notice that tells its reader of the chat."""

PRECEDED_WAIT_S = 60.0
"""How long a notice waits for an earlier one that another process is to send; it may have to come from a dead one."""

IMPATIENT_S = 120.0
"""What has waited so long in vain lets what follows it in its lane go on without waiting, for so long."""

KINDS: dict[type[Passage], str] = {Relay: "relay", Amend: "amend", React: "react", Erase: "erase"}


class _Overtaken:
    """Something that goes first has come into the lane meanwhile."""


OVERTAKEN: Final = _Overtaken()


class _Superseded:
    """Nobody needs to see it any more."""


SUPERSEDED: Final = _Superseded()

End = tuple[MessageId, ...] | Refusal
"""The messages that a parcel became, or why it did not."""


class Outcomes(Protocol):
    """Who is told how a parcel ended. When these return, it is stored."""

    async def delivered(self, parcel: Parcel, messages: tuple[MessageId, ...]) -> None: ...

    async def failed(self, parcel: Parcel, refusal: Refusal) -> None: ...

    async def advanced(self, parcel: Parcel) -> None:
        """One of several steps has arrived. Nothing is lost where this cannot be stored now."""
        ...


class Courier:
    """`outcomes` is set by whoever wires the runtime, before the first parcel. `tokens`: if left out, its own.

    `assured`, if set, returns when a send may begin (see `runtime.membership.heartbeat`): at once, as a rule.
    `is_assured`, if set, says that it would, which costs less. `shared`: other processes send through the same bots.
    """

    outcomes: Outcomes

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
        prints: Prints,
        shared: bool = False,
        park_after_s: float = PARK_AFTER_S,
        recorder: FlightRecorder | None = None,
        tokens: Tokens | None = None,
    ) -> None:
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
        self.assured: Callable[[], Awaitable[None]] = _at_once
        self.is_assured: Callable[[], bool] = _never
        self._shared = shared
        self._park_after_s = park_after_s
        self.tokens = tokens or Tokens(telegram, background, clock, rng)
        self.tokens.listeners.append(self._heed_trust)
        self._lanes: dict[tuple[BotId, PersonId], Lane] = {}
        self._gates: dict[BotId, Gate] = {}
        self._passages: dict[ChatId, dict[str, Parcel]] = {}
        self._ended: dict[ChatId, float] = {}
        self._in_hand: dict[str, Parcel] = {}
        self._afoot = 0
        self._pending = 0
        self._halted = False
        self._abandoned = False
        self._inheriting = self._inherited = 0
        self._unparked: dict[str, Parcel] = {}  # passages whose updates are not done, oldest first
        self._crowd: list[Parcel] = []
        self._waiting: dict[PersonId, int] = {}
        self.is_crowded = asyncio.Event()
        """Set when relays should be parked at once."""
        metrics.know_bots(telegram.bots)

    # ------------------------------------------------------------------ taking in

    def say(self, notice: Notice, *, found_again: bool = False) -> None:
        """Deliver an entry of the outbox. `found_again`: it is older than what came since, and goes before it."""
        now = self._clock.monotonic()
        age_s = max(0.0, self._clock.now() - notice.made_at)
        deadline = now + max(NOTICE_LEAST_S, NOTICE_TTL_S - age_s)
        parcel = Parcel(notice.id, notice.bot, notice.to, notice.priority, now, deadline)
        parcel.notice = notice
        parcel.life = self._store.generation
        parcel.made_at, parcel.found_again = notice.made_at, found_again
        self._start(self._put(parcel))

    def pass_on(
        self,
        passage: Passage,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        *,
        fences: tuple[Fence, ...] = (),
        told: bool = True,
        taken_at: float | None = None,
        careful: bool = False,
        start: bool = True,
        parked: bool = False,
    ) -> Parcel | None:
        """Deliver a passage through `bot`; `refs`, taken under `fences`, are done when it is.

        `told`: its reader has heard of the chat. `taken_at`: when the update was taken, in monotonic seconds.
        `careful`: not before whoever called has parked it. `parked`: that has been done. `start`: its lane is set going
        here; else whoever called must do that at once (`going`). Returns what is in the lane now, if it is new there.
        """
        waiting = self._passages.get(passage.chat)
        id_ = passage_id(passage, refs)
        if waiting is not None:
            pressed_twice = waiting.get(id_)
            if pressed_twice is not None and not (pressed_twice.parked or pressed_twice.over):
                pressed_twice.refs += refs
                pressed_twice.fences = tuple(dict.fromkeys(pressed_twice.fences + fences))
                return None
            if not isinstance(passage, Relay):
                bot = self._behind(passage.source, waiting.values()) or bot
                if self._is_folded(passage, refs, fences, waiting.values()):
                    return None
        now = self._clock.monotonic()
        parcel = self._passage_parcel(passage, bot, refs, id_, now, now + RELAY_TTL_S)
        parcel.fences = fences
        parcel.told = told or not self._shared
        parcel.parked = parcel.may_be_parked = parked
        if taken_at is not None:
            parcel.taken_at = taken_at
        if passage.chat in self._ended:
            parcel.dropped = True
            self._background.spawn(self._fail(parcel, Refusal.LEFT))
            return None
        parcel.careful = careful and self._shared and not parked
        if not parked:
            self._unparked[parcel.id] = parcel
        lane = self._put(parcel)
        self._supersede(parcel)
        if not parked and len(lane) > CROWD:
            self._crowd.append(parcel)
            self.is_crowded.set()
        if start:
            self._start(lane)
        return parcel

    def going(self, parcel: Parcel) -> Coroutine[Any, Any, None] | None:
        """Have a parcel's lane set going by whoever awaits what this returns; None where it is going already."""
        lane = self._lanes[parcel.bot, parcel.person]
        if lane.running:
            return None
        lane.running = True
        return self._drain(lane)

    def resume(
        self,
        passage: Passage,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        id_: str,
        left_s: float,
        doomed: Refusal | None = None,
    ) -> None:
        """Deliver a passage that an earlier process parked, if its chat is still open.

        `doomed`: it is not to be tried.
        """
        now = self._clock.monotonic()
        left_s = min(left_s, RELAY_TTL_S)  # more, if the machine's clock has been set back
        parcel = self._passage_parcel(passage, bot, refs, id_, now, now + left_s)
        parcel.doomed = doomed
        parcel.put_at = float("-inf")
        parcel.made_at = self._clock.now() - (RELAY_TTL_S - left_s)
        parcel.found_again = True
        parcel.may_be_parked = True
        parcel.told = not self._shared
        parcel.parked = True
        lane = self._put(parcel)
        self._supersede(parcel)
        self._start(lane)

    def _passage_parcel(
        self, passage: Passage, bot: BotId, refs: tuple[UpdateRef, ...], id_: str, now: float, deadline: float
    ) -> Parcel:
        parcel = Parcel(id_, bot, passage.to, Priority.CHAT, now, deadline)
        parcel.passage = passage
        parcel.life = self._store.generation
        parcel.made_at = self._clock.now()
        parcel.refs = refs
        self._passages.setdefault(passage.chat, {})[id_] = parcel
        return parcel

    def _behind(self, source: MessageRef, waiting: Iterable[Parcel]) -> BotId | None:
        """The bot that a message is still on its way through, so that what is about it waits in the same lane."""
        for parcel in waiting:
            relay = parcel.passage
            if isinstance(relay, Relay) and relay.source_bot == source.bot and source.message in relay.sources:
                return parcel.bot
        return None

    def _is_folded(
        self, passage: Passage, refs: tuple[UpdateRef, ...], fences: tuple[Fence, ...], waiting: Iterable[Parcel]
    ) -> bool:
        """Whether an edit has become part of a message that waits its turn, with which its updates are done.

        What is parked stays as it was sealed: the edit follows it, as any edit does.
        """
        if not isinstance(passage, Amend):
            return False
        for parcel in waiting:
            relay = parcel.passage
            if not isinstance(relay, Relay) or not parcel.is_untouched or parcel.may_be_parked:
                continue
            edited = with_edit(relay, passage)
            if edited is not None:
                parcel.passage = edited
                parcel.refs += refs
                parcel.fences = tuple(dict.fromkeys(parcel.fences + fences))
                metrics.SUPERSEDED.add(KINDS[Amend])
                return True
        return False

    def _supersede(self, parcel: Parcel) -> None:
        """Leave out what nobody needs to see any more, now that this is on its way."""
        newer = parcel.passage
        if newer is None or isinstance(newer, Relay):
            return
        for older in list(self._passages[newer.chat].values()):
            if older is parcel or older.passage is None or not older.is_untouched:
                continue
            if not overtakes(newer, older.passage):
                continue
            older.superseded = True
            metrics.SUPERSEDED.add(KINDS[type(older.passage)])
            lane = self._lanes[older.bot, older.person]
            if lane.current is not older:
                self._take_out(lane, older)
                self._background.spawn(self._skip(older))
            elif lane.wake is not None:
                lane.wake.set()

    async def _skip(self, parcel: Parcel) -> None:
        """It is done, and nothing was sent."""
        await self.outcomes.delivered(parcel, ())
        self._forget(parcel)

    def oblige(self, courtesy: Answer | Discard, bot: BotId, language: str) -> None:
        """Stop a button's spinner, tidy up. In no lane and tried once: losing it harms nobody."""
        if isinstance(courtesy, Answer):
            dispatch: Dispatch = self._wording.answer(courtesy, bot, language)
        else:
            dispatch = Delete(bot, courtesy.to, courtesy.messages)
        self._background.spawn(self._oblige(dispatch))

    async def _oblige(self, dispatch: Dispatch) -> None:
        await self.assured()
        try:
            await self._once_trusted(dispatch)
        except TokenRefused:
            with suppress(TelegramError):  # the token was asked about meanwhile
                await self._once_trusted(dispatch)
        except TelegramError as error:
            logs.record("courier.courtesy_lost", "debug", error=logs.name_of(error), reason=error.reason)

    async def _once_trusted(self, dispatch: Dispatch) -> None:
        """Send it, unless its bot stays suspected for too long, or is lost. Raises: TelegramError."""
        with suppress(TimeoutError):
            async with asyncio.timeout(COURTESY_WAIT_S):
                await self.tokens.decided(dispatch.bot)
        if not self.tokens.works(dispatch.bot):
            return
        try:
            await self._telegram.send(dispatch)
        except TokenRefused:
            self.tokens.refused(dispatch.bot)
            raise

    def drop(self, chat: ChatId) -> None:
        """A chat has ended: whatever of it still waits its turn, or was decided on before, goes to nobody."""
        self._ended[chat] = self._clock.monotonic()
        for parcel in list(self._passages.get(chat, {}).values()):
            if parcel.under_way or parcel.dropped or parcel.superseded:
                continue
            parcel.dropped = True
            lane = self._lanes[parcel.bot, parcel.person]
            if lane.current is parcel:
                if lane.wake is not None:
                    lane.wake.set()
            else:
                self._take_out(lane, parcel)
                self._background.spawn(self._fail(parcel, Refusal.LEFT))

    def _heed_trust(self, bot: BotId, trust: Trust) -> None:
        """A bot is suspected, lost, or works again. What waited to hear which is woken."""
        gate = self._gate(bot)
        if trust is Trust.LOST:
            gate.lose()
        else:
            gate.lost = False
        if trust is not Trust.SUSPECTED:
            for (of, _), lane in self._lanes.items():
                if of == bot and lane.wake is not None:
                    lane.wake.set()

    @property
    def pending(self) -> int:
        """Parcels not yet delivered."""
        return self._pending

    @property
    def under_way(self) -> bool:
        """Whether the outcome of some send is not known, or not stored, yet."""
        return self._afoot > 0

    def halt(self) -> None:
        """Begin no further send. Those under way go on: cut off, they might have arrived, and would be sent again."""
        self._halted = True

    def abandon(self) -> None:
        """This life is over, and its leases are others': begin nothing more, and say nothing of what was in hand."""
        self._halted = self._abandoned = True

    @contextmanager
    def inheriting(self) -> Iterator[None]:
        """Within, entries of others become ours and are given to `say` and `resume`.

        In between the store counts them as ours already, and they are in no lane yet: what may come after one of them
        is not sent meanwhile.
        """
        self._inheriting += 1
        self._inherited += 1
        try:
            yield
        finally:
            self._inheriting -= 1

    def known(self, entry: str) -> bool:
        """Whether an entry of the outbox is in hand here."""
        return entry in self._in_hand

    def waiting(self, person: PersonId) -> int:
        """How many of a person's messages, and of the notices about them, are not delivered yet."""
        return self._waiting.get(person, 0)

    def overdue(self, more_s: float = 0.0) -> list[Parcel]:
        """Relays that have taken longer than an update may be held, and `more_s` besides, oldest first."""
        before = self._clock.monotonic() - self._park_after_s - more_s
        found = []
        for parcel in self._unparked.values():
            if parcel.put_at > before:
                break
            if not (parcel.parked or parcel.superseded):
                found.append(parcel)
        return found

    def is_in_crowd(self, parcel: Parcel) -> bool:
        """Whether what was put last has come behind many others: then it is parked together with them."""
        return bool(self._crowd) and self._crowd[-1] is parcel

    def crowd(self) -> list[Parcel]:
        """Relays that have come behind many others, as long as nobody has tried to park them."""
        self.is_crowded.clear()
        self._crowd = [
            each for each in self._crowd if not (each.may_be_parked or each.over or each.superseded or each.dropped)
        ]
        return self._crowd

    def unparked_before(self, parcel: Parcel) -> list[Parcel]:
        """What precedes a passage in its lane and is not parked: in the outbox, too, it is to come first."""
        lane = self._lanes.get((parcel.bot, parcel.person))
        before = takewhile(lambda each: each is not parcel, lane if lane is not None else ())
        return [each for each in before if each.passage is not None and not (each.parked or each.over or each.dropped)]

    def settles_before(self, parcel: Parcel) -> bool:
        """Whether the outcome of what precedes a parcel in its lane is being stored just now.

        Were the parcel parked first and the process killed then, it would be taken up before what precedes it.
        """
        lane = self._lanes.get((parcel.bot, parcel.person))
        current = lane.current if lane is not None else None
        return current is not None and current is not parcel and current.over

    def forget_idle(self) -> None:
        """Drop lanes with nothing in them whose budget is whole again, and chats that ended long ago."""
        now = self._clock.monotonic()
        while self._ended and now - self._ended[oldest := next(iter(self._ended))] > ENDED_KEPT_S:
            del self._ended[oldest]
        idle = [
            key
            for key, lane in self._lanes.items()
            if not lane.running and lane.held_until <= now and lane.allowance.is_idle(now)
        ]
        for key in idle:
            del self._lanes[key]
        metrics.PENDING.set(self._pending)

    # ------------------------------------------------------------------ lanes

    def _gate(self, bot: BotId) -> Gate:
        gate = self._gates.get(bot)
        if gate is None:
            allowance = self._allowance(Account(bot), self._bot_budget)
            gate = self._gates[bot] = Gate(allowance, self._background, self._clock)
        return gate

    def _allowance(self, account: Account, budget: Budget) -> Allowance:
        return Shared(account, budget, self._store, self._clock) if self._shared else Own(budget, self._clock)

    def _put(self, parcel: Parcel) -> Lane:
        """Put it into its lane, which is to be set going."""
        key = (parcel.bot, parcel.person)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(self._allowance(Account(*key), self._chat_budget))
        lane.put(parcel)
        self._pending += 1
        if (owner := parcel.owner) is not None:
            self._waiting[owner] = self._waiting.get(owner, 0) + 1
        self._in_hand[parcel.id] = parcel
        if lane.place is not None and lane.current is not None and parcel.priority < lane.current.priority:
            self._gate(parcel.bot).hasten(lane.place, parcel.priority)
        return lane

    def _start(self, lane: Lane) -> None:
        if not lane.running and lane:
            lane.running = True
            self._background.spawn(self._drain(lane))

    def _take_out(self, lane: Lane, parcel: Parcel) -> None:
        lane.remove(parcel)
        self._pending -= 1
        if (owner := parcel.owner) is not None:
            self._waiting[owner] -= 1
            if not self._waiting[owner]:
                del self._waiting[owner]

    async def _drain(self, lane: Lane) -> None:
        try:
            while lane:
                parcel = lane.current = lane.first
                await self._recorder.follow(self._bring(lane, parcel), parcel.refs)
        except Exception:
            lane.running = False
            self._start(lane)  # whoever watches the background hears of this parcel; the next ones go on
            raise
        finally:
            lane.running = lane.running and bool(lane)
            lane.current, lane.passed = None, False

    async def _bring(self, lane: Lane, parcel: Parcel) -> None:
        end = await self._deliver(lane, parcel)
        if self._abandoned:
            await _for_ever()
        if not isinstance(end, _Overtaken):
            await self._conclude(lane, parcel, end)

    async def _conclude(self, lane: Lane, parcel: Parcel, end: End) -> None:
        """Have the outcome stored; only then the lane goes on."""
        self._count(parcel, end)
        if parcel.steps is not None:
            if isinstance(end, Refusal):
                parcel.steps.give_up(end)
            end = next(iter(parcel.steps.failed.values()), _end(parcel))
        try:
            if isinstance(end, Refusal):
                await self._fail(parcel, end)
            else:
                self._afoot += 1
                try:
                    await self.outcomes.delivered(parcel, end)
                finally:
                    self._afoot -= 1
                self._forget(parcel)
        finally:
            self._take_out(lane, parcel)

    def _count(self, parcel: Parcel, end: End) -> None:
        outcome = str(end) if isinstance(end, Refusal) else "delivered" if parcel.tried_at is not None else "nothing"
        if parcel.passage is None:
            metrics.NOTICES.add(metrics.PRIORITIES[parcel.priority], outcome)
            return
        metrics.RELAYS.add(parcel.through, KINDS[type(parcel.passage)], outcome)
        if outcome == "delivered":
            metrics.RELAY_LATENCY.observe(self._clock.monotonic() - parcel.taken_at)

    async def _fail(self, parcel: Parcel, refusal: Refusal) -> None:
        await self.outcomes.failed(parcel, refusal)
        self._forget(parcel)

    def _forget(self, parcel: Parcel) -> None:
        if self._in_hand.get(parcel.id) is parcel:
            del self._in_hand[parcel.id]
        if self._unparked.get(parcel.id) is parcel:
            del self._unparked[parcel.id]
        if parcel.passage is not None:
            chat = parcel.passage.chat
            waiting = self._passages.get(chat)
            if waiting is not None and waiting.get(parcel.id) is parcel:
                del waiting[parcel.id]
                if not waiting:
                    del self._passages[chat]

    async def _deliver(self, lane: Lane, parcel: Parcel) -> End | _Overtaken:
        """Bring one parcel to its end, unless another goes first after all."""
        if parcel.doomed is not None:
            return parcel.doomed
        gate = self._gate(parcel.bot)
        uncertain, tries, refused = 0, 0, 0
        refused_since = float("inf")
        elsewhere: BotId | None = None
        metrics.QUEUE_WAIT.observe(self._clock.monotonic() - parcel.put_at, metrics.PRIORITIES[parcel.priority])
        while True:
            bot = parcel.bot
            try:
                over = await self._wait_turn(lane, gate, parcel, elsewhere)
                if isinstance(over, _Superseded):
                    return ()
                if over is not None:
                    return over
                if self._halted:
                    await _for_ever()
                parcel.under_way = True
                self._afoot += 1
                dispatch = await self._dispatch(parcel)
                if dispatch is None:
                    return _end(parcel)
                if isinstance(dispatch, Refusal):
                    return dispatch
                if not await self._is_sure():
                    continue
                if dispatch.bot != parcel.bot and not self.tokens.works(dispatch.bot):
                    elsewhere = dispatch.bot
                    continue
                bot = parcel.through = dispatch.bot
                parcel.tried_at = self._clock.now()
                sent = await self._telegram.send(dispatch)
                if parcel.steps is None:
                    return sent
                uncertain = tries = refused = 0
                refused_since = float("inf")
                parcel.steps.took(sent)
                if parcel.steps.next() is None:
                    return _end(parcel)
                await self.outcomes.advanced(parcel)
            except LiveStoreLost:
                tries += 1
                metrics.RETRIES.add(bot, "store")
                lane.held_until = self._clock.monotonic() + min(LONGEST_STORE_PAUSE_S, self._pause_s(tries))
            except FloodWait as error:
                self._hold(lane, bot, parcel, error)
            except Unavailable as error:
                tries += 1
                uncertain += error.uncertain
                if uncertain >= UNCERTAIN_TRIES:
                    return Refusal.UNCERTAIN
                metrics.RETRIES.add(bot, "uncertain" if error.uncertain else "not_sent")
                lane.held_until = self._clock.monotonic() + self._pause_s(tries)
            except Refused as error:
                if error.refusal is Refusal.BROKEN:
                    logs.record("courier.rejected", "error", reason=error.detail, bot=bot)
                if await self._goes_on(parcel, error.refusal):
                    continue
                if error.refusal is Refusal.UNREACHABLE and bot != parcel.bot:
                    return Refusal.CANNOT_COPY  # a bot that the partner has left behind; they are still here
                return error.refusal
            except TokenRefused as error:
                blamed = error.bot if error.bot is not None else bot
                if blamed != parcel.bot:
                    elsewhere = blamed
                tries, refused = tries + 1, refused + 1
                now = self._clock.monotonic()
                refused_since = min(refused_since, now)
                metrics.RETRIES.add(blamed, "refused")
                if not self.tokens.refused(blamed):
                    if refused > REFUSED_TRIES and now - refused_since >= self.tokens.refused_after_s:
                        logs.record("courier.rejected", "error", reason=error.reason, bot=blamed)
                        return Refusal.BROKEN
                    lane.held_until = now + self._pause_s(tries)
            except Exception as error:  # noqa: BLE001  # one parcel's bug ends that parcel, not its lane
                metrics.BUGS.add()
                logs.failed("courier.broken", error)
                return Refusal.BROKEN
            finally:
                self._afoot -= parcel.under_way
                parcel.under_way = False

    async def _goes_on(self, parcel: Parcel, refusal: Refusal) -> bool:
        """Whether something of a refused parcel may go all the same."""
        if parcel.passage is None or parcel.dropped or refusal in FOR_ALL:
            return False
        if parcel.steps is not None:
            parcel.steps.refused(refusal)
            return True
        try:
            parcel.steps = await apart(parcel.passage, parcel.bot, refusal, self._store, self.prints)
        except LiveStoreLost:
            return False
        return parcel.steps is not None

    async def _is_sure(self) -> bool:
        """Whether a send may begin now. After a pause all that was looked at before it is looked at again."""
        if self.is_assured() and not self._halted:
            return True
        asked_at = self._clock.monotonic()
        await self.assured()
        if self._halted:
            await _for_ever()
        return self._clock.monotonic() - asked_at <= RECHECK_AFTER_S

    async def _wait_turn(
        self, lane: Lane, gate: Gate, parcel: Parcel, elsewhere: BotId | None
    ) -> Refusal | _Overtaken | _Superseded | None:
        """Return when the parcel may be sent now, or why it may not be any more.

        `elsewhere`: a second bot that it needs, because the file or the message that it is about is there.
        """
        allowance = lane.allowance
        while True:
            if parcel.dropped:
                return Refusal.LEFT
            if parcel.superseded:
                return SUPERSEDED
            if gate.lost:
                return Refusal.BOT_LOST
            if elsewhere is not None and self.tokens.is_lost(elsewhere):
                return Refusal.CANNOT_COPY  # with its bot that is gone; the partner's works
            now = self._clock.monotonic()
            if now >= parcel.deadline:
                return Refusal.EXPIRED
            if lane.is_overtaken(parcel):
                return OVERTAKEN
            wait_s = max(lane.held_until, gate.held_until) - now
            if not self.tokens.works(parcel.bot):
                wait_s = parcel.deadline - now
            elif elsewhere is not None and not self.tokens.works(elsewhere):
                wait_s = ELSEWHERE_POLL_S
            elif wait_s <= 0 and self._shared and await self._is_early(parcel):
                if parcel.passage is not None and not await self._store.open_chats((parcel.passage.chat,)):
                    return Refusal.LEFT
                wait_s = ORDER_POLL_S
            elif wait_s <= 0 and not allowance.ready(now):
                wait_s = await allowance.ask()
                if wait_s <= 0:
                    continue
                metrics.BUDGET_WAIT.observe(wait_s, "chat")
            if wait_s > 0:
                await self._pause(lane, min(wait_s, parcel.deadline - now))
                continue
            if not lane.passed:
                if not gate.passes():
                    await self._queue(lane, gate)
                lane.passed = True
            if self._is_void(parcel, gate) or lane.is_overtaken(parcel):
                continue
            waited = self._clock.monotonic() - parcel.put_at > RECHECK_AFTER_S
            doubtful = waited or parcel.life != self._store.generation
            if parcel.passage is not None and doubtful and not await self._store.open_chats((parcel.passage.chat,)):
                return Refusal.LEFT
            now = self._clock.monotonic()
            if not allowance.ready(now):
                continue
            allowance.spend(now)
            lane.passed = False
            return None

    async def _queue(self, lane: Lane, gate: Gate) -> None:
        """Wait for the bot's budget, as urgently as what waits in the lane."""
        began_at = self._clock.monotonic()
        lane.place = gate.queue(lane.urgency)
        try:
            await lane.place
        finally:
            lane.place = None
        metrics.BUDGET_WAIT.observe(self._clock.monotonic() - began_at, "bot")

    async def _is_early(self, parcel: Parcel) -> bool:
        """Whether another process has something to send that comes first. Waited for with a bound, and asked about once
        in a while; afterwards never again."""
        passage = parcel.passage
        if parcel.careful:
            return True
        if passage is not None and not parcel.told:
            if not await self._store.told(passage.chat, parcel.person) and self._waits_on(parcel, TOLD_WAIT_S):
                return True
            parcel.told, parcel.patient_until = True, None
        if parcel.in_turn or parcel.is_aside or (passage is not None and not parcel.parked):
            return False
        lane = self._lanes[parcel.bot, parcel.person]
        now = self._clock.monotonic()
        if now >= lane.impatient_until and await self._is_preceded(parcel):
            if self._waits_on(parcel, PRECEDED_WAIT_S):
                return True
            lane.impatient_until = now + IMPATIENT_S
        parcel.in_turn = True
        return False

    async def _is_preceded(self, parcel: Parcel) -> bool:
        inherited = self._inherited
        if self._inheriting or await self._store.is_preceded(parcel.id):
            return True
        return inherited != self._inherited  # what came first may be ours by now: asked again, it is in the lane

    def _waits_on(self, parcel: Parcel, bound_s: float) -> bool:
        """Whether a parcel has not waited for others as long as it may."""
        now = self._clock.monotonic()
        if parcel.patient_until is None:
            parcel.patient_until = now + bound_s
        return now < parcel.patient_until

    def _is_void(self, parcel: Parcel, gate: Gate) -> bool:
        """Whether something happened, while the parcel waited, that ends it or makes it wait on."""
        return parcel.dropped or parcel.superseded or gate.lost or not self.tokens.works(parcel.bot)

    async def _pause(self, lane: Lane, wait_s: float) -> None:
        lane.passed = False
        lane.wake = asyncio.Event()
        try:
            async with asyncio.timeout(wait_s):
                await lane.wake.wait()
        except TimeoutError:
            pass
        finally:
            lane.wake = None

    def _pause_s(self, tries: int) -> float:
        pause_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (tries - 1))
        return pause_s * self._rng.uniform(0.75, 1.25)

    def _hold(self, lane: Lane, bot: BotId, parcel: Parcel, error: FloodWait) -> None:
        """Obey a 429: with the chat, with the whole bot where two chats are held, and in every process.

        Where the bot is the one that a file is fetched through, the chat is none of it.
        """
        blamed = error.bot if error.bot is not None else bot
        hold_s = error.retry_after_s + FLOOD_MARGIN_S
        lane.held_until = self._clock.monotonic() + hold_s
        whole_s = self._gate(blamed).strike(parcel.person, hold_s)
        if self._shared and blamed == bot:
            self._background.spawn(self._tell_hold(Account(bot, parcel.person), hold_s))
        if self._shared and whole_s:
            self._background.spawn(self._tell_hold(Account(blamed), whole_s))
        kind = "bot" if whole_s else "chat"
        metrics.FLOODS.add(blamed, kind)
        logs.record("courier.flood", "warning", bot=blamed, retry_after_s=error.retry_after_s, kind=kind)

    async def _tell_hold(self, account: Account, hold_s: float) -> None:
        with suppress(LiveStoreLost):  # then the others find out for themselves
            await self._store.hold(account, hold_s)

    async def _dispatch(self, parcel: Parcel) -> Dispatch | Refusal | None:
        if parcel.passage is not None:
            if parcel.steps is None or parcel.tried_at is None:  # what has not been tried may have been edited
                found = await address(parcel.passage, parcel.bot, self._store, self.prints)
                if not isinstance(found, RelaySteps | AmendSteps):
                    return found
                parcel.steps = found
            return parcel.steps.next()
        assert parcel.notice is not None, "a parcel is a passage or a notice"
        facts, notice = await self._store.load(parcel.person), parcel.notice
        if facts is None:
            return self._wording.notice(notice, "")
        if parcel.life != self._store.generation:
            notice = as_things_stand(notice, facts.me.state)
        return self._wording.notice(notice, facts.me.profile.language)


async def persistently(
    attempt: Callable[[], Awaitable[None]], lost: type[Exception], clock: Clock, rng: Random
) -> None:
    """Try until the store is back, with growing pauses. For what has happened and only needs to be written down."""
    pause_s = 0.05
    while True:
        try:
            return await attempt()
        except lost:
            await clock.sleep(pause_s * rng.uniform(0.75, 1.25))
            pause_s = min(5.0, pause_s * 2)


def _end(parcel: Parcel) -> End:
    """Of a parcel with nothing left to send: what it became. If nothing of it arrived, why it did not."""
    steps = parcel.steps
    if steps is None:
        return ()
    messages = tuple(each.copy.message for each in steps.copied)
    return messages or next(iter(steps.failed.values()), ())


async def _at_once() -> None:
    """For a process that is alone."""


def _never() -> bool:
    """Then it is asked for in full."""
    return False


async def _for_ever() -> None:
    """Until the task is cancelled."""
    await asyncio.get_running_loop().create_future()
