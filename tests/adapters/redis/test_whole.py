"""After a slot has moved, the first connection finds out whether some keys have stayed behind (whole.lua)."""

import pytest
from redis import Redis

from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.handshake import _is_whole
from passerby.adapters.redis.keys import Keys
from passerby.kernel.participant import Idle
from passerby.ports.leases import WorkerId
from passerby.ports.participants import Commit
from tests.adapters.redis.stores import opened
from tests.contract.live_body import put
from tests.contract.live_values import BEN, EVE, becomes, couple, fact, notice, somebody, waiting
from tests.contract.servers import Valkey
from tests.staged import in_a_loop

pytestmark = pytest.mark.services

KEYS = Keys("passerby")
COUNTED = ["people", "chats", "idle_chats", "idle", "waiting", "gone", "tickets", "outbox", "order", "turns", "journal"]


async def is_whole(url: str) -> bool:
    connection = await connector(url, KEYS)()
    try:
        return await _is_whole(connection, KEYS)
    finally:
        await connection.disconnect()


async def lived_in(url: str) -> None:
    """Two people chat, one searches, one has stopped searching, two are idle. Something is unsent and unrecorded."""
    async with opened(url) as store:
        await store.adopt((), whole=True)
        await put(store, *couple(), facts=(fact(1),))
        for number in (11, 12):
            person = somebody(type(EVE)(number), 1, waiting(type(EVE)(number)))
            await put(store, person, facts=(fact(number),))
        await put(store, becomes(person, Idle()), somebody(type(EVE)(13)), somebody(type(EVE)(14)), facts=(fact(2),))
        await store.commit(Commit(outbox=(notice("a", to=BEN),), owner=WorkerId("one")))


@in_a_loop
async def test_a_store_that_has_come_along_whole_is_whole(valkey: Valkey, by_hand: Redis) -> None:
    await lived_in(valkey.url)
    assert await is_whole(valkey.url)


@pytest.mark.parametrize("name", COUNTED)
@in_a_loop
async def test_a_key_that_has_stayed_behind_is_missed(valkey: Valkey, by_hand: Redis, name: str) -> None:
    await lived_in(valkey.url)
    assert by_hand.delete(getattr(KEYS, name)) == 1
    assert not await is_whole(valkey.url)
