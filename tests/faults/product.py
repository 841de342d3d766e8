"""`passerby run` as a process that can be killed, stopped and started again on the same files."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from passerby.settings import Settings
from tests import warm

ROOT = Path(__file__).resolve().parents[2]
PASSERBY = (sys.executable, "-c", "from passerby.cli import main; main()", "run")
STOP_S = 120.0


def planted(bug: str) -> tuple[str, ...]:
    """Return the command for the product with a bug put in."""
    return (sys.executable, "-m", "tests.faults.planted", bug)


class Product:
    """One process after another on one database, never two at once."""

    def __init__(
        self, directory: Path, tokens: Sequence[str], url: str, command: Sequence[str] = PASSERBY, **environment: str
    ) -> None:
        self._directory = directory
        self._command = command
        ours = {name.upper() for name in Settings.model_fields}
        self._environment = {name: value for name, value in os.environ.items() if name not in ours} | {
            "PYTHONPATH": os.pathsep.join((str(ROOT), *sys.path[1:])),
            "BOT_TOKENS": ",".join(tokens),
            "BOT_API_URL": url,
            "SQLITE_DB_PATH": str(directory / "passerby.db"),
            "LOG_LEVEL": "warning",
            "LOG_FORMAT": "json",
            # The machine may be busy.
            "SHUTDOWN_TIMEOUT_S": "60",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.log = directory / "passerby.log"

    def start(self) -> None:
        assert self._process is None, "one at a time"
        with self.log.open("ab") as output:
            self._process = warm.start(
                self._command,
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """Send `kill -9`. The process was alive, and is gone when this returns."""
        process, self._process = self._process, None
        assert process is not None, "there is nothing to kill"
        code = process.poll()
        assert code is None, f"it ended by itself with {code}: {self.log.read_text()[-2000:]}"
        process.kill()
        assert process.wait() == -signal.SIGKILL

    async def ended(self, timeout_s: float) -> int:
        """Wait until it ends by itself. Return the exit code, negative for a signal."""
        code = await self.ends_within(timeout_s)
        assert code is not None, f"it did not end within {timeout_s:g} s: {self.log.read_text()[-2000:]}"
        return code

    async def ends_within(self, timeout_s: float) -> int | None:
        """Return the exit code, or None if it does not end by itself in that time."""
        process = self._process
        assert process is not None, "there is nothing to wait for"
        try:
            code = await asyncio.to_thread(process.wait, timeout_s)
        except subprocess.TimeoutExpired:
            return None
        self._process = None
        return code

    async def stop(self) -> int:
        """Send SIGTERM. Return the exit code."""
        process, self._process = self._process, None
        assert process is not None, "there is nothing to stop"
        process.terminate()
        try:
            return await asyncio.to_thread(process.wait, STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"it did not stop within {STOP_S:g} s of SIGTERM") from None

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
