"""Redis goes back in time under a fleet: an older copy of its files, or an old primary that returns with old data.

The workers continue meanwhile, with the data that they remember. No message may go to a former partner. At the end the
live store and the records must agree about every person.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from signal import SIGKILL
from time import time

from redis.asyncio import Redis

from simulated_people.verdict import Fault
from tests.contract.servers import Valkey, start_valkey
from tests.faults.proxy import to_port
from tests.faults.stage import PERSISTENT, Case, Stage, port_of

APPENDED = "appendonlydir"
AGAIN_S = 2.0
SETTLED_S = 90.0
AGES_S = (4.0, 8.0)
LONG_AGE_S = 15.0


async def _goes_back(stage: Stage, age_s: float, change: Callable[[], Awaitable[None]]) -> None:
    """Make the store go back. Afterwards it may send again whatever was unsent when the copy was made."""
    at = len(stage.faults)
    stage.faults.append(Fault(time(), float("inf"), 1, age_s + AGAIN_S))
    await change()
    stage.faults[at] = stage.faults[at]._replace(ended=time())
    await stage.until_working()


async def _named(stage: Stage, times: int) -> None:
    """Wait until the last repair is logged too: on a busy machine, people are served by what was read before it."""
    async with asyncio.timeout(SETTLED_S):
        while stage.fleet.words().count('"store.settled"') < times:
            await asyncio.sleep(0.5)
    words = stage.fleet.words()
    stage.evidence |= {
        "times that the store went back": times,
        "times that it was named": words.count("store.doubtful"),
    }


async def redis_older(stage: Stage, times: int | None = None) -> None:
    """Kill Redis with `kill -9`, replace its append-only file with an older copy, and start it again."""
    files = stage.valkey.directory / APPENDED
    copy = stage.directory / "older"
    rounds = times or (2 if stage.quick else 6)
    for number in range(rounds):
        await asyncio.to_thread(shutil.copytree, files, copy)
        age_s = LONG_AGE_S if not stage.quick and number == 0 else stage.rng.uniform(*AGES_S)
        await asyncio.sleep(age_s)

        async def put_back() -> None:
            stage.valkey.stop(SIGKILL)
            shutil.rmtree(files)
            copy.replace(files)
            await asyncio.to_thread(stage.valkey.start)

        await _goes_back(stage, age_s, put_back)
    await _named(stage, rounds)


async def _follows(follower: Valkey, leader: Valkey) -> None:
    redis = Redis.from_url(follower.url)
    try:
        await redis.replicaof("127.0.0.1", str(port_of(leader)))
        async with asyncio.timeout(120):
            while (await redis.info("replication"))["master_link_status"] != "up":
                await asyncio.sleep(0.1)
    finally:
        await redis.aclose()


async def _leads(server: Valkey) -> None:
    redis = Redis.from_url(server.url)
    try:
        await redis.replicaof("NO", "ONE")
    finally:
        await redis.aclose()


async def sentinel_returns(stage: Stage, times: int | None = None) -> None:
    """Let a replica take over. Then bring back the old primary with its old data, and make it the primary again."""
    replica = stage.closing.enter_context(start_valkey(*PERSISTENT))
    old = stage.valkey
    rounds = times or (2 if stage.quick else 6)
    for number in range(rounds):
        await _follows(replica, old)
        was_killed = number % 2 == 1

        async def fail_over(was_killed: bool = was_killed) -> None:
            if was_killed:
                old.stop(SIGKILL)
            await _leads(replica)
            stage.redis.connect = to_port(port_of(replica))
            stage.redis.cut()

        async def return_() -> None:
            stage.redis.connect = to_port(port_of(old))
            stage.redis.cut()

        await _goes_back(stage, 0.0, fail_over)
        age_s = stage.rng.uniform(*AGES_S)
        await asyncio.sleep(age_s)
        if was_killed:
            await asyncio.to_thread(old.start)
        await _goes_back(stage, age_s + LONG_AGE_S, return_)
    await _named(stage, 2 * rounds)


CASES = (
    Case("redis-older", "Redis comes back with an older file", "`kill -9`, an append-only file from 4 to 15 s ago",
         redis_older, loses=True),
    Case("sentinel-returns", "an old primary of Redis returns", "a replica takes over; 4 to 8 s later the old one",
         sentinel_returns, loses=True),
)  # fmt: skip
