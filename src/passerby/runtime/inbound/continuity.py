"""Notices if somebody outside the fleet has taken updates of a bot: a copy of the installation, or a run of our own
that was undone when the files were put back to an older state.

Telegram numbers the updates of a bot without gaps, and deletes what is confirmed. So the first update of an answer is
at most the one after the last that we took. If it is beyond, somebody else has confirmed what lies between, or Telegram
has dropped it. We do not know who has left whom in those updates. So every chat and every search of the people who know
the bot is in doubt, and ends before anything of that answer is decided (see `background.reconciler`).

A 409 Conflict says that another program asks for updates right now. One may be a mistake, or come from the last holder
of the lease; and an answer that continues proves that nothing was taken. A second one without such an answer in between
says the same as a gap.

A server that numbers updates otherwise must not end chats. So a gap counts only after a number of updates without one,
and not if it is wider than what anybody can have taken.

The next process needs to know where we stopped. A note in the live store holds the first update that is not done, and a
*ceiling*. Nothing beyond the ceiling is confirmed before a note with a higher one is stored. So a note is written once
for ROOM updates, or after RENEWED_S if a bot is quiet: an old note would no longer tell a gap from another start of the
ids, and done marks are kept for a day. Between the two numbers, done marks tell what is ours: an update is confirmed
only after its mark. After a power cut, marks of the last second may be missing. Then everything up to the ceiling may
be ours.

A process that has the live store to itself looks at the first waiting update of each bot when it starts, before it
sends anything (`bots_with_gaps`). If one bot has a gap, the files were put back, and with them what every bot knows. So
all chats and searches end. If no update waits, the first answer shows the gap. Then the chats and searches that are
older than the process end, on all bots.

Not checked: the first answers ever; ids that start over (Telegram chooses another id after a week without updates);
and webhooks, because their updates come in any order.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random
from typing import Final, Protocol

import msgspec

from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence, Fenced
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.telegram import Arrival, Telegram, TelegramError
from passerby.runtime.backoff import persistently
from passerby.runtime.membership.fencing import OwnLeases, write_refused
from passerby.telemetry import logs, metrics

ROOM: Final = 100
"""How far the ceiling is above the first update that is not done, in updates."""

STARTS_OVER_S: Final = 6.5 * 24 * 3600.0
"""Telegram chooses another id after at least a week without updates (source: Bot API, Update.update_id). Half a day
less, because clocks differ."""

RENEWED_S: Final = 6 * 3600.0
"""After this time, the next update renews the note. Done marks are kept much longer, and so are ids."""

STEADY: Final = 20
"""After so many updates in a row without a hole, we trust the numbers."""

TAKEN_PER_S: Final = 1_000.0
TAKEN_AT_ONCE: Final = 10_000
"""Nobody takes more updates of a bot than this. A wider gap is another start of the ids."""

CONFLICTS_S: Final = 90.0
"""Two conflicts that are further apart have nothing to do with each other. Pauses after a conflict are shorter."""

_GAP: Final = "updates are missing: another program took them, or Telegram dropped them"
_CONFLICT: Final = "another program polls this bot, perhaps a copy of this installation: stop one of the two"

LOOK_BACK_S: Final = 3.0
"""How long a start waits for the first updates of all bots, before it goes on without them."""


class Doubt(Protocol):
    async def __call__(self, bot: BotId, fence: Fence, *, at_start: bool = False) -> int:
        """End all chats and searches on a bot, and tell the people. Return how many there were.

        `at_start`: the first answer to this process shows the gap. If the store is ours alone, what is older than this
        process ends on all bots. Raises: LiveStoreLost, Fenced.
        """
        ...


class _Note(msgspec.Struct, frozen=True, array_like=True):
    offset: int
    """The first update that was not done."""
    ceiling: int
    """The highest offset that may have been confirmed since."""
    at: float
    """Unix seconds."""
    since: str | None
    """See `DoneMarks.marks_since`."""
    is_steady: bool
    """Whether enough updates had come without a hole."""


def _read(note: bytes | None) -> _Note | None:
    """The note. None if there is none, or if another release or a damage wrote it: it says nothing then."""
    if note is None:
        return None
    try:
        return msgspec.json.decode(note, type=_Note)
    except (msgspec.DecodeError, ValueError, OverflowError):
        return None


class Continuity:
    """The watch over one bot, for as long as we hold its lease. `doubt` ends the bot's chats.

    An intake compares two numbers for each poll, and calls a method only if they say so. `ceiling`: the highest offset
    that may be confirmed without a call of `raise_ceiling` first. `expected`: the update after the last that was taken;
    -1 if that is not known yet. `must_end_chats`: `settle` must be called before the next poll.
    """

    def __init__(
        self, bot: BotId, fence: Fence, store: LiveStore, clock: Clock, leases: OwnLeases, doubt: Doubt
    ) -> None:
        self._bot = bot
        self._name = _note_of(bot)
        self._fence = fence
        self._store = store
        self._clock = clock
        self._leases = leases
        self._doubt = doubt
        self._heard_at = clock.now()
        self._kept_at = float("-inf")
        self._holes_until = -1
        self._conflict_at = float("-inf")
        self._steady = 0
        self._is_reported = False
        self.ceiling = -1
        self.expected = -1
        self.must_end_chats = False

    def note_continued(self, first: int, following: int) -> None:
        """Note an answer without holes that continues what we took. `following` is the update after its last one."""
        count = following - max(first, self.expected)
        if count <= 0:
            return
        self.expected = following
        self._conflict_at = float("-inf")
        self._heard_at = now = self._clock.now()
        if self._steady < STEADY <= self._steady + count or now - self._kept_at >= RENEWED_S:
            self.ceiling = -1  # store it with the next poll
        self._steady += count

    async def raise_ceiling(self, offset: int) -> None:
        """Return when updates below `offset` may be confirmed. Raises: LiveStoreLost.

        Near a hole, a note is stored for each update: the ids that Telegram left out have no done mark.
        """
        await self._keep(offset, offset + ROOM)
        self.ceiling = offset if offset <= self._holes_until else offset + ROOM

    async def end_at(self, offset: int) -> None:
        """Return when updates below `offset` may be confirmed, after which we take none. Raises: LiveStoreLost.

        An earlier poll may have confirmed more: an answer that was on its way repeats what is done meanwhile.
        """
        await self._keep(offset, max(offset, self.expected))

    async def forget(self, rng: Random) -> None:
        """Forget where we stopped, because webhooks bring the updates from now on. Return when that is stored."""
        await persistently(lambda: self._write(None), LiveStoreLost, self._clock, rng)

    async def _keep(self, offset: int, ceiling: int) -> None:
        now = self._clock.now()
        note = _Note(offset, ceiling, now, self._store.marks_since, self._steady >= STEADY)
        await self._write(msgspec.json.encode(note))
        self._kept_at = now

    async def _write(self, note: bytes | None) -> None:
        try:
            await self._store.keep_memo(self._name, note, self._fence)
        except Fenced:
            await write_refused(self._leases, (self._fence,))

    async def check(self, arrivals: Sequence[Arrival], offset: int) -> None:
        """Compare an answer with what we expect. Return when its updates may be decided. Raises: LiveStoreLost.

        `offset`: the one that we asked from; -1 for the head of the queue.
        """
        updates = sorted({arrival.ref.update for arrival in arrivals})
        first, last = updates[0], updates[-1]
        is_first = self.expected < 0
        if await self._continues(first):
            self.note_continued(first, last + 1)
        else:
            ended = await self._end_chats(at_start=is_first)
            metrics.MISSING_AT.set(self._clock.now(), self._bot)
            logs.record("bot.updates_missing", "error", bot=self._bot, count=ended, reason=_GAP)
            await self.raise_ceiling(first)
        missing = [before + 1 for before, after in pairwise(updates) if after != before + 1]
        if missing:
            self._steady = 0
            self._holes_until = last
            self.ceiling = min(self.ceiling, missing[0])
        if last < offset:
            self.ceiling = -1  # the ids have started over, and the note is of no use any more
        self.expected = last + 1 if last < offset else max(self.expected, last + 1)
        self._heard_at = self._clock.now()

    async def _continues(self, first: int) -> bool:
        """Whether nobody has taken updates between those that we took and this one, as far as we can tell."""
        if self.expected < 0:
            return await self._continues_note(first)
        if first <= self.expected or not self._may_be_taken(first - self.expected, self._heard_at):
            return True
        if self._steady >= STEADY:
            return False
        self._steady = 0
        return True

    async def _continues_note(self, first: int) -> bool:
        """The same for the first answer to this process. The note says where the process before it stopped."""
        note = _read((await self._store.memos((self._name,))).get(self._name))
        if note is None or self._store.marks_since is None:
            return True
        if note.is_steady:
            self._steady = STEADY
        return await _follows(note, self._bot, first, self._store, self._clock)

    def _may_be_taken(self, count: int, since: float) -> bool:
        return _may_be_taken(count, self._clock.now() - since)

    async def conflict(self) -> None:
        """Another program has asked for updates of the bot, while we are sure of our lease."""
        before, self._conflict_at = self._conflict_at, self._clock.monotonic()
        if self._conflict_at - before <= CONFLICTS_S:
            self.must_end_chats = True
            try:
                await self.settle()
            except LiveStoreLost:
                return  # the next poll waits for it

    async def settle(self) -> None:
        """End the chats, because of a conflict. Raises: LiveStoreLost."""
        ended = await self._end_chats()
        self.must_end_chats = False
        if ended or not self._is_reported:
            self._is_reported = True
            logs.record("bot.polled_elsewhere", "error", bot=self._bot, count=ended, reason=_CONFLICT)

    async def _end_chats(self, *, at_start: bool = False) -> int:
        try:
            return await self._doubt(self._bot, self._fence, at_start=at_start)
        except Fenced:
            await write_refused(self._leases, (self._fence,))
            return 0


async def bots_with_gaps(bots: Iterable[BotId], telegram: Telegram, store: LiveStore, clock: Clock) -> list[BotId]:
    """The bots of which somebody else took updates since the last process. Confirms nothing. Raises: LiveStoreLost.

    A bot without a waiting update, or whose first one does not come in time, is left out.
    """
    names = {bot: _note_of(bot) for bot in bots}
    stored = await store.memos(tuple(names.values()))
    notes = {bot: note for bot, name in names.items() if (note := _read(stored.get(name))) is not None}
    if not notes or store.marks_since is None:
        return []
    checks = {bot: asyncio.ensure_future(_has_gap(bot, note, telegram, store, clock)) for bot, note in notes.items()}
    try:
        await asyncio.wait(checks.values(), timeout=LOOK_BACK_S)
        return [bot for bot, check in checks.items() if check.done() and check.result()]
    finally:
        for check in checks.values():
            check.cancel()
        await asyncio.gather(*checks.values(), return_exceptions=True)


async def _has_gap(bot: BotId, note: _Note, telegram: Telegram, store: LiveStore, clock: Clock) -> bool:
    try:
        arrivals = await telegram.updates(bot, None, 1, 0)
    except TelegramError:
        return False  # the polls say why
    return bool(arrivals) and not await _follows(note, bot, arrivals[0].ref.update, store, clock)


def _note_of(bot: BotId) -> str:
    return f"polled:{bot}"


async def _follows(note: _Note, bot: BotId, first: int, store: LiveStore, clock: Clock) -> bool:
    """Whether nobody else has taken updates between a note and the first one that waits, as far as we can tell."""
    if first <= note.offset or not note.is_steady or not _may_be_taken(first - note.offset, clock.now() - note.at):
        return True
    if first > note.ceiling:
        return False
    if note.since != store.marks_since:
        return True  # the marks of the last second may be lost, so these updates may be ours
    ours = range(note.offset, first)
    return len(await store.done(bot, ours)) == len(ours)


def _may_be_taken(count: int, past_s: float) -> bool:
    """Whether somebody can have taken so many updates in this time. Otherwise Telegram has chosen another id."""
    past_s = max(0.0, past_s)
    return past_s <= STARTS_OVER_S and count <= TAKEN_AT_ONCE + TAKEN_PER_S * past_s
