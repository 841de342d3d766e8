"""A server that is not fit for use is refused or warned about, in a sentence, before it is used."""

import asyncio
from collections.abc import Iterator
from random import Random
from time import sleep
from typing import Any

import pytest
from redis import Redis

from passerby.adapters.redis import Opened, RedisOtherKey, RedisRefuses, RedisUnfit, RedisUnreachable, open_redis
from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.keys import Keys
from tests.contract.live_cluster import start_cluster
from tests.contract.live_values import ANN, somebody
from tests.contract.servers import Valkey
from tests.ports import free_port
from tests.runtime.virtual import VirtualClock
from tests.staged import in_a_loop


async def opened(url: str, name: str = "passerby", **options: Any) -> Opened:
    """Open a store, and close it again."""
    result = await open_redis(url, VirtualClock(), Random(1), name=name, **options)
    await result.store.aclose()
    return result


@pytest.fixture
def user(by_hand: Redis, valkey: Valkey) -> Iterator[str]:
    """The URL of a user who may use our keys and scripts, but not CONFIG, as at many hosting providers."""
    by_hand.acl_setuser(
        "guest",
        enabled=True,
        passwords=["+p@ss/word"],
        keys=["*"],
        channels=["*"],
        categories=["+@all"],
        commands=["-config"],
    )
    yield valkey.url.replace("redis://", "redis://guest:p%40ss%2Fword@")
    by_hand.acl_deluser("guest")


@pytest.mark.services
def test_a_well_configured_server_opens_without_warnings(valkey: Valkey, by_hand: Redis) -> None:
    assert asyncio.run(opened(valkey.url)).warnings == ()


@pytest.mark.services
@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "volatile-lfu"])
def test_a_server_that_may_evict_keys_is_refused(valkey: Valkey, by_hand: Redis, policy: str) -> None:
    by_hand.config_set("maxmemory-policy", policy)
    with pytest.raises(RedisUnfit, match=rf"maxmemory-policy {policy}.*noeviction"):
        asyncio.run(opened(valkey.url))
    assert by_hand.dbsize() == 0


@pytest.mark.services
def test_a_server_that_forgets_at_a_restart_gives_a_warning(valkey: Valkey, by_hand: Redis) -> None:
    by_hand.config_set("appendonly", "no")
    try:
        (warning,) = asyncio.run(opened(valkey.url)).warnings
    finally:
        by_hand.config_set("appendonly", "yes")
        # Until its first file is written, it cannot be stopped or killed without loss.
        while (state := by_hand.info("persistence"))["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]:
            sleep(0.01)
    assert "appendonly" in warning


@pytest.mark.services
@pytest.mark.parametrize("syncs", ["everysec", "no"])
def test_a_server_that_may_lose_its_last_seconds_is_refused_unless_that_is_accepted(
    valkey: Valkey, by_hand: Redis, syncs: str
) -> None:
    by_hand.config_set("appendfsync", syncs)
    try:
        with pytest.raises(RedisUnfit) as refusal:
            asyncio.run(opened(valkey.url))
        assert by_hand.dbsize() == 0
        (warning,) = asyncio.run(opened(valkey.url, may_lose=True)).warnings
    finally:
        by_hand.config_set("appendfsync", "always")
    for word in (f"appendfsync {syncs}", "appendfsync always", "REDIS_REPLICAS=1", "REDIS_MAY_LOSE_SECONDS=1"):
        assert word in str(refusal.value)
    assert f"appendfsync {syncs}" in warning


@pytest.mark.services
@pytest.mark.parametrize(("replicas", "many"), [(0, 1), (1, 0)])
def test_a_cluster_without_replicas_to_wait_for_gives_a_warning(replicas: int, many: int) -> None:
    """A cluster answers before it replicates, so a failover may lose the last writes."""
    with start_cluster(2) as cluster:
        warnings = asyncio.run(opened(cluster.url, replicas=replicas, may_lose=True)).warnings
    assert sum("REDIS_REPLICAS=1" in each and "failover" in each for each in warnings) == many


@pytest.mark.services
def test_if_config_is_forbidden_the_settings_come_from_info(valkey: Valkey, by_hand: Redis, user: str) -> None:
    assert asyncio.run(opened(user)).warnings == ()
    by_hand.config_set("maxmemory-policy", "allkeys-random")
    with pytest.raises(RedisUnfit, match="allkeys-random"):
        asyncio.run(opened(user))


@pytest.mark.services
def test_unknown_settings_give_a_warning(valkey: Valkey, by_hand: Redis, user: str) -> None:
    by_hand.execute_command("ACL", "SETUSER", "guest", "-info")
    warnings = asyncio.run(opened(user)).warnings
    assert ["maxmemory-policy" in warnings[0], "appendonly" in warnings[1]] == [True, True]


@pytest.mark.services
def test_a_user_without_scripts_is_refused(valkey: Valkey, by_hand: Redis, user: str) -> None:
    by_hand.execute_command("ACL", "SETUSER", "guest", "-@scripting")
    with pytest.raises(RedisRefuses):
        asyncio.run(opened(user))


@pytest.mark.services
def test_something_else_under_our_names_is_reported(valkey: Valkey, by_hand: Redis) -> None:
    by_hand.set("{passerby}:store", "of another program")
    with pytest.raises(RedisUnfit, match="another program uses our names"):
        asyncio.run(opened(valkey.url))
    by_hand.delete("{passerby}:store")


@pytest.mark.services
def test_a_wrong_password_is_reported_without_quoting_it(valkey: Valkey, by_hand: Redis) -> None:
    with pytest.raises(RedisUnfit, match="password") as refusal:
        asyncio.run(opened(valkey.url.replace("//", "//nobody:wrong@")))
    assert "wrong" not in str(refusal.value)


def test_a_missing_server_counts_as_unreachable() -> None:
    with pytest.raises(RedisUnreachable):
        asyncio.run(opened(f"redis://127.0.0.1:{free_port()}"))


@pytest.mark.services
@in_a_loop
async def test_two_installations_share_a_server(valkey: Valkey, by_hand: Redis) -> None:
    one, _ = await open_redis(valkey.url, VirtualClock(), Random(1), name="one")
    other, _ = await open_redis(valkey.url, VirtualClock(), Random(2), name="other")
    await one.adopt((somebody(ANN),), whole=True)
    assert await other.load(ANN) is None
    assert [one.newborn, other.newborn] == [False, True]
    await one.aclose()
    await other.aclose()


@pytest.mark.parametrize(
    "url",
    ["", "localhost", "http://localhost", "redis+ring://localhost", "redis+sentinel://localhost", "redis://h:port"],
)
def test_a_malformed_redis_url_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(RedisUnfit) as refusal:
        connector(url, Keys("passerby"))
    assert "localhost" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", "a{b", "}"])
def test_a_name_that_would_break_the_hash_tag_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="braces"):
        Keys(name)


def test_a_process_with_another_key_is_refused_before_it_uses_the_store(valkey: Valkey, by_hand: Redis) -> None:
    async def opens(*marks: bytes, key_is_lost: bool = False) -> bool:
        try:
            store, _ = await open_redis(valkey.url, VirtualClock(), Random(1), key_marks=marks, key_is_lost=key_is_lost)
        except RedisOtherKey:
            return False
        await store.hang_up()
        return True

    async def main() -> list[bool]:
        return [
            await opens(b"one"),
            await opens(b"other"),
            await opens(b"other", b"one"),
            await opens(b"one"),
            await opens(b"third", key_is_lost=True),
            await opens(b"third"),
        ]

    assert asyncio.run(main()) == [True, False, True, False, True, True]
