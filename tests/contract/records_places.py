"""Where the records' contract is tried: each place opens records as often as a test wants, over the same data."""

from pathlib import Path
from typing import Protocol
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from tests.contract.records_memory import ChatRow, Disk, MemoryRecords

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.engine import connect, database_url, postgres_url
from passerby.adapters.sql.tables import chats
from passerby.kernel.ids import ChatId
from passerby.ports.records import Records


class Place(Protocol):
    def open(self) -> Records: ...

    async def chats(self) -> dict[ChatId, ChatRow]:
        """What the port does not show, because the product does not read it back."""
        ...


class MemoryPlace:
    def __init__(self) -> None:
        self._disk = Disk()

    def open(self) -> MemoryRecords:
        return MemoryRecords(self._disk)

    async def chats(self) -> dict[ChatId, ChatRow]:
        return dict(self._disk.chats)


class SqlPlace:
    """`database` has the newest schema."""

    def __init__(self, database: str | Path) -> None:
        self.database = database

    def open(self) -> SqlRecords:
        return SqlRecords.at(self.database)

    async def chats(self) -> dict[ChatId, ChatRow]:
        engine = connect(database_url(self.database), poolclass=NullPool)
        async with engine.connect() as connection:
            rows = (await connection.execute(sa.select(chats))).mappings().all()
        await engine.dispose()
        return {row["id"]: ChatRow(**{name: row[name] for name in row if name != "id"}) for row in rows}


def administer(uri: str) -> AsyncEngine:
    """For what no transaction may hold: CREATE DATABASE."""
    return create_async_engine(postgres_url(uri), poolclass=NullPool, isolation_level="AUTOCOMMIT")


async def create_database(uri: str, template: str = "template1") -> str:
    """A new database on this server, and the URI to it."""
    name = f"passerby_test_{uuid4().hex[:12]}"
    engine = administer(uri)
    async with engine.connect() as connection:
        await connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    await engine.dispose()
    return within(uri, name)


async def drop_database(uri: str, database_uri: str) -> None:
    engine = administer(uri)
    async with engine.connect() as connection:
        await connection.exec_driver_sql(f'DROP DATABASE "{database_name(database_uri)}" WITH (FORCE)')
    await engine.dispose()


def database_name(uri: str) -> str:
    name = postgres_url(uri).database
    assert name is not None
    return name


def within(uri: str, database: str) -> str:
    url: URL = postgres_url(uri).set(database=database)
    return url.render_as_string(hide_password=False)
