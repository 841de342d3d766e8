"""Getting things delivered: in order, within budgets, at most one attempt of a chat under way.

Everything for one person through one bot is a *lane*, first in, first out, retries included: what follows waits
until what precedes has arrived or has been given up. A lane sends the next parcel only after the last one's outcome is
stored; so whenever the process dies, at most one message a chat can have arrived without our knowing, and at most that
one is sent twice.

What goes wrong, and what is done:

    429                held: the chat; with a second chat soon after, the bot. Then again. Costs no try.
    not sent           (refused connection) again, with growing pauses, until the parcel's time is up.
    unknown outcome    (5xx, reset, time-out after the bytes left) again, up to UNCERTAIN_TRIES in all.
    refused            over: the outcome says why.
    token refused      everything for that bot is over.

A relay that is not through after PARK_AFTER_S is *parked*: sealed into the outbox, so that its update counts as done
and does not hold Telegram's queue up. It stays where it is in its lane.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Protocol

from passerby import logs
from passerby.domain.budgets import FULL, Budget
from passerby.kernel.effect import Answer, Discard, Passage, Priority, Relay
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence
from passerby.ports.live_store import LiveStore, LiveStoreLost, Notice
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
from passerby.runtime.background import Background
from passerby.runtime.gate import Gate
from passerby.runtime.passages import address
from passerby.runtime.wording import Wording

PARK_AFTER_S = 1.5
RELAY_TTL_S = 3600.0
"""How long a relay may wait before its sender is told that it was dropped."""

NOTICE_TTL_S = 24 * 3600.0
RECHECK_AFTER_S = 0.05
"""A relay that waited longer than this is sent only if its chat is still open."""

ENDED_KEPT_S = 60.0
"""A passage that was decided on while its chat was open may come here so much after the end of the chat."""

UNCERTAIN_TRIES = 7
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
FLOOD_MARGIN_S = 0.1


class Parcel:
    """Something in a lane: a notice of the outbox, or a passage."""

    __slots__ = (
        "bot",
        "deadline",
        "dropped",
        "fences",
        "id",
        "lock",
        "notice",
        "over",
        "parked",
        "passage",
        "person",
        "priority",
        "put_at",
        "refs",
        "through",
        "told",
        "tried_at",
        "under_way",
    )

    def __init__(
        self, id_: str, bot: BotId, person: PersonId, priority: Priority, put_at: float, deadline: float
    ) -> None:
        self.id = id_
        self.bot = bot
        self.person = person
        self.priority = priority
        self.put_at = put_at
        self.deadline = deadline
        self.notice: Notice | None = None
        self.passage: Passage | None = None
        self.refs: tuple[UpdateRef, ...] = ()
        self.fences: tuple[Fence, ...] = ()
        """The leases that the updates were taken under, for the mark that makes them done."""
        self.told = True
        """Whether its reader has heard of the chat; where not, it waits until they have."""
        self.parked = False
        self.over = False
        self.lock = asyncio.Lock()
        """Held while the parcel is being parked."""
        self.dropped = False
        self.under_way = False
        self.tried_at: float | None = None
        """When the last attempt began, in Unix seconds."""
        self.through = bot
        """The bot that it left through: what is about a message goes to the bot where that message stands."""


class Outcomes(Protocol):
    """Who is told how a parcel ended. When these return, it is stored."""

    async def delivered(self, parcel: Parcel, messages: tuple[MessageId, ...]) -> None: ...

    async def failed(self, parcel: Parcel, refusal: Refusal) -> None: ...


class _Lane:
    __slots__ = ("held_until", "queue", "running", "tat", "wake")

    def __init__(self) -> None:
        self.queue: deque[Parcel] = deque()
        self.tat = FULL
        self.held_until = FULL
        self.running = False
        self.wake: asyncio.Event | None = None


class Courier:
    """`outcomes`, `on_lost` and `assured` are set by whoever wires the runtime, before the first parcel.

    `assured` returns when a send may begin (see `runtime.fleet`): at once, as a rule.
    """

    outcomes: Outcomes
    on_lost: Callable[[BotId], None]
    assured: Callable[[], Awaitable[None]]

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
    ) -> None:
        self._telegram = telegram
        self._store = store
        self._wording = wording
        self._background = background
        self._clock = clock
        self._rng = rng
        self._bot_budget = bot_budget
        self._chat_budget = chat_budget
        self._lanes: dict[tuple[BotId, PersonId], _Lane] = {}
        self._gates: dict[BotId, Gate] = {}
        self._passages: dict[ChatId, dict[str, Parcel]] = {}
        self._ended: dict[ChatId, float] = {}
        self._afoot = 0
        self._halted = False
        self._unparked: dict[str, Parcel] = {}  # passages whose updates are not done, oldest first

    # ------------------------------------------------------------------ taking in

    def say(self, notice: Notice) -> None:
        """Deliver an entry of the outbox."""
        now = self._clock.monotonic()
        deadline = now + NOTICE_TTL_S - max(0.0, self._clock.now() - notice.made_at)
        parcel = Parcel(notice.id, notice.bot, notice.to, notice.priority, now, deadline)
        parcel.notice = notice
        self._put(parcel)

    def pass_on(
        self,
        passage: Passage,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        *,
        fences: tuple[Fence, ...] = (),
        told: bool = True,
    ) -> None:
        """Deliver a passage through `bot`; `refs`, taken under `fences`, are done when it is."""
        waiting = self._passages.get(passage.chat, {})
        id_ = passage_id(passage, refs)
        pressed_twice = waiting.get(id_)
        if pressed_twice is not None and not (pressed_twice.parked or pressed_twice.over):
            pressed_twice.refs += refs
            return
        if not isinstance(passage, Relay):
            bot = self._behind(passage.source, waiting.values()) or bot
        parcel = self._passage_parcel(passage, bot, refs, id_, self._clock.monotonic() + RELAY_TTL_S)
        parcel.fences = fences
        parcel.told = told
        if passage.chat in self._ended:
            parcel.dropped = True
            self._background.spawn(self._fail(parcel, Refusal.LEFT))
            return
        self._unparked[parcel.id] = parcel
        self._put(parcel)

    def resume(self, passage: Passage, bot: BotId, refs: tuple[UpdateRef, ...], id_: str, left_s: float) -> None:
        """Deliver a passage that an earlier process parked, if its chat is still open."""
        parcel = self._passage_parcel(passage, bot, refs, id_, self._clock.monotonic() + left_s)
        parcel.put_at = float("-inf")
        parcel.parked = True
        self._put(parcel)

    def _passage_parcel(
        self, passage: Passage, bot: BotId, refs: tuple[UpdateRef, ...], id_: str, deadline: float
    ) -> Parcel:
        parcel = Parcel(id_, bot, passage.to, Priority.CHAT, self._clock.monotonic(), deadline)
        parcel.passage = passage
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

    def oblige(self, courtesy: Answer | Discard, bot: BotId, language: str) -> None:
        """Stop a button's spinner, tidy up. In no lane and tried once: losing it harms nobody."""
        if isinstance(courtesy, Answer):
            dispatch: Dispatch = self._wording.answer(courtesy, bot, language)
        else:
            dispatch = Delete(bot, courtesy.to, courtesy.messages)
        self._background.spawn(self._oblige(dispatch))

    async def _oblige(self, dispatch: Dispatch) -> None:
        try:
            await self._telegram.send(dispatch)
        except TelegramError as error:
            logs.record("courier.courtesy_lost", "debug", error=logs.name_of(error))

    def drop(self, chat: ChatId) -> None:
        """A chat has ended: whatever of it still waits its turn, or was decided on before, goes to nobody."""
        self._ended[chat] = self._clock.monotonic()
        for parcel in list(self._passages.get(chat, {}).values()):
            if parcel.under_way or parcel.dropped:
                continue
            parcel.dropped = True
            lane = self._lanes[parcel.bot, parcel.person]
            if lane.queue and lane.queue[0] is parcel:
                if lane.wake is not None:
                    lane.wake.set()
            else:
                lane.queue.remove(parcel)
                self._background.spawn(self._fail(parcel, Refusal.LEFT))

    def lose(self, bot: BotId) -> None:
        """The bot's token was refused: nothing for it can be delivered any more."""
        gate = self._gate(bot)
        if not gate.lost:
            gate.lose()
            for (of, _), lane in self._lanes.items():
                if of == bot and lane.wake is not None:
                    lane.wake.set()
            self.on_lost(bot)

    @property
    def pending(self) -> int:
        """Parcels not yet delivered."""
        return sum(len(lane.queue) for lane in self._lanes.values())

    @property
    def under_way(self) -> bool:
        """Whether the outcome of some send is not known, or not stored, yet."""
        return self._afoot > 0

    def halt(self) -> None:
        """Begin no further send. Those under way go on: cut off, they might have arrived, and would be sent again."""
        self._halted = True

    def abandon(self) -> None:
        """This life is over, and its leases are others': begin nothing more, and say nothing of what was in hand."""
        self._halted = True

    def known(self, entry: str) -> bool:
        """Whether an entry of the outbox is in hand here."""
        return any(parcel.id == entry for lane in self._lanes.values() for parcel in lane.queue)

    def overdue(self) -> list[Parcel]:
        """Relays that have taken longer than an update may be held, oldest first."""
        before = self._clock.monotonic() - PARK_AFTER_S
        found = []
        for parcel in self._unparked.values():
            if parcel.put_at > before:
                break
            if not parcel.parked:
                found.append(parcel)
        return found

    def settles_before(self, parcel: Parcel) -> bool:
        """Whether the outcome of what precedes a parcel in its lane is being stored just now.

        Were the parcel parked first and the process killed then, it would be taken up before what precedes it.
        """
        lane = self._lanes.get((parcel.bot, parcel.person))
        return lane is not None and bool(lane.queue) and lane.queue[0] is not parcel and lane.queue[0].over

    def forget_idle(self) -> None:
        """Drop lanes with nothing in them whose budget is whole again, and chats that ended long ago."""
        now = self._clock.monotonic()
        while self._ended and now - self._ended[oldest := next(iter(self._ended))] > ENDED_KEPT_S:
            del self._ended[oldest]
        idle = [
            key
            for key, lane in self._lanes.items()
            if not lane.running and max(self._chat_budget.full_at(lane.tat), lane.held_until) <= now
        ]
        for key in idle:
            del self._lanes[key]

    # ------------------------------------------------------------------ lanes

    def _gate(self, bot: BotId) -> Gate:
        gate = self._gates.get(bot)
        if gate is None:
            gate = self._gates[bot] = Gate(self._bot_budget, self._clock)
        return gate

    def _put(self, parcel: Parcel) -> None:
        key = (parcel.bot, parcel.person)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
        lane.queue.append(parcel)
        if not lane.running:
            lane.running = True
            self._background.spawn(self._drain(lane))

    async def _drain(self, lane: _Lane) -> None:
        try:
            while lane.queue:
                parcel = lane.queue[0]
                try:
                    outcome = await self._deliver(lane, parcel)
                    if isinstance(outcome, Refusal):
                        await self._fail(parcel, outcome)
                    else:
                        self._afoot += 1
                        try:
                            await self.outcomes.delivered(parcel, outcome)
                        finally:
                            self._afoot -= 1
                        self._forget(parcel)
                finally:
                    lane.queue.popleft()
        finally:
            lane.running = False

    async def _fail(self, parcel: Parcel, refusal: Refusal) -> None:
        await self.outcomes.failed(parcel, refusal)
        self._forget(parcel)

    def _forget(self, parcel: Parcel) -> None:
        if self._unparked.get(parcel.id) is parcel:
            del self._unparked[parcel.id]
        if parcel.passage is not None:
            chat = parcel.passage.chat
            waiting = self._passages.get(chat)
            if waiting is not None and waiting.get(parcel.id) is parcel:
                del waiting[parcel.id]
                if not waiting:
                    del self._passages[chat]

    async def _deliver(self, lane: _Lane, parcel: Parcel) -> tuple[MessageId, ...] | Refusal:
        """Bring one parcel to its end: the messages it became, or why it did not."""
        gate = self._gate(parcel.bot)
        uncertain, tries = 0, 0
        while True:
            bot = parcel.bot
            try:
                over = await self._wait_turn(lane, gate, parcel)
                if over is not None:
                    return over
                if self._halted:
                    await asyncio.get_running_loop().create_future()  # until the process ends
                parcel.under_way = True
                self._afoot += 1
                dispatch = await self._dispatch(parcel)
                if dispatch is None:
                    return ()
                if isinstance(dispatch, Refusal):
                    return dispatch
                bot = parcel.through = dispatch.bot
                parcel.tried_at = self._clock.now()
                return await self._telegram.send(dispatch)
            except LiveStoreLost:
                tries += 1
                lane.held_until = self._clock.monotonic() + self._pause_s(tries)
            except FloodWait as error:
                self._hold(lane, gate, parcel, error.retry_after_s)
            except Unavailable as error:
                tries += 1
                uncertain += error.uncertain
                if uncertain >= UNCERTAIN_TRIES:
                    return Refusal.UNCERTAIN
                lane.held_until = self._clock.monotonic() + self._pause_s(tries)
            except Refused as error:
                if error.refusal is Refusal.BROKEN:
                    logs.record("courier.rejected", "error", reason=error.detail, bot=bot)
                if error.refusal is Refusal.UNREACHABLE and bot != parcel.bot:
                    return Refusal.CANNOT_COPY  # a bot that the partner has left behind; they are still here
                return error.refusal
            except TokenRefused:
                self.lose(bot)
                return Refusal.BOT_LOST
            except Exception as error:  # noqa: BLE001  # one parcel's bug ends that parcel, not its lane
                logs.failed("courier.broken", error)
                return Refusal.BROKEN
            finally:
                self._afoot -= parcel.under_way
                parcel.under_way = False

    async def _wait_turn(self, lane: _Lane, gate: Gate, parcel: Parcel) -> Refusal | None:
        """Return when the parcel may be sent now, or why it may not be any more."""
        while True:
            if parcel.dropped:
                return Refusal.LEFT
            if gate.lost:
                return Refusal.BOT_LOST
            now = self._clock.monotonic()
            if now >= parcel.deadline:
                return Refusal.EXPIRED
            wait_s = max(lane.held_until, gate.held_until) - now
            wait_s = max(wait_s, self._chat_budget.wait_s(lane.tat, now))
            if wait_s > 0:
                await self._pause(lane, min(wait_s, parcel.deadline - now))
                continue
            if not gate.passes():
                await gate.turn(parcel.priority)
            if self._is_void(parcel, gate):
                continue
            waited = self._clock.monotonic() - parcel.put_at > RECHECK_AFTER_S
            if parcel.passage is not None and waited and not await self._store.open_chats((parcel.passage.chat,)):
                return Refusal.LEFT
            lane.tat = self._chat_budget.spend(lane.tat, self._clock.monotonic())
            return None

    def _is_void(self, parcel: Parcel, gate: Gate) -> bool:
        """Whether something happened, while the parcel waited, that ends it."""
        return parcel.dropped or gate.lost

    async def _pause(self, lane: _Lane, wait_s: float) -> None:
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

    def _hold(self, lane: _Lane, gate: Gate, parcel: Parcel, retry_after_s: float) -> None:
        hold_s = retry_after_s + FLOOD_MARGIN_S
        lane.held_until = self._clock.monotonic() + hold_s
        whole = gate.strike(parcel.person, hold_s)
        logs.record(
            "courier.flood", "warning", bot=parcel.bot, retry_after_s=retry_after_s, kind="bot" if whole else "chat"
        )

    async def _dispatch(self, parcel: Parcel) -> Dispatch | Refusal | None:
        if parcel.passage is not None:
            return await address(parcel.passage, parcel.bot, self._store)
        assert parcel.notice is not None, "a parcel is a passage or a notice"
        facts = await self._store.load(parcel.person)
        return self._wording.notice(parcel.notice, facts.me.profile.language if facts is not None else "")


def passage_id(passage: Passage, refs: tuple[UpdateRef, ...]) -> str:
    """A relay is named by its messages, so that one that was confirmed twice is one; the rest by their update."""
    if isinstance(passage, Relay):
        return f"relay:{passage.source_bot}:{passage.sources[0]}"
    return f"passage:{refs[0].bot}:{refs[0].update}"


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
