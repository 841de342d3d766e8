"""Notes in the database about its installation.

key        the mark of the SECRET_KEY that its data was stored with (see `key_marks`)
running    there while a process with a live store of its own uses the database. If the next start finds it, the run
           before did not end on purpose, whatever has become of the files beside the database.
limits     the limits above which a second member must agree, as the process that started last has them, in JSON. The
           command line obeys them, because it has an environment of its own.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool

from passerby.adapters.sql.dialects import insert_into
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import losses
from passerby.adapters.sql.metadata import metadata

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="key or running"),
    sa.Column("value", sa.Text, nullable=False, comment="key: a mark of SECRET_KEY, which does not reveal it"),
)

_KEY: Final = "key"
_RUNNING: Final = "running"
_LIMITS: Final = "limits"
_limits: Final = msgspec.json.Decoder(dict[str, int])


class OtherKey(Exception):
    """The data was stored with a key that is none of ours."""


async def claim_key(
    database: str | os.PathLike[str] | URL, marks: Sequence[bytes], *, key_is_lost: bool = False
) -> None:
    """Keep the mark of our key, the first one, if the database was used with one of these keys, or never.

    Raises: OtherKey, RecordsLost, DatabaseUnusable. With `key_is_lost`, any key will do.
    """
    wanted = [mark.hex() for mark in marks]
    engine = connect(database if isinstance(database, URL) else database_url(database), poolclass=NullPool)
    try:
        with losses():
            async with engine.connect() as connection:
                kept = await _value(connection, _KEY)
            if kept == wanted[0]:
                return
            if kept is not None and kept not in wanted and not key_is_lost:
                raise OtherKey
            await _put(engine, _KEY, wanted[0], before=kept)
            async with engine.connect() as connection:
                if await _value(connection, _KEY) not in wanted:  # another process was faster
                    raise OtherKey
    finally:
        await engine.dispose()


async def begin_run(engine: AsyncEngine) -> bool:
    """Note that a process runs. Returns whether the run before did not end on purpose. Raises: RecordsLost."""
    with losses():
        async with engine.connect() as connection:
            was_running = await _value(connection, _RUNNING) is not None
        if not was_running:
            await _put(engine, _RUNNING, "yes", before=None)
    return was_running


async def end_run(engine: AsyncEngine) -> None:
    """Note that the process ends on purpose. Raises: RecordsLost."""
    with losses():
        async with engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                await connection.execute(sa.delete(installation).where(installation.c.name == _RUNNING))


async def note_limits(engine: AsyncEngine, limits: Mapping[str, int]) -> None:
    """Note the limits that the fleet has. Raises: RecordsLost."""
    value = msgspec.json.encode(limits, order="sorted").decode()
    with losses():
        async with engine.connect() as connection:
            before = await _value(connection, _LIMITS)
        if before != value:
            await _put(engine, _LIMITS, value, before=before)


async def noted_limits(engine: AsyncEngine) -> dict[str, int]:
    """The limits that the fleet had when it started last; empty: it never did. Raises: RecordsLost."""
    with losses():
        async with engine.connect() as connection:
            value = await _value(connection, _LIMITS)
    return _limits.decode(value) if value is not None else {}


async def _value(connection: AsyncConnection, name: str) -> str | None:
    found = await connection.scalar(sa.select(installation.c.value).where(installation.c.name == name))
    return None if found is None else str(found)


async def _put(engine: AsyncEngine, name: str, value: str, before: str | None) -> None:
    """Only if the value is still the one from before."""
    rows = insert_into(installation, engine.dialect.name).values(name=name, value=value)
    change = rows.on_conflict_do_update(
        index_elements=[installation.c.name], set_={"value": value}, where=installation.c.value == (before or value)
    )
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            await connection.execute(change)
