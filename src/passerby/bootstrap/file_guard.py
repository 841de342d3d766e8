"""Notices if somebody deletes or replaces the files of a process while it runs.

live store     reported; the store itself writes a whole new log at its next sweep
lock           written again; if another process has locked a new one, this process ends
key file       written again
database       the process ends, because its new records are in a deleted file. The next start compares the two stores
               and repairs the differences
"""

from pathlib import Path
from typing import Final

from passerby.adapters.memory import FileLog, LogInUse
from passerby.ports.clock import Clock
from passerby.settings import Settings, WrongSetting, keep_key
from passerby.telemetry import logs

LOOK_EVERY_S: Final = 0.5


class Guard:
    """`log` and the database are open. Looks every LOOK_EVERY_S."""

    def __init__(self, settings: Settings, log: FileLog, key: bytes, clock: Clock) -> None:
        self._settings = settings
        self._log = log
        self._key = key
        self._clock = clock
        self._database = _which(settings.sqlite_db_path)
        self._faults = logs.Faults()

    async def watch(self) -> WrongSetting:
        """Return when the process must end, and why."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            try:
                failure = self._look()
            except OSError as error:
                self._faults.began("files", "files.unseen", reason=error.strerror or "the disk does not answer")
            else:
                self._faults.over("files", "files.seen")
                if failure is not None:
                    return failure

    def _look(self) -> WrongSetting | None:
        """Raises: OSError."""
        name = self._settings.sqlite_db_path.name
        self._look_at_log()
        try:
            if self._log.keep_lock():
                _say(f"{name}'s .live.lock", "it is made again")
        except LogInUse:
            problem = "its .live.lock was deleted, and another process has made a new one"
            return WrongSetting("SQLITE_DB_PATH", problem, "run one process for each database")
        if self._settings.secret_key is None and not self._settings.key_path.exists():
            keep_key(self._settings.key_path, self._key)
            _say(self._settings.key_path.name, "it is written again")
        if _which(self._settings.sqlite_db_path) != self._database:
            problem = f"{name} was deleted or replaced while it was in use"
            return WrongSetting("SQLITE_DB_PATH", problem, "start again: what differs is then repaired")
        return None

    def _look_at_log(self) -> None:
        if self._log.is_gone:
            self._faults.began(
                "log", "files.lost", reason=f"{self._log.name} was deleted, replaced or cut off while it was in use"
            )
        else:
            self._faults.over("log", "files.restored", reason=f"{self._log.name} was written again, as a whole")


def _say(name: str, what: str) -> None:
    logs.record("files.lost", "warning", reason=f"{name} was deleted while it was in use: {what}")


def _which(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
