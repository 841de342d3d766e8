"""PostgreSQL, through `pg_dump` and `pg_restore`.

The dump and the figures of its manifest come from one snapshot, so they agree while people chat. Only our tables are in
it: other programs may have theirs in the same database. A restore is one transaction.
"""

import secrets
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, DatabaseUnusable, init_schema
from passerby.adapters.sql.checksums import VERSIONS, Contents, contents
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import Refused, losses
from passerby.adapters.sql.pooler import is_pooled
from passerby.adapters.sql.tables import metadata
from passerby.ops.backup.databases import Dump, Loaded
from passerby.ops.backup.failure import BackupFailed, DumpRefused
from passerby.ops.backup.programs import Address, Program, feed, output, program
from passerby.ports.records import RecordsLost

_PATIENT: Final = ConnectionPool(timeout_s=6 * 3600.0)
"""For one statement that reads a big table."""
_ONE_SNAPSHOT: Final = "REPEATABLE READ"
_NAME: Final = 40
"""A name has at most 63 bytes."""


class PostgresDatabase:
    kind = "postgresql"

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._prefix = f"{(database_url(uri).database or '')[:_NAME]}_restore_test_"
        """Databases for restore tests begin with this."""

    @asynccontextmanager
    async def dump(self) -> AsyncIterator[Dump]:
        async with self._connection() as connection:
            await connection.execution_options(isolation_level=_ONE_SNAPSHOT)
            major, version = await self._version(connection)
            snapshot = await connection.scalar(sa.text("SELECT pg_export_snapshot()"))
            # A timeout of the server's would end the snapshot while pg_dump still reads.
            await connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            found = await connection.run_sync(contents)
            tables = [f"--table={name}" for name in (*found.tables, VERSIONS)]
            dumping = output(
                await program("pg_dump", major),
                Address.of(self._uri),
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--snapshot={snapshot}",
                *tables,
            )
            async with dumping as stream:
                yield Dump(f"PostgreSQL {version}", found, stream)

    async def test(self, stream: AsyncIterable[bytes]) -> Loaded:
        name = f"{self._prefix}{secrets.token_hex(4)}"
        async with self._connection() as connection:
            major, _ = await self._version(connection)
        restorer = await program("pg_restore", major)
        await self._administer(f'CREATE DATABASE "{name}" TEMPLATE template0', "make a database for a restore test")
        try:
            await self._make_tables(name)
            try:
                await self._feed(restorer, stream, name)
            except BackupFailed as failed:
                async with self._connection():  # raises if the server is away
                    raise DumpRefused(str(failed)) from None
            async with self._connection(name) as connection:
                found = await connection.run_sync(contents)
            return Loaded(found, [])
        finally:
            await self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', "drop the restore test's database")

    async def is_damaged(self) -> bool:
        return False

    async def contents(self) -> Contents:
        async with self._connection() as connection:
            return await connection.run_sync(contents)

    async def must_have_room(self, size: int, *, is_damaged: bool) -> None:
        """Only the server knows. If its disk is full, its transaction changes nothing."""

    async def replace(self, stream: AsyncIterable[bytes], dumped: Contents, *, is_damaged: bool) -> None:
        async with self._connection() as connection:
            major, _ = await self._version(connection)
        restorer = await program("pg_restore", major)
        await self._make_tables(None)
        async with self._connection() as connection:
            # Tables of a newer release. They may refer to tables that are about to be replaced.
            for table in reversed(metadata.sorted_tables):
                if table.name not in dumped.tables:
                    await connection.execute(sa.text(f'DROP TABLE IF EXISTS "{table.name}"'))
            await connection.commit()
        await self._feed(restorer, stream, None)

    async def sweep(self) -> None:
        """Drop the databases of restore tests that were killed."""
        async with self._connection() as connection:
            query = sa.text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)")
            names = list(await connection.scalars(query, {"prefix": self._prefix}))
        for name in names:
            with suppress(BackupFailed):
                await self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', "drop it")

    async def _make_tables(self, database: str | None) -> None:
        """None for `database`: the real one. A dump has tables only. The functions of their triggers come from us."""
        url = database_url(self._uri)
        try:
            await init_schema(url if database is None else url.set(database=database))
        except (RecordsLost, DatabaseUnusable) as error:
            raise BackupFailed(f"the tables cannot be made: {error}") from None

    async def _feed(self, restorer: Program, stream: AsyncIterable[bytes], database: str | None) -> None:
        await feed(
            restorer,
            Address.of(self._uri, database),
            stream,
            *("--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"),
        )

    async def _version(self, connection: AsyncConnection) -> tuple[int, str]:
        if await is_pooled(connection):
            raise BackupFailed("POSTGRES_URI leads to a pooler: set BACKUP_POSTGRES_URI to the server's own address")
        version = str(await connection.scalar(sa.text("SHOW server_version")))
        return int(version.partition(".")[0]), version.partition(" ")[0]

    async def _administer(self, statement: str, purpose: str) -> None:
        async with self._connection() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            try:
                await connection.execute(sa.text(statement))
            except sa.exc.DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state == "42501":
                    remedy = (
                        "give it the right (ALTER ROLE … CREATEDB), or set BACKUP_POSTGRES_URI to a user that has it"
                    )
                    raise BackupFailed(f"this user may not {purpose}: {remedy}") from None
                raise BackupFailed(f"PostgreSQL could not {purpose} (code {state})") from None

    @asynccontextmanager
    async def _connection(self, database: str | None = None) -> AsyncIterator[AsyncConnection]:
        url = database_url(self._uri)
        engine = connect(url if database is None else url.set(database=database), _PATIENT, poolclass=NullPool)
        try:
            with losses():
                async with engine.connect() as connection:
                    yield connection
        except Refused as error:
            raise BackupFailed(f"PostgreSQL refuses: {error}") from None
        except (RecordsLost, DatabaseUnusable) as error:
            raise BackupFailed(f"PostgreSQL does not answer ({error})") from None
        finally:
            await engine.dispose()
