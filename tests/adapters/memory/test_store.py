"""Only the memory store does this: it rewrites its log, and restores everything from the file."""

import asyncio
from itertools import pairwise
from math import inf
from pathlib import Path
from random import Random

import msgspec
import pytest

from passerby.adapters.memory import FileLog, MemoryStore, logged, state
from passerby.adapters.memory.done import DoneMarks
from passerby.kernel.decision import Facts
from passerby.kernel.ids import PersonId, UpdateRef, search_of
from passerby.kernel.participant import Idle, Participant, Profile
from passerby.ports.facts import PersonChanged, PersonErased
from passerby.ports.leases import Members, WorkerId, duty_lease
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit, Committed
from passerby.ports.trails import Trail, trail_of
from tests.contract.live_places import Disk, DiskLog
from tests.contract.live_values import (
    ADULTS,
    ANN,
    BEN,
    BOT,
    CHAT,
    EVE,
    at,
    becomes,
    copied,
    couple,
    fact,
    notice,
    somebody,
    waiting,
)
from tests.runtime.virtual import VirtualClock, run, settled
from tests.staged import in_a_loop, in_virtual_time

ONE, TWO, THREE = WorkerId("one"), WorkerId("two"), WorkerId("three")


def opened(disk: Disk) -> MemoryStore:
    return MemoryStore(DiskLog(disk), VirtualClock(), Random(1))


@in_virtual_time
async def test_the_log_holds_nothing_of_an_erased_person_once_the_records_have_dropped_them() -> None:
    disk = Disk()
    live = opened(disk)
    await live.adopt(())
    known = msgspec.structs.replace(somebody(ANN), profile=Profile(interests=("canary-4711",)))
    blank = Participant(ANN, known.version + 1)
    await live.commit(Commit((known,), facts=(PersonChanged(known, 1.0),)))
    await live.commit(Commit((blank,), facts=(PersonChanged(blank, 2.0), PersonErased(ANN, False, 2.0))))
    await live.trim_journal(2, live.generation)
    await live.sweep()
    assert b"canary" in b"".join(disk.records), "the records have not dropped them yet"
    await live.trim_journal(3, live.generation)
    await opened(disk).sweep()
    assert b"canary" not in b"".join(disk.records), "also after a restart"


@in_virtual_time
async def test_in_a_quiet_second_the_log_is_rewritten_to_its_smallest_size() -> None:
    disk = Disk()
    live = opened(disk)
    await live.adopt(())
    entries = [Trail(f"item:{each}", trail_of(ANN), BOT, 1e10, "", b"x" * 2_000) for each in range(200)]
    await live.commit(Commit(outbox=tuple(entries)))
    await live.mark(Mark(sent=tuple(each.id for each in entries)))
    await live.sweep()
    assert sum(map(len, disk.records)) > 400_000, "something was written in this one"
    await live.sweep()
    assert sum(map(len, disk.records)) < 1_000


def test_a_log_much_larger_than_its_data_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        disk = Disk()
        live = opened(disk)
        await live.adopt(())
        await live.commit(Commit((somebody(ANN, 1, waiting(ANN)),)))
        sizes = []
        for number in range(2, 400):
            await live.commit(Commit((somebody(ANN, number, waiting(ANN)),), updates=(UpdateRef(BOT, number),)))
            await live.sweep()
            sizes.append(sum(map(len, disk.records)))
        assert max(sizes) < 2 * 2_000 + 500, "it stays near what it has to say"
        assert sum(after < before for before, after in pairwise(sizes)) >= 3
        assert (await opened(disk).load(ANN)) == Facts(somebody(ANN, 399, waiting(ANN)))

    monkeypatch.setattr(logged, "REWRITE_BYTES", 2_000)
    monkeypatch.setattr(logged, "REWRITE_FACTOR", 2)
    run(main())


@in_virtual_time
async def test_a_bursts_leftovers_leave_the_log_within_a_minute_while_others_write() -> None:
    disk = Disk()
    live = opened(disk)
    await live.adopt(())
    for number in range(1, 3_000):
        await live.commit(Commit((somebody(ANN, number, waiting(ANN)),), updates=(UpdateRef(BOT, number),)))
    burst = sum(map(len, disk.records))
    assert burst > logged.QUIET_BYTES
    for number in range(3_000, 3_060):
        await live.commit(Commit((somebody(ANN, number, waiting(ANN)),), updates=(UpdateRef(BOT, number),)))
        await live.sweep()
        await asyncio.sleep(1.0)
    assert sum(map(len, disk.records)) < burst / 4
    assert (await opened(disk).load(ANN)) == Facts(somebody(ANN, 3_059, waiting(ANN)))


def test_a_log_that_grew_before_a_restart_is_rewritten_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        disk = Disk()
        live = opened(disk)
        for number in range(1, 100):
            await live.commit(Commit((somebody(ANN, number, waiting(ANN)),)))
        await opened(disk).sweep()
        assert len(disk.records) == 1
        again = opened(disk)
        await again.sweep()
        assert await again.load(ANN) == Facts(somebody(ANN, 99, waiting(ANN)))

    monkeypatch.setattr(logged, "REWRITE_BYTES", 2_000)
    run(main())


def test_a_rewritten_log_holds_everything_that_the_long_one_held(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        disk = Disk()
        live = opened(disk)
        ann, ben = couple()
        await live.commit(Commit((ann, ben), facts=(fact(1),), updates=(UpdateRef(BOT, 7),)))
        await live.mark(Mark(chat=CHAT, pairs=(copied(1, 10, 3),)))
        await live.commit(Commit((becomes(ann, Idle()), becomes(ben, Idle())), (CHAT,), facts=(fact(2),)))
        seen = [await live.sight((5, 64 + bit)) for bit in range(3)]
        unrecorded = await live.load(ANN)
        await live.sweep()
        assert len(disk.records) == 1
        again = opened(disk)
        assert await again.load(ANN) == unrecorded, "the records do not know yet"
        await again.trim_journal(2, again.generation)
        await again.sweep()
        assert await opened(disk).load(BEN) is None, "now they do"
        assert seen == [1, 1, 1]
        assert await opened(disk).sight((64 + 9,)) == 4

    monkeypatch.setattr(logged, "REWRITE_BYTES", 0)
    monkeypatch.setattr(logged, "REWRITE_FACTOR", 0)
    run(main())


def test_an_idle_person_unknown_to_the_records_survives_a_rewrite_and_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the records' older value would be adopted, and the newer change lost."""

    async def main() -> None:
        disk = Disk()
        live = opened(disk)
        await live.commit(Commit((somebody(ANN),), facts=(fact(1),)))
        await live.sweep()
        assert len(disk.records) == 1
        again = opened(disk)
        for _ in range(3):
            await asyncio.sleep(3600)
            await again.sweep()
        assert await again.load(ANN) == Facts(somebody(ANN))

    monkeypatch.setattr(logged, "REWRITE_BYTES", 0)
    monkeypatch.setattr(logged, "REWRITE_FACTOR", 0)
    run(main())


def test_a_rewritten_log_keeps_owners_and_anchors(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        disk = Disk()
        live = opened(disk)
        await live.commit(Commit(couple(), outbox=(notice("a"),), owner=ONE))
        await live.commit(Commit((somebody(EVE, 1, waiting(EVE)),), outbox=(notice("b"),), owner=TWO))
        await live.mark(Mark(chat=CHAT, speaker=BEN, anchor=Anchor(CHAT, ANN, at(3))))
        await live.mark(Mark(anchor=Anchor(search_of(EVE), EVE, at(4))))
        await live.sweep()
        assert len(disk.records) == 1
        again = opened(disk)
        for one in (live, again):
            assert await one.load(ANN) == Facts(*couple(), None, at(3))
            assert await one.load(EVE) == Facts(somebody(EVE, 1, waiting(EVE)), anchor=at(4))
            assert [await one.outbox(each) for each in (ONE, TWO)] == [[notice("a")], [notice("b")]]
            assert await one.is_preceded("b")
            assert [each.speaker for each in await one.idle_chats(inf, 10)] == [BEN]

    monkeypatch.setattr(logged, "REWRITE_BYTES", 0)
    monkeypatch.setattr(logged, "REWRITE_FACTOR", 0)
    run(main())


@in_virtual_time
async def test_marks_of_one_turn_are_one_record_and_a_replay_numbers_their_facts_alike() -> None:
    disk = Disk()
    live = opened(disk)
    await live.adopt((), whole=True)
    await live.commit(Commit(couple()))
    before = len(disk.records)
    marks = [
        Mark(anchor=Anchor(CHAT, ANN, at(3)), facts=(fact(1),)),
        Mark(anchor=Anchor(CHAT, ANN, at(4)), facts=(fact(2),)),  # they were told already
        Mark(anchor=Anchor(CHAT, BEN, at(5)), facts=(fact(3),)),
    ]
    await asyncio.gather(*(each.in_task() for each in map(live.mark, marks)))
    await live.commit(Commit(facts=(fact(4),)))
    assert len(disk.records) == before + 2
    told = [fact(1), fact(3), fact(4)]
    for one in (live, opened(disk)):
        assert await one.journal(0, 10) == list(enumerate(told, 1))


@in_virtual_time
async def test_after_a_restart_no_worker_is_living_and_the_outbox_is_inherited() -> None:
    """Only one process uses the file, so all former owners are gone."""
    disk = Disk()
    live = opened(disk)
    for owner in (ONE, TWO):
        await live.heartbeat(owner, {}, 60.0, b"")
        assert await live.take(owner, duty_lease(owner), 60.0) is not None
        await live.commit(Commit(outbox=(notice(owner),), owner=owner))
    again = opened(disk)
    assert await again.members() == Members(frozenset(), {}, {})
    await again.heartbeat(THREE, {}, 60.0, b"")
    assert await again.take(THREE, duty_lease(ONE), 60.0) is not None, "at once: there is nobody to wait for"
    assert await again.inherit(THREE) == [notice(ONE), notice(TWO)]
    assert await opened(disk).outbox(THREE) == [notice(ONE), notice(TWO)]


@in_virtual_time
async def test_a_restart_during_a_rebuild_finds_a_newborn_store() -> None:
    disk = Disk()
    live = opened(disk)
    await live.adopt((), whole=True)
    live.wipe()
    again = opened(disk)
    assert again.newborn
    await again.commit(Commit((somebody(ANN),)))


@in_virtual_time
async def test_a_wait_for_news_ends_when_the_store_is_wiped() -> None:
    live = opened(Disk())
    feed = await live.tickets(ADULTS, None, 0)
    reader = asyncio.ensure_future(live.tickets(ADULTS, feed.cursor, 60.0))
    await settled()
    live.wipe()
    with pytest.raises(LiveStoreLost):
        await reader
    assert asyncio.get_running_loop().time() < 1.0, "at once"
    await live.adopt((), whole=True)
    assert (await live.tickets(ADULTS, feed.cursor, 0)).whole


@in_a_loop
async def test_two_processes_do_not_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "passerby.live"
    live = MemoryStore(FileLog(path), VirtualClock(), Random(1))
    assert await live.commit(Commit((somebody(ANN, 1, waiting(ANN)),))) is Committed.YES
    await live.sweep()
    await live.aclose()
    again = MemoryStore(FileLog(path), VirtualClock(), Random(2))
    assert [change.person for change in (await again.tickets(ADULTS, None, 0)).changes] == [ANN]
    await again.aclose()


@in_virtual_time
async def test_tombstones_are_bounded() -> None:
    live = opened(Disk())
    for number in range(10_100):
        person = somebody(PersonId(number + 10), 1, waiting(PersonId(number + 10)))
        await live.commit(Commit((person,)))
        await live.commit(Commit((becomes(person, Idle()),)))
    feed = await live.tickets(ADULTS, 0, 0)
    assert feed.whole
    assert feed.changes == ()


def test_the_file_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        live = opened(Disk())
        for number in range(5):
            await live.remember_file(f"u{number}", BOT, f"id{number}")
        known = [number for number in range(5) if await live.file_id(f"u{number}", BOT)]
        assert known == [2, 3, 4]

    monkeypatch.setattr(state, "FILES_KEPT", 3)
    run(main())


def test_done_marks_for_a_day_of_a_hundred_updates_a_second_take_about_a_megabyte() -> None:
    marks = DoneMarks()
    for number in range(0, 100 * 86_400, 512):
        marks.add(UpdateRef(BOT, number), 0.0)
    assert sum(len(block.bits) for block in marks.dump()) < 1.1 * 2**20


@pytest.mark.parametrize("by_s", [-730 * 86_400.0, 730 * 86_400.0])
def test_done_updates_stay_done_when_the_clock_is_set_even_after_a_restart(by_s: float) -> None:
    class SetClock(VirtualClock):
        off_s = 0.0

        def now(self) -> float:
            return super().now() + self.off_s

    async def main() -> None:
        disk, clock = Disk(), SetClock()
        live = MemoryStore(DiskLog(disk), clock, Random(1))
        await live.adopt((), whole=True)
        await live.commit(Commit(updates=(UpdateRef(BOT, 1),)))
        clock.off_s = by_s
        await live.sweep()
        await asyncio.sleep(120)
        await live.sweep()
        assert await live.done(BOT, [1]) == {1}
        again = MemoryStore(DiskLog(disk), clock, Random(2))
        await asyncio.sleep(120)
        await again.sweep()
        assert await again.done(BOT, [1]) == {1}
        await asyncio.sleep(27 * 3600)
        await again.sweep()
        assert await again.done(BOT, [1]) == set()

    run(main())
