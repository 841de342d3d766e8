"""A copy of an installation serves nobody while the original does.

Both would send messages to people who have left in the other one. The original cannot notice a second program for sure:
Telegram ends only polls that wait, and on a busy bot none does. But the copy knows that it is or may be one: its lock
file has another inode, or none is noted although the files were used (see `adapters.memory.log`), or the records are
there without the live store. A damaged live store is no copy if its lock file knows its own inode.

A copy can watch without confirming anything. If its own poll is ended, or the first update that waits is another one
than before, somebody else serves the bot.

Each watch may end one poll of the original. Two within a short time would end its chats (see
`runtime.inbound.continuity`), so we watch again only after a while. The lock file notes the last poll that may have
ended one, for the next start (`_Polls`). So a start after a kill in the first seconds of a watch pauses, and a start
after a later kill watches at once.

No answer from Telegram proves nothing, so only the time between two answers counts. First getMe must be answered, which
ends no poll. A poll without an answer may have ended one.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.bootstrap.told_to_stop import ToldToStop
from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records, RecordsLost
from passerby.ports.telegram import Arrival, Conflict, FloodWait, Telegram, TelegramError, TokenRefused
from passerby.runtime.inbound.continuity import CONFLICTS_S
from passerby.runtime.inbound.polling import BACKOFF, LONG_POLL_S, is_about_webhook
from passerby.runtime.waiting import event_within
from passerby.telemetry import logs

WATCHED_S: Final = 10.0
"""A program whose poll was ended polls again within this time."""

WATCHED_AFTER_FAULTS_S: Final = WATCHED_S + BACKOFF.longest_s * BACKOFF.high
"""If Telegram was away for the original, too, it polls again within this time."""

LOOK_S: Final = 1.0
PROBE_S: Final = 5.0

QUIET_S: Final = 6.0
"""If a poll of ours has ended one of the original's, a conflict comes within this time. The original polls again after
0.7 s, and Telegram delays the second of two conflicts by 3 s (source: telegram-bot-api, Client.cpp)."""

AGAIN_S: Final = CONFLICTS_S + 10.0
"""The original counts from its own conflict, which Telegram may also have delayed by 3 s."""

_REASON: Final = "the installation that these files were copied from still runs: stop one of the two"
_UNANSWERED: Final = (
    "Telegram does not answer, so nobody knows whether the installation that these files were copied from still runs: "
    "waiting"
)
_TOO_SOON: Final = (
    "a watch was interrupted less than two minutes ago, and another look may end chats of the original: waiting"
)
_UNKNOWN: Final = (
    "the files were used before, and nothing beside them says that it was here: watching for ten seconds whether "
    "another installation serves the bots"
)


async def until_alone(
    log: FileLog, store: LiveStore, records: Records, telegram: Telegram, clock: Clock, stop: asyncio.Event
) -> None:
    """Return when no other installation serves with a copy of our files. Raises: ToldToStop."""
    if not log.is_copy:
        if not log.is_unknown and not (log.was_empty and await _are_used(records)):
            log.note_alone()
            return
        logs.record("copy.watches", reason=_UNKNOWN)

    def served_elsewhere() -> None:
        log.note_copy()
        assert isinstance(store, MemoryStore), "its log is a file"
        store.distrust()

    await until_the_original_stops(telegram, clock, stop, WatchNotes(log, served_elsewhere))
    log.note_alone()


async def _are_used(records: Records) -> bool:
    """Whether the records know people."""
    try:
        return await records.changed_at() is not None
    except RecordsLost:
        return True  # a watch does no harm


class WatchNotes(NamedTuple):
    """`log` keeps the time of the last poll that may have ended one of the original's. `served_elsewhere` is called
    when a watch has found somebody."""

    log: FileLog
    served_elsewhere: Callable[[], None]


class _Polls:
    """Those of our polls that may have ended one of the original's. The lock file notes when the last of them began."""

    def __init__(self, log: FileLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._began_at: dict[BotId, float] = {}

    def may_have_ended_one(self, bot: BotId) -> None:
        self._began_at[bot] = at = self._clock.now()
        self._log.note_watched(at)

    def has_ended_none(self, bot: BotId) -> None:
        if self._began_at.pop(bot, None) is not None:
            self._log.note_watched(max(self._began_at.values(), default=0.0))

    async def has_ended_none_if_quiet(self, bot: BotId) -> None:
        """Wait for a conflict, and be cancelled if one comes."""
        await self._clock.sleep(QUIET_S)
        self.has_ended_none(bot)


async def until_the_original_stops(telegram: Telegram, clock: Clock, stop: asyncio.Event, notes: WatchNotes) -> None:
    """Return when nobody else serves the bots. Raises: ToldToStop."""
    faults = logs.Faults()
    rest_s = min(AGAIN_S, notes.log.watched_at + AGAIN_S - clock.now())  # somebody may have set the clock
    if rest_s > 0:
        logs.record("copy.pauses", "warning", reason=_TOO_SOON)
        if await event_within(stop, rest_s):
            raise ToldToStop
    while (bot := await _served_elsewhere(telegram, clock, stop, faults, notes)) is not None:
        notes.served_elsewhere()
        faults.began("copy", "copy.waits", bot=bot, reason=_REASON)
        if await event_within(stop, AGAIN_S):
            raise ToldToStop
    faults.over("copy", "copy.begins")


async def _served_elsewhere(
    telegram: Telegram, clock: Clock, stop: asyncio.Event, faults: logs.Faults, notes: WatchNotes
) -> BotId | None:
    """Return a bot that somebody else serves; None if there is none."""
    polls = _Polls(notes.log, clock)
    watches = {asyncio.ensure_future(_is_served(telegram, bot, clock, faults, polls)): bot for bot in telegram.bots}
    stopped = asyncio.ensure_future(stop.wait())
    waiting = {stopped, *watches}
    try:
        while len(waiting) > 1:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if stopped in done:
                raise ToldToStop
            for watch in done:
                if watch.result():
                    return watches[watch]
        return None
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _is_served(telegram: Telegram, bot: BotId, clock: Clock, faults: logs.Faults, polls: _Polls) -> bool:
    """Whether somebody else takes the bot's updates.

    If its token is refused for a while, nobody does; whoever begins to serve the bot says why.
    """
    watched_s, needed_s = 0.0, WATCHED_S
    first: int | None = None
    answered_at: float | None = None
    refused_at: float | None = None
    is_there = False
    while watched_s < needed_s:
        pause_s = LOOK_S
        try:
            if not is_there:
                await telegram.identify(bot)
                is_there = True
            asked_at = clock.monotonic()
            wait_s = 0 if first is not None else min(LONG_POLL_S, math.ceil(needed_s - watched_s))
            arrivals = await _poll(telegram, bot, wait_s, polls)
        except Conflict as conflict:
            if is_about_webhook(conflict):
                polls.has_ended_none(bot)
                return False
            polls.may_have_ended_one(bot)
            return True
        except TokenRefused:
            polls.has_ended_none(bot)
            refused_at = refused_at if refused_at is not None else clock.monotonic()
            if clock.monotonic() - refused_at >= WATCHED_S:
                return False
            answered_at = None
        except (TelegramError, LiveStoreLost) as error:
            faults.began(("silent", bot), "copy.unanswered", bot=bot, error=logs.name_of(error), reason=_UNANSWERED)
            if isinstance(error, FloodWait):  # the poll was not carried out
                polls.has_ended_none(bot)
                pause_s = max(PROBE_S, error.retry_after_s)
            elif is_there:
                polls.may_have_ended_one(bot)
                pause_s = AGAIN_S
            else:
                pause_s = PROBE_S
            needed_s = WATCHED_AFTER_FAULTS_S
            is_there, answered_at, refused_at = False, None, None
        else:
            faults.over(("silent", bot), "copy.answered", bot=bot)
            now = arrivals[0].ref.update if arrivals else None
            if first is not None and now != first:
                polls.may_have_ended_one(bot)
                return True
            if arrivals:  # somebody else gets them, too, before they wait again
                polls.has_ended_none(bot)
            at = clock.monotonic()
            # A first answer that was slow on its way says nothing about that time.
            watched_s += min(at - asked_at, wait_s) if answered_at is None else at - answered_at
            first, answered_at, refused_at = now, at, None
        await clock.sleep(pause_s)
    return False


async def _poll(telegram: Telegram, bot: BotId, wait_s: int, polls: _Polls) -> Sequence[Arrival]:
    """The first update that waits, without confirming it. Raises: TelegramError, LiveStoreLost."""
    polls.may_have_ended_one(bot)
    quiet = asyncio.ensure_future(polls.has_ended_none_if_quiet(bot))
    try:
        return await telegram.updates(bot, None, 1, wait_s)
    finally:
        quiet.cancel()
