"""The live store of a fleet: Redis 7 or newer, or Valkey. `keys` lists the data; `store` says what is promised."""

from passerby.adapters.redis.connect import Opened, open_redis
from passerby.adapters.redis.errors import (
    RedisFull,
    RedisHalfRestored,
    RedisNewer,
    RedisOtherKey,
    RedisRefuses,
    RedisUnfit,
    RedisUnreachable,
    RedisUnsure,
    RedisWiped,
)
from passerby.adapters.redis.store import RedisStore

__all__ = [
    "Opened",
    "RedisFull",
    "RedisHalfRestored",
    "RedisNewer",
    "RedisOtherKey",
    "RedisRefuses",
    "RedisStore",
    "RedisUnfit",
    "RedisUnreachable",
    "RedisUnsure",
    "RedisWiped",
    "open_redis",
]
