"""Moves the records to another database, while nothing runs.

First the journal of the live store is written to the old database, so that the records know everything. Then all rows
go over in one transaction of the new database, which is stored only if both hold the same. So a kill leaves the new
database empty, and the command may be repeated. The old database stays as it is.

Open chats and searches are in the rows of the people: a new live store is rebuilt from them at the next start.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, DatabaseUnusable, SqlRecords
from passerby.adapters.sql import init_schema as sql_init_schema
from passerby.adapters.sql.checksums import Contents, contents
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import losses
from passerby.ops.counting import counted
from passerby.ops.move.copying import copy_all
from passerby.ops.standstill import Standstill, nobody_connected, standstill
from passerby.ops.stores import database, init_schema, must_exist, must_fit, sentences
from passerby.ports.clock import Clock
from passerby.ports.live_store import Figures
from passerby.ports.records import RecordsLost
from passerby.settings import Settings, WrongSetting
from passerby.settings.addresses import is_postgres

_PATIENT: Final = ConnectionPool(timeout_s=6 * 3600.0)
_FORMS: Final = "write postgresql://user:password@host/database, or the path of a database file"
_ONE_SNAPSHOT: Final = "REPEATABLE READ"


class MoveFailed(Exception):
    """Nothing was moved. The text is one sentence for the operator."""


class WrongDatabase(MoveFailed):
    """The value of `--to` is not possible. An argument is wrong, not the fleet."""


class Moved(NamedTuple):
    """`was_done`: an earlier run had moved everything. `left`: what the live store still holds."""

    contents: Contents
    left: Figures
    was_done: bool


async def move(
    settings: Settings, to: str, clock: Clock, copied: Callable[[str, int], object] = lambda *_: None
) -> Moved:
    """`to`: the URI of a PostgreSQL database, or the path of a database file. Raises: MoveFailed, FleetRuns."""
    source, target = database(settings), database(goal := _goal(settings, to))
    if _place(source) == _place(target):
        raise WrongDatabase("this is the database that the settings name already")
    if isinstance(target, Path) and not target.parent.is_dir():
        raise WrongDatabase(f"--to: the directory {target.parent} does not exist; {_FORMS}")
    await must_exist(settings, may_be_older=True)
    await _must_fit(target, goal)
    try:
        with losses():
            async with AsyncExitStack() as closing:
                still = await closing.enter_async_context(standstill(settings, clock))
                await init_schema(settings)
                left = await _drained(still, source)
                if isinstance(target, Path):
                    await closing.enter_async_context(standstill(goal, clock))
                else:
                    await _unconnected(target, clock)
                await _make_tables(target, goal)
                return await _moved(source, target, left, copied)
    except (DatabaseUnusable, RecordsLost) as error:
        raise MoveFailed(f"a database cannot be used: {error}") from None


async def _must_fit(target: str | Path, goal: Settings) -> None:
    """Before anything is made or locked: the new database can be used, and is empty or ours. Raises: WrongDatabase."""
    if isinstance(target, Path) and goal.live_path.exists() and goal.live_path.stat().st_size:
        raise WrongDatabase(f"--to: {goal.live_path.name} is from another time; remove it, or name another file")
    with _told_of():
        await must_fit(goal, "--to")


async def _make_tables(target: str | Path, goal: Settings) -> None:
    with _told_of(), sentences(goal, "--to"):
        await sql_init_schema(target)


@contextmanager
def _told_of() -> Iterator[None]:
    """Raises: WrongDatabase instead of WrongSetting: no setting is wrong."""
    try:
        yield
    except WrongSetting as error:
        raise WrongDatabase(str(error)) from None


async def _unconnected(target: str, clock: Clock) -> None:
    """Raises: FleetRuns; WrongDatabase instead of a sentence about POSTGRES_URI, which is not what is wrong."""
    try:
        await nobody_connected(target, clock)
    except WrongSetting as error:
        raise WrongDatabase(f"--to: {error.problem}; {error.remedy}") from None


async def _drained(still: Standstill, source: str | Path) -> Figures:
    records = SqlRecords.at(source)
    try:
        return await still.record_journal(records)
    finally:
        await records.aclose()


async def _moved(source: str | Path, target: str | Path, left: Figures, copied: Callable[[str, int], object]) -> Moved:
    async with _connection(source) as reading, _connection(target, writes=True) as writing:
        held = await reading.run_sync(contents)
        there = await writing.run_sync(contents)
        if there.rows:
            if held.differences(there):
                raise WrongDatabase(f"the new database is not empty: it has {counted(there.rows, 'row')}")
            return Moved(held, left, was_done=True)
        await copy_all(reading, writing, copied)
        if differences := held.differences(await writing.run_sync(contents)):
            raise MoveFailed(f"the new database would differ, so nothing was stored: {differences[0]}")
        await writing.commit()
        return Moved(held, left, was_done=False)


@asynccontextmanager
async def _connection(where: str | Path, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
    engine = connect(database_url(where), _PATIENT, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            if writes:
                await connection.execution_options(writes=True)
            elif engine.dialect.name == "postgresql":
                await connection.execution_options(isolation_level=_ONE_SNAPSHOT)
            await connection.execute(sa.select(1))
            yield connection
    finally:
        await engine.dispose()


def _goal(settings: Settings, to: str) -> Settings:
    """The settings as they will be with the new database. The live store there is a file of its own, or none."""
    own = {"redis_url": SecretStr("memory://"), "run_dir": settings.run_dir}
    if "://" in to:
        if not is_postgres(to):
            raise WrongDatabase(f"--to: this is not the address of a PostgreSQL database; {_FORMS}")
        return settings.model_copy(update={**own, "postgres_uri": SecretStr(to)})
    if not to.strip():
        raise WrongDatabase(f"--to is empty; {_FORMS}")
    path = Path(to).expanduser()
    return settings.model_copy(update={**own, "postgres_uri": None, "sqlite_db_path": path.absolute()})


def _place(where: str | Path) -> str:
    return str(where.expanduser().resolve()) if isinstance(where, Path) else where
