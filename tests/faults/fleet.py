"""Workers as processes: `passerby worker`, started, killed, stopped and paused by name."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from passerby.settings import Settings
from tests import warm
from tests.faults.product import PASSERBY as PASSERBY
from tests.faults.product import ROOT, STOP_S

WORKER = (sys.executable, "-c", "from passerby.cli import main; main()", "worker")


class Fleet:
    """Named processes on shared stores. `environment` holds the settings for all of them."""

    def __init__(self, directory: Path, environment: Mapping[str, str], command: Sequence[str] = WORKER) -> None:
        self._directory = directory
        self.command = tuple(command)
        ours = {name.upper() for name in Settings.model_fields}
        self.environment = {name: value for name, value in os.environ.items() if name not in ours} | {
            "PYTHONPATH": os.pathsep.join((str(ROOT), *sys.path[1:])),
            "SECRET_KEY": base64.b64encode(bytes(range(32))).decode(),
            "RUN_DIR": str(directory / "run"),
            "DB_POOL_MIN": "2",
            "DB_POOL_MAX": "10",
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "info",
            # The machine may be busy.
            "START_TIMEOUT_S": "300",
            "SHUTDOWN_TIMEOUT_S": "60",
            **environment,
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.kept = False
        """Whether something else restarts processes that end."""
        (directory / "run").mkdir(exist_ok=True)

    def start(self, name: str, command: Sequence[str] | None = None, **environment: str) -> None:
        """Start a process. `command` and `environment` replace the common ones. A name that starts with "web-" receives
        webhooks."""
        if command is None and name.startswith("web-"):
            command = (*self.command[:-1], "web")
        assert name not in self._processes, f"{name} is already running"
        with self.log(name).open("ab") as output:
            self._processes[name] = warm.start(
                [*(command or self.command), "--name", name],
                cwd=self._directory,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def run(self, *words: str) -> str:
        """Run a command to its end and return its output. Raises: AssertionError, if it failed."""
        how = {"cwd": self._directory, "env": self.environment, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = await asyncio.to_thread(warm.run, [*WORKER[:-1], *words], text=True, **how)
        assert done.returncode == 0, done.stdout
        return str(done.stdout)

    @property
    def names(self) -> list[str]:
        return list(self._processes)

    def log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def words(self) -> str:
        """Return all log lines."""
        return "".join(log.read_text() for log in sorted(self._directory.glob("*.log")) if log.name != "sandbox.log")

    def _living(self, name: str) -> subprocess.Popen[bytes]:
        process = self._processes[name]
        code = process.poll()
        assert code is None, f"{name} ended by itself with {code}: {self.log(name).read_text()[-2000:]}"
        return process

    def check(self) -> None:
        """Raises: AssertionError, if a process has ended by itself, unless something else restarts it."""
        for name in () if self.kept else self._processes:
            self._living(name)

    def ended_by_itself(self, name: str) -> int | None:
        """Return the exit code of a process that ended, negative for a signal; it may be started again. None if it
        runs."""
        code = self._processes[name].poll()
        if code is not None:
            del self._processes[name]
        return code

    def kill(self, name: str) -> None:
        """Send `kill -9`. The process was alive, and is gone when this returns."""
        process = self._living(name)
        del self._processes[name]
        process.kill()
        assert process.wait() == -signal.SIGKILL

    def memory(self, name: str) -> int:
        """Return the resident memory of a process, in bytes."""
        pages = Path(f"/proc/{self._living(name).pid}/statm").read_text("ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def pause(self, name: str) -> None:
        """Send SIGSTOP."""
        self._living(name).send_signal(signal.SIGSTOP)

    def signal(self, name: str, number: signal.Signals) -> None:
        self._living(name).send_signal(number)

    def resume(self, name: str) -> None:
        """Send SIGCONT."""
        self._living(name).send_signal(signal.SIGCONT)

    async def ended(self, name: str, timeout_s: float = STOP_S) -> int:
        """Wait until a process ends by itself. Return its exit code, negative for a signal."""
        process = self._processes.pop(name)
        try:
            return await asyncio.to_thread(process.wait, timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{name} did not end within {timeout_s:g} s") from None

    async def stop(self, name: str) -> int:
        """Send SIGTERM. Return the exit code."""
        self._living(name).terminate()
        return await self.ended(name)

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()
        self._processes.clear()
