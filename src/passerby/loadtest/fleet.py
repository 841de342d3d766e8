"""Starts, kills, restarts and ends the processes of Passerby in a load test.

They get only the settings that are given here, not the operator's: a real token must never get in.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from passerby.ops.cluster import sockets
from passerby.ports.clock import Clock
from passerby.settings import Settings

START_S: Final = 180.0
STOP_S: Final = 20.0
POLL_S: Final = 0.05
TEND_S: Final = 1.0
ON_ITS_WAY_S: Final = 1.0
"""A busy sandbox reads the last bytes of a killed process this much later. No other process takes over sooner."""


class FleetFault(Exception):
    """A process failed. The text is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Kill:
    """`at`: Unix seconds, just before the kill. `gone_at`: until then, the sandbox may read its last bytes."""

    name: str
    at: float
    gone_at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that ended by itself and was restarted. `code` 0: it ended cleanly because it had grown too large."""

    name: str
    at: float
    code: int


def environment(told: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, but with the settings in `told` and no others."""
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name.upper() not in ours} | dict(told)


def last_words(log: Path) -> str:
    """The last line that a process wrote before it ended."""
    return log.read_text("utf-8", "replace").rstrip().rpartition("\n")[2] or "it gave no reason"


@dataclass(slots=True)
class Fleet:
    """`command` is followed by `--name <name>`. Logs go to `<name>.log` in `directory`, sockets are in `run_dir`."""

    directory: Path
    run_dir: Path
    command: Sequence[str]
    told: Mapping[str, str]
    names: Sequence[str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.processes.items() if process.poll() is None}

    def start(self, name: str) -> None:
        """Start a process. Returns at once."""
        # Ctrl-C reaches the whole group at once, but the processes must end later than the people, by SIGTERM.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with (self.directory / f"{name}.log").open("ab") as output:
                self.processes[name] = subprocess.Popen(  # noqa: S603  # our own interpreter, our own module
                    [*self.command, "--name", name],
                    cwd=self.directory,
                    env=environment(self.told),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    async def ready(self, names: Sequence[str] | None = None) -> None:
        """Wait until they are ready. Raises: FleetFault, if one has ended, or START_S has passed."""
        waiting = list(names if names is not None else self.names)
        deadline = asyncio.get_running_loop().time() + START_S
        while waiting:
            self.check()
            if await asyncio.to_thread(sockets.is_ready, self.run_dir, waiting[0]):
                waiting.pop(0)
            elif asyncio.get_running_loop().time() > deadline:
                raise FleetFault(f"{waiting[0]} was not ready within {START_S:g} s: {self._last_words(waiting[0])}")
            else:
                await asyncio.sleep(POLL_S)

    async def start_all(self) -> None:
        for name in self.names:
            self.start(name)
        await self.ready()

    async def tend(self, clock: Clock) -> None:
        """Restart processes that end by themselves, until cancelled."""
        while True:
            for name, process in list(self.processes.items()):
                code = process.poll()
                if code is not None:
                    self.ended.append(Ended(name, clock.now(), code))
                    self.start(name)
            await clock.sleep(TEND_S)

    def check(self) -> None:
        """Raises: FleetFault, if a process has ended by itself."""
        for name, process in self.processes.items():
            code = process.poll()
            if code is not None:
                raise FleetFault(f"{name} ended by itself (code {code}): {self._last_words(name)}")

    def _last_words(self, name: str) -> str:
        return last_words(self.directory / f"{name}.log")

    def kill(self, name: str) -> None:
        """Kill a process with SIGKILL and wait for its end."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()

    async def stop(self) -> None:
        """Send SIGTERM to all, and SIGKILL to those that take longer than STOP_S."""
        await asyncio.to_thread(self.stop_now)

    def stop_now(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self.processes.clear()


@dataclass(slots=True)
class Chaos:
    """Kills a process every `every_s` seconds on average, and starts it again after a moment."""

    fleet: Fleet
    clock: Clock
    rng: Random
    every_s: float
    kills: list[Kill] = field(default_factory=list)

    async def reign(self) -> None:
        """Run until cancelled. A process that is down then is started again. Raises: FleetFault."""
        while True:
            await self.clock.sleep(self.every_s * self.rng.uniform(0.5, 1.5))
            name = self.rng.choice(list(self.fleet.names))
            at = self.clock.now()
            self.fleet.kill(name)
            self.kills.append(Kill(name, at, self.clock.now() + ON_ITS_WAY_S))
            try:
                await self.clock.sleep(self.rng.uniform(0.2, 2.0))
            finally:
                self.fleet.start(name)
            await self.fleet.ready([name])
