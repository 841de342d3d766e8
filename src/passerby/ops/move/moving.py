"""Moves the records to another database, while nothing runs.

First the journal of the live store is written to the old database, so that the records know everything. Then all rows
go over in one transaction of the new database, which is stored only if both hold the same. So a kill leaves the new
database empty, and the command may be repeated. The old database stays as it is.

Open chats and searches are in the rows of the people: a new live store is rebuilt from them at the next start.
"""

import os
import secrets
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, DatabaseUnusable, SqlRecords
from passerby.adapters.sql import init_schema as sql_init_schema
from passerby.adapters.sql.checksums import Contents, contents
from passerby.adapters.sql.engine import BESIDE, connect, database_url
from passerby.adapters.sql.failures import losses
from passerby.ops.counting import counted
from passerby.ops.move.copying import copy_all
from passerby.ops.standstill import Standstill, alone, standstill
from passerby.ops.stores import database, init_schema, must_exist, must_fit, sentences
from passerby.ports.clock import Clock
from passerby.ports.live_store import Figures
from passerby.ports.records import RecordsLost
from passerby.settings import Settings, WrongSetting
from passerby.settings.addresses import is_postgres
from passerby.settings.forms import expanded

_PATIENT: Final = ConnectionPool(timeout_s=6 * 3600.0)
_FORMS: Final = "write postgresql://user:password@host/database, or the path of a database file"
_ONE_SNAPSHOT: Final = "REPEATABLE READ"
_SAME: Final = "--to: this is the database that the settings name already; name the new one"
_LOCK: Final = sa.text("SELECT pg_try_advisory_xact_lock(:key)")


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
    if _place(source) == _place(target) or _is_one_file(source, target):
        raise WrongDatabase(_SAME)
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
                    closing.enter_context(_only_whole(goal))
                    await closing.enter_async_context(standstill(goal, clock))
                else:
                    await _must_differ(source, target)
                    await closing.enter_async_context(_alone(target, clock))
                await _make_tables(target, goal)
                return await _moved(source, target, left, copied)
    except (DatabaseUnusable, RecordsLost) as error:
        raise MoveFailed(f"a database cannot be used: {error}") from None


def _must_have_one_name(target: Path) -> None:
    """Raises: WrongDatabase, for hard links."""
    if target.exists() and (names := target.stat().st_nlink) > 1:
        raise WrongDatabase(f"--to: {target.name} has {names} names (hard links), and Passerby needs a file with one")


@contextmanager
def _only_whole(goal: Settings) -> Iterator[None]:
    """Only this user may read the new file. If the move fails, all that it made is removed: the disk may be full."""
    database, live = goal.sqlite_db_path, goal.live_path
    named = [database.with_name(f"{database.name}{ending}") for ending in ("", *BESIDE)]
    named += [live, live.with_name(f"{live.name}.lock")]
    made = [each for each in named if not each.exists()]
    before = database.stat() if database.exists() else None
    if before is not None:
        database.chmod(0o600)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for each in made:
                each.unlink(missing_ok=True)
            if before is not None:
                if not before.st_size:
                    os.truncate(database, 0)
                database.chmod(stat.S_IMODE(before.st_mode))
        raise


async def _must_fit(target: str | Path, goal: Settings) -> None:
    """Before anything is made or locked: the new database can be used, and is empty or ours. Raises: WrongDatabase."""
    if isinstance(target, Path) and goal.live_path.exists() and goal.live_path.stat().st_size:
        raise WrongDatabase(f"--to: {goal.live_path.name} is from another time; remove it, or name another file")
    if isinstance(target, Path):
        _must_have_one_name(target)
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


@asynccontextmanager
async def _alone(target: str, clock: Clock) -> AsyncIterator[None]:
    """Raises: FleetRuns; WrongDatabase instead of a sentence about POSTGRES_URI, which is not what is wrong."""
    try:
        async with alone(target, clock):
            yield
    except WrongSetting as error:
        raise WrongDatabase(f"--to: {error.problem}; {error.remedy}") from None


async def _must_differ(source: str | Path, target: str) -> None:
    """Raises: WrongDatabase, if both are one database of PostgreSQL, whatever names its server has."""
    if not isinstance(source, Path):
        async with _connection(source) as first, _connection(target) as second:
            # It has one lock for both then.
            key = {"key": secrets.randbits(62)}
            if await first.scalar(_LOCK, key) and not await second.scalar(_LOCK, key):
                raise WrongDatabase(_SAME)


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
    path = expanded(Path(to))
    return settings.model_copy(update={**own, "postgres_uri": None, "sqlite_db_path": path.absolute()})


def _is_one_file(first: str | Path, second: str | Path) -> bool:
    """Whether both are names of one file: hard links."""
    if not isinstance(first, Path) or not isinstance(second, Path):
        return False
    return first.exists() and second.exists() and first.samefile(second)


def _place(where: str | Path) -> str:
    return os.path.realpath(where) if isinstance(where, Path) else where
