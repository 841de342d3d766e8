"""Long turns of the event loop, and stuck ones."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from passerby.runtime.background import loop_watch
from passerby.runtime.background.loop_watch import LOST_S, STUCK_S, TICK_S, LoopWatch, Stall
from passerby.runtime.flight_recorder import EXIT_STUCK, FlightRecorder
from passerby.telemetry import logs, metrics
from tests.runtime.test_flight_recorder import REF

MINE, THEIRS, NOBODYS = b"mine", b"theirs", b""


def ticks(stall: Stall, for_s: float, mark: bytes, *, worked: float = 1.0, waits: bool = False) -> None:
    for _ in range(round(for_s / TICK_S)):
        stall.tick(TICK_S, TICK_S * worked, waits, 1, mark)


def begun() -> Stall:
    stall = Stall()
    assert stall.tick(TICK_S, 0.0, True, 1, NOBODYS)
    return stall


def test_a_turn_of_one_update_is_stuck_after_a_few_seconds() -> None:
    stall = begun()
    ticks(stall, STUCK_S - 0.1, MINE)
    assert stall.is_long
    assert not stall.is_stuck
    ticks(stall, 0.5, MINE)
    assert stall.is_stuck


@pytest.mark.parametrize(("worked", "waits"), [(0.0, True), (0.3, True), (1.0, False)])
def test_a_turn_is_stuck_whether_it_computes_or_waits(worked: float, waits: bool) -> None:
    stall = begun()
    ticks(stall, STUCK_S + 0.5, MINE, worked=worked, waits=waits)
    assert stall.is_stuck


def test_a_turn_that_goes_from_one_update_to_the_next_is_only_long() -> None:
    stall = begun()
    for mark in (MINE, THEIRS, MINE, THEIRS):
        ticks(stall, STUCK_S - 0.5, mark)
    assert stall.is_long
    assert not stall.is_stuck


def test_a_turn_without_an_update_gets_more_time_but_not_unlimited() -> None:
    stall = begun()
    ticks(stall, LOST_S - 1, NOBODYS)
    assert not stall.is_stuck
    ticks(stall, 2, NOBODYS)
    assert stall.is_stuck


def test_a_loop_that_keeps_turning_is_never_stuck() -> None:
    stall = begun()
    for beats in range(2, 1000):
        stall.tick(TICK_S, TICK_S, False, beats, MINE)
        assert not stall.is_long


@pytest.mark.parametrize("away_s", [12.0, 8 * 3600.0])
def test_a_stopped_process_or_a_sleeping_machine_is_not_stuck(away_s: float) -> None:
    """The watching thread was away as well, and the loop's thread did nothing meanwhile."""
    stall = begun()
    stall.tick(away_s, 0.0, True, 1, MINE)
    stall.tick(TICK_S, 0.01, True, 1, MINE)
    assert not stall.is_long


def test_a_process_on_a_busy_machine_is_not_stuck() -> None:
    """The loop's thread always has work to do, but gets only a fifth of the CPU."""
    stall = begun()
    ticks(stall, 4 * STUCK_S, MINE, worked=0.2)
    assert not stall.is_stuck
    ticks(stall, 2 * STUCK_S, MINE, worked=0.2)
    assert stall.is_stuck, "by now it has worked as long as any other"


def test_a_library_that_blocks_all_threads_counts_by_its_cpu_time() -> None:
    """It holds the interpreter lock, so the watching thread is late, but the loop's thread worked all the time."""
    stall = begun()
    stall.tick(STUCK_S + 1, STUCK_S + 0.9, False, 1, MINE)
    stall.tick(STUCK_S + 1, STUCK_S + 0.9, False, 1, MINE)
    assert stall.is_stuck


def watched(turn: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> tuple[list[dict[str, Any]], list[int]]:
    """Return what is logged about a turn, and the exit codes with which the process would have ended."""
    said: list[dict[str, Any]] = []
    ends: list[int] = []
    monkeypatch.setattr(logs, "record", lambda event, level="info", **fields: said.append({"event": event, **fields}))

    async def main() -> None:
        recorder = FlightRecorder()
        watch = LoopWatch(recorder, end=ends.append)
        watch.begin()
        await asyncio.sleep(0.2)

        async def work() -> None:
            turn()

        await recorder.follow(work(), (REF,))
        await asyncio.sleep(0.2)
        watch.close()

    asyncio.run(main())
    return said, ends


def busy(for_s: float) -> None:
    until = time.process_time() + for_s
    while time.process_time() < until:
        logs.name_of(KeyError())  # code of ours that the report can name


def test_a_long_turn_is_counted_and_named_by_our_own_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    before = metrics.LONG_TURNS.total()
    said, ends = watched(lambda: busy(1.0), monkeypatch)
    assert metrics.LONG_TURNS.total() == before + len(said)
    assert {each["event"] for each in said} == {"loop.long_turn"}
    long = max(said, key=lambda each: each["duration_s"])  # a busy machine may cause other reports
    assert long["duration_s"] >= 0.5
    assert long["frames"]
    assert all(frame.split(":")[0].endswith(".py") and "/" not in frame[:1] for frame in long["frames"])
    assert any("flight_recorder" in frame for frame in long["frames"])
    assert ends == []


def test_a_turn_that_blocks_on_waiting_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = metrics.LONG_TURNS.total()
    watched(lambda: time.sleep(1.0), monkeypatch)
    assert metrics.LONG_TURNS.total() > before


def test_a_stuck_loop_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_watch, "STUCK_S", 0.5)
    said, ends = watched(lambda: busy(2.0), monkeypatch)
    assert ends == [EXIT_STUCK]
    assert "loop.stuck" in [each["event"] for each in said]


PROGRAM = """
import asyncio, re, sys
from passerby.runtime.background import loop_watch
from passerby.runtime.flight_recorder import FlightRecorder
loop_watch.UNINTERRUPTED_S = 1.0
async def main():
    watch = loop_watch.LoopWatch(FlightRecorder())
    watch.begin()
    await asyncio.sleep(0.3)
    re.match(r"(a|a)*$", "a" * 200 + "b")
asyncio.run(main())
"""


def test_a_library_that_never_returns_is_killed_with_a_traceback() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], timeout=300, check=False, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGPROF
    assert "in match" in ended.stderr
