"""Everything that the memory store reports is on the disk by then, so a power cut cannot undo it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.bootstrap.clock import SystemClock
from passerby.kernel.ids import PersonId
from passerby.ports.leases import NOBODY
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit, Committed
from passerby.runtime.tasks import Background
from tests.contract.live_places import Disk, DiskLog
from tests.contract.live_values import ANN, BEN, BOT, CHAT, at, couple, fact, notice, somebody, update, waiting
from tests.runtime.virtual import VirtualClock, run
from tests.staged import staged


class SyncedLog(DiskLog):
    """Knows which of its records would survive a power cut."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk)
        self.disk = disk
        self.synced = 0

    async def sync(self) -> None:
        await super().sync()
        self.synced = len(self.disk.records)

    @property
    def is_synced(self) -> bool:
        return self.synced == len(self.disk.records)

    def cut(self) -> Disk:
        left = Disk()
        left.records = self.disk.records[: self.synced]
        return left


def on_disk(body: Callable[[MemoryStore, SyncedLog], Awaitable[None]]) -> None:
    async def main() -> None:
        log = SyncedLog(Disk())
        await body(MemoryStore(log, VirtualClock(), Random(1)), log)

    run(main())


@pytest.mark.parametrize(
    "commit",
    [
        Commit((somebody(ANN, 1, waiting(ANN)),)),
        Commit(outbox=(notice("a"),)),
        Commit(outbox=(notice("a"),), updates=(update(7),), facts=(fact(1),)),
    ],
    ids=["a change of somebody", "a notice", "a notice and more"],
)
@staged(on_disk)
async def test_a_commit_is_on_disk_before_anybody_is_told(
    store: MemoryStore, log: SyncedLog, /, commit: Commit
) -> None:
    assert await store.commit(commit) is Committed.YES
    assert log.is_synced
    again = MemoryStore(DiskLog(log.cut()), VirtualClock(), Random(2))
    assert await again.outbox(NOBODY) == list(commit.outbox)
    assert (await again.load(ANN) is not None) == bool(commit.puts)


def test_all_searches_of_a_turn_cost_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(os.fstat(file).st_size))

    async def main() -> None:
        log = FileLog(tmp_path / "a.live")
        store = MemoryStore(log, SystemClock(), Random(1))
        await store.commit(Commit(updates=(update(1),), outbox=(notice("first"),)))
        synced.clear()
        people = [PersonId(number) for number in range(100, 150)]
        searches = [store.commit(Commit((somebody(each, 1, waiting(each)),))) for each in people]
        assert await asyncio.gather(*searches) == [Committed.YES] * 50
        assert synced == [log.size]
        await store.aclose()

    asyncio.run(main())


@staged(on_disk)
async def test_an_update_reported_as_done_is_on_disk(store: MemoryStore, log: SyncedLog, /) -> None:
    """A mark does not wait for the disk. But next the update is confirmed to Telegram, which then deletes it."""
    await store.mark(Mark((update(7),)))
    assert not log.is_synced
    assert await store.done(BOT, (8,)) == set()
    assert not log.is_synced, "of what is not done nothing is told"
    assert await store.done(BOT, (7,)) == {7}
    assert log.is_synced
    await store.mark(Mark((update(8),)))
    assert (await store.known(BOT, (8,))).done == {8}
    assert log.is_synced
    await store.mark(Mark((update(9),)))
    assert await store.commit(Commit(updates=(update(9),))) is Committed.ALREADY_DONE
    assert log.is_synced


@staged(on_disk)
async def test_journal_entries_given_to_the_records_are_on_disk(store: MemoryStore, log: SyncedLog, /) -> None:
    """Otherwise its number would be used again, and the records would skip the later fact."""
    await store.commit(Commit(couple()))
    await store.mark(Mark(anchor=Anchor(CHAT, ANN, at(3)), facts=(fact(1),)))
    assert not log.is_synced
    assert await store.journal(0, 10) == [(1, fact(1))]
    assert log.is_synced
    await store.mark(Mark(anchor=Anchor(CHAT, BEN, at(4)), facts=(fact(2),)))
    assert await store.journal(2, 10) == []
    assert not log.is_synced, "nothing was told"


@staged(on_disk)
async def test_done_marks_are_on_disk_after_a_sweep_or_a_close(store: MemoryStore, log: SyncedLog, /) -> None:
    await store.mark(Mark((update(7),)))
    await store.sweep()
    assert log.is_synced
    await store.mark(Mark((update(8),)))
    await store.aclose()
    assert log.is_synced


def test_a_commit_that_waits_for_the_disk_needs_no_task(tmp_path: Path) -> None:
    async def main() -> None:
        store = MemoryStore(FileLog(tmp_path / "live"), SystemClock(), Random(1))
        errors: list[BaseException] = []
        background = Background(errors.append)
        before = asyncio.all_tasks()
        ends = [background.begin(store.commit(Commit(outbox=(notice(name),)))) for name in "abc"]
        assert asyncio.all_tasks() == before
        assert [end.is_done for end in ends] == [False] * 3, "the disk has not answered"
        while not all(end.is_done for end in ends):
            await asyncio.sleep(0)
        assert [end.result() for end in ends] == [Committed.YES] * 3
        assert errors == []
        await store.aclose()

    asyncio.run(main())


def test_a_caller_that_goes_on_at_once_gets_a_sync_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(os, "fdatasync", calls.append)

    async def main() -> None:
        log = FileLog(tmp_path / "live")
        background = Background(lambda error: None)

        async def one_after_the_other() -> None:
            for number in range(3):
                log.append(b"%d" % number)
                await log.sync()

        ends = [background.begin(one_after_the_other()) for _ in range(2)]
        while not all(end.is_done for end in ends):
            await asyncio.sleep(0)
        assert len(calls) == 3, "each is shared"
        log.close()

    asyncio.run(main())
