"""When a process that keeps ending is given up, and when it is tried again. It uses supervisor's classes, without
processes."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from supervisor import events
from supervisor.states import ProcessStates

from passerby.ops.cluster import processes, restart_policy
from passerby.ops.cluster.configuration import TRIES
from passerby.ops.cluster.restart_policy import REST_S, SHORT_RUNS, SILENT_TICKS, WINDOW_S, RestartPolicy
from passerby.runtime.flight_recorder import EXIT_STUCK, Pulse

DAY_S = 86_400.0


class Process:
    """The parts of supervisor's process that the restart policy uses. It records what was done to it."""

    def __init__(self, name: str) -> None:
        self.config = SimpleNamespace(name=name, stdout_logfile=f"{name}.log")
        self.state = ProcessStates.STOPPED
        self.backoff = 0
        self.pid = 1
        self.exitstatus: int | None = None
        self.spawned = 0

    def spawn(self) -> None:
        self.spawned += 1


class Office:
    def __init__(self, log: Path) -> None:
        self.log = log
        self.now = DAY_S
        self.process = Process("worker-1")
        group = SimpleNamespace(processes={"worker-1": self.process})
        self.pulse: Pulse | None = None
        self.signals: list[tuple[int, int]] = []
        self.said: list[str] = []
        self.restart_policy = RestartPolicy(
            SimpleNamespace(process_groups={"worker-1": group}, options=SimpleNamespace(logfile=str(log))),
            lambda: self.now,
            lambda name: self.pulse,
            lambda pid, number: self.signals.append((pid, number)),
            lambda path, reason: self.said.append(f"{path}: {reason}"),
        )
        self.restart_policy.watch()

    def becomes(self, kind: Any, state: int, came_from: int, *, expected: bool = True, code: int | None = None) -> None:
        self.process.state, self.process.exitstatus = state, code
        events.notify(kind(self.process, came_from, expected))

    def runs(self, length_s: float, *, code: int) -> None:
        """Start, be steady, end with this code (negative: by a signal)."""
        self.becomes(events.ProcessStateStartingEvent, ProcessStates.STARTING, ProcessStates.EXITED)
        self.becomes(events.ProcessStateRunningEvent, ProcessStates.RUNNING, ProcessStates.STARTING)
        self.now += length_s
        exited = events.ProcessStateExitedEvent
        self.becomes(exited, ProcessStates.EXITED, ProcessStates.RUNNING, expected=code == 0, code=code)

    def gives_up(self) -> None:
        self.becomes(events.ProcessStateFatalEvent, ProcessStates.FATAL, ProcessStates.BACKOFF)

    def ticks(self, times: int = 1) -> None:
        for _ in range(times):
            events.notify(events.Tick5Event(0, None))

    @property
    def is_tripped(self) -> bool:
        return self.process.state == ProcessStates.BACKOFF and self.process.backoff > TRIES

    def told(self) -> dict[str, Any]:
        return self.restart_policy.runs()[0]


@pytest.fixture
def office(tmp_path: Path) -> Any:
    yield Office(tmp_path / "supervisor.log")
    events.clear()


def test_a_process_with_many_short_runs_is_given_up(office: Office) -> None:
    for _ in range(SHORT_RUNS):
        office.runs(15, code=1)
        assert not office.is_tripped
    office.runs(15, code=1)
    assert office.is_tripped
    assert (office.told()["crashes"], office.told()["restarts"]) == (SHORT_RUNS + 1, SHORT_RUNS + 1)


@pytest.mark.parametrize("code", [0, -1, EXIT_STUCK])
def test_recycling_kills_and_stuck_loops_do_not_count_as_short_runs(office: Office, code: int) -> None:
    for _ in range(3 * SHORT_RUNS):
        office.runs(15, code=code)
    assert not office.is_tripped
    assert office.told()["crashes"] == (0 if code == 0 else 3 * SHORT_RUNS)


def test_a_process_that_ends_for_a_newer_release_has_not_crashed(office: Office) -> None:
    """First it ends while it serves, then at once at each start. Supervisor's log has the code, after the event."""
    refusal = "INFO exited: worker-1 (exit status 2; not expected)\n"
    office.runs(DAY_S, code=2)
    office.log.write_text(refusal)
    for _ in range(3):
        office.becomes(events.ProcessStateStartingEvent, ProcessStates.STARTING, ProcessStates.EXITED)
        office.becomes(events.ProcessStateBackoffEvent, ProcessStates.BACKOFF, ProcessStates.STARTING)
        office.log.write_text(refusal)
    office.gives_up()
    assert (office.told()["crashes"], office.told()["refusals"]) == (0, 4)
    office.becomes(events.ProcessStateStartingEvent, ProcessStates.STARTING, ProcessStates.FATAL)
    office.becomes(events.ProcessStateBackoffEvent, ProcessStates.BACKOFF, ProcessStates.STARTING)
    office.log.write_text("INFO exited: worker-1 (terminated by SIGKILL; not expected)\n")
    office.gives_up()
    assert (office.told()["crashes"], office.told()["refusals"]) == (1, 4)


def test_a_process_that_keeps_refusing_is_given_up(office: Office) -> None:
    for _ in range(SHORT_RUNS + 1):
        office.runs(15, code=2)
    assert office.is_tripped


def test_an_unexpected_end_is_logged_once(office: Office) -> None:
    """The end of a process is read from supervisor's own log."""
    office.runs(DAY_S, code=2)
    with office.log.open("a") as log:
        log.write("INFO exited: worker-10 (terminated by SIGSEGV; not expected)\n")
        log.write("INFO exited: worker-1 (exit status 2; not expected)\n")
    office.runs(DAY_S, code=0)
    office.runs(DAY_S, code=-9)
    with office.log.open("a") as log:
        log.write("INFO exited: worker-1 (terminated by SIGKILL; not expected)\n")
    office.runs(DAY_S, code=0)
    assert office.said == ["worker-1.log: it ended with code 2", "worker-1.log: killed by SIGKILL"]


def test_the_line_has_the_format_of_the_processes_own_lines() -> None:
    at = datetime(2026, 1, 31, 23, 59, 58, tzinfo=UTC)
    assert restart_policy.line_of("gone", at, "console").startswith("2026-01-31 23:59:58 [error    ] process.ended ")
    assert json.loads(restart_policy.line_of("gone", at, "json")) == {
        "event": "process.ended",
        "level": "error",
        "reason": "gone",
        "timestamp": "2026-01-31T23:59:58Z",
    }


def test_rare_crashes_do_not_stop_the_restarts(office: Office) -> None:
    for _ in range(3 * SHORT_RUNS):
        office.runs(WINDOW_S / SHORT_RUNS, code=1)
    assert not office.is_tripped


def test_a_process_that_was_given_up_is_tried_once_more_after_a_rest(office: Office) -> None:
    office.gives_up()
    office.now += REST_S - 60
    office.ticks()
    assert (office.process.spawned, office.told()["rests_s"]) == (0, 60)
    office.now += 60
    office.ticks()
    assert (office.process.spawned, office.process.backoff) == (1, TRIES)


def test_a_running_process_is_not_started(office: Office) -> None:
    office.gives_up()
    office.becomes(events.ProcessStateRunningEvent, ProcessStates.RUNNING, ProcessStates.STARTING)
    office.now += 2 * REST_S
    office.ticks()
    assert (office.process.spawned, office.told()["rests_s"]) == (0, 0)


def test_a_start_by_hand_does_not_count_as_a_restart(office: Office) -> None:
    office.becomes(events.ProcessStateStartingEvent, ProcessStates.STARTING, ProcessStates.STOPPED)
    assert office.told()["restarts"] == 0


@pytest.fixture
def running(office: Office) -> Any:
    """A process under supervisor that has a pulse."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        office.process.pid = process.pid
        office.process.state = ProcessStates.RUNNING
        office.pulse = Pulse(process.pid, 7)
        yield process
        process.kill()


def test_a_process_with_a_stuck_loop_is_ended(office: Office, running: Any) -> None:
    office.ticks(SILENT_TICKS)
    assert office.signals == []
    office.ticks()
    assert office.signals == [(running.pid, signal.SIGABRT)]
    office.ticks()
    assert office.signals[1:] == [(running.pid, signal.SIGKILL)], "it did not mind"


def test_a_process_with_a_running_loop_is_not_ended(office: Office, running: Any) -> None:
    for beats in range(10):
        office.pulse = Pulse(running.pid, beats)
        office.ticks(SILENT_TICKS)
    assert office.signals == []


@pytest.mark.parametrize("pulse", [None, Pulse(1, 7)])
def test_a_process_without_a_pulse_is_not_ended(office: Office, running: Any, pulse: Pulse | None) -> None:
    """The process is of an older release, or the page still belongs to the process before it."""
    office.pulse = pulse
    office.ticks(3 * SILENT_TICKS)
    assert office.signals == []


def test_a_process_that_does_not_serve_yet_is_not_ended(office: Office, running: Any) -> None:
    """The process waits for a store, perhaps for hours."""
    office.pulse = Pulse(running.pid, 0)
    office.ticks(3 * SILENT_TICKS)
    assert office.signals == []


def test_a_process_paused_by_a_signal_is_not_ended_and_gets_the_full_time_later(office: Office, running: Any) -> None:
    office.ticks(SILENT_TICKS)
    running.send_signal(signal.SIGSTOP)
    while (reading := processes.read(running.pid)) is not None and reading.state not in "Tt":
        pass
    office.ticks(3 * SILENT_TICKS)
    running.send_signal(signal.SIGCONT)
    while (reading := processes.read(running.pid)) is not None and reading.state in "Tt":
        pass
    office.ticks(SILENT_TICKS - 1)
    assert office.signals == []


def test_supervisor_loads_the_restart_policy_that_is_configured() -> None:
    from passerby.ops.cluster.configuration import configuration

    text = configuration((), shutdown_s=8, root=False)
    assert f"= {restart_policy.install.__module__}:{restart_policy.install.__name__}\n" in text
