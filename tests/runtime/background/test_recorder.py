"""The recorder with the memory store and fake records, under a clock that the test moves."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant
from passerby.ports.facts import Fact, PersonChanged
from passerby.ports.participants import Commit, Committed
from passerby.runtime.background.recorder import Recorder
from tests.contract.records_facts import changed, chatting, closed, opened, person
from tests.contract.records_memory import MemoryRecords
from tests.staged import staged


class Clock:
    """Stands still unless it is moved. `asked` are the requested sleeps, in order."""

    def __init__(self) -> None:
        self._at = 1_000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self.asked: list[float] = []

    def now(self) -> float:
        return 1_790_000_000.0 + self._at

    def monotonic(self) -> float:
        return self._at

    async def sleep(self, delay_s: float) -> None:
        self.asked.append(delay_s)
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._at + delay_s, next(self._order), wake))
        await wake

    async def move(self, by_s: float) -> None:
        end = self._at + by_s
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._at, _, wake = heapq.heappop(self._sleepers)
            if not wake.done():
                wake.set_result(None)
            await settle()
        self._at = end


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(200):
        await asyncio.sleep(0)


class Log(FileLog):
    """A log on a disk that can be full."""

    full = False

    def append(self, record: bytes, touched: Collection[PersonId] = ()) -> None:
        if self.full:
            raise OSError(28, "full")
        super().append(record, touched)

    async def sync(self) -> None:
        """Sync at once: the test moves the clock, and no thread would wait for it."""


class Watched(MemoryRecords):
    """Remembers the batches that were stored."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []

    @property
    def stored(self) -> list[int]:
        return [number for batch in self.batches for number in batch]

    async def apply(self, generation: str, entries: Sequence[tuple[int, Fact]], *, after: int | None = None) -> None:
        await super().apply(generation, entries, after=after)
        self.batches.append([number for number, _ in entries])


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.log = Log(folder / "live.log")
        self.store = MemoryStore(self.log, self.clock, Random(1))
        self.records = Watched()
        self.said: list[tuple[str, dict[str, Any]]] = []

    def recorder(self, store: Any = None, *, batch: int = 500) -> Recorder:
        return Recorder(
            store or self.store,
            self.records,
            self.clock,
            Random(2),
            lambda event, **fields: self.said.append((event, fields)),
            batch=batch,
        )

    async def commit(self, *facts: Fact) -> None:
        assert await self.store.commit(Commit(facts=facts)) is Committed.YES

    async def visits(self, people: int, start: int = 1) -> None:
        """Make one commit of one fact for each person, a moment apart."""
        for number in range(start, start + people):
            await self.commit(changed(person(number), self.clock.now() + number / 1e6))

    async def journal(self) -> list[int]:
        return [number for number, _ in await self.store.journal(0, 10_000)]

    def people(self) -> list[Participant]:
        return list(self.records.disk.people.values())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def play(world: World, story: Callable[[], Awaitable[None]]) -> None:
    """Run `story` to its end, and clean up."""

    async def run() -> None:
        try:
            await story()
        finally:
            world.log.full = False
            await world.store.aclose()

    asyncio.run(run())


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@staged(play, "world")
async def test_facts_of_a_fifth_of_a_second_are_one_batch_and_are_trimmed(world: World) -> None:
    running = asyncio.ensure_future(world.recorder().run())
    await settle()
    await world.visits(3)
    await world.clock.move(0.19)
    assert world.records.batches == []
    await world.clock.move(0.02)
    await world.visits(2, start=4)
    await world.clock.move(0.2)
    assert world.records.batches == [[1, 2, 3], [4, 5]]
    assert await world.journal() == []
    await stop(running)


@staged(play, "world")
async def test_a_full_batch_does_not_wait_for_the_next_turn(world: World) -> None:
    await world.visits(1_201)
    recorder = world.recorder()
    running = asyncio.ensure_future(recorder.run())
    await settle()
    assert [len(batch) for batch in world.records.batches] == [499, 499, 203]
    assert world.records.stored == list(range(1, 1_202))
    assert recorder.position == 1_201
    assert world.clock.asked == [0.2]
    await stop(running)


@staged(play, "world")
async def test_a_batch_never_ends_inside_a_commit(world: World) -> None:
    now = world.clock.now()
    await world.visits(8)
    pair = (chatting(101, 102, "c"), chatting(102, 101, "c"))
    await world.commit(changed(pair[0], now + 1), opened("c", 101, 102, now + 1), changed(pair[1], now + 1))
    await world.visits(3, start=201)
    running = asyncio.ensure_future(world.recorder(batch=10).run())
    await settle()
    assert world.records.batches == [list(range(1, 9)), [9, 10, 11, 12, 13, 14]]
    await stop(running)


@staged(play, "world")
async def test_a_commit_larger_than_a_batch_still_goes_through(world: World) -> None:
    await world.commit(*(changed(person(number)) for number in range(1, 26)))
    running = asyncio.ensure_future(world.recorder(batch=10).run())
    await settle()
    assert world.records.stored == list(range(1, 26))
    await stop(running)


@staged(play, "world")
async def test_a_poke_causes_a_look_at_once(world: World) -> None:
    recorder = world.recorder()
    running = asyncio.ensure_future(recorder.run())
    await settle()
    await world.visits(1)
    recorder.poke()
    await settle()
    assert world.records.batches == [[1]]
    # One poke causes one look, and the pauses continue as before.
    await world.visits(1, start=2)
    await settle()
    assert world.records.batches == [[1]]
    await world.clock.move(0.2)
    assert world.records.batches == [[1], [2]]
    await stop(running)
    recorder.poke()


@staged(play, "world")
async def test_a_start_continues_from_the_position_of_the_records(world: World) -> None:
    await world.visits(5)
    # An earlier process stored three facts and died before it could trim.
    entries = await world.store.journal(0, 3)
    await world.records.apply(world.store.generation, entries)
    recorder = world.recorder()
    assert await recorder.drain(1.0)
    assert world.records.batches == [[1, 2, 3], [4, 5]]
    assert await world.journal() == []


@staged(play, "world")
async def test_facts_stored_by_a_dead_process_are_trimmed_even_if_none_follow(world: World) -> None:
    await world.visits(2)
    await world.records.apply(world.store.generation, await world.store.journal(0, 10))
    assert await world.recorder().drain(1.0)
    assert await world.journal() == []
    assert len(world.records.batches) == 1


@staged(play, "world")
async def test_a_commit_that_was_not_answered_is_stored_once(world: World) -> None:
    await world.visits(2)
    world.records.mute = True
    running = asyncio.ensure_future(world.recorder().run())
    await settle()
    assert await world.journal() == [1, 2], "entries that may not be stored stay"
    world.records.mute = False
    # Another process has written meanwhile; the repeated batch must not undo that.
    newer = person(1, 7)
    world.records.disk.people[PersonId(1)] = newer
    await world.clock.move(1.0)
    assert newer in world.people()
    assert await world.journal() == []
    await stop(running)


@staged(play, "world")
async def test_lost_records_are_awaited_and_reported_once(world: World) -> None:
    recorder = world.recorder()
    running = asyncio.ensure_future(recorder.run())
    await settle()
    world.records.lost = True
    await world.visits(700)
    await world.clock.move(120.0)
    assert world.said == [("recorder.waiting", {"reason": "the records are lost: switched off"})]
    assert recorder.waiting is True
    assert len(await world.journal()) == 700, "the journal waits"
    world.records.lost = False
    await world.clock.move(10.0)
    assert [event for event, _ in world.said] == ["recorder.waiting", "recorder.resumed"]
    assert world.records.stored == list(range(1, 701))
    assert await world.journal() == []
    await stop(running)


@staged(play, "world")
async def test_records_that_come_and_go_are_reported_once(world: World) -> None:
    running = asyncio.ensure_future(world.recorder().run())
    await settle()
    for _ in range(5):
        world.records.lost = True
        await world.visits(1)
        await world.clock.move(5.0)
        world.records.lost = False
        await world.clock.move(15.0)
    assert [event for event, _ in world.said] == ["recorder.waiting", "recorder.resumed"]
    await stop(running)


@staged(play, "world")
async def test_the_backoff_grows_up_to_a_limit_with_jitter(world: World) -> None:
    world.records.lost = True
    running = asyncio.ensure_future(world.recorder().run())
    await world.clock.move(200.0)
    for tries, delay_s in enumerate(world.clock.asked):
        full_s = min(10.0, 0.2 * 2.0**tries)
        assert full_s / 2 <= delay_s <= full_s
    assert len(world.clock.asked) > 20
    capped = world.clock.asked[6:]
    assert len(set(capped)) == len(capped), "not all at one moment"
    world.records.lost = False
    await world.clock.move(20.0)
    world.records.lost = True
    world.clock.asked.clear()
    await world.clock.move(1.0)
    assert min(world.clock.asked) <= 0.2, "after the next loss pauses start small again"
    await stop(running)


@staged(play, "world")
async def test_a_live_store_that_cannot_be_written_counts_as_lost_too(world: World) -> None:
    await world.visits(2)
    running = asyncio.ensure_future(world.recorder().run())
    world.log.full = True
    await world.clock.move(1.0)
    assert world.said == [("recorder.waiting", {"reason": "the live store is lost: the disk is full"})]
    assert world.records.batches == [[1, 2]], "stored once; only the trimming is tried again"
    world.log.full = False
    await world.clock.move(10.0)
    assert await world.journal() == []
    assert [event for event, _ in world.said] == ["recorder.waiting", "recorder.resumed"]
    await stop(running)


class Address:
    """The address of a live store. The store that answers there may be a new one."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@staged(play, "world")
async def test_a_wiped_store_counts_from_one_and_is_followed(world: World, tmp_path: Path) -> None:
    address = Address(world.store)
    await world.visits(4)
    recorder = world.recorder(address)
    running = asyncio.ensure_future(recorder.run())
    await settle()
    assert recorder.position == 4
    wiped = address.store = MemoryStore(Log(tmp_path / "new.log"), world.clock, Random(9))
    await wiped.commit(Commit(facts=(changed(person(1, 5)), changed(person(9, 1)))))
    await world.clock.move(0.2)
    assert world.records.batches == [[1, 2, 3, 4], [1, 2]]
    assert person(1, 5) in world.people()
    assert await wiped.journal(0, 10) == []
    await stop(running)
    await wiped.aclose()


@staged(play, "world")
async def test_a_drain_leaves_nothing_behind(world: World) -> None:
    await world.visits(1_300)
    await world.commit(opened("c"), closed("c"))
    assert await world.recorder().drain(5.0)
    assert await world.journal() == []
    assert len(world.records.disk.people) == 1_300
    assert not world.records.disk.chats["c"].active  # type: ignore[index]


@staged(play, "world")
async def test_a_drain_gives_up_when_its_time_is_up(world: World) -> None:
    await world.visits(2)
    world.records.lost = True
    draining = asyncio.ensure_future(world.recorder().drain(3.0))
    await world.clock.move(2.9)
    assert not draining.done()
    await world.clock.move(0.2)
    assert draining.done()
    assert not await draining
    assert await world.journal() == [1, 2]


@pytest.mark.parametrize("turns", range(12))
@staged(play, "world")
async def test_a_recorder_cut_off_anywhere_stores_everything_once_and_in_order(world: World, turns: int) -> None:
    for version in range(30):
        at = world.clock.now() + version
        await world.commit(PersonChanged(person(1 + version % 3, version), at))
    recorder = world.recorder(batch=10)
    running = asyncio.ensure_future(recorder.run())
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    assert await recorder.drain(1.0)
    await asyncio.gather(running, return_exceptions=True)
    assert world.records.disk.people == {1: person(1, 27), 2: person(2, 28), 3: person(3, 29)}
    assert await world.journal() == []


@staged(play, "world")
async def test_a_drain_during_a_running_recorder_does_not_store_twice(world: World) -> None:
    await world.visits(50)
    recorder = world.recorder(batch=10)
    running = asyncio.ensure_future(recorder.run())
    assert await recorder.drain(1.0)
    assert world.records.stored == list(range(1, 51))
    await stop(running)


class Broken(MemoryRecords):
    async def apply(self, generation: str, entries: Sequence[tuple[int, Fact]], *, after: int | None = None) -> None:
        raise ZeroDivisionError


@staged(play, "world")
async def test_a_bug_is_not_mistaken_for_a_loss(world: World) -> None:
    await world.visits(1)
    recorder = Recorder(world.store, Broken(), world.clock, Random(2), lambda *_, **__: None)
    with pytest.raises(ZeroDivisionError):
        await recorder.run()
    assert not recorder.waiting


@staged(play, "world")
async def test_a_bug_ends_a_drain_but_not_the_stop_of_the_process(world: World) -> None:
    await world.visits(1)
    said = []
    recorder = Recorder(
        world.store, Broken(), world.clock, Random(2), lambda event, **fields: said.append((event, fields["error"]))
    )
    assert not await recorder.drain(5.0)
    assert said == [("recorder.broken", "ZeroDivisionError")]
    assert await world.journal() == [1]


@staged(play, "world")
async def test_the_records_count_as_behind_only_if_they_lack_what_the_journal_dropped(world: World) -> None:
    """A false alarm would compare both stores at every start."""
    alarms: list[int] = []

    async def alarm() -> bool:
        alarms.append(world.records.disk.positions.get(world.store.generation, 0))
        return True

    async def once() -> None:
        recorder = Recorder(
            world.store, world.records, world.clock, Random(2), lambda event, **fields: None, on_behind=alarm
        )
        task = asyncio.ensure_future(recorder.run())
        await world.clock.move(1.0)
        await stop(task)

    await once()
    await world.visits(3)
    await once()
    assert (await world.store.trimmed(), world.records.stored) == (3, [1, 2, 3])
    await once()
    assert alarms == []
    world.records.disk.positions[world.store.generation] = 2  # an older backup
    await once()
    assert alarms == [2]


@pytest.mark.parametrize("is_away", [True, False], ids=["in an outage", "unnoticed"])
@staged(play, "world")
async def test_a_database_that_is_replaced_by_an_older_one_while_the_recorder_runs_is_noticed(
    world: World, is_away: bool
) -> None:
    alarms: list[int] = []

    async def alarm() -> bool:
        alarms.append(world.records.disk.positions[world.store.generation])
        return len(alarms) > 1

    recorder = Recorder(world.store, world.records, world.clock, Random(2), lambda *_, **__: None, on_behind=alarm)
    running = asyncio.ensure_future(recorder.run())
    await world.visits(3)
    await world.clock.move(1.0)
    older = world.records.disk.copy()
    await world.visits(3, start=4)
    await world.clock.move(1.0)
    if is_away:
        world.records.lost = True
        await world.clock.move(1.0)
    world.records.disk.become(older)
    world.records.lost = False
    await world.visits(3, start=7)
    await world.clock.move(5.0)
    assert alarms[0] == 3, "before anything was stored on top of it"
    assert len(alarms) == 2, "again, because not everybody was repaired at the first time"
    assert world.records.disk.positions[world.store.generation] == 9
    assert await world.journal() == []
    await stop(running)


@staged(play, "world")
async def test_the_journal_keeps_what_the_records_do_not_hold(world: World) -> None:
    """At every moment: what is not recorded is in the journal, whichever batch comes next."""
    recorder = world.recorder(batch=4)
    trim = world.store.trim_journal
    upto = [0]

    async def watched(number: int, generation: str) -> None:
        assert number <= await world.records.applied(generation), "only what is recorded"
        upto.append(number)
        await trim(number, generation)

    world.store.trim_journal = watched  # type: ignore[method-assign]
    task = asyncio.ensure_future(recorder.run())
    for turn in range(5):
        await world.visits(3, start=1 + 3 * turn)
        await world.commit(*(changed(person(90 + turn), world.clock.now() + 1) for _ in range(3)))
        await world.clock.move(0.5)
    await stop(task)
    assert world.records.stored == list(range(1, 31)), "nothing is left out"
    assert upto == sorted(upto)
    assert await world.journal() == []
