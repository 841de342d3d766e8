"""The simulation's own parts: time that jumps, processes that are killed at once, a disk that outlives them."""

import asyncio
from random import Random

import pytest

from tests.simulation.disk import SimDisk
from tests.simulation.virtual_time import Deadlock, SimProcess, VirtualLoop


def test_time_jumps_to_the_next_timer() -> None:
    loop = VirtualLoop()

    async def wait_long() -> float:
        await asyncio.sleep(86_400.0)
        return loop.time()

    assert loop.run_until_complete(wait_long()) == pytest.approx(86_400.0)
    loop.close()


def test_waiting_for_something_that_never_comes_is_a_deadlock() -> None:
    loop = VirtualLoop()
    never = loop.create_future()
    waiting = loop.create_task(asyncio.wait_for(never, None))
    with pytest.raises(Deadlock):
        loop.run_until_complete(waiting)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(waiting)
    loop.close()


def test_a_killed_process_runs_no_cleanup_and_its_requests_go_on() -> None:
    loop = VirtualLoop()
    process = SimProcess("victim")
    done: list[str] = []

    async def victim() -> None:
        loop.call_later(2.0, done.append, "own timer")
        loop.create_task(child())  # not awaited on purpose
        try:
            await asyncio.sleep(5.0)
            done.append("went on")
        except BaseException:
            done.append("heard of it")
            raise
        finally:
            done.append("cleaned up")

    async def child() -> None:
        await asyncio.sleep(3.0)
        done.append("child went on")

    async def play() -> None:
        loop.begin(process, victim())
        loop.call_later(4.0, done.append, "what had left")
        await asyncio.sleep(1.0)
        loop.kill(process)
        await asyncio.sleep(10.0)

    loop.run_until_complete(play())
    assert done == ["what had left"]
    loop.evict()
    loop.close()


@pytest.mark.parametrize("seed", range(8))
def test_a_torn_record_is_dropped_and_earlier_records_are_kept(seed: int) -> None:
    disk = SimDisk()
    log = disk.open(SimProcess("first"))
    log.append(b"one")
    disk.tear(b"a second record", Random(seed).randrange(8 + len(b"a second record")))
    again = disk.open(SimProcess("second"))
    assert list(again.records()) == [b"one"]
    again.append(b"two")
    assert list(disk.open(SimProcess("third")).records()) == [b"one", b"two"]


def test_a_killed_process_writes_nothing_more() -> None:
    disk, process = SimDisk(), SimProcess("dead")
    log = disk.open(process)
    process.dead = True
    log.append(b"late")
    assert not disk.data
