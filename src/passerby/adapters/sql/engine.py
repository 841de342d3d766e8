"""Engines: how each database is named and opened. A wrong setting is found before anything starts."""

import os
from collections import Counter
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from passerby.adapters.sql import pooler
from passerby.adapters.sql.failures import DatabaseUnusable
from passerby.adapters.sql.pool import ConnectionPool

_SQLITE_HEAD: Final = b"SQLite format 3\0"

BESIDE: Final = ("-wal", "-shm", "-journal")
"""The endings of the names of SQLite's other files."""

_IS_FOREIGN: Final = (
    "SELECT EXISTS (SELECT 1 FROM sqlite_master)"
    " AND NOT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'journal_positions')"
)

_OPEN: Final[Counter[tuple[int, int]]] = Counter()
"""How many connections to each SQLite file this process has.

Nobody else here may open such a file: when *any* descriptor of it is closed, the system drops all locks that the
process has on it (https://sqlite.org/howtocorrupt.html, 2.2). The next process that leaves the database would think
that it is the last one, and remove the journal in which we still write.
"""


def sqlite_url(path: str | os.PathLike[str]) -> URL:
    """Creates no file yet. Raises: DatabaseUnusable, if the file is not a database, or cannot be created."""
    file = Path(path)
    if file.is_dir():
        raise DatabaseUnusable(f"{file} is a directory; name a file in it")
    if file.exists() and not file.is_file():
        raise DatabaseUnusable(f"{file} is not a regular file; name another file")
    for path in (file, *(file.with_name(file.name + suffix) for suffix in BESIDE)):
        if path.is_symlink() and not path.exists():
            raise DatabaseUnusable(f"{path.name} is a link that leads nowhere; remove it, or let it lead to a file")
        if path != file and path.is_file() and not os.access(path, os.R_OK | os.W_OK):
            raise DatabaseUnusable(f"{path.name} cannot be written; give this user the right to, and do not remove it")
    for beside in (file.with_name(file.name + suffix) for suffix in BESIDE):
        if beside.exists() and not beside.is_file():
            raise DatabaseUnusable(f"{beside.name} is where SQLite puts a file, and it is none; remove it")
    if not file.parent.is_dir():
        raise DatabaseUnusable(f"the directory {file.parent} does not exist; make it or name another file")
    # SQLite creates its journal beside the file, so the directory must be writable even if the file exists.
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise DatabaseUnusable(
            f"{file.name} needs a directory that this user may write to, and {file.parent.absolute()} is not one; "
            "change its permissions, or name another file"
        )
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        raise DatabaseUnusable(f"{file} cannot be written; give this user the right to, or name another file")
    if file.exists() and not _OPEN[_file_of(file)]:
        with file.open("rb") as opened:
            head = opened.read(len(_SQLITE_HEAD))
        if head not in (b"", _SQLITE_HEAD):
            raise DatabaseUnusable(f"{file} is not an SQLite database; name another file")
    return URL.create("sqlite+aiosqlite", database=str(file))


def postgres_url(uri: str) -> URL:
    """A libpq URI, as a URL for asyncpg. `sslmode` is translated, `connect_timeout` dropped; `?host=` may be a socket.

    Raises: DatabaseUnusable, if it is not such a URI.
    """
    try:
        url = make_url(uri)
    except (exc.ArgumentError, ValueError):
        raise DatabaseUnusable("this is not a database URL; write postgresql://user:password@host/database") from None
    if url.port is not None and not 0 < url.port < 2**16:
        raise DatabaseUnusable("the port of this database URL is above 65535 or 0; write the server's port")
    if url.drivername not in ("postgres", "postgresql", "postgresql+asyncpg"):
        raise DatabaseUnusable(f"{url.drivername}:// is not PostgreSQL; write postgresql://user:password@host/database")
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    query.pop("connect_timeout", None)
    if unknown := sorted(query.keys() - {"host", "port", "ssl", "target_session_attrs", "passfile"}):
        raise DatabaseUnusable(f"the option {unknown[0]} is not understood in a PostgreSQL URL here; leave it out")
    return url.set(drivername="postgresql+asyncpg", query=query)


def database_url(database: str | os.PathLike[str]) -> URL:
    """The URL for a PostgreSQL URI or for the path of an SQLite file."""
    text = os.fspath(database)
    return postgres_url(text) if "://" in text else sqlite_url(text)


def connect(url: URL, pool: ConnectionPool | None = None, **options: Any) -> AsyncEngine:
    """Make an engine; it opens nothing yet. `options` go to SQLAlchemy. Its errors quote no row."""
    pool = pool or ConnectionPool()
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, pool.timeout_s, options)
    if "poolclass" not in options:
        options |= {
            # The pool keeps all; `Keeper` closes connections that were idle for a while.
            "pool_size": pool.most,
            "max_overflow": 0,
            "pool_timeout": pool.timeout_s,
            # Reuse the most recent connections, so that the others become idle.
            "pool_use_lifo": True,
        }
    engine = create_async_engine(
        url,
        hide_parameters=True,
        connect_args={
            "timeout": min(pool.timeout_s, pool.connect_s),
            "command_timeout": pool.timeout_s,
            # Without a pooler, SQLAlchemy keeps prepared statements. The driver must not: its own would be unnamed.
            "statement_cache_size": 0,
            "server_settings": {"application_name": "passerby"},
        },
        **options,
    )
    pooler.look_out(engine)
    return engine


def _sqlite(url: URL, timeout_s: float, options: dict[str, Any]) -> AsyncEngine:
    """WAL: readers do not wait for the writer. FULL: a power cut must not undo what the journal has already dropped.

    The driver's automatic transactions are switched off, because they begin too late for BEGIN IMMEDIATE. Without BEGIN
    IMMEDIATE, two writers that have both read cannot wait for each other, and fail.
    """
    assert url.database is not None
    file = Path(url.database)
    try:
        # Profiles must not be readable for other users of this machine. The journal's files get the same rights.
        flags = os.O_CREAT | os.O_EXCL
        os.close(os.open(file, flags, 0o600))
    except FileExistsError:
        pass  # It was not opened, see `_OPEN`.
    except OSError as error:
        raise DatabaseUnusable(f"{url.database} cannot be made ({error.strerror}); name another file") from None
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": timeout_s}, **options)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        # The first statement opens the file.
        record.info["file"] = _file_of(file)
        _OPEN[record.info["file"]] += 1
        connection.isolation_level = None
        # A text that is none would otherwise fail the whole query. `unreadable` deals with the one value.
        connection.driver_connection.text_factory = _any_text
        cursor = connection.cursor()
        try:
            cursor.execute(_IS_FOREIGN)
            if not cursor.fetchone()[0]:  # another program's file stays as it is
                cursor.execute("PRAGMA journal_mode=WAL")
            for pragma in ("synchronous=FULL", "temp_store=MEMORY"):
                cursor.execute(f"PRAGMA {pragma}")
        except BaseException:
            _OPEN[record.info.pop("file")] -= 1  # nobody hears of the end of a connection that never was one
            raise
        cursor.close()

    @event.listens_for(engine.sync_engine, "close")
    def closed(_connection: Any, record: Any) -> None:
        if "file" in record.info:
            _OPEN[record.info.pop("file")] -= 1

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _any_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _file_of(path: Path) -> tuple[int, int]:
    """Return the system's numbers for a file. (0, 0): it is gone."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino
