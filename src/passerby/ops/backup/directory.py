"""Lists the backups, and decides which of them are kept.

A backup is a file whose name says when it was begun: passerby-20260131T033000Z.backup. It gets this name by a rename,
when it is whole and on the disk. So a file with this name is a whole backup, and a kill leaves at most a file with
another ending, which the next run removes. `state.json` notes the last restore test and what was copied elsewhere.
"""

import fcntl
import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from passerby.ops.backup.failure import BackupFailed, NoSuchBackup
from passerby.ops.backup.sealed import MAGIC
from passerby.settings.forms import MOST_TIME, bytes_of

SUFFIX: Final = ".backup"
PART: Final = ".part"
_STATE: Final = "state.json"
_FORM: Final = "passerby-%Y%m%dT%H%M%SZ"
DAYS, WEEKS, MONTHS = 7, 4, 6
DAY_S: Final = 86_400.0
_SKEW_S: Final = 3_600.0
"""The clock of another machine may be fast by this."""


class Verified(msgspec.Struct, frozen=True):
    """A restore test: of which backup, when, and what was wrong. Empty: nothing."""

    name: str
    at: float
    problems: list[str]


class DirectoryState(msgspec.Struct, frozen=True):
    """`verified`: the last restore test. `passed`: the last one before it that found nothing wrong. `uploaded`: names
    of backups that were copied elsewhere. `since`: when the first backup was wanted, in Unix seconds; 0 if nobody has
    noted it."""

    verified: Verified | None = None
    uploaded: tuple[str, ...] = ()
    since: float = 0.0
    passed: Verified | None = None

    @property
    def last_passed(self) -> Verified | None:
        """The last restore test that found nothing wrong."""
        return self.verified if self.verified is not None and not self.verified.problems else self.passed

    def after(self, test: Verified) -> "DirectoryState":
        """The state after another restore test. A backup that passed one and failed this one has not passed."""
        before = [each for each in (self.last_passed, self.passed) if each is not None and each.name != test.name]
        return msgspec.structs.replace(self, verified=test, passed=before[0] if before else None)


class Directory:
    """Raises: BackupFailed, if the directory cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process at a time makes or deletes backups. Raises: BackupFailed, if another one does."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise BackupFailed(f"BACKUP_DIR cannot be used ({error.strerror})") from None
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupFailed("another backup or restore test works in BACKUP_DIR now") from None
            yield
        finally:
            os.close(lock)

    def named(self) -> list[Path]:
        """Everything with the name of a backup, the oldest first. It may be none: see `strange`."""
        return sorted(path for path in self.path.glob(f"passerby-*{SUFFIX}") if begun_at(path) is not None)

    def backups(self, now: float = math.inf) -> list[Path]:
        """The oldest first, without those whose name says a time after `now`."""
        return [path for path in self.named() if not strange(path, now)]

    def find(self, name: str | None, now: float = math.inf) -> Path:
        """The backup of this name or path; the newest one for None. Raises: BackupFailed."""
        found = self.backups(now)
        if name is None:
            if not found:
                raise NoSuchBackup(f"there is no backup in {self.path}; passerby backup run makes one")
            return found[-1]
        for path in (Path(name), self.path / name, self.path / f"{name}{SUFFIX}"):
            if path.is_file():
                return path
        raise NoSuchBackup("there is no such backup; passerby backup list names them")

    def new_path(self, now: float) -> Path:
        """The path of a backup that begins now."""
        return self.path / f"{datetime.fromtimestamp(now, UTC).strftime(_FORM)}{SUFFIX}"

    def sweep(self) -> None:
        """Remove what killed runs have left. Only while `locked`."""
        for path in self.path.glob(f"*{PART}"):
            path.unlink(missing_ok=True)

    def retire(self, now: float = math.inf, is_sound: Callable[[Path], bool] = lambda _: True) -> list[Path]:
        """Delete what is not kept: never the last backup that passed a restore test. Returns what was deleted.

        A damaged backup takes no place of a sound one. Only while `locked`.
        """
        found = self.backups(now)
        keep = kept(found) | kept(path for path in found if is_sound(path))
        if (tested := self.state(now).last_passed) is not None:
            keep.add(self.path / tested.name)
        retired = [path for path in found if path not in keep]
        for path in retired:
            path.unlink(missing_ok=True)
        return retired

    def state(self, now: float = math.inf) -> DirectoryState:
        """Nothing, if `state.json` cannot be read, or says a time after `now`: it is not ours then."""
        try:
            found = msgspec.json.decode(bytes_of(self.path / _STATE), type=DirectoryState)
        except (OSError, msgspec.DecodeError, RecursionError):
            return DirectoryState()
        times = [found.since, *(each.at for each in (found.verified, found.passed) if each is not None)]
        return found if all(0 <= each <= min(now + _SKEW_S, MOST_TIME) for each in times) else DirectoryState()

    def wanted_since(self, now: float) -> float:
        """Since when backups are wanted here. Notes that it is now, if nobody has noted it.

        Raises: BackupFailed, OSError.
        """
        state = self.state(now)
        if not state.since:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = msgspec.structs.replace(state, since=now)
            self.put_state(state)
        return state.since

    def put_state(self, state: DirectoryState) -> None:
        """Raises: BackupFailed, if something is in its place; OSError."""
        try:
            replace_file(self.path / _STATE, msgspec.json.encode(state))
        except IsADirectoryError:
            raise BackupFailed(f"{_STATE} in BACKUP_DIR is a directory; remove it, and try again") from None


def begun_at(path: Path) -> float | None:
    """When this backup was begun, from its name. None if it is not named like one."""
    try:
        return datetime.strptime(path.stem, _FORM).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def strange(path: Path, now: float = math.inf) -> str:
    """Why a file with the name of a backup is not counted as one. Empty: it is. `soundness` looks for damage."""
    if (begun_at(path) or 0.0) > now + _SKEW_S:
        return "its name says a time in the future"
    if not path.is_file():
        return "it is not a file"
    try:
        with path.open("rb") as file:
            is_ours = file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return "" if is_ours else "this is not a backup of Passerby"


def kept(backups: Iterable[Path]) -> set[Path]:
    """All of the last 24 hours before the newest one, and the newest of each of 7 days, 4 weeks and 6 months.

    If the newest one is of a database that was emptied by mistake, the one before it is still there.
    """
    newest = sorted(backups, reverse=True)
    times = {path: begun_at(path) or 0.0 for path in newest}
    last = max(times.values(), default=0.0)
    keep = {path for path, at in times.items() if last - at < DAY_S}
    for form, count in (("%Y-%m-%d", DAYS), ("%G-%V", WEEKS), ("%Y-%m", MONTHS)):
        periods: dict[str, Path] = {}
        for path in newest:
            periods.setdefault(datetime.fromtimestamp(times[path], UTC).strftime(form), path)
        keep.update(list(periods.values())[:count])
    return keep


def replace_file(path: Path, content: bytes) -> None:
    """Write a whole file or nothing, even if the power fails. Raises: OSError."""
    part = path.with_name(path.name + PART)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    settle(part, path)


def settle(part: Path, path: Path) -> None:
    """Give a written file its name, once it is on the disk. Raises: OSError."""
    for synced in (part, None, path.parent):
        if synced is None:
            part.rename(path)
        else:
            to_disk(synced)


def to_disk(path: Path) -> None:
    """Wait until the content of a file, or the names in a directory, are on the disk. Raises: OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
