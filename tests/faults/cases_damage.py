"""Stores that lose data through a tool, a failover or a bad disk.

A PostgreSQL replica that lags behind becomes the primary, `pg_resetwal` throws the write-ahead log away, Redis' file is
cut off, and the disk cannot read a block of our own log.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from signal import SIGKILL
from time import time

import asyncpg
from redis.asyncio import Redis

from passerby.adapters.memory.open_files import BLOCK_BYTES
from simulated_people.verdict import Fault
from tests.contract.servers import Postgres, start_postgres
from tests.faults import child
from tests.faults.proxy import to_socket
from tests.faults.stage import START_S, Case, Stage

LEAST_FACTS = 30
"""How many facts the replica lacks."""

NOTICED_S = 90.0
AGAIN_S = 10.0
"""Messages of this time before the loss may be sent again."""

WAL_LAG: Sequence[str] = ("-c", "wal_level=replica", "-c", "hot_standby=on")


async def _run_as_owner(server: Postgres, *words: str) -> None:
    """Run one of PostgreSQL's programs."""
    program = Path(server.command[0]).with_name(words[0])

    def run() -> subprocess.CompletedProcess[bytes]:
        command = [program, *words[1:]]
        return subprocess.run(command, cwd=server.directory, capture_output=True, check=False, **server.user)

    done = await asyncio.to_thread(run)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


async def _standby_of(stage: Stage, primary: Postgres) -> Postgres:
    standby = stage.closing.enter_context(start_postgres(*WAL_LAG))
    standby.stop()
    data = standby.directory / "data"
    shutil.rmtree(data)
    await _run_as_owner(
        standby, "pg_basebackup", "-h", str(primary.directory), "-U", "postgres", "-D", str(data), "-R", "-c", "fast"
    )
    await asyncio.to_thread(standby.start)
    return standby


async def _recorded(stage: Stage) -> int:
    redis = Redis.from_url(stage.valkey.url)
    try:
        return int(await redis.hget("{passerby}:store", "recorded") or 0)
    finally:
        await redis.aclose()


async def _say(server: Postgres, *statements: str) -> None:
    connection = await asyncpg.connect(server.uri)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def _named(stage: Stage, times: int) -> None:
    async with asyncio.timeout(NOTICED_S):
        while stage.fleet.words().count('"stores.differ"') < times:
            stage.fleet.check()
            await asyncio.sleep(0.5)
    stage.evidence |= {"times": times, "times that it was named": stage.fleet.words().count('"stores.differ"')}


async def replica_promoted(stage: Stage) -> None:
    rounds = stage.times or (2 if stage.quick else 6)
    for number in range(rounds):
        standby = await _standby_of(stage, stage.postgres)
        await _say(standby, "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
        await asyncio.sleep(1)  # the receiver ends
        before = await _recorded(stage)
        async with asyncio.timeout(NOTICED_S):
            while await _recorded(stage) < before + LEAST_FACTS:
                await asyncio.sleep(0.2)
        async with stage.fault():
            stage.postgres.stop(SIGKILL)
            await _say(standby, "SELECT pg_promote()")
            stage.sql.connect = to_socket(str(standby.directory / ".s.PGSQL.5432"))
            stage.sql.cut()
            stage.postgres = standby
            await asyncio.sleep(1)
        await stage.until_working()
        await _named(stage, number + 1)


async def wal_reset(stage: Stage) -> None:
    """PostgreSQL is killed, and its write-ahead log is thrown away. Facts since the last checkpoint are there in
    parts."""
    for _ in range(stage.times or (1 if stage.quick else 3)):
        await _say(stage.postgres, "CHECKPOINT")
        before = await _recorded(stage)
        async with asyncio.timeout(NOTICED_S):
            while await _recorded(stage) < before + LEAST_FACTS:
                await asyncio.sleep(0.2)
        async with stage.fault():
            stage.postgres.stop(SIGKILL)
            (stage.postgres.directory / "data" / "postmaster.pid").unlink()
            await _run_as_owner(stage.postgres, "pg_resetwal", "-f", "-D", str(stage.postgres.directory / "data"))
            await asyncio.to_thread(stage.postgres.start)
            await asyncio.sleep(1)
        await stage.until_working()
        stage.evidence["times"] = int(str(stage.evidence.get("times", 0))) + 1


async def file_cut_off(stage: Stage) -> None:
    """Redis is killed, and the end of its append-only file is missing."""
    rounds = stage.times or (2 if stage.quick else 6)
    for _ in range(rounds):
        await asyncio.sleep(stage.rng.uniform(2, 5))
        at = len(stage.faults)
        stage.faults.append(Fault(time(), float("inf"), 1, AGAIN_S))
        stage.valkey.stop(SIGKILL)
        (newest,) = (stage.valkey.directory / "appendonlydir").glob("*.incr.aof")
        cut = min(newest.stat().st_size // 2, stage.rng.randint(2_000, 40_000))
        with newest.open("r+b") as file:
            file.truncate(newest.stat().st_size - cut)
        await asyncio.to_thread(stage.valkey.start)
        stage.faults[at] = stage.faults[at]._replace(ended=time())
        stage.evidence["bytes cut off"] = int(str(stage.evidence.get("bytes cut off", 0))) + cut
        await stage.until_working()
    async with asyncio.timeout(NOTICED_S):
        while stage.fleet.words().count('"store.settled"') < rounds:
            await asyncio.sleep(0.5)
    stage.evidence |= {"times": rounds, "times that it was named": stage.fleet.words().count("store.doubtful")}


def _bad_blocks(stage: Stage) -> Path:
    return stage.directory / "bad"


async def _good_disk(stage: Stage) -> None:
    _bad_blocks(stage).write_text("")


async def unreadable_log(stage: Stage) -> None:
    """At each start a block of the log cannot be read, or nothing of it; then the disk is good again."""
    (name,) = stage.fleet.names
    rounds = stage.times or (3 if stage.quick else 12)
    for number in range(rounds):
        await asyncio.sleep(stage.rng.uniform(0.5, 3))
        async with stage.fault():
            stage.fleet.kill(name)
            log = stage.directory / "passerby.live"
            if number % 3 == 2:
                _bad_blocks(stage).write_text("all")
                stage.fleet.start(name)
                assert await stage.fleet.ended(name, START_S) == 2
                said = stage.fleet.log(name).read_text().splitlines()[-1]
                assert "passerby.live cannot be opened (Input/output error); the disk may be failing" in said
                _bad_blocks(stage).write_text("")
            else:
                _bad_blocks(stage).write_text(str(stage.rng.randrange(log.stat().st_size // BLOCK_BYTES + 1)))
            stage.fleet.start(name)
            await stage.until_working()
            _bad_blocks(stage).write_text("")
    named = stage.fleet.words().count('"store.doubtful"')
    stage.evidence |= {"starts without a block": rounds - rounds // 3, "starts without any": rounds // 3}
    stage.evidence["times that it was named"] = named
    assert named, "no log entry about the lost records"


CASES = (
    Case("replica-promoted", "a PostgreSQL replica that lags becomes the primary", "it lacks at least 30 facts",
         replica_promoted, loses=True, postgres=WAL_LAG),
    Case("wal-reset", "PostgreSQL's write-ahead log is thrown away", "`kill -9`, then `pg_resetwal -f`", wal_reset,
         loses=True),
    Case("file-cut-off", "the end of Redis' append-only file is missing", "`kill -9`, 2 to 40 kB less", file_cut_off,
         loses=True),
    Case("unreadable-log", "the disk cannot read the log", "EIO for one block, or for all", unreadable_log, workers=1,
         embedded=True, loses=True, prepare=_good_disk, pause_s=3.0, quiet_s=300,
         command=child.command("unreadable:bad", role="run")),
)  # fmt: skip
