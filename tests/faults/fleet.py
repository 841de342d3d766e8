"""Workers as processes of their own: `passerby worker`, started, killed, stopped and paused by name."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping, Sequence
from pathlib import Path

from passerby.settings import Settings
from tests.faults.product import PASSERBY as PASSERBY
from tests.faults.product import ROOT, STOP_S

WORKER = (sys.executable, "-c", "from passerby.cli import main; main()", "worker")


class Fleet:
    """Named processes on shared stores. `environment` is what each of them is told."""

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
            **environment,
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.kept = False
        """Whether somebody starts again what has ended."""
        (directory / "run").mkdir(exist_ok=True)

    def start(self, name: str, command: Sequence[str] | None = None, **environment: str) -> None:
        """`command` and `environment`: what is different about this one. Who is called web-… takes webhooks."""
        if command is None and name.startswith("web-"):
            command = (*self.command[:-1], "web")
        assert name not in self._processes, f"there is a {name}"
        with self.log(name).open("ab") as output:
            self._processes[name] = subprocess.Popen(
                [*(command or self.command), "--name", name],
                cwd=self._directory,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def run(self, *words: str) -> str:
        """A command that ends; what it said. Raises: AssertionError, where it failed."""
        process = await asyncio.create_subprocess_exec(
            *WORKER[:-1], *words, cwd=self._directory, env=self.environment, stdout=PIPE, stderr=STDOUT
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    @property
    def names(self) -> list[str]:
        return list(self._processes)

    def log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def words(self) -> str:
        """All that was logged."""
        return "".join(log.read_text() for log in sorted(self._directory.glob("*.log")) if log.name != "sandbox.log")

    def _living(self, name: str) -> subprocess.Popen[bytes]:
        process = self._processes[name]
        code = process.poll()
        assert code is None, f"{name} ended by itself with {code}: {self.log(name).read_text()[-2000:]}"
        return process

    def check(self) -> None:
        """Raises: AssertionError, where one has ended by itself, unless somebody starts it again."""
        for name in () if self.kept else self._processes:
            self._living(name)

    def ended_by_itself(self, name: str) -> int | None:
        """The exit code of one that is gone, negative for a signal: it may be started again. None if it is there."""
        code = self._processes[name].poll()
        if code is not None:
            del self._processes[name]
        return code

    def kill(self, name: str) -> None:
        """`kill -9`. The process was alive, and is gone when this returns."""
        process = self._living(name)
        del self._processes[name]
        process.kill()
        assert process.wait() == -signal.SIGKILL

    def memory(self, name: str) -> int:
        """Resident memory of a process, in bytes."""
        pages = Path(f"/proc/{self._living(name).pid}/statm").read_text("ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def pause(self, name: str) -> None:
        """SIGSTOP."""
        self._living(name).send_signal(signal.SIGSTOP)

    def signal(self, name: str, number: signal.Signals) -> None:
        self._living(name).send_signal(number)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self._living(name).send_signal(signal.SIGCONT)

    async def ended(self, name: str, timeout_s: float = STOP_S) -> int:
        """Wait for one to end by itself; its exit code, negative for a signal."""
        process = self._processes.pop(name)
        try:
            return await asyncio.to_thread(process.wait, timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{name} did not end within {timeout_s:g} s") from None

    async def stop(self, name: str) -> int:
        """SIGTERM; the exit code."""
        self._living(name).terminate()
        return await self.ended(name)

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()
        self._processes.clear()
