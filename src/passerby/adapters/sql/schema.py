"""Making and changing the tables, through Alembic, without a configuration file of its own.

Safe to repeat and to start in many processes at once: a lock is taken before the first look, so the second finds
everything done. It is held on a connection of its own, because building an index CONCURRENTLY needs a migration to be
able to end its transaction.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool

from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import DatabaseUnusable, Refused, losses
from passerby.adapters.sql.pool import Pool
from passerby.ports.records import RecordsLost

_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 0x50617373
"""Any number that nothing else in the database locks: "Pass"."""
_PATIENT: Final = Pool(timeout_s=600.0)
"""An index on a large table takes minutes."""
_ASK_AGAIN_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Revisions: what the database has (None: nothing yet) and what this release needs."""

    current: str | None
    needed: str

    @property
    def is_current(self) -> bool:
        return self.current == self.needed


async def schema_state(database: str | os.PathLike[str] | URL) -> SchemaState:
    """Changes nothing. Raises: DatabaseUnusable, RecordsLost."""
    url = database if isinstance(database, URL) else database_url(database)
    if _is_missing_file(url):
        return SchemaState(None, _needed())
    engine = connect(url, poolclass=NullPool)
    try:
        with _answers():
            async with engine.connect() as connection:
                current = await connection.run_sync(_revision)
    finally:
        await engine.dispose()
    return SchemaState(current, _needed())


async def init_schema(database: str | os.PathLike[str] | URL) -> SchemaState:
    """Bring the tables to what this release needs, and say what they were at before.

    Not for two event loops of one process at once: Alembic keeps the migration under way in module globals.
    Raises: DatabaseUnusable, RecordsLost.
    """
    url = database if isinstance(database, URL) else database_url(database)
    engine = connect(url, _PATIENT, poolclass=NullPool)
    try:
        with _answers():
            before = await (_on_sqlite(engine) if url.get_backend_name() == "sqlite" else _on_postgres(engine))
    finally:
        await engine.dispose()
    return SchemaState(before, _needed())


async def is_damaged(database: str | os.PathLike[str] | URL) -> bool:
    """Whether SQLite finds its file damaged. It reads the whole file, and changes nothing. Raises: DatabaseUnusable,
    RecordsLost."""
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


@contextmanager
def _answers() -> Iterator[None]:
    """A server that refuses us at the start will go on doing so: that is for the operator."""
    try:
        with losses():
            yield
    except Refused as refused:
        raise DatabaseUnusable(str(refused)) from None


async def _on_sqlite(engine: AsyncEngine) -> str | None:
    """The transaction is the lock: BEGIN IMMEDIATE, and DDL belongs to it."""
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            before = await connection.run_sync(_revision)
            await connection.run_sync(_upgrade)
            return before


async def _on_postgres(engine: AsyncEngine) -> str | None:
    """The guard's lock lasts as long as its transaction: it works through a pooler, and a dead process lets go."""
    async with engine.connect() as guard:
        await _lock(guard)
        async with engine.connect() as connection:
            before = await connection.run_sync(_revision)
            await connection.commit()
            # Better to give up than to make everybody else's reads queue behind this lock.
            event.listen(connection.sync_connection, "begin", _hurry)
            await connection.run_sync(_upgrade)
            return before


def _hurry(connection: sa.Connection) -> None:
    """Set for each transaction, because a pooler would pass a lasting setting on to its next client. Outside a
    transaction, as for an index that is built CONCURRENTLY, there is no limit."""
    if connection.get_isolation_level() != "AUTOCOMMIT":
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")


async def _lock(guard: AsyncConnection) -> None:
    """Neither those who wait nor the one who has it may hold a snapshot meanwhile: an index that is built CONCURRENTLY
    waits for everybody who holds an older one. So whoever waits asks again and again, between transactions."""
    for _ in range(round(_PATIENT.timeout_s / _ASK_AGAIN_S)):
        if await guard.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
            # The guard idles from here on. Any statement that needs no snapshot would do: PostgreSQL keeps that of the
            # one before for as long as nothing follows.
            await guard.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            return
        await guard.rollback()
        await asyncio.sleep(_ASK_AGAIN_S)
    raise RecordsLost("another process is changing the tables")


def _is_missing_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _needed() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "migrations have one head"
    return head


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: sa.Connection, to: str = "head") -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError:
        # The only thing that can be wrong with a chain of revisions that the tests have been through.
        raise DatabaseUnusable("a newer release has changed this database; use that release") from None
