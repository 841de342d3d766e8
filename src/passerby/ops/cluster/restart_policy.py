"""Runs inside supervisor, as part of its control interface: counts restarts, and stops restarting processes that keep
ending.

supervisor itself gives up on a process for good if it ends repeatedly within `STEADY_S` of its start. This adds two
things. A process that runs a little longer each time, but ends by itself more than `SHORT_RUNS` times within
`WINDOW_S`, is given up, too. And a process that was given up is tried once more every `REST_S`, because the cause may
have passed.

It also ends a process whose event loop is stuck, which shows in the process's page in the run directory (see
`runtime.flight_recorder`): by SIGABRT after `SILENT_TICKS` of supervisor's own ticks, by SIGKILL one tick later.
Usually the process has ended itself long before. Ticks are counted, not seconds, because there are none while the
machine sleeps. A process that was stopped by a signal is left alone.

An end with exit code 0 is *expected*: the process has recycled itself, or somebody other than supervisor told it to
stop. Exit code 2 is a *refusal*: a setting cannot be used, or a newer release uses the stores. It is no crash, but a
process that keeps refusing is given up, too. A kill by a signal counts as a crash. But if the process had been steady,
it does not count as a short run, because the program did not cause it. The same holds for an end with a stuck event
loop: one message caused that, and it is put aside.
"""

import json
import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from supervisor import events
from supervisor.states import ProcessStates

from passerby.ops.cluster import processes
from passerby.ops.cluster.configuration import TRIES
from passerby.runtime.flight_recorder import EXIT_STUCK, RECORDING, Pulse, pulse_of

REST_S: Final = 300.0
SHORT_RUNS: Final = 10
WINDOW_S: Final = 900.0
EXIT_REFUSED: Final = 2
"""The exit code of `passerby` for a setting that cannot be used."""
REFUSED: Final = f"it ended with code {EXIT_REFUSED}"
SILENT_TICKS: Final = 5
"""Ticks of 5 seconds. That is longer than a process needs to notice by itself, and longer than any turn may take."""


@dataclass(slots=True)
class Record:
    """The history of one process since supervisor started."""

    starts: int = 0
    restarts: int = 0
    crashes: int = 0
    refusals: int = 0
    gave_up_at: float | None = None
    ends: deque[float] = field(default_factory=deque)
    """The times at which it ended with an exit code other than 0, within `WINDOW_S`."""
    pulse: Pulse | None = None
    silent_ticks: int = 0
    """The number of ticks in which its pulse has not changed."""
    unclear: bool = False
    """It ended at once. That counts as a crash until its exit code is known."""
    unsaid: bool = False
    """It ended unexpectedly, and the line about that in its own log is still missing."""


class RestartPolicy:
    """`now` in Unix seconds. The public methods are called from outside as `passerby.<name>`.

    `pulse_of` returns how many turns a process's event loop has completed, by its name; `end` sends it a signal. `say`
    adds a sentence to a process's log file, because a killed process cannot write it itself.
    """

    def __init__(
        self,
        supervisord: Any,
        now: Callable[[], float],
        pulse_of: Callable[[str], Pulse | None] = lambda name: None,
        end: Callable[[int, int], None] = os.kill,
        say: Callable[[Path, str], None] = lambda path, reason: None,
    ) -> None:
        self._supervisord = supervisord
        self._now = now
        self._pulse_of = pulse_of
        self._end = end
        self._say = say
        self._records: dict[str, Record] = {}

    def runs(self) -> list[dict[str, Any]]:
        """For each process: how often it was restarted, crashed and refused to serve, and when it is tried again."""
        return [
            {
                "name": name,
                "restarts": record.restarts,
                "crashes": record.crashes,
                "refusals": record.refusals,
                "rests_s": 0 if record.gave_up_at is None else max(1, round(record.gave_up_at + REST_S - self._now())),
            }
            for name, record in self._records.items()
        ]

    def watch(self) -> None:
        events.subscribe(events.ProcessStateStartingEvent, self._started)
        events.subscribe(events.ProcessStateRunningEvent, self._steady)
        events.subscribe(events.ProcessStateBackoffEvent, self._ended_at_once)
        events.subscribe(events.ProcessStateExitedEvent, self._ended)
        events.subscribe(events.ProcessStateFatalEvent, self._given_up)
        events.subscribe(events.Tick5Event, self._look)

    def _record(self, process: Any) -> Record:
        return self._records.setdefault(str(process.config.name), Record())

    def _started(self, event: Any) -> None:
        record = self._record(event.process)
        self._tell(event.process, record)
        record.starts += 1
        by_hand = event.from_state == ProcessStates.STOPPED
        record.restarts += not by_hand
        if by_hand:
            record.ends.clear()
            record.gave_up_at = None

    def _steady(self, event: Any) -> None:
        self._record(event.process).gave_up_at = None

    def _ended_at_once(self, event: Any) -> None:
        record = self._record(event.process)
        # supervisor forgets the exit code of such an end, and its log says it only after this event.
        record.crashes += 1
        record.unsaid = record.unclear = True

    def _ended(self, event: Any) -> None:
        process, record = event.process, self._record(event.process)
        if event.expected:
            return
        if process.exitstatus == EXIT_REFUSED:
            record.refusals += 1
        else:
            record.crashes += 1
        record.unsaid = True
        if process.exitstatus < 0 or process.exitstatus == EXIT_STUCK:
            return
        record.ends.append(self._now())
        while record.ends[0] <= self._now() - WINDOW_S:
            record.ends.popleft()
        if len(record.ends) > SHORT_RUNS:
            # This looks to supervisor as if the process had ended at once too often, so it gives it up.
            process.state, process.backoff = ProcessStates.BACKOFF, TRIES + 1

    def _given_up(self, event: Any) -> None:
        record = self._record(event.process)
        self._tell(event.process, record)
        record.gave_up_at = self._now()

    def _tell(self, process: Any, record: Record) -> None:
        """Read how the process ended. Only supervisor's own log says it, and only after the event."""
        if record.unsaid:
            record.unsaid = False
            name, log = str(process.config.name), Path(self._supervisord.options.logfile)
            told = _last_end(log, name)
            if record.unclear and told == REFUSED:
                record.crashes -= 1
                record.refusals += 1
            record.unclear = False
            self._say(Path(process.config.stdout_logfile), told)

    def _look(self, _: Any) -> None:
        for group in self._supervisord.process_groups.values():
            for process in group.processes.values():
                record = self._record(process)
                rested = record.gave_up_at is not None and self._now() - record.gave_up_at >= REST_S
                if process.state == ProcessStates.FATAL and rested:
                    # One try: if it ends at once, it is given up at once.
                    process.backoff = TRIES
                    process.spawn()
                elif process.state in (ProcessStates.STARTING, ProcessStates.RUNNING):
                    self._feel(process, record)

    def _feel(self, process: Any, record: Record) -> None:
        pulse = self._pulse_of(str(process.config.name))
        # Before its first beat, a process does not serve yet. It may be waiting for a store.
        if pulse is None or pulse.pid != process.pid or not pulse.beats or pulse != record.pulse:
            record.pulse, record.silent_ticks = pulse, 0
            return
        reading = processes.read(process.pid)
        if reading is not None and reading.state in "Tt":
            record.silent_ticks = 0
            return
        record.silent_ticks += 1
        if record.silent_ticks >= SILENT_TICKS:
            with suppress(ProcessLookupError):
                self._end(process.pid, signal.SIGABRT if record.silent_ticks == SILENT_TICKS else signal.SIGKILL)


def _last_end(log: Path, name: str) -> str:
    """From a line like `exited: worker-1 (terminated by SIGKILL; not expected)`."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16_384))
            text = file.read().decode("ascii", "replace")
    except OSError:
        text = ""
    found = re.findall(rf"exited: {re.escape(name)} \((terminated by|exit status) (\w+)", text)
    if not found:
        return "it ended"
    how, what = found[-1]
    return f"killed by {what}" if how == "terminated by" else f"it ended with code {what}"


def line_of(reason: str, now: datetime, style: str) -> str:
    """A log line in the format of the processes."""
    if style == "json":
        stamp = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return json.dumps({"reason": reason, "event": "process.ended", "level": "error", "timestamp": stamp})
    return f"{now:%Y-%m-%d %H:%M:%S} [error    ] {'process.ended':<28} reason={reason!r}"


def install(supervisord: Any, style: str = "console") -> RestartPolicy:
    """For `supervisor.rpcinterface_factory`. `style`: LOG_FORMAT."""

    def say(path: Path, reason: str) -> None:
        now = datetime.fromtimestamp(time.time(), UTC).astimezone()  # noqa: TID251  # see below
        # The restart policy must go on even if a log cannot be written to.
        with suppress(OSError), path.open("a", encoding="utf-8") as log:
            log.write(f"{line_of(reason, now, style)}\n")

    run_path = Path(supervisord.options.configfile).parent
    restart_policy = RestartPolicy(
        supervisord,
        time.time,  # noqa: TID251  # supervisor has no clock to inject
        lambda name: pulse_of(run_path / f"{name}{RECORDING}"),
        say=say,
    )
    restart_policy.watch()
    return restart_policy
