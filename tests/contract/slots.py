"""The slot of a Redis cluster that holds our keys, moved by hand from node to node."""

import asyncio
from random import Random
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.contract.live_cluster import SLOT, Cluster
from tests.contract.servers import Valkey


async def told(node: Valkey, *words: str | int) -> Any:
    redis = Redis.from_url(node.url)
    try:
        return await redis.execute_command(*words)
    finally:
        await redis.aclose()


async def opened(cluster: Cluster, old: Valkey, new: Valkey) -> None:
    """From now on a key that the old node has not got is asked for at the new one."""
    ids = {node.url: await asyncio.to_thread(cluster.node_id, node) for node in (old, new)}
    await told(new, "CLUSTER SETSLOT", SLOT, "IMPORTING", ids[old.url])
    await told(old, "CLUSTER SETSLOT", SLOT, "MIGRATING", ids[new.url])


async def moved(cluster: Cluster, old: Valkey, new: Valkey, rng: Random, *, pause_s: float, at_once: int = 1) -> int:
    """The slot goes as `redis-cli --cluster reshard` moves it, so many keys `at_once`, in any order, with a pause after
    each step; keys that are born meanwhile, too. Returns how many keys went."""
    await opened(cluster, old, new)
    count = 0
    while True:
        count += await emptied(old, new, rng, pause_s=pause_s, at_once=at_once)
        try:
            await taken_over(cluster, old, new)
        except RedisError:  # a key was born meanwhile
            continue
        return count


async def emptied(old: Valkey, new: Valkey, rng: Random, *, pause_s: float, at_once: int = 1, most: int = 0) -> int:
    """Keys go: all, or no more than `most`."""
    count = 0
    while keys := await told(old, "CLUSTER GETKEYSINSLOT", SLOT, 100_000):
        rng.shuffle(keys)
        for at in range(0, len(keys), at_once):
            if most and count >= most:
                return count
            some = keys[at : at + at_once]
            await told(old, "MIGRATE", "127.0.0.1", str(urlsplit(new.url).port), "", 0, 5000, "KEYS", *some)
            count += len(some)
            await asyncio.sleep(pause_s)
    return count


async def taken_over(cluster: Cluster, old: Valkey, new: Valkey) -> None:
    """All nodes are told who has the slot, the new one first. Raises: RedisError, where the old one still has keys."""
    id_ = await asyncio.to_thread(cluster.node_id, new)
    if await told(old, "CLUSTER COUNTKEYSINSLOT", SLOT):
        raise RedisError("there are keys left")
    for node in (new, old, *(node for node in cluster.nodes if node not in (old, new))):
        await told(node, "CLUSTER SETSLOT", SLOT, "NODE", id_)


async def moved_whole(cluster: Cluster, old: Valkey, new: Valkey) -> None:
    """As Valkey 9 moves a slot by itself."""
    id_ = await asyncio.to_thread(cluster.node_id, new)
    await told(old, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", SLOT, SLOT, "NODE", id_)
    while await asyncio.to_thread(lambda: cluster.owner) is not new:
        await asyncio.sleep(0.1)


async def stayed(old: Valkey, new: Valkey) -> None:
    """A move that was opened is given up before any key has gone."""
    for node in (old, new):
        await told(node, "CLUSTER SETSLOT", SLOT, "STABLE")


async def left(cluster: Cluster, node: Valkey) -> None:
    """A node without slots leaves the cluster. It still answers."""
    id_ = await asyncio.to_thread(cluster.node_id, node)
    for other in cluster.nodes:
        if other is not node:
            await told(other, "CLUSTER FORGET", id_)
    await told(node, "CLUSTER RESET", "SOFT")
