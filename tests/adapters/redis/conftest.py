"""A server of these tests' own."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.contract.servers import Valkey, start_valkey


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """Our own server: tests empty, kill and restart it. It syncs always, because everysec may lose acknowledged
    writes."""
    with start_valkey("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture
def by_hand(valkey: Valkey) -> Iterator["Redis"]:
    """A plain client, to do what an operator could do with redis-cli. The server is empty and set up as it should
    be."""
    with Redis.from_url(valkey.url) as redis:
        redis.flushall()
        yield redis
        redis.config_set("maxmemory", 0)
        redis.config_set("maxmemory-policy", "noeviction")
