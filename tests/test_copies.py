"""A copy of an installation does not begin while the original serves the bots."""

import asyncio
import shutil
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.bootstrap.copies import (
    AGAIN_S,
    PROBE_S,
    QUIET_S,
    WATCHED_AFTER_FAULTS_S,
    WATCHED_S,
    WatchNotes,
    until_alone,
    until_the_original_stops,
)
from passerby.bootstrap.told_to_stop import ToldToStop
from passerby.kernel.event import Unusable
from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.doubts import Doubts
from passerby.ports.participants import Commit
from passerby.ports.telegram import Arrival, Conflict, FloodWait, TelegramError, Unavailable
from passerby.runtime.inbound.continuity import CONFLICTS_S
from passerby.runtime.inbound.polling import LONG_POLL_S
from tests.contract.live_values import couple
from tests.contract.records_memory import MemoryRecords
from tests.runtime.virtual import VirtualClock
from tests.runtime.world import ANN, BOT, OTHER_BOT, ScriptedTelegram
from tests.staged import in_virtual_time

Original = Callable[[ScriptedTelegram], Awaitable[None]]


def _update(number: int) -> Arrival:
    return Arrival(UpdateRef(BOT, number), Unusable(ANN, BOT))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FileLog]:
    log = FileLog(tmp_path / "passerby.live")
    yield log
    log.close()


class Scene:
    def __init__(self, log: FileLog, telegram: ScriptedTelegram | None = None) -> None:
        self.clock = VirtualClock()
        self.telegram = telegram or ScriptedTelegram(self.clock)
        self.stop = asyncio.Event()
        notes = WatchNotes(log, lambda: None)
        self.copy = asyncio.ensure_future(until_the_original_stops(self.telegram, self.clock, self.stop, notes))

    async def begins_after(self, delay_s: float) -> bool:
        await asyncio.sleep(delay_s)
        return self.copy.done()

    async def is_killed_after(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        self.copy.cancel()
        await asyncio.gather(self.copy, return_exceptions=True)


class Contested(ScriptedTelegram):
    """Telegram with one bot. A new poll ends the one that waits, and the second of two conflicts comes 3 s late."""

    def __init__(self) -> None:
        super().__init__(VirtualClock(), (BOT,))
        self._waiting: asyncio.Future[None] | None = None
        self._conflict_at = float("-inf")
        self.conflicts: list[float] = []
        """When the original got one."""

    async def updates(self, bot: BotId, offset: int | None, limit: int, timeout_s: int) -> list[Arrival]:
        if self._waiting is not None:
            self._waiting.set_result(None)
        ours = self._waiting = asyncio.get_running_loop().create_future()
        await asyncio.wait({ours}, timeout=timeout_s)
        if not ours.done():
            self._waiting = None
            return []
        now, before = self._clock.monotonic(), self._conflict_at
        self._conflict_at = now
        await asyncio.sleep(3.0 if now < before + 3.0 else 0.0)
        raise Conflict("Conflict: terminated by other getUpdates request")

    async def original(self) -> None:
        while True:
            try:
                await self.updates(BOT, 1, 100, LONG_POLL_S)
            except Conflict:
                self.conflicts.append(self._clock.monotonic())
                await asyncio.sleep(0.625)


async def _ends_polls(telegram: ScriptedTelegram) -> None:
    telegram.faults[BOT] = deque([Conflict("Conflict: terminated by other getUpdates request")])


async def _takes_some_updates(telegram: ScriptedTelegram) -> None:
    telegram.push(BOT, _update(len(telegram.polls)), _update(len(telegram.polls) + 1))
    del telegram.queues[BOT][:-2]


async def _takes_every_update(telegram: ScriptedTelegram) -> None:
    telegram.queues[BOT].clear()
    await asyncio.sleep(WATCHED_S / 5)
    telegram.push(BOT, _update(7))


@pytest.mark.parametrize("serves", [_ends_polls, _takes_some_updates, _takes_every_update])
@in_virtual_time
async def test_a_copy_begins_when_the_original_has_stopped(serves: Original, log: FileLog) -> None:
    scene = Scene(log)

    async def original() -> None:
        while True:
            await serves(scene.telegram)
            await asyncio.sleep(WATCHED_S / 5)

    running = asyncio.ensure_future(original())
    with capture_logs() as lines:
        assert not await scene.begins_after(5 * AGAIN_S)
        assert [line["event"] for line in lines] == ["copy.waits"]
        running.cancel()
        scene.telegram.faults[BOT].clear()
        assert await scene.begins_after(2 * AGAIN_S)
    assert [line["event"] for line in lines] == ["copy.waits", "copy.begins"]
    assert {offset for _, _, offset, _ in scene.telegram.polls} == {None}, "it confirms nothing"


@in_virtual_time
async def test_a_copy_does_not_ask_so_often_that_the_chats_of_the_original_end(log: FileLog) -> None:
    scene = Scene(log)
    for _ in range(3):
        await _ends_polls(scene.telegram)
        await asyncio.sleep(AGAIN_S + 1)
    asked = sorted(at for at, bot, _, _ in scene.telegram.polls if bot == OTHER_BOT)
    assert all(later - earlier > CONFLICTS_S for earlier, later in pairwise(asked))
    scene.copy.cancel()


@pytest.mark.parametrize("waits_there", [True, False])
@in_virtual_time
async def test_a_copy_begins_soon_if_nobody_else_serves_the_bots(waits_there: bool, log: FileLog) -> None:
    """The token of a bot may be refused, or it may have a webhook."""
    scene = Scene(log)
    scene.telegram.refuse(BOT)
    scene.telegram.faults[OTHER_BOT].append(Conflict("Conflict: can't use getUpdates method while webhook is active"))
    if waits_there:
        scene.telegram.push(BOT, _update(7), _update(8))
    with capture_logs() as lines:
        assert await scene.begins_after(2 * WATCHED_S)
    assert not lines


@pytest.mark.parametrize("fault", [Unavailable("no connection", uncertain=False), FloodWait(30.0)])
@in_virtual_time
async def test_no_answer_from_telegram_does_not_prove_that_nobody_serves_a_bot(
    fault: TelegramError, log: FileLog
) -> None:
    scene = Scene(log)
    scene.telegram.identities = {BOT: fault}
    with capture_logs() as lines:
        assert not await scene.begins_after(50 * AGAIN_S)
        assert [(line["event"], line["bot"]) for line in lines] == [("copy.unanswered", BOT)]
        assert "Telegram does not answer" in lines[0]["reason"]
        assert BOT not in {bot for _, bot, _, _ in scene.telegram.polls}, "getMe ends no poll of the original"
        await _ends_polls(scene.telegram)
        scene.telegram.identities.clear()
        assert not await scene.begins_after(AGAIN_S)
        assert [line["event"] for line in lines] == ["copy.unanswered", "copy.waits"]
        assert await scene.begins_after(2 * AGAIN_S)


@in_virtual_time
async def test_after_an_outage_a_copy_watches_until_the_original_would_have_polled_again(log: FileLog) -> None:
    scene = Scene(log)
    scene.telegram.identities = {BOT: Unavailable("no connection", uncertain=False)}
    await asyncio.sleep(AGAIN_S)
    scene.telegram.identities.clear()
    assert not await scene.begins_after(WATCHED_AFTER_FAULTS_S - 2 * PROBE_S)
    assert await scene.begins_after(WATCHED_AFTER_FAULTS_S)


@in_virtual_time
async def test_polls_without_an_answer_do_not_end_the_chats_of_the_original(log: FileLog) -> None:
    """Each may have ended a poll of the original before its own answer was lost."""
    scene = Scene(log)
    scene.telegram.faults[BOT].extend([Unavailable("reset", uncertain=False)] * 5)
    assert not await scene.begins_after(5 * AGAIN_S)
    asked = [at for at, bot, _, _ in scene.telegram.polls if bot == BOT]
    assert len(asked) == 5
    assert all(later - earlier > CONFLICTS_S for earlier, later in pairwise(asked))
    assert await scene.begins_after(2 * AGAIN_S)


@pytest.mark.parametrize("after_s", [1.0, 30.0])
@in_virtual_time
async def test_a_copy_that_waits_can_be_stopped(after_s: float, log: FileLog) -> None:
    scene = Scene(log)
    if after_s > WATCHED_S:
        await _ends_polls(scene.telegram)
    await asyncio.sleep(after_s)
    scene.stop.set()
    with pytest.raises(ToldToStop):
        await scene.copy


@in_virtual_time
async def test_a_waiting_copy_that_is_started_again_does_not_poll_at_once(log: FileLog) -> None:
    scene = Scene(log)
    await _ends_polls(scene.telegram)
    await asyncio.sleep(WATCHED_S)
    scene.stop.set()
    with pytest.raises(ToldToStop):
        await scene.copy
    again = Scene(log)
    with capture_logs() as lines:
        assert not await again.begins_after(CONFLICTS_S - WATCHED_S)
        assert [line["event"] for line in lines] == ["copy.pauses"]
        assert not again.telegram.polls
        assert await again.begins_after(2 * AGAIN_S - CONFLICTS_S)
    log.note_alone()
    assert await Scene(log).begins_after(2 * WATCHED_S), "the last watch has found nobody"


@pytest.mark.parametrize("killed_after_s", [QUIET_S + 0.1, WATCHED_S - 0.1])
@in_virtual_time
async def test_a_start_watches_at_once_if_the_watch_before_it_was_killed_without_a_conflict_for_some_seconds(
    killed_after_s: float, log: FileLog
) -> None:
    await Scene(log).is_killed_after(killed_after_s)
    again = Scene(log)
    with capture_logs() as lines:
        assert not await again.begins_after(WATCHED_S - 0.1)
        assert await again.begins_after(4.0)
    assert not lines


@in_virtual_time
async def test_a_start_watches_at_once_if_the_watch_before_it_was_killed_while_updates_waited(log: FileLog) -> None:
    """Each other program gets them, too, before it waits again."""
    first = Scene(log)
    first.telegram.push(BOT, _update(7))
    first.telegram.push(OTHER_BOT, _update(7))
    await first.is_killed_after(0.5)
    again = Scene(log)
    assert await again.begins_after(WATCHED_S + 2.0)


@pytest.mark.parametrize("is_unanswered", [False, True])
@in_virtual_time
async def test_a_start_pauses_if_the_watch_before_it_was_killed_before_a_conflict_could_come(
    is_unanswered: bool, log: FileLog
) -> None:
    first = Scene(log)
    if is_unanswered:
        first.telegram.latency_s = QUIET_S + 1.0
        first.telegram.faults[BOT].append(Unavailable("reset", uncertain=False))
    await first.is_killed_after(first.telegram.latency_s * 2 + 1.0)
    again = Scene(log)
    with capture_logs() as lines:
        assert not await again.begins_after(CONFLICTS_S)
        assert not again.telegram.polls
        assert await again.begins_after(AGAIN_S - CONFLICTS_S + WATCHED_S + 1.0)
    assert [line["event"] for line in lines] == ["copy.pauses"]


@in_virtual_time
async def test_a_quiet_bot_says_nothing_about_another_one(log: FileLog) -> None:
    first = Scene(log)
    first.telegram.push(BOT, _update(7))
    await first.is_killed_after(0.5)
    again = Scene(log)
    await asyncio.sleep(WATCHED_S)
    assert not again.telegram.polls
    again.copy.cancel()


@pytest.mark.parametrize("killed_after_s", [0.1, 0.7, 3.0, 3.6, 3.7, QUIET_S - 0.1, QUIET_S + 0.1, WATCHED_S - 0.1])
@in_virtual_time
async def test_a_copy_that_is_killed_again_and_again_does_not_end_the_chats_of_the_original(
    killed_after_s: float, log: FileLog
) -> None:
    telegram = Contested()
    original = asyncio.ensure_future(telegram.original())
    await asyncio.sleep(1.0)
    for _ in range(4):
        copy = Scene(log, telegram)
        await copy.is_killed_after(killed_after_s)
        await asyncio.sleep(2.0)
    copy = Scene(log, telegram)
    assert not await copy.begins_after(5 * AGAIN_S)
    assert len(telegram.conflicts) >= 5
    assert all(later - earlier > CONFLICTS_S + 5.0 for earlier, later in pairwise(telegram.conflicts))
    original.cancel()
    assert await copy.begins_after(2 * AGAIN_S)


@in_virtual_time
async def test_a_start_pauses_after_a_conflict_that_came_late_in_a_watch(log: FileLog) -> None:
    telegram = Contested()
    first = Scene(log, telegram)
    await asyncio.sleep(QUIET_S + 1.0)
    original = asyncio.ensure_future(telegram.original())
    await first.is_killed_after(1.0)
    copy = Scene(log, telegram)
    await copy.is_killed_after(AGAIN_S - 2.0)
    assert not telegram.conflicts
    original.cancel()


@pytest.mark.parametrize("killed_after_s", [3.0, QUIET_S + 0.1])
@in_virtual_time
async def test_an_original_that_begins_between_two_starts_of_a_copy_is_found(
    killed_after_s: float, log: FileLog
) -> None:
    telegram = Contested()
    await Scene(log, telegram).is_killed_after(killed_after_s)
    original = asyncio.ensure_future(telegram.original())
    await asyncio.sleep(2.0)
    copy = Scene(log, telegram)
    assert not await copy.begins_after(5 * AGAIN_S)
    original.cancel()
    assert await copy.begins_after(2 * AGAIN_S)


class Installation:
    """A database that knows people, or not, and the files beside it."""

    def __init__(
        self, directory: Path, records: MemoryRecords, telegram: ScriptedTelegram, clock: VirtualClock
    ) -> None:
        self.log = FileLog(directory / "passerby.live")
        self.store = MemoryStore(self.log, clock, Random(1))
        watching = until_alone(self.log, self.store, records, telegram, clock, asyncio.Event())
        self.start = asyncio.ensure_future(watching)

    async def ended(self) -> None:
        await asyncio.gather(self.start, return_exceptions=True)
        await self.store.aclose()


def _lost_lock(directory: Path) -> None:
    (directory / "passerby.live.lock").unlink()


def _empty_lock(directory: Path) -> None:
    (directory / "passerby.live.lock").write_bytes(b"")


def _lost_live_store(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()


@pytest.mark.parametrize("lost", [_lost_lock, _empty_lock, _lost_live_store])
@in_virtual_time
async def test_used_files_that_do_not_say_that_this_is_their_place_are_watched_like_a_copy(
    tmp_path: Path, lost: Callable[[Path], None]
) -> None:
    """Even if the process is killed while it waits. Later, nobody knows who has left whom."""
    clock, records = VirtualClock(), MemoryRecords()
    telegram = ScriptedTelegram(clock)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    original = Installation(first, records, telegram, clock)
    await asyncio.sleep(0.1)
    assert original.start.done(), "a first start watches nothing"
    assert not telegram.polls
    await original.store.adopt((), whole=True)
    await original.store.commit(Commit(couple()))
    records.disk.changed_at = {"": clock.now()}
    await original.ended()
    shutil.copytree(first, second)
    lost(second)
    for _ in range(2):
        await _ends_polls(telegram)
        copy = Installation(second, records, telegram, clock)
        await asyncio.sleep(AGAIN_S + 5.0)
        assert copy.store.doubts.everybody
        copy.start.cancel()
        await copy.ended()
    telegram.faults[BOT].clear()
    copy = Installation(second, records, telegram, clock)
    await copy.start
    assert copy.store.doubts.everybody
    await copy.store.adopt((), whole=True)
    await copy.ended()
    again = Installation(second, records, telegram, clock)
    await asyncio.sleep(0.1)
    assert again.start.done()
    assert again.store.doubts == Doubts()
    await again.ended()


def _damage(directory: Path) -> None:
    log = directory / "passerby.live"
    data = bytearray(log.read_bytes())
    for at in range(len(data) // 2):
        data[at] ^= 1
    log.write_bytes(data)


def _blank(directory: Path) -> None:
    log = directory / "passerby.live"
    log.write_bytes(bytes(log.stat().st_size))


def _delete(directory: Path) -> None:
    (directory / "passerby.live").unlink()


def _empty(directory: Path) -> None:
    (directory / "passerby.live").write_bytes(b"")


@pytest.mark.parametrize(("damage", "watches"), [(_damage, False), (_blank, False), (_delete, True), (_empty, True)])
@in_virtual_time
async def test_a_damaged_live_store_is_not_taken_for_a_copy(
    tmp_path: Path, damage: Callable[[Path], None], watches: bool
) -> None:
    """Its lock file says that it was here. Only a store that is missing may have stayed elsewhere."""
    clock, records = VirtualClock(), MemoryRecords()
    telegram = ScriptedTelegram(clock)
    first = Installation(tmp_path, records, telegram, clock)
    await first.start
    await first.store.adopt((), whole=True)
    await first.store.commit(Commit(couple()))
    records.disk.changed_at = {"": clock.now()}
    await first.ended()
    damage(tmp_path)
    again = Installation(tmp_path, records, telegram, clock)
    assert again.store.newborn, "the record that says otherwise is gone"
    await again.start
    assert bool(telegram.polls) == watches
    await again.ended()


@in_virtual_time
async def test_an_upgrade_watches_once_and_ends_no_chats(tmp_path: Path) -> None:
    clock, records = VirtualClock(), MemoryRecords()
    telegram = ScriptedTelegram(clock)
    first = Installation(tmp_path, records, telegram, clock)
    await first.start
    await first.store.adopt((), whole=True)
    await first.ended()
    _lost_lock(tmp_path)
    upgraded = Installation(tmp_path, records, telegram, clock)
    with capture_logs() as lines:
        await upgraded.start
    assert [line["event"] for line in lines] == ["copy.watches"]
    assert upgraded.store.doubts == Doubts()
    await upgraded.ended()
    asked = len(telegram.polls)
    again = Installation(tmp_path, records, telegram, clock)
    await again.start
    assert len(telegram.polls) == asked
    await again.ended()
