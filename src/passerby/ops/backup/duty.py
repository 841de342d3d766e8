"""The daily backup and the weekly restore test, started by whichever worker holds the lease.

Each is a process of its own, so that it delays no message, and has its own memory. It ends when the worker ends. The
files in BACKUP_DIR tell what is due. So a day that was missed is made up for at the next look, and two workers in turn
make one backup.
"""

import asyncio
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from passerby.ops.backup.directory import Directory, begun_at
from passerby.ops.backup.failure import BackupFailed
from passerby.ops.backup.soundness import Sound, key_of, newest_sound
from passerby.ports.clock import Clock
from passerby.settings import Settings
from passerby.telemetry import logs, metrics

LOOK_EVERY_S: Final = 60.0
AGAIN_AFTER_S: Final = 3600.0
"""The pause after an attempt that failed."""
TEST_EVERY_S: Final = 7 * 86_400.0
_SENTENCE: Final = 300


class BackupDuty:
    """`command` is what starts `passerby backup`; `run` or `verify` is added to it."""

    def __init__(self, settings: Settings, clock: Clock, command: tuple[str, ...] = ()) -> None:
        assert settings.backup_dir is not None, "there is a place for backups"
        self._settings = settings
        self._directory = Directory(settings.backup_dir)
        self._clock = clock
        self._since = clock.now()
        self._command = command or (sys.executable, "-m", "passerby.cli.exit_with_parent", "backup")
        self._told: set[Path] = set()
        self._failed_at = {"run": float("-inf"), "verify": float("-inf")}

    async def run(self) -> None:
        """Run until cancelled."""
        try:
            while True:
                self._measure(await asyncio.to_thread(self._look))
                for what in await asyncio.to_thread(self.due):
                    await self._do(what)
                self._measure(await asyncio.to_thread(self._look))
                await self._clock.sleep(LOOK_EVERY_S)
        finally:
            # Another process measures from now on.
            for gauge in (metrics.BACKUP_AT, metrics.RESTORE_TEST_AT, metrics.RESTORE_TEST_FAULTS):
                gauge.clear()

    def due(self) -> list[str]:
        """Return the steps that are due now, in this order: "run", "verify". A damaged backup does not count."""
        now = self._clock.now()
        newest, verified = self._look().newest, self._directory.state(now).verified
        found = []
        if newest is None or (begun_at(newest) or 0.0) < scheduled_before(now, self._settings.backup_at):
            found.append("run")
        if (found or newest) and (verified is None or now - verified.at >= TEST_EVERY_S):
            found.append("verify")
        elif verified is not None and verified.problems and (found or newest is None or newest.name > verified.name):
            found.append("verify")  # the backup after a damaged one
        return [what for what in found if self._clock.monotonic() - self._failed_at[what] >= AGAIN_AFTER_S]

    async def _do(self, what: str) -> None:
        began_at = self._clock.monotonic()
        process = await asyncio.create_subprocess_exec(
            *self._command,
            what,
            stdin=asyncio.subprocess.PIPE,  # the process ends when this does
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        duration_s = round(self._clock.monotonic() - began_at, 1)
        if process.returncode:
            self._failed_at[what] = self._clock.monotonic()
            lines = said.decode("utf-8", "replace").strip().splitlines() or ["it does not say why"]
            reason = f"passerby backup {what}: {lines[-1][:_SENTENCE]}"
            logs.record("backup.failed", "error", reason=reason, duration_s=duration_s)
        else:
            logs.record("backup.made" if what == "run" else "backup.verified", duration_s=duration_s)

    def _look(self) -> Sound:
        """May read megabytes of a backup that it has not seen yet."""
        return newest_sound(self._directory, key_of(self._settings), self._clock.now())

    def _measure(self, sound: Sound) -> None:
        """Where there is no sound one, the time counts from when the first one was wanted."""
        newest, state = sound.newest, self._directory.state(self._clock.now())
        passed = state.last_passed
        for path, problem in sound.damaged:
            if path not in self._told:
                self._told.add(path)
                logs.record("backup.not_counted", "error", reason=f"{path.name}: {problem}"[:_SENTENCE])
        if newest is None or passed is None:
            with suppress(OSError, BackupFailed):  # then it counts from the start of this process
                self._since = self._directory.wanted_since(self._since)
        metrics.BACKUP_AT.set((begun_at(newest) or 0.0) if newest is not None else self._since)
        metrics.RESTORE_TEST_AT.set(self._since if passed is None else passed.at)
        metrics.RESTORE_TEST_FAULTS.set(len(state.verified.problems) if state.verified is not None else 0)


def scheduled_before(now: float, at: str) -> float:
    """The last time that a daily backup should have begun. `at`: hours and minutes, UTC."""
    hours, minutes = map(int, at.split(":"))
    moment = datetime.fromtimestamp(now, UTC)
    today = moment.replace(hour=hours, minute=minutes, second=0, microsecond=0)
    return (today if today <= moment else today - timedelta(days=1)).timestamp()
