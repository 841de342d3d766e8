"""The places for the records' contract. A place can open records on the same data many times."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import SqlRecords, init_schema
from passerby.adapters.sql.engine import connect, database_url, postgres_url
from passerby.adapters.sql.tables import audit, blocks, chats, complaints, evidence, metadata, sanctions
from passerby.adapters.sql.tombstones import keyed
from passerby.kernel.ids import ChatId, MessageRef, PersonId
from passerby.kernel.participant import Complaint, Rating
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind
from passerby.ports.records import Records
from tests.contract.records_memory import (
    BlockRow,
    ChatRow,
    ComplaintRow,
    Disk,
    EvidenceRow,
    MemoryRecords,
    SanctionRow,
    mentions,
)
from tests.contract.servers import SHARED_POSTGRES

MIGRATED = "TEST_POSTGRES_MIGRATED"
"""The database on the run's own PostgreSQL that others are copied from."""

TRIES = 12

Blocks = dict[tuple[PersonId, PersonId], BlockRow]
Sanctions = dict[str, SanctionRow]
Complaints = dict[tuple[ChatId, PersonId], ComplaintRow]
Evidence = dict[tuple[ChatId, PersonId, int], EvidenceRow]


class Place(Protocol):
    def open(self) -> Records: ...

    async def chats(self) -> dict[ChatId, ChatRow]:
        """The stored chats. The port does not return them, because the product does not read them."""
        ...

    async def blocks(self) -> Blocks: ...

    async def complaints(self) -> Complaints: ...

    async def evidence(self) -> Evidence: ...

    async def mentions(self, person: int) -> list[str]: ...

    async def sanctions(self) -> Sanctions: ...


class MemoryPlace:
    def __init__(self) -> None:
        self._disk = Disk()

    def open(self) -> MemoryRecords:
        return MemoryRecords(self._disk)

    async def chats(self) -> dict[ChatId, ChatRow]:
        return dict(self._disk.chats)

    async def blocks(self) -> Blocks:
        return dict(self._disk.blocks)

    async def complaints(self) -> Complaints:
        return dict(self._disk.complaints)

    async def evidence(self) -> Evidence:
        return dict(self._disk.evidence)

    async def mentions(self, person: int) -> list[str]:
        return mentions(self._disk, person)

    async def sanctions(self) -> Sanctions:
        return dict(self._disk.sanctions)


class SqlPlace:
    """`database` has the newest schema."""

    def __init__(self, database: str | Path) -> None:
        self.database = database

    def empty(self) -> "SqlPlace":
        """Delete all rows of a PostgreSQL. A hundred times as fast as a new database."""
        empty_postgres(str(self.database))
        return self

    @classmethod
    def in_file(cls, file: Path) -> "SqlPlace":
        """A new SQLite file with the newest schema: a copy, because the migrations take a third of a second."""
        refill(file)
        return cls(file)

    def open(self) -> SqlRecords:
        return SqlRecords.at(self.database, pseudonyms=keyed(b"k" * 32))

    async def chats(self) -> dict[ChatId, ChatRow]:
        return {row["id"]: _chat(row) for row in await self.rows(chats)}

    async def blocks(self) -> Blocks:
        return {
            (row["user_id"], row["blocked_id"]): BlockRow(row["blocked_at"], row["lifted_at"])
            for row in await self.rows(blocks)
        }

    async def evidence(self) -> Evidence:
        return {
            (row["chat_id"], row["user_id"], row["place"]): EvidenceRow(
                row["accused_id"], row["sealed"], row["digest"], row["chosen_at"]
            )
            for row in await self.rows(evidence)
        }

    async def complaints(self) -> Complaints:
        return {
            (row["chat_id"], row["user_id"]): ComplaintRow(
                row["accused_id"], Complaint(row["reason"]), row["filed_at"], row["words"]
            )
            for row in await self.rows(complaints)
        }

    async def mentions(self, person: int) -> list[str]:
        """The tables in which any column of any row holds this number."""
        return [
            table.name
            for table in metadata.sorted_tables
            if any(str(person) in repr(tuple(row.values())) for row in await self.rows(table))
        ]

    async def sanctions(self) -> Sanctions:
        return {
            row["id"]: SanctionRow(
                row["user_id"],
                Sanction(
                    row["id"],
                    SanctionKind(row["kind"]),
                    Reason(row["reason"]),
                    row["since"],
                    row["until"],
                    row["by_staff"],
                    row["rule"],
                    row["evidence"],
                    Appeal(row["appeal"]),
                    row["appealed_at"],
                ),
                row["lifted_at"],
            )
            for row in await self.rows(sanctions)
        }

    async def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        engine = connect(database_url(self.database), poolclass=NullPool)
        async with engine.connect() as connection:
            rows = (await connection.execute(sa.select(table))).mappings().all()
        await engine.dispose()
        return [dict(row) for row in rows]


def refill(file: Path) -> None:
    """Make it an SQLite file without rows again. No connection to it may be open."""
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    file.write_bytes(_migrated())


NO_ROWS = "; ".join(
    ["TRUNCATE audit", *(f'DELETE FROM "{table.name}"' for table in metadata.sorted_tables if table is not audit)]
)


def empty_postgres(uri: str) -> None:
    """Delete all rows in one request. Most tables are empty, so that this is faster than TRUNCATE; but the audit's rows
    cannot be deleted."""
    address = postgres_url(uri).set(drivername="postgresql").render_as_string(hide_password=False)

    async def delete() -> None:
        connection = await asyncpg.connect(address)
        try:
            await connection.execute(NO_ROWS)
        finally:
            await connection.close()

    asyncio.run(delete())


@asynccontextmanager
async def opening(place: Place) -> AsyncIterator[Records]:
    records = place.open()
    try:
        yield records
    finally:
        await records.aclose()


def trying(place: Place, body: Callable[[Any], Awaitable[None]]) -> None:
    """A stage for tests: `body` gets the records of the place."""

    async def run() -> None:
        async with opening(place) as records:
            await body(records)

    asyncio.run(run())


async def make_tables(database: str | Path) -> None:
    """`init_schema`, but a new SQLite file is a copy, and so is an empty database on the run's own PostgreSQL."""
    file = Path(database)
    if "://" in str(database):
        url, shared = postgres_url(str(database)), postgres_url(os.environ.get(SHARED_POSTGRES, str(database)))
        # Compared whole: with a socket, host and port are in the query.
        if MIGRATED in os.environ and url.set(database=shared.database) == shared:
            if await _is_empty(url):
                server = PostgresServer(os.environ[SHARED_POSTGRES])
                await server.replace(str(url.database), os.environ[MIGRATED])
        else:
            await init_schema(database)
    elif file.exists():
        await init_schema(file)
    else:
        file.touch(0o600)
        file.write_bytes(await asyncio.to_thread(_migrated))


async def _is_empty(url: sa.URL) -> bool:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.scalar(sa.text("SELECT to_regclass('alembic_version')")) is None
    finally:
        await engine.dispose()


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "records.db"
        asyncio.run(init_schema(file))
        assert not Path(f"{file}-wal").exists(), "the file holds everything"
        return file.read_bytes()


def _chat(row: dict[str, Any]) -> ChatRow:
    values = {name: value for name, value in row.items() if name != "id" and not name.startswith(("told", "rating"))}
    for side in ("1", "2"):
        bot, message, rating = row[f"told{side}_bot"], row[f"told{side}_message"], row[f"rating{side}"]
        values[f"told{side}"] = None if bot is None else MessageRef(bot, message)
        values[f"rating{side}"] = None if rating is None else Rating(rating)
    return ChatRow(**values)


class PostgresServer:
    """Databases on a server that others may use too."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URI of an empty database. It is dropped afterwards."""
        name = f"passerby_test_{uuid4().hex[:12]}"
        asyncio.run(self._administer(f'CREATE DATABASE "{name}"'))
        try:
            yield self._within(name)
        finally:
            asyncio.run(self._administer(f'DROP DATABASE "{name}" WITH (FORCE)'))

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The URI of a database with the newest schema and no rows."""
        with self.database() as uri:
            asyncio.run(make_tables(uri))
            yield uri

    def make_template(self, name: str) -> None:
        """Make a database with the newest schema, to be copied. The migrations take half a second."""
        asyncio.run(self._administer(f'CREATE DATABASE "{name}"'))
        asyncio.run(init_schema(self._within(name)))

    async def replace(self, database: str, template: str) -> None:
        """Replace a database by a copy of the template."""
        await self._administer(f'DROP DATABASE "{database}" WITH (FORCE)')
        for tries_left in reversed(range(TRIES)):
            try:
                await self._administer(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
            except sa.exc.DBAPIError:  # for example, autovacuum is at work in the template; the server waits 5 s for it
                if not tries_left:
                    raise
            else:
                return

    async def _administer(self, statement: str) -> None:
        # CREATE DATABASE cannot run in a transaction.
        engine = create_async_engine(postgres_url(self._uri), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                await connection.exec_driver_sql(statement)
        finally:
            await engine.dispose()

    def _within(self, database: str) -> str:
        return postgres_url(self._uri).set(database=database).render_as_string(hide_password=False)
