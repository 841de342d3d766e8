"""Create and change the tables, through Alembic, without a configuration file.

It is safe to repeat, and to start in many processes at once: each takes a lock before it looks, so the second finds
everything done. The lock has its own connection, because a migration must end its transaction to build an index
CONCURRENTLY.
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import newest
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import NEWER, DatabaseUnusable, Locked, Refused, UnknownRevision, losses
from passerby.adapters.sql.pool import ConnectionPool
from passerby.adapters.sql.tables import metadata
from passerby.adapters.sql.whole import must_be_whole
from passerby.ports.records import RecordsLost

_REVISIONS: Final = Path(__file__).with_name("migrations") / "versions"
_VERSIONS: Final = "alembic_version"
"""Alembic's table with the revision of the database."""
_LOCK: Final = 0x50617373
"""A number that nothing else in the database locks: "Pass" in ASCII."""
_PATIENT: Final = ConnectionPool(timeout_s=600.0)
"""An index on a large table takes minutes."""
_BRIEF: Final = ConnectionPool(timeout_s=0.5)
"""A thread that waits for SQLite's lock cannot be cancelled, so we ask for the lock repeatedly instead."""
_LOCKED_S: Final = 15.0
"""How long another program may hold the lock."""
_ANSWER_S: Final = 10.0
"""How long a server may take for its first answer."""
_ASK_AGAIN_S: Final = 0.1
_FORM: Final = r"[0-9]{4}"
"""The form of our revisions. Other programs use Alembic, too, and have others."""
_MARK: Final = "journal_positions"
"""A table that we always have, and that hardly any other program has."""
_FIND: Final = "name the database of the fleet, or make the tables with passerby init-schema"
_NO_TABLES: Final = f"it has no tables yet; {_FIND}"
_FOREIGN: Final = {
    "sqlite": "it is the database of another program; name a file of Passerby's own",
    "postgresql": (
        "it is the database of another program; name one of Passerby's own, or make the tables there with passerby "
        "init-schema --beside"
    ),
}


_TABLES: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
    # Without those of extensions. PostGIS, for example, brings a table.
    "postgresql": """
        SELECT t.relname FROM pg_class t
        WHERE t.relkind IN ('r', 'p') AND pg_table_is_visible(t.oid)
          AND t.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
          AND NOT EXISTS
              (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = t.oid AND deptype = 'e')
    """,
}


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Revisions: the one of the database (None: no tables yet) and the one that this release needs."""

    current: str | None
    needed: str

    @property
    def is_current(self) -> bool:
        return self.current == self.needed

    @property
    def is_newer(self) -> bool:
        """Whether a newer release has changed the tables."""
        return self.current is not None and self.current > self.needed


def release() -> int:
    """The number of the newest revision. It grows whenever a release stores something that older ones do not know."""
    return int(_needed())


async def schema_state(database: str | os.PathLike[str] | URL) -> SchemaState:
    """Changes nothing. Raises: DatabaseUnusable, RecordsLost."""
    url = database if isinstance(database, URL) else database_url(database)
    if _is_missing_file(url) or _is_empty_file(url):
        return SchemaState(None, _needed())
    engine = connect(url, poolclass=NullPool)
    try:
        with _answers():
            async with engine.connect() as connection:
                current = await connection.run_sync(_known_revision)
    finally:
        await engine.dispose()
    return SchemaState(current, _needed())


async def init_schema(
    database: str | os.PathLike[str] | URL, on_lock: Callable[[], object] = lambda: None, *, beside: bool = False
) -> SchemaState:
    """Upgrade the tables to what this release needs. Returns the revision that they had before.

    `on_lock` is called when we hold PostgreSQL's lock and an upgrade begins. It may take minutes. `beside`: also where
    another program has its tables.

    Do not run it in two event loops of one process at once: Alembic keeps its state in module globals.
    Raises: DatabaseUnusable, RecordsLost.
    """
    url = database if isinstance(database, URL) else database_url(database)
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = connect(url, _BRIEF if is_sqlite else _PATIENT, poolclass=NullPool)
    try:
        before = await (_when_unlocked(engine) if is_sqlite else _answered(_on_postgres(engine, on_lock, beside)))
    finally:
        await engine.dispose()
    return SchemaState(before, _needed())


async def _answered(work: Awaitable[str | None]) -> str | None:
    with _answers():
        return await work


async def _when_unlocked(engine: AsyncEngine) -> str | None:
    for tries_left in range(round(_LOCKED_S / _BRIEF.timeout_s), -1, -1):
        try:
            return await _answered(_on_sqlite(engine))
        except Locked:
            if not tries_left:
                raise
            await asyncio.sleep(_ASK_AGAIN_S)
    raise AssertionError("unreachable")


async def is_damaged(database: str | os.PathLike[str] | URL) -> bool:
    """Whether SQLite finds its file damaged. Reads the whole file and changes nothing.

    Raises: DatabaseUnusable, RecordsLost.
    """
    url = database if isinstance(database, URL) else database_url(database)
    if _is_missing_file(url):
        return False
    engine = connect(url, poolclass=NullPool)
    try:
        with _answers():
            async with engine.connect() as connection:
                found = await connection.scalar(sa.text("PRAGMA quick_check(1)"))
                return str(found) != "ok"
    finally:
        await engine.dispose()


async def must_be_ours(
    database: str | os.PathLike[str] | URL, *, may_be_older: bool = False, may_be_changed: bool = False
) -> SchemaState:
    """For commands that only read: there are tables of ours, of this release, and as our migrations leave them.

    Changes nothing. `may_be_older`: an older release may have made them; then it is not looked at whether all are
    there. `may_be_changed`: nor is it looked at otherwise. Raises: DatabaseUnusable if not, RecordsLost.
    """
    url = database if isinstance(database, URL) else database_url(database)
    if _is_missing_file(url):
        raise DatabaseUnusable(f"there is no file {url.database}; {_FIND}")
    if _is_empty_file(url):
        raise DatabaseUnusable(_NO_TABLES)
    engine = connect(url, poolclass=NullPool)
    try:
        with _answers():
            async with engine.connect() as connection:
                current = await connection.run_sync(_known_revision)
                state = SchemaState(current, _needed())
                if current is None:
                    raise DatabaseUnusable(_NO_TABLES)
                if state.is_newer:
                    raise DatabaseUnusable(NEWER)
                if state.is_current and not may_be_changed:
                    await connection.run_sync(must_be_whole)
                elif not state.is_current and not may_be_older:
                    told = f"its tables are of an older release ({current}, and this one needs {state.needed})"
                    raise DatabaseUnusable(f"{told}; run passerby init-schema")
                return state
    finally:
        await engine.dispose()


async def check_tables(database: str | os.PathLike[str] | URL) -> None:
    """Whether the tables are as our migrations leave them. The revision must be current. Changes nothing.

    Raises: DatabaseUnusable if not, RecordsLost.
    """
    engine = connect(database if isinstance(database, URL) else database_url(database), poolclass=NullPool)
    try:
        with _answers():
            async with engine.connect() as connection:
                await connection.run_sync(must_be_whole)
    finally:
        await engine.dispose()


@contextmanager
def _answers() -> Iterator[None]:
    """A server that refuses us at the start will keep doing so, so the operator must act."""
    try:
        with losses():
            yield
    except Refused as refused:
        raise DatabaseUnusable(str(refused)) from None


async def _on_sqlite(engine: AsyncEngine) -> str | None:
    """The transaction is the lock: BEGIN IMMEDIATE, and it includes the DDL."""
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            before = await connection.run_sync(_known_revision)
            await _upgrade(connection, before)
            await connection.run_sync(must_be_whole)
            return before


async def _on_postgres(engine: AsyncEngine, on_lock: Callable[[], object], beside: bool) -> str | None:
    """The guard's lock lasts as long as its transaction, so it works through a pooler, and ends with its process."""
    async with engine.connect() as guard:
        async with asyncio.timeout(_ANSWER_S):
            await guard.scalar(sa.select(1))
        await _lock(guard)
        async with engine.connect() as connection:
            async with asyncio.timeout(_ANSWER_S):
                before = await connection.run_sync(_known_revision, beside)
            await connection.commit()
            if before != _needed():
                on_lock()
            # Give up rather than make all other reads wait behind this lock.
            event.listen(connection.sync_connection, "begin", _hurry)
            await _upgrade(connection, before)
            await connection.run_sync(must_be_whole)
            return before


def _hurry(connection: sa.Connection) -> None:
    """Set the limit for each transaction, because a pooler would pass a session setting on to its next client.

    Outside a transaction, for example when an index is built CONCURRENTLY, there is no limit.
    """
    if connection.get_isolation_level() != "AUTOCOMMIT":
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")


async def _lock(guard: AsyncConnection) -> None:
    """Wait for the lock. Neither the waiting processes nor the holder may hold a snapshot meanwhile.

    Building an index CONCURRENTLY waits for every transaction with an older snapshot. So waiting processes ask again
    and again, and end their transaction in between.
    """
    for _ in range(round(_PATIENT.timeout_s / _ASK_AGAIN_S)):
        if await guard.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
            # The guard is idle from here on. Any statement without a snapshot would do: PostgreSQL keeps the snapshot
            # of the last statement until another one follows.
            await guard.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            return
        await guard.rollback()
        await asyncio.sleep(_ASK_AGAIN_S)
    raise RecordsLost("another process is changing the tables")


def _is_missing_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()


def _is_empty_file(url: URL) -> bool:
    """To open it would write a head into it."""
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").stat().st_size


async def _upgrade(connection: AsyncConnection, before: str | None) -> None:
    if before is None and await connection.run_sync(newest.fill):
        return
    if before != _needed():
        # Alembic takes longer to import than most starts have to wait for a database.
        from passerby.adapters.sql.upgrading import upgrade

        await connection.run_sync(upgrade)


def _needed() -> str:
    return max(_known())


def _known() -> set[str]:
    """The revisions, from the names of the files. Asking Alembic would import it."""
    return {path.name[1:5] for path in _REVISIONS.glob("r[0-9][0-9][0-9][0-9]_*.py")}


def _revision(connection: sa.Connection) -> str | None:
    """Raises: DatabaseUnusable, if it has several."""
    if not sa.inspect(connection).has_table(_VERSIONS):
        return None
    found: list[object] = list(connection.scalars(sa.select(sa.column("version_num")).select_from(sa.table(_VERSIONS))))
    if len(found) > 1:
        told = f"its table {_VERSIONS} has {len(found)} rows, so somebody has changed it"
        raise UnknownRevision(f"{told}; delete the row that does not belong there, or restore a backup")
    return str(found[0]) if found else None


def _known_revision(connection: sa.Connection, beside: bool = False) -> str | None:
    """Raises: UnknownRevision, if nothing says which release made our tables; DatabaseUnusable, if none is ours."""
    revision = _revision(connection)
    if revision in _known():
        return revision
    tables = set(connection.scalars(sa.text(_TABLES[connection.dialect.name]))) - {_VERSIONS}
    strays = sorted(metadata.tables.keys() & tables)
    if revision is None:
        if strays:
            raise UnknownRevision(
                f"it has tables ({', '.join(strays[:3])}) but does not say which release made them; "
                "restore a backup, or name a database that is empty"
            )
        if tables and not beside:
            raise DatabaseUnusable(_FOREIGN[connection.dialect.name])
    elif not re.fullmatch(_FORM, revision) and _MARK not in strays:
        raise DatabaseUnusable(_FOREIGN[connection.dialect.name])
    elif not re.fullmatch(_FORM, revision) or revision < _needed():
        raise UnknownRevision(f"its tables have the revision {revision[:20]!r}, which never existed; restore a backup")
    return revision
