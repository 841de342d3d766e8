"""Faults of a Redis cluster: the slot with all our keys moves while people chat."""

import asyncio
from signal import SIGKILL
from time import time

from redis.exceptions import RedisError

from tests.contract.live_cluster import SLOT, Cluster
from tests.contract.servers import Valkey
from tests.contract.slots import emptied, moved, moved_whole, opened, taken_over, told
from tests.faults.stage import Case, Stage

KEYS_BEFORE_A_KILL = 8

PAUSE_S = 3.0
"""Nothing is answered for up to a minute. Everything that people write meanwhile is answered afterwards, and a chat
gets one message a second."""


async def _refusals(cluster: Cluster) -> dict[str, int]:
    """Count how often a node answered that a key is on another node, or may soon be."""
    found: dict[str, int] = {}
    for node in cluster.nodes:
        stats = await told(node, "INFO", "errorstats")
        for kind in ("ASK", "MOVED", "TRYAGAIN"):
            found[kind] = found.get(kind, 0) + int(stats.get(f"errorstat_{kind}", {}).get("count", 0))
    return found


async def _two(stage: Stage) -> tuple[Cluster, Valkey, Valkey]:
    """Return the cluster, the node that has the slot, and the node that will get it."""
    cluster = stage.cluster
    assert cluster is not None
    old = await asyncio.to_thread(lambda: cluster.owner)
    return cluster, old, stage.rng.choice([node for node in cluster.nodes if node is not old])


async def _key_by_key(stage: Stage) -> None:
    await moved(*await _two(stage), stage.rng, pause_s=0.02)


async def _ten_at_once(stage: Stage) -> None:
    await moved(*await _two(stage), stage.rng, pause_s=0.0, at_once=10)


async def _whole(stage: Stage) -> None:
    """Move the whole slot at once, as Valkey 9 does by itself."""
    await moved_whole(*await _two(stage))


async def _too_early(stage: Stage) -> None:
    """Tell the old node to give up the slot while it still has keys. It refuses."""
    cluster, old, new = await _two(stage)
    await opened(cluster, old, new)
    await emptied(old, new, stage.rng, pause_s=0.02, most=KEYS_BEFORE_A_KILL)
    try:
        await told(old, "CLUSTER SETSLOT", SLOT, "NODE", await asyncio.to_thread(cluster.node_id, new))
    except RedisError:
        await moved(cluster, old, new, stage.rng, pause_s=0.01)
    else:
        raise AssertionError("the old node had no keys left")


async def _killed(stage: Stage, *, is_new: bool) -> None:
    """Kill one of the two nodes half way and restart it. Then the move continues."""
    cluster, old, new = await _two(stage)
    await opened(cluster, old, new)
    await emptied(old, new, stage.rng, pause_s=0.02, most=KEYS_BEFORE_A_KILL)
    node = new if is_new else old
    node.stop(SIGKILL)
    await asyncio.sleep(1)
    node.start()
    async with asyncio.timeout(180):
        while True:
            try:
                await emptied(old, new, stage.rng, pause_s=0.01)
                await taken_over(cluster, old, new)
            except RedisError:  # not ready yet, or a key was created meanwhile
                await asyncio.sleep(0.2)
            else:
                return


async def _old_killed(stage: Stage) -> None:
    await _killed(stage, is_new=False)


async def _new_killed(stage: Stage) -> None:
    await _killed(stage, is_new=True)


async def slot_moves(stage: Stage) -> None:
    ways = [_key_by_key, _ten_at_once, _whole]
    if not stage.quick:
        ways = [*ways, _too_early, _old_killed, _new_killed, *ways]
    took = []
    for way in ways:
        began = time()
        async with stage.fault():
            await way(stage)
        took.append(time() - began)
        await stage.until_working()
    assert stage.cluster is not None
    refused = await _refusals(stage.cluster)
    stage.evidence |= {"moves": len(took), "longest, s": round(max(took), 1)} | refused
    assert refused["TRYAGAIN"] or refused["ASK"], "no request came during a move"


CASES = (
    Case("slot-moves", "a slot of a cluster moves", "key by key, ten at once, whole; long: a node killed meanwhile",
         slot_moves, cluster=3, loses=True, pause_s=PAUSE_S, quiet_s=300),
)  # fmt: skip
