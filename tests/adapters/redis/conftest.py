"""A server of our own for these tests."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.contract.servers import Valkey, start_valkey


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """Ours alone: it is emptied, killed and started again. Synced always: everysec may lose what it acknowledged."""
    with start_valkey("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture
def by_hand(valkey: Valkey) -> Iterator["Redis"]:
    """What an operator could do with redis-cli; the server is empty and set up as it should be."""
    with Redis.from_url(valkey.url) as redis:
        redis.flushall()
        yield redis
        redis.config_set("maxmemory", 0)
        redis.config_set("maxmemory-policy", "noeviction")
