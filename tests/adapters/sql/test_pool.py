"""Connections: a minimum stays open, idle ones are closed, and there are never too many."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql import ConnectionPool, SqlRecords
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.pool import Keeper, connections_allowed, shortage
from passerby.ports.records import RecordsLost
from tests.contract.records_places import make_tables
from tests.contract.servers import start_postgres
from tests.staged import in_a_loop


class Beats:
    """A clock whose sleeps end when a test says so."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._gate = asyncio.Semaphore(0)

    def now(self) -> float:
        raise AssertionError("nobody asks")

    monotonic = now

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        await self._gate.acquire()

    async def beat(self) -> None:
        """Let one turn pass and wait for its end."""
        count = len(self.slept)
        self._gate.release()
        while len(self.slept) == count:
            await asyncio.sleep(0.001)


@asynccontextmanager
async def keeping(database: str, pool: ConnectionPool) -> AsyncIterator[tuple[Keeper, AsyncEngine]]:
    engine = connect(database_url(database), pool)
    try:
        yield Keeper(engine, pool), engine
    finally:
        await engine.dispose()


async def at_server(database: str) -> int:
    """The number of connections to this database, except the one that asks."""
    engine = connect(database_url(database), poolclass=sa.NullPool)
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with engine.connect() as connection:
        found = int(await connection.scalar(query) or 0)
    await engine.dispose()
    return found


async def use(engine: AsyncEngine, many: int) -> None:
    """Use `many` connections at once."""
    async with AsyncExitStack() as held:
        for _ in range(many):
            connection = await held.enter_async_context(engine.connect())
            await connection.exec_driver_sql("SELECT 1")


@pytest.mark.services
@in_a_loop
async def test_the_minimum_of_connections_is_open_before_the_first_query(postgres_database: str) -> None:
    async with keeping(postgres_database, ConnectionPool(most=8, least=5)) as (keeper, engine):
        await keeper.warm()
        assert (keeper.open, keeper.idle) == (5, 5)
        assert await at_server(postgres_database) == 5
        async with engine.connect():
            await keeper.warm()
            assert (keeper.open, keeper.idle) == (5, 4)


@pytest.mark.services
@in_a_loop
async def test_unused_connections_are_closed_down_to_the_minimum(postgres_database: str) -> None:
    async with keeping(postgres_database, ConnectionPool(most=8, least=2, evict_every_s=1, idle_s=3)) as (
        keeper,
        engine,
    ):
        await use(engine, 6)
        for _ in range(3):
            keeper.evict()
            await use(engine, 3)
        assert keeper.open == 6, "not idle for long enough"
        keeper.evict()
        assert keeper.open == 3, "three were in use"
        for _ in range(4):
            keeper.evict()
        assert keeper.open == 2
        while await at_server(postgres_database) != 2:
            await asyncio.sleep(0.01)
        await use(engine, 8)
        assert keeper.open == 8, "what was closed opens again when it is needed"


@pytest.mark.services
def test_the_keeper_keeps_the_minimum_open_and_continues_while_the_server_is_away() -> None:
    async def run() -> None:
        clock = Beats()
        async with keeping(server.uri, ConnectionPool(most=4, least=2, timeout_s=60.0)) as (keeper, engine):
            tending = asyncio.ensure_future(keeper.tend(clock))
            while not clock.slept:
                await asyncio.sleep(0.001)
            assert keeper.open == 2
            await asyncio.to_thread(server.stop)
            await clock.beat()
            assert keeper.open == 0, "nobody had to use one to find out"
            await clock.beat()
            await asyncio.to_thread(server.start)
            await clock.beat()
            assert keeper.open == 2
            await use(engine, 2)
            assert set(clock.slept) == {1.0}
            tending.cancel()
            await asyncio.gather(tending, return_exceptions=True)

    with start_postgres() as server:
        asyncio.run(run())


@pytest.mark.services
@in_a_loop
async def test_a_broken_connection_does_not_count_as_open(postgres_database: str) -> None:
    async with keeping(postgres_database, ConnectionPool(most=4, least=2)) as (keeper, engine):
        await keeper.warm()
        async with engine.connect() as connection:
            await connection.invalidate()
        assert (keeper.open, keeper.idle) == (1, 1)
        await keeper.warm()
        assert (keeper.open, keeper.idle) == (2, 2)


@pytest.mark.services
@in_a_loop
async def test_there_are_never_more_connections_than_the_maximum(postgres_database: str) -> None:
    await make_tables(postgres_database)
    records = SqlRecords.at(postgres_database, ConnectionPool(most=3, least=1))
    await asyncio.gather(*(records.applied("g") for _ in range(50)))
    assert await at_server(postgres_database) == 3
    await records.aclose()


@pytest.mark.services
def test_too_many_processes_for_the_server_give_a_warning() -> None:
    async def run() -> None:
        records = SqlRecords.at(server.uri, ConnectionPool(most=10, least=1))
        assert await connections_allowed(records.engine) == 25
        assert await records.shortage(2) is None
        sentence = await records.shortage(3)
        assert sentence is not None
        assert "processes: 3" in sentence
        assert "set DB_POOL_MAX to 8" in sentence
        async with records.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER DATABASE postgres CONNECTION LIMIT 12")
        assert await connections_allowed(records.engine) == 12
        await records.aclose()
        await asyncio.to_thread(server.stop)
        with pytest.raises(RecordsLost):
            await records.shortage(1)
        await records.aclose()

    with start_postgres("-c", "max_connections=30", "-c", "superuser_reserved_connections=5") as server:
        asyncio.run(run())


@in_a_loop
async def test_sqlite_has_no_limit_and_needs_no_keeper(tmp_path: object) -> None:
    records = SqlRecords.at(f"{tmp_path}/records.db")
    assert await records.shortage(1_000) is None
    await records.tend(Beats())
    await records.aclose()


def test_a_shortage_suggests_at_least_one_connection() -> None:
    assert shortage(ConnectionPool(most=5), 20, 100) is None
    sentence = shortage(ConnectionPool(most=5), 200, 100)
    assert sentence is not None
    assert "set DB_POOL_MAX to 1 or" in sentence
