"""Checks the database: whether it answers, has our tables, and allows enough connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, DatabaseUnusable, SchemaState, schema_state
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.examination import examine
from passerby.adapters.sql.failures import DAMAGED, losses
from passerby.adapters.sql.pooler import is_pooled, name_of_pooler
from passerby.adapters.sql.schema import check_tables, is_damaged
from passerby.ops.counting import counted
from passerby.ops.doctor.finding import Finding, ahead_by, fail, skew, warn, well
from passerby.ports.records import RecordsLost
from passerby.settings import Settings, open_key

PATIENCE_S: Final = 10.0
ROWS_S: Final = 20.0
"""How long the rows of people are read. On a large database, these are not all."""
NAMED: Final = 3
OLDEST: Final = 14
"""It had years of support left when this was written. Older versions are not tested."""
POOLER_LETS_IN: Final = 100
"""PgBouncer's default for max_client_conn."""


async def checks(settings: Settings, processes: int, now: Callable[[], float]) -> AsyncIterator[Finding]:
    """`processes` share the database."""
    name = "postgresql" if settings.postgres_uri else "database"
    database = settings.postgres_uri.get_secret_value() if settings.postgres_uri else settings.sqlite_db_path
    setting = "POSTGRES_URI" if settings.postgres_uri else "SQLITE_DB_PATH"
    try:
        async with asyncio.timeout(PATIENCE_S):
            state = await schema_state(database)
            seen = await _look(database, now) if settings.postgres_uri else None
        if not settings.postgres_uri and await is_damaged(database):
            raise DatabaseUnusable(DAMAGED)
        if state.is_current:
            await check_tables(database)
    except DatabaseUnusable as error:
        yield fail(name, error.problem, error.remedy or f"correct {setting}, or create what it names")
        return
    except (RecordsLost, exc.SQLAlchemyError, OSError) as error:
        # Only the type: the text may quote the address.
        yield fail(name, f"does not answer ({_kind(error)})", f"start it, or correct {setting}")
        return
    yield judged_schema(settings, state)
    if state.is_current:
        yield await _rows(settings, database)
    if seen is not None:
        yield judged_version(seen.version)
        if seen.pooler:
            yield well("pooler", f"{seen.pooler} is in front of it")
            yield pooled_pools(settings, processes)
        else:
            yield judged_pools(settings, processes, seen.most, seen.reserved)
        yield judged_sync(seen.fsync, seen.commits)
        yield skew("postgresql clock", seen.ahead_s)


def judged_schema(settings: Settings, state: SchemaState) -> Finding:
    """Whether the tables are those of this release."""
    if state.is_current:
        return well("schema", f"up to date ({state.needed})")
    if state.current is None and not settings.postgres_uri and not settings.sqlite_db_path.exists():
        return well("schema", f"{settings.sqlite_db_path.name} is made at the first start")
    if state.is_newer:
        told = f"at {state.current}, newer than {state.needed}, the last that this release knows"
        return fail("schema", told, "install the newer release that has changed the database")
    return fail("schema", f"at {state.current or 'nothing'}, {state.needed} is needed", "run passerby init-schema")


def judged_version(version: str) -> Finding:
    """Whether this version of PostgreSQL is one that we test."""
    major, told = version.partition(".")[0], f"PostgreSQL {version}"
    if major.isdigit() and int(major) < OLDEST:
        return warn("postgresql version", told, f"use {OLDEST} or newer")
    return well("postgresql version", told)


async def _rows(settings: Settings, database: str | Path) -> Finding:
    """Whether everything that a start reads can be read."""
    key = open_key(settings) if settings.secret_key is not None or settings.key_path.is_file() else None
    try:
        found = await examine(database, key, ROWS_S)
    except (RecordsLost, exc.SQLAlchemyError) as error:
        return fail("rows", f"cannot be read ({_kind(error)})", "restore a backup")
    people = counted(found.people, "person", "people") + ("" if found.is_whole else " looked at, more are there")
    if not found.unreadable:
        return well("rows", f"all can be read ({people})")
    named = "; ".join(map(str, found.unreadable[:NAMED]))
    more = f"; and {len(found.unreadable) - NAMED} more" if len(found.unreadable) > NAMED else ""
    remedy = "correct them, or restore a backup; until then, defaults count in their place"
    return fail("rows", f"some cannot be read: {named}{more}", remedy)


def judged_sync(fsync: str, commits: str) -> Finding:
    """Whether the server may lose what it has confirmed. `commits` is synchronous_commit."""
    if fsync != "on" or commits == "off":
        told = f"fsync {fsync}, synchronous_commit {commits}"
        return warn("postgresql sync", told, "set both on: it may lose what it has confirmed")
    return well("postgresql sync", f"synchronous_commit {commits}")


def judged_pools(settings: Settings, processes: int, most: int, reserved: int) -> Finding:
    """Whether the server allows enough connections for the pools of all processes."""
    room = most - reserved
    least, peak = settings.db_pool_min * processes, settings.db_pool_max * processes
    told = (
        f"{counted(processes, 'process', 'processes')} with {settings.db_pool_min} to {settings.db_pool_max} "
        f"connections each, {room} of the server's {most} for them"
    )
    if peak <= room:
        return well("pools", told)
    share = max(1, room // processes)
    remedy = f"write DB_POOL_MAX={share}, or set the server's max_connections to {peak + reserved}"
    if least <= room:
        return warn("pools", told, remedy)
    return fail("pools", told, f"write DB_POOL_MIN={min(settings.db_pool_min, share)} and DB_POOL_MAX={share}")


def pooled_pools(settings: Settings, processes: int) -> Finding:
    """How many connections a pooler must allow. Its limit cannot be read."""
    peak = settings.db_pool_max * processes
    most = counted(settings.db_pool_max, "connection")
    told = f"{counted(processes, 'process', 'processes')} with up to {most} each to the pooler"
    if peak <= POOLER_LETS_IN:
        return well("pools", told)
    return warn(
        "pools", told, f"make sure that its max_client_conn is at least {peak}; it is 100 unless it was changed"
    )


class _Seen(msgspec.Struct, frozen=True):
    """`pooler`: the name of the pooler in front of the server. Empty if there is none."""

    version: str
    most: int
    reserved: int
    fsync: str
    commits: str
    ahead_s: float
    pooler: str


async def _look(database: object, now: Callable[[], float]) -> _Seen:
    url = database_url(str(database))
    engine = connect(url, ConnectionPool(timeout_s=PATIENCE_S), poolclass=NullPool)
    setting = sa.func.current_setting
    try:
        with losses():
            async with engine.connect() as connection:
                asked_at = now()
                row = await connection.execute(
                    sa.select(
                        setting("server_version").label("version"),
                        sa.cast(setting("max_connections"), sa.Integer).label("most"),
                        sa.cast(setting("superuser_reserved_connections"), sa.Integer).label("reserved"),
                        setting("fsync").label("fsync"),
                        setting("synchronous_commit").label("commits"),
                        sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float).label("now"),
                    )
                )
                found = dict(row.mappings().one())
                ahead_s = ahead_by(asked_at, found.pop("now"), now())
                pooler = await name_of_pooler(url, PATIENCE_S / 2) if await is_pooled(connection) else ""
                return _Seen(**found, ahead_s=ahead_s, pooler=pooler)
    finally:
        await engine.dispose()


def _kind(error: BaseException) -> str:
    return str(error) if isinstance(error, RecordsLost) else type(error).__name__
