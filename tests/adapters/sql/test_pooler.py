"""Behind a real PgBouncer in transaction mode: each transaction may get another server connection."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, SqlRecords, init_schema, schema_state
from passerby.adapters.sql.engine import connect, postgres_url
from passerby.adapters.sql.pooler import is_pooled, name_of_pooler
from passerby.kernel.ids import PersonId
from passerby.ops.doctor import database
from passerby.settings import Settings
from tests.contract.records_facts import changed, numbered, person
from tests.contract.servers import PgBouncer, start_pgbouncer
from tests.staged import in_a_loop

pytestmark = pytest.mark.services


@pytest.fixture
def behind(postgres_database: str) -> Iterator[PgBouncer]:
    with start_pgbouncer(postgres_database) as server:
        yield server


def test_the_tables_can_be_created_twice(behind: PgBouncer) -> None:
    for _ in range(3):
        asyncio.run(init_schema(behind.uri))
    assert asyncio.run(schema_state(behind.uri)).is_current


@pytest.mark.long
def test_several_processes_can_create_the_tables_at_once(behind: PgBouncer) -> None:
    start = "import asyncio, sys; from passerby.adapters.sql import init_schema; asyncio.run(init_schema(sys.argv[1]))"
    processes = [subprocess.Popen([sys.executable, "-c", start, behind.uri], env=os.environ) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert asyncio.run(schema_state(behind.uri)).is_current


def test_creating_the_tables_leaves_no_settings_on_the_servers_connections(behind: PgBouncer) -> None:
    async def run() -> list[str]:
        await init_schema(behind.uri)
        engine = connect(postgres_url(behind.uri), poolclass=NullPool)
        async with engine.connect() as one, engine.connect() as two, engine.connect() as three:
            # Three transactions at once use all three server connections.
            found = [str(await each.scalar(sa.text("SHOW lock_timeout"))) for each in (one, two, three)]
        await engine.dispose()
        return found

    assert asyncio.run(run()) == ["0", "0", "0"]


@in_a_loop
async def test_several_recorders_read_and_write_at_once_without_an_error(behind: PgBouncer) -> None:
    await init_schema(behind.uri)
    recorders = [SqlRecords.at(behind.uri, ConnectionPool(timeout_s=30)) for _ in range(3)]

    async def write(name: str, records: SqlRecords) -> None:
        for number in range(8):
            facts = numbered(*(changed(person(each, number)) for each in range(1, 6)), after=5 * number)
            await records.apply(name, facts)
            assert await records.applied(name) == 5 * (number + 1)

    async def read(records: SqlRecords) -> None:
        for _ in range(8):
            await records.people([PersonId(each) for each in range(1, 6)])
            await records.active()

    writing = [write(f"g{number}", records) for number, records in enumerate(recorders)]
    await asyncio.gather(*writing, *(read(records) for records in recorders for _ in range(5)))
    assert await recorders[0].shortage(1_000) is None, "the pooler decides how many connections it allows"
    for records in recorders:
        await records.aclose()


def test_a_pooler_is_distinguished_from_a_server(behind: PgBouncer, postgres_database: str) -> None:
    async def pooled(uri: str) -> bool:
        engine = connect(postgres_url(uri), poolclass=NullPool)
        async with engine.connect() as connection:
            found = await is_pooled(connection)
        await engine.dispose()
        return found

    assert asyncio.run(pooled(behind.uri))
    assert not asyncio.run(pooled(postgres_database))


def test_a_pooler_tells_its_name_to_users_it_trusts(behind: PgBouncer, postgres_database: str) -> None:
    user = sa.make_url(postgres_database).username or ""
    assert asyncio.run(name_of_pooler(postgres_url(behind.uri), 5)) == "a connection pooler"
    with start_pgbouncer(postgres_database, admins=user) as trusting:
        assert asyncio.run(name_of_pooler(postgres_url(trusting.uri), 5)).startswith("PgBouncer 1.")


def test_the_doctor_names_the_pooler(behind: PgBouncer) -> None:
    async def found(processes: int) -> dict[str, tuple[str, str]]:
        settings = Settings(postgres_uri=behind.uri, db_pool_max=60)
        return {each.check: (each.verdict, each.told) async for each in database.checks(settings, processes, lambda: 0)}

    one, two = asyncio.run(found(1)), asyncio.run(found(2))
    assert one["pooler"] == ("ok", "a connection pooler is in front of it")
    assert (one["pools"][0], two["pools"][0]) == ("ok", "warn")


def test_prepared_statements_are_kept_on_a_direct_connection(postgres_database: str) -> None:
    async def run() -> int:
        engine = connect(postgres_url(postgres_database), poolclass=NullPool)
        async with engine.connect() as connection:
            for number in range(3):
                await connection.scalar(sa.select(sa.literal(number)))
            kept = await connection.scalar(sa.text("SELECT count(*) FROM pg_prepared_statements"))
        await engine.dispose()
        return int(kept or 0)

    assert asyncio.run(run()) > 0
