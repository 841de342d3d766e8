"""When what keeps ending is held back, and when it is tried again. supervisor's own classes; no process is started."""

from types import SimpleNamespace
from typing import Any

import pytest
from supervisor import events
from supervisor.states import ProcessStates

from passerby.cluster import warden
from passerby.cluster.configuration import TRIES
from passerby.cluster.warden import REST_S, SHORT_LIVES, WINDOW_S, Warden

DAY_S = 86_400.0


class Process:
    """As much of supervisor's process as the warden touches, and what it did to it."""

    def __init__(self, name: str) -> None:
        self.config = SimpleNamespace(name=name)
        self.state = ProcessStates.STOPPED
        self.backoff = 0
        self.pid = 1
        self.exitstatus: int | None = None
        self.spawned = 0

    def spawn(self) -> None:
        self.spawned += 1


class Office:
    def __init__(self) -> None:
        self.now = DAY_S
        self.process = Process("worker-1")
        group = SimpleNamespace(processes={"worker-1": self.process})
        self.warden = Warden(SimpleNamespace(process_groups={"worker-1": group}), lambda: self.now)
        self.warden.watch()

    def becomes(self, kind: Any, state: int, came_from: int, *, expected: bool = True, code: int | None = None) -> None:
        self.process.state, self.process.exitstatus = state, code
        events.notify(kind(self.process, came_from, expected))

    def lives(self, length_s: float, *, code: int) -> None:
        """Start, be steady, end with this code (negative: by a signal)."""
        self.becomes(events.ProcessStateStartingEvent, ProcessStates.STARTING, ProcessStates.EXITED)
        self.becomes(events.ProcessStateRunningEvent, ProcessStates.RUNNING, ProcessStates.STARTING)
        self.now += length_s
        exited = events.ProcessStateExitedEvent
        self.becomes(exited, ProcessStates.EXITED, ProcessStates.RUNNING, expected=code == 0, code=code)

    def gives_up(self) -> None:
        self.becomes(events.ProcessStateFatalEvent, ProcessStates.FATAL, ProcessStates.BACKOFF)

    def ticks(self) -> None:
        events.notify(events.Tick5Event(0, None))

    @property
    def is_tripped(self) -> bool:
        return self.process.state == ProcessStates.BACKOFF and self.process.backoff > TRIES

    def told(self) -> dict[str, Any]:
        return self.warden.lives()[0]


@pytest.fixture
def office() -> Any:
    yield Office()
    events.clear()


def test_lives_that_are_short_again_and_again_trip_the_breaker(office: Office) -> None:
    for _ in range(SHORT_LIVES):
        office.lives(15, code=1)
        assert not office.is_tripped
    office.lives(15, code=1)
    assert office.is_tripped
    assert (office.told()["crashes"], office.told()["restarts"]) == (SHORT_LIVES + 1, SHORT_LIVES + 1)


@pytest.mark.parametrize("code", [0, -1])
def test_recycling_and_being_killed_trip_nothing(office: Office, code: int) -> None:
    for _ in range(3 * SHORT_LIVES):
        office.lives(15, code=code)
    assert not office.is_tripped
    assert office.told()["crashes"] == (0 if code == 0 else 3 * SHORT_LIVES)


def test_crashes_far_apart_trip_nothing(office: Office) -> None:
    for _ in range(3 * SHORT_LIVES):
        office.lives(WINDOW_S / SHORT_LIVES, code=1)
    assert not office.is_tripped


def test_what_was_given_up_is_tried_once_more_after_a_rest(office: Office) -> None:
    office.gives_up()
    office.now += REST_S - 60
    office.ticks()
    assert (office.process.spawned, office.told()["rests_s"]) == (0, 60)
    office.now += 60
    office.ticks()
    assert (office.process.spawned, office.process.backoff) == (1, TRIES)


def test_what_runs_is_not_started(office: Office) -> None:
    office.gives_up()
    office.becomes(events.ProcessStateRunningEvent, ProcessStates.RUNNING, ProcessStates.STARTING)
    office.now += 2 * REST_S
    office.ticks()
    assert (office.process.spawned, office.told()["rests_s"]) == (0, 0)


def test_a_start_by_hand_is_no_restart(office: Office) -> None:
    office.becomes(events.ProcessStateStartingEvent, ProcessStates.STARTING, ProcessStates.STOPPED)
    assert office.told()["restarts"] == 0


def test_the_place_in_supervisor_is_the_one_that_is_configured() -> None:
    from passerby.cluster.configuration import configuration

    text = configuration((), shutdown_s=8, root=False)
    assert f"= {warden.install.__module__}:{warden.install.__name__}\n" in text
