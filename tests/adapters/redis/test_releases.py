"""Processes of different releases on one server: an older one stops before it can drop what it does not know."""

import asyncio
from random import Random

import pytest
from redis import Redis

from passerby.adapters.redis import RedisNewer, RedisStore, open_redis
from passerby.ports.doubts import Doubts
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStoreLost
from tests.contract.live_body import put
from tests.contract.live_values import ANN, couple
from tests.contract.servers import Valkey
from tests.runtime.virtual import VirtualClock
from tests.staged import in_a_loop

pytestmark = pytest.mark.services


async def of_release(valkey: Valkey, number: int) -> RedisStore:
    opened = await open_redis(valkey.url, VirtualClock(), Random(number), may_lose=True, release=number)
    return opened.store


@in_a_loop
async def test_an_older_release_is_refused_where_a_newer_one_was(valkey: Valkey, by_hand: Redis) -> None:
    newer = await of_release(valkey, 8)
    await newer.adopt((), whole=True)
    await put(newer, *couple())
    with pytest.raises(RedisNewer):
        await of_release(valkey, 7)
    again = await of_release(valkey, 8)
    assert await again.load(ANN) is not None, "and nothing has changed for the newer one"
    await asyncio.gather(newer.hang_up(), again.hang_up())


@in_a_loop
async def test_an_older_worker_that_runs_writes_nothing_more_once_a_newer_one_has_come(
    valkey: Valkey, by_hand: Redis
) -> None:
    older = await of_release(valkey, 7)
    await older.adopt((), whole=True)
    await put(older, *couple())
    await older.heartbeat(WorkerId("older"), {}, 3600.0, b"")
    newer = await of_release(valkey, 8)
    assert newer.doubts == Doubts(is_unsure=True), "what the older one wrote last is compared with the records"
    assert (await newer.answer_roll(WorkerId("newer"))).former == {WorkerId("older")}
    assert not older.is_superseded
    for _ in range(2):
        with pytest.raises(LiveStoreLost):
            await put(older, *couple())
        assert older.is_superseded
    await newer.adopt((), whole=True)
    assert await newer.load(ANN) is not None
    with pytest.raises(LiveStoreLost):
        await older.load(ANN)
    await asyncio.gather(older.hang_up(), newer.hang_up())
