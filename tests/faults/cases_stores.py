"""Faults of the stores: Redis restarted, wiped, full, slow, failed over; PostgreSQL stopped, out of connections, in a
deadlock."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import SIGINT, SIGKILL
from time import time
from typing import Any

import asyncpg
from redis.asyncio import Redis

from tests.contract.servers import start_valkey
from tests.faults.proxy import to_port
from tests.faults.stage import PERSISTENT, Case, Stage, port_of

NOTICED_S = 60.0
LEAST_FACTS = 30
"""How many facts the older copy of the database lacks."""

WIPE_S = 1.0
"""How long after a wipe unfinished work may still end: a late answer, a notice on its way."""


def _sent_since(stage: Stage, began: float) -> int:
    return sum(made for at, _, made in stage.crowd.journal.requests if at > began)


@asynccontextmanager
async def _redis(url: str) -> AsyncIterator[Any]:
    redis = Redis.from_url(url)
    try:
        yield redis
    finally:
        await redis.aclose()


async def redis_restarted(stage: Stage) -> None:
    for _ in range(1 if stage.quick else 5):
        async with stage.fault():
            stage.valkey.stop(SIGKILL)
            await asyncio.sleep(stage.rng.uniform(0.5, 3))
            stage.valkey.start()
            await asyncio.sleep(1)
        await stage.until_working()
    stage.evidence["restarts"] = 1 if stage.quick else 5


async def redis_wiped(stage: Stage) -> None:
    async with _redis(stage.valkey.url) as redis:
        for _ in range(1 if stage.quick else 5):
            assert await redis.dbsize() > 5, "there was nothing to wipe"
            began = time()
            async with stage.fault():
                await redis.flushall()
                await asyncio.sleep(WIPE_S)
            await stage.until_working()
            stage.evidence["s until every bot was served again"] = round(time() - began, 1)


async def redis_full(stage: Stage) -> None:
    async with _redis(stage.valkey.url) as redis:
        before = (await redis.info("errorstats")).get("errorstat_OOM", {}).get("count", 0)
        async with stage.fault():
            await redis.config_set("maxmemory", 1_000_000)
            await asyncio.sleep(4 if stage.quick else 20)
            refused = (await redis.info("errorstats")).get("errorstat_OOM", {}).get("count", 0) - before
            await redis.config_set("maxmemory", 0)
            await asyncio.sleep(1)
        stage.evidence["writes that Redis refused"] = refused
        assert refused, "Redis had room"
    await stage.until_working()


async def redis_slow(stage: Stage) -> None:
    """While answers are only late, nothing is lost, so nothing may be duplicated either."""
    stage.redis.delay_s = 0.1
    await asyncio.sleep(6 if stage.quick else 30)
    stage.redis.delay_s = 0.0
    assert stage.redis.delayed, "nothing was held up"
    await stage.until_working()
    async with stage.fault():
        stage.redis.stall()
        await asyncio.sleep(5)
        stage.redis.flow()
        await asyncio.sleep(1)
    assert stage.redis.held, "nothing was on its way"
    await stage.until_working()
    stage.evidence |= {"pieces 100 ms late each way": stage.redis.delayed, "stall, s": 5}


async def replicas(stage: Stage) -> None:
    """Start two replicas, before anybody writes."""
    for _ in range(2):
        server = stage.closing.enter_context(start_valkey(*PERSISTENT))
        stage.replicas.append(server)
        async with _redis(server.url) as redis:
            await redis.replicaof("127.0.0.1", str(port_of(stage.valkey)))
            async with asyncio.timeout(120):
                while (await redis.info("replication"))["master_link_status"] != "up":
                    await asyncio.sleep(0.1)


async def redis_failover(stage: Stage) -> None:
    """A replica that every write waited for becomes the primary. The old primary is gone for good."""
    began = time()
    async with _redis(stage.replicas[0].url) as one, _redis(stage.replicas[1].url) as other:
        async with stage.fault():
            stage.valkey.stop(SIGKILL)
            await asyncio.sleep(3)
            # The replica with more data becomes the primary, as a Sentinel would choose.
            had = [(await each.info("replication"))["slave_repl_offset"] for each in (one, other)]
            new, rest = (one, other) if had[0] >= had[1] else (other, one)
            port = port_of(stage.replicas[0] if new is one else stage.replicas[1])
            await new.replicaof("NO", "ONE")
            await rest.replicaof("127.0.0.1", str(port))
            stage.redis.connect = to_port(port)
            await asyncio.sleep(1)
        await stage.until_working()
        assert (await new.info("replication"))["role"] == "master"
    stage.evidence |= {"s until every bot was served again": round(time() - began, 1), "how far each was": had}


async def records_older(stage: Stage) -> None:
    """Replace the database of a running fleet with its files from some facts ago, as a restored backup would.

    PostgreSQL is stopped for the copy, too, so that its files are whole.
    """
    data = stage.postgres.directory / "data"
    copy = data.with_name("older")
    rounds = stage.times or (2 if stage.quick else 6)

    async def copied(source: Path, target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        await asyncio.to_thread(subprocess.run, ["cp", "-a", source, target], check=True)

    async def recorded() -> int:
        async with _redis(stage.valkey.url) as redis:
            return int(await redis.hget("{passerby}:store", "recorded") or 0)

    for number in range(rounds):
        for source, target in ((data, copy), (copy, data)):
            before = await recorded()
            async with stage.fault():
                stage.postgres.stop(SIGINT)
                await copied(source, target)
                stage.postgres.start()
            async with asyncio.timeout(NOTICED_S):
                while target is copy and await recorded() < before + LEAST_FACTS:
                    await asyncio.sleep(0.2)
        await stage.until_working()
        async with asyncio.timeout(NOTICED_S):
            while stage.fleet.words().count('"stores.differ"') <= number:
                stage.fleet.check()
                await asyncio.sleep(0.5)
    words = stage.fleet.words()
    stage.evidence |= {
        "times that the database was an older one": rounds,
        "times that it was named": words.count('"stores.differ"'),
    }


async def sql_stopped(stage: Stage) -> None:
    """Chats, matching and relays continue."""
    began = time()
    async with stage.fault():
        stage.postgres.stop(SIGINT)
        await asyncio.sleep(6 if stage.quick else 20)
        await stage.crowd.follow()
        sent = _sent_since(stage, began + 1)
        stage.postgres.start()
        await asyncio.sleep(1)
    stage.evidence |= {"away, s": 6 if stage.quick else 20, "messages sent meanwhile": sent}
    assert sent > 10, "nothing went on without PostgreSQL"
    await stage.until_working()


async def _sql(stage: Stage) -> Any:
    return await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{stage.sql.port}/postgres")


async def sql_crowded(stage: Stage) -> None:
    """All connections of the server are taken, and the workers' connections are closed."""
    taken: list[Any] = []
    refused = 0
    began = time()
    async with stage.fault():
        mine = await _sql(stage)
        taken.append(mine)
        await mine.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND client_port > 0 "
            "OR backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        while time() - began < (6 if stage.quick else 20):
            try:
                taken.append(await _sql(stage))
            except (asyncpg.PostgresError, OSError):
                refused += 1
                await asyncio.sleep(0.2)
        await stage.crowd.follow()
        sent = _sent_since(stage, began + 1)
        for each in taken:
            with suppress(asyncpg.PostgresError, OSError):
                await each.close()
    stage.evidence |= {"connections taken": len(taken), "refused": refused, "messages sent meanwhile": sent}
    assert refused, "there was room for more connections"
    assert sent > 10, "nothing went on"
    await stage.until_working()


async def sql_deadlock(stage: Stage) -> None:
    """Run transactions that lock the recorder's tables one after another, until the recorder was the victim often
    enough."""
    mine = await _sql(stage)
    await mine.execute("SET deadlock_timeout = '30s'")  # so that the other side detects the deadlock, and fails

    async def deadlocks() -> int:
        return int(await mine.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"))

    before = await deadlocks()
    wanted, turns = (1 if stage.quick else 10), 0
    async with stage.fault(), asyncio.timeout(240):
        while await deadlocks() - before < wanted:
            turns += 1
            first, second = ("chats", "users") if turns % 2 else ("users", "chats")
            with suppress(asyncpg.DeadlockDetectedError):
                async with mine.transaction():
                    await mine.execute(f"LOCK TABLE {first} IN SHARE ROW EXCLUSIVE MODE")
                    await asyncio.sleep(stage.rng.uniform(0.5, 1.0))
                    await mine.execute(f"LOCK TABLE {second} IN SHARE ROW EXCLUSIVE MODE")
            await asyncio.sleep(0.3)
    stage.evidence |= {"deadlocks": await deadlocks() - before, "transactions against it": turns}
    await mine.close()
    await stage.until_working()


CASES = (
    Case("redis-restarted", "Redis restarted", "kill -9, 0.5 to 3 s later again", redis_restarted),
    # The records learn of a search or a pairing some tenths of a second later. The newest ones are lost.
    Case("redis-wiped", "Redis wiped", "FLUSHALL", redis_wiped, forgets_s=1.0),
    Case("redis-full", "Redis full", "maxmemory below what is used", redis_full),
    Case("redis-slow", "Redis slow", "200 ms a round trip, then 5 s of silence", redis_slow),
    Case("redis-failover", "Redis fails over", "kill -9; a replica becomes primary", redis_failover,
         environment={"REDIS_REPLICAS": "1"}, prepare=replicas),
    Case("records-older-fleet", "PostgreSQL comes back with an older database", "its files from at least 30 facts ago",
         records_older, loses=True),
    Case("sql-stopped", "PostgreSQL stopped", "for 20 s (quick: 6 s)", sql_stopped),
    Case("sql-crowded", "PostgreSQL's connections exhausted", "all taken by another", sql_crowded,
         postgres=("-c", "max_connections=40")),
    Case("sql-deadlock", "deadlocks in PostgreSQL", "opposed transactions; the recorder is the victim", sql_deadlock),
)  # fmt: skip
