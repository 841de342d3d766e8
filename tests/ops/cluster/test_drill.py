"""The drill: a healthy fleet loses a worker, and the time until it is whole again is measured."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from passerby.ops.cluster.drill import LOOK_EVERY_S, PATIENCE_S, CannotDrill, Drill, failover, only_drill
from passerby.ops.cluster.overview import Bot, Overview, ProcessRow

DUTIES = {"duty:recorder": "worker-2"}


def process(name: str, pid: int, bots: int, **given: Any) -> ProcessRow:
    return ProcessRow(name=name, state="ready", pid=pid, bots=bots, **({"restarts": 0} | given))


def seen(*processes: ProcessRow, polled_ago_s: float | None = 1.0, **given: Any) -> Overview:
    owner = processes[0].name if processes else None
    bots = tuple(Bot(bot=number, owner=owner, polled_ago_s=polled_ago_s) for number in (1, 2))
    whole: dict[str, Any] = {"at": 0.0, "duties": DUTIES, "stores": {}, "figures": None, "faults": ()}
    return Overview(processes=processes, bots=bots, **(whole | given))


HEALTHY = seen(process("worker-2", 12, 2), process("worker-1", 11, 1))
"""The first process has the bots."""


def drilled(*looks: Overview) -> tuple[Drill, list[tuple[int, int]]]:
    """The last look is repeated."""
    killed: list[tuple[int, int]] = []
    time_s = 0.0

    def sleep(delay_s: float) -> None:
        nonlocal time_s
        time_s += delay_s

    def each() -> Iterator[Overview]:
        yield from looks
        while True:
            yield looks[-1]

    coming = each()

    def kill(pid: int, how: signal.Signals) -> None:
        killed.append((pid, how))

    return failover(lambda: next(coming), kill, lambda: time_s, sleep), killed


def test_the_worker_with_the_most_bots_is_killed_and_the_takeover_is_timed() -> None:
    missed = seen(process("worker-1", 11, 1), faults=("worker-2: ended, starts again",))
    taken = seen(process("worker-1", 11, 3), polled_ago_s=0.1, faults=("worker-2: starting",))
    whole = seen(process("worker-1", 11, 1), process("worker-2", 22, 2), polled_ago_s=0.1)
    done, killed = drilled(HEALTHY, missed, taken, taken, whole)
    assert killed == [(12, signal.SIGKILL)]
    assert done == Drill("worker-2", 2, round(2 * LOOK_EVERY_S, 1), round(4 * LOOK_EVERY_S, 1))


def test_a_probe_begins_before_the_kill_with_the_bots_of_the_worker_that_is_killed() -> None:
    told: list[object] = []
    taken = seen(process("worker-1", 11, 3), process("worker-2", 22, 2), polled_ago_s=0.1)
    looks = iter((HEALTHY, HEALTHY))
    failover(
        lambda: next(looks, taken),
        lambda pid, how: told.append(pid),
        iter(range(100)).__next__,
        lambda delay_s: None,
        lambda bots: told.append(list(bots)),
    )
    assert told == [[1, 2], 12]


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (msgspec.structs.replace(HEALTHY, faults=("live store: away",)), "not healthy: live store: away"),
        (seen(process("passerby", 11, 2)), "at least two processes"),
        (seen(process("a", 11, 2, restarts=None), process("b", 12, 1, restarts=None)), "at least two processes"),
    ],
)
def test_a_fleet_that_would_not_recover_is_left_alone(before: Overview, said: str) -> None:
    killed: list[int] = []
    with pytest.raises(CannotDrill, match=said):
        failover(lambda: before, lambda pid, how: killed.append(pid), lambda: 0.0, lambda delay_s: None)
    assert killed == []


def test_a_fleet_that_does_not_recover_is_reported() -> None:
    with pytest.raises(CannotDrill, match=f"did not take over, but after {PATIENCE_S:.0f} s"):
        drilled(HEALTHY, seen(process("worker-1", 11, 1), duties={}))


@pytest.mark.parametrize(
    ("error", "told"),
    [(ProcessLookupError(), "has ended by itself just now"), (PermissionError(), "this user may not")],
)
def test_a_worker_that_cannot_be_killed_is_a_sentence(error: OSError, told: str) -> None:
    def kill(pid: int, how: signal.Signals) -> None:
        raise error

    with pytest.raises(CannotDrill, match=told):
        failover(lambda: HEALTHY, kill, lambda: 0.0, lambda _: None)


def test_two_drills_at_once_kill_one_worker(tmp_path: Path) -> None:
    with only_drill(tmp_path), pytest.raises(CannotDrill, match="another drill runs here now"), only_drill(tmp_path):
        pass
    with only_drill(tmp_path):
        pass
