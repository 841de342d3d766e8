"""Moves the slot of a Redis cluster that holds our keys from node to node, by hand."""

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
    """From now on, clients ask the new node for keys that the old one does not have."""
    ids = {node.url: await asyncio.to_thread(cluster.node_id, node) for node in (old, new)}
    await told(new, "CLUSTER SETSLOT", SLOT, "IMPORTING", ids[old.url])
    await told(old, "CLUSTER SETSLOT", SLOT, "MIGRATING", ids[new.url])


async def moved(cluster: Cluster, old: Valkey, new: Valkey, rng: Random, *, pause_s: float, at_once: int = 1) -> int:
    """Move the slot like `redis-cli --cluster reshard`: `at_once` keys a step, in any order, with a pause between.

    Keys that are created meanwhile move too. Returns the number of moved keys.
    """
    await opened(cluster, old, new)
    count = 0
    while True:
        count += await emptied(old, new, rng, pause_s=pause_s, at_once=at_once)
        try:
            await taken_over(cluster, old, new)
        except RedisError:  # a key was created meanwhile
            continue
        return count


async def emptied(old: Valkey, new: Valkey, rng: Random, *, pause_s: float, at_once: int = 1, most: int = 0) -> int:
    """Move keys: all, or at most `most`."""
    count = 0
    while keys := await told(old, "CLUSTER GETKEYSINSLOT", SLOT, 100_000):
        rng.shuffle(keys)
        for at in range(0, len(keys), at_once):
            if most and count >= most:
                return count
            some = keys[at : at + at_once]
            await moved_keys(old, new, *some)
            count += len(some)
            await asyncio.sleep(pause_s)
    return count


async def moved_keys(old: Valkey, new: Valkey, *keys: str) -> None:
    await told(old, "MIGRATE", "127.0.0.1", str(urlsplit(new.url).port), "", 0, 5000, "KEYS", *keys)


async def taken_over(cluster: Cluster, old: Valkey, new: Valkey) -> None:
    """Tell all nodes who has the slot, the new one first. Raises: RedisError, if the old one still has keys."""
    id_ = await asyncio.to_thread(cluster.node_id, new)
    if await told(old, "CLUSTER COUNTKEYSINSLOT", SLOT):
        raise RedisError("there are keys left")
    for node in (new, old, *(node for node in cluster.nodes if node not in (old, new))):
        await told(node, "CLUSTER SETSLOT", SLOT, "NODE", id_)


async def taken_too_early(cluster: Cluster, old: Valkey, new: Valkey) -> None:
    """Tell the new node that it has the slot, whatever the old one still has. The old one deletes that."""
    await told(new, "CLUSTER SETSLOT", SLOT, "NODE", await asyncio.to_thread(cluster.node_id, new))
    while await asyncio.to_thread(lambda: cluster.owner) is not new or await told(old, "CLUSTER COUNTKEYSINSLOT", SLOT):
        await asyncio.sleep(0.02)


async def moved_whole(cluster: Cluster, old: Valkey, new: Valkey) -> None:
    """Move the slot as Valkey 9 does by itself."""
    id_ = await asyncio.to_thread(cluster.node_id, new)
    await told(old, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", SLOT, SLOT, "NODE", id_)
    while await asyncio.to_thread(lambda: cluster.owner) is not new:
        await asyncio.sleep(0.1)


async def stayed(old: Valkey, new: Valkey) -> None:
    """Cancel an open move before any key has moved."""
    for node in (old, new):
        await told(node, "CLUSTER SETSLOT", SLOT, "STABLE")


async def left(cluster: Cluster, node: Valkey) -> None:
    """Remove a node without slots from the cluster. It still answers."""
    id_ = await asyncio.to_thread(cluster.node_id, node)
    for other in cluster.nodes:
        if other is not node:
            await told(other, "CLUSTER FORGET", id_)
    await told(node, "CLUSTER RESET", "SOFT")
