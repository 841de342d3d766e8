"""Engines: how each database is named and opened. A setting that cannot work is found before anything is started."""

import os
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from passerby.adapters.sql import pooler
from passerby.adapters.sql.failures import DatabaseUnusable
from passerby.adapters.sql.pool import Pool

_SQLITE_HEAD: Final = b"SQLite format 3\0"


def sqlite_url(path: str | os.PathLike[str]) -> URL:
    """Makes no file yet. Raises: DatabaseUnusable, if there is one that is no database, or none could be made."""
    file = Path(path).expanduser()
    if file.is_dir():
        raise DatabaseUnusable(f"{file} is a directory; name a file in it")
    if not file.parent.is_dir():
        raise DatabaseUnusable(f"the directory {file.parent} does not exist; make it or name another file")
    # The journal of the database is made beside it, so the directory counts even when the file is there.
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise DatabaseUnusable(
            f"{file.name} needs a directory that this user may write to, and {file.parent.absolute()} is not one; "
            "change its permissions, or name another file"
        )
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        raise DatabaseUnusable(f"{file} cannot be written; give this user the right to, or name another file")
    if file.exists():
        with file.open("rb") as opened:
            head = opened.read(len(_SQLITE_HEAD))
        if head not in (b"", _SQLITE_HEAD):
            raise DatabaseUnusable(f"{file} is not an SQLite database; name another file")
    return URL.create("sqlite+aiosqlite", database=str(file))


def postgres_url(uri: str) -> URL:
    """A libpq URI as asyncpg takes it: `sslmode` and `connect_timeout` are translated, a unix socket may be `?host=`.

    Raises: DatabaseUnusable, if it is no such URI.
    """
    try:
        url = make_url(uri)
    except (exc.ArgumentError, ValueError):
        raise DatabaseUnusable("this is not a database URL; write postgresql://user:password@host/database") from None
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
    """A PostgreSQL URI, or else the path of an SQLite file."""
    text = os.fspath(database)
    return postgres_url(text) if "://" in text else sqlite_url(text)


def connect(url: URL, pool: Pool | None = None, **options: Any) -> AsyncEngine:
    """An engine; nothing is opened yet. `options` go to SQLAlchemy. Its errors quote no row."""
    pool = pool or Pool()
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, pool.timeout_s, options)
    if "poolclass" not in options:
        options |= {
            # All of them may stay; `Keeper` closes those that nobody has used for a while.
            "pool_size": pool.most,
            "max_overflow": 0,
            "pool_timeout": pool.timeout_s,
            # The hottest connections stay hot, the rest grow old.
            "pool_use_lifo": True,
        }
    engine = create_async_engine(
        url,
        hide_parameters=True,
        connect_args={
            "timeout": min(pool.timeout_s, pool.connect_s),
            "command_timeout": pool.timeout_s,
            # SQLAlchemy keeps prepared statements, where there is no pooler. Those of the driver itself are unnamed.
            "statement_cache_size": 0,
            "server_settings": {"application_name": "passerby"},
        },
        **options,
    )
    pooler.look_out(engine)
    return engine


def _sqlite(url: URL, timeout_s: float, options: dict[str, Any]) -> AsyncEngine:
    """WAL: readers do not wait for the writer. FULL: the journal forgets what it is told is stored here.

    The driver's own guessing of transactions is switched off: it begins them too late for BEGIN IMMEDIATE, without
    which two writers that have both read first cannot wait for each other and fail.
    """
    assert url.database is not None
    try:
        # What people said of themselves is nobody else's on this machine; the journal's files take over these rights.
        Path(url.database).touch(0o600)
    except OSError as error:
        raise DatabaseUnusable(f"{url.database} cannot be made ({error.strerror}); name another file") from None
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": timeout_s}, **options)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
