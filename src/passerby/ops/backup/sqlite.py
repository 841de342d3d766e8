"""SQLite, through its backup API.

A dump is a copy of the file at one moment. The copy is in a directory of its own next to the database, which nobody
else may read; it is removed at once, and if the process was killed, by the next one. A restored database is copied into
the real one in one transaction, so a kill leaves the old one or the new one.

Nothing can be copied into a damaged file. It gets a second name, which stays, and the restored database takes its place
by one rename.
"""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from passerby.adapters.sql.checksums import Contents, contents
from passerby.adapters.sql.failures import DAMAGED, SQLITE_SENTENCES, to_the_end
from passerby.ops.backup.databases import Dump, Loaded
from passerby.ops.backup.failure import BackupFailed, DatabaseDamaged, NoRoom
from passerby.ops.counting import counted

T = TypeVar("T")
_READ: Final = 1 << 20
_LOCKED_S: Final = 60.0
_LOGS: Final = ("-wal", "-shm")
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class SqliteDatabase:
    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path

    @asynccontextmanager
    async def dump(self) -> AsyncIterator[Dump]:
        if not self._path.exists():
            raise BackupFailed(f"there is no {self._path.name} yet")
        with self._beside() as file:
            try:
                found = await _patiently(lambda: self._copy(file))
            except DatabaseDamaged as damaged:
                raise DatabaseDamaged(f"SQLITE_DB_PATH: {damaged}") from None
            with file.open("rb") as copied:
                yield Dump(f"SQLite {sqlite3.sqlite_version}", found, _read(copied))

    async def test(self, stream: AsyncIterable[bytes]) -> Loaded:
        with self._beside() as file:
            await _fill(file, stream)
            return await _patiently(lambda: _look(file))

    async def is_damaged(self) -> bool:
        return self._path.exists() and await asyncio.to_thread(_is_damaged, self._path)

    async def contents(self) -> Contents:
        if not self._path.exists():
            return Contents(None, {}, {})
        return await _patiently(lambda: _look(self._path, check=False).contents)

    async def must_have_room(self, size: int, *, is_damaged: bool) -> None:
        """For the copy beside the database. In place, each page then goes through SQLite's log, too."""
        place = self._path.absolute().parent
        now = self._path.stat().st_size if self._path.exists() else 0
        needed = size if is_damaged else 2 * size + max(0, size - now)
        free = shutil.disk_usage(place).free
        if free < needed:
            told = f"{place} has {free / 1e6:.0f} MB left, and a restore of this backup needs {needed / 1e6:.0f} MB"
            raise NoRoom(f"{told}: make room there")

    async def replace(self, stream: AsyncIterable[bytes], dumped: Contents, *, is_damaged: bool) -> Path | None:
        with self._beside() as file:
            await _fill(file, stream)
            if problems := (await _patiently(lambda: _look(file))).problems:
                raise BackupFailed(f"the backup is damaged: {problems[0]}")
            if is_damaged:
                return await _patiently(lambda: _take_place(file, self._path))
            self._path.touch(mode=0o600)
            await _patiently(lambda: _copy_over(file, self._path))
            return None

    async def sweep(self) -> None:
        """Remove copies that a killed process has left."""
        for left in self._path.parent.glob(f"{self._prefix}*"):
            shutil.rmtree(left, ignore_errors=True)

    @property
    def _prefix(self) -> str:
        return f".{self._path.name}-copy-"

    @contextmanager
    def _beside(self) -> Iterator[Path]:
        """The path of a database file that does not exist yet. It is on the same disk, and removed at the end."""
        with tempfile.TemporaryDirectory(prefix=self._prefix, dir=self._path.parent) as directory:
            yield Path(directory) / "copy.db"

    def _copy(self, to: Path) -> Contents:
        """One step, so it is of one moment. In WAL mode, writers do not wait for it."""
        _copy_over(self._path, to)
        with closing(sqlite3.connect(to)) as copy:
            copy.execute("PRAGMA journal_mode=DELETE").fetchone()
        return _look(to, check=False).contents


def _copy_over(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source, timeout=_LOCKED_S)) as read,
        closing(sqlite3.connect(target, timeout=_LOCKED_S)) as written,
    ):
        read.backup(written)


def _look(path: Path, *, check: bool = True) -> Loaded:
    with closing(sqlite3.connect(path, timeout=_LOCKED_S)) as connection:
        problems = _problems(connection) if check else []
        engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        with engine.connect() as reading:
            return Loaded(contents(reading), problems)


def _is_damaged(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=_LOCKED_S)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _take_place(new: Path, path: Path) -> Path:
    """Rename a database to `path`, and keep the damaged one that is there. Returns the name that this one has then."""
    aside = _second_name(path)
    new.chmod(0o600)
    for file in (new, new.parent, path.parent):
        _to_disk(file)
    # SQLite would read the old log into the new file.
    for ending in _LOGS:
        Path(f"{path}{ending}").unlink(missing_ok=True)
    new.replace(path)
    _to_disk(path.parent)
    return aside


def _second_name(path: Path) -> Path:
    """Give a file and its log a second name each. If a killed process has done that, its name is the one."""
    for number in count(1):
        aside = Path(f"{path}.damaged-{number}")
        if not aside.exists():
            for ending in (*_LOGS, ""):
                with suppress(FileNotFoundError):
                    Path(f"{aside}{ending}").unlink(missing_ok=True)
                    Path(f"{aside}{ending}").hardlink_to(f"{path}{ending}")
            return aside
        if aside.samefile(path):
            return aside
    raise AssertionError("unreachable")


def _to_disk(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _problems(connection: sqlite3.Connection) -> list[str]:
    checked = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    broken = len(connection.execute("PRAGMA foreign_key_check").fetchall())
    problems = [] if checked == "ok" else ["SQLite finds the file damaged"]
    return problems + ([f"{counted(broken, 'row refers', 'rows refer')} to rows that are missing"] if broken else [])


async def _patiently(work: Callable[[], T]) -> T:
    try:
        # Somebody who interrupts the command must not find that its thread goes on.
        return await to_the_end(asyncio.to_thread(work))
    except sqlite3.Error as error:
        # Only the kind of the error: the text may quote a row.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGE:
            raise DatabaseDamaged(DAMAGED) from None
        kind = SQLITE_SENTENCES.get(code) or getattr(error, "sqlite_errorname", None) or type(error).__name__
        raise BackupFailed(f"SQLite: {kind}") from None


async def _read(file: BinaryIO) -> AsyncIterator[bytes]:
    while data := file.read(_READ):
        yield data


async def _fill(path: Path, stream: AsyncIterable[bytes]) -> None:
    with path.open("wb") as file:
        async for data in stream:
            try:
                file.write(data)
                file.flush()
            except OSError as error:
                place = path.parent.parent
                raise NoRoom(f"{place} cannot hold the restored database ({error.strerror}): make room there") from None
