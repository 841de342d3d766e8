"""Reads what a start and the running fleet read, to find rows that cannot be read. Changes nothing."""

import asyncio
import os
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from passerby.adapters.sql.approvals import SqlApprovals
from passerby.adapters.sql.broadcasts import SqlBroadcasts
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import losses
from passerby.adapters.sql.overrides import SqlOverrides
from passerby.adapters.sql.records import SqlRecords
from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.salvage import people_of
from passerby.adapters.sql.staff import SqlStaff
from passerby.adapters.sql.tables import journal_positions, tombstones, users
from passerby.adapters.sql.tombstones import is_readable
from passerby.adapters.sql.unreadable import Unreadable, notes, position, readable

_A_CHUNK = 1_000
_MOST_ORDERS = 1_000


class Examined(NamedTuple):
    """`people` were looked at; `is_whole`: these are all."""

    unreadable: Sequence[Unreadable]
    people: int
    is_whole: bool


async def examine(database: str | os.PathLike[str] | URL, key: bytes | None, within_s: float) -> Examined:
    """`key`: the installation's, so that people have the same pseudonyms as in the log.

    Raises: DatabaseUnusable, RecordsLost.
    """
    url = database if isinstance(database, URL) else database_url(database)
    engine = connect(url, poolclass=NullPool)
    if key is not None:
        notes.name_people_with(key)
    notes.found.clear()
    notes.tells = False
    try:
        with losses():
            await _the_few(engine)
            people, is_whole = await _people(engine, within_s)
        return Examined(tuple(notes.found), people, is_whole)
    finally:
        notes.tells = True
        await engine.dispose()


async def _the_few(engine: AsyncEngine) -> None:
    await SqlRecords(engine).active()
    overrides, staff = SqlOverrides(engine), SqlStaff(engine)
    await overrides.current()
    await overrides.labels()
    await staff.drains()
    await staff.everybody()
    await staff.orders(_MOST_ORDERS)
    await SqlApprovals(engine).waiting(0.0)
    await SqlBroadcasts(engine).open()
    async with engine.connect() as connection:
        for applied in await connection.scalars(sa.select(journal_positions.c.applied)):
            position(applied)
        bodies = await connection.execute(sa.select(tombstones.c.pseudonym, tombstones.c.body))
        readable("tombstones", bodies, lambda row: is_readable(row[1]), lambda row: str(row[0])[:8])


async def _people(engine: AsyncEngine, within_s: float) -> tuple[int, bool]:
    loop = asyncio.get_running_loop()
    ends_at, count, after = loop.time() + within_s, 0, -(2**63)
    async with engine.connect() as connection:
        while loop.time() < ends_at:
            found = await people_of(connection, (await connection.execute(_CHUNK, {"after": after})).all())
            count += len(found)
            if len(found) < _A_CHUNK:
                return count, True
            after = found[-1].person
    return count, False


_CHUNK = (
    sa.select(*READ)
    .where(users.c.id > sa.bindparam("after", type_=sa.BigInteger))
    .limit(sa.literal_column(str(_A_CHUNK)))
    .order_by(users.c.id)
)
