"""Measures how full the server is."""

from passerby.adapters.redis.store import RedisStore
from passerby.ports.live_store import LiveStore


async def memory_percent(store: LiveStore) -> float | None:
    """The share of its maxmemory that the server uses. None: it has no maximum, or does not tell. Raises:
    LiveStoreLost."""
    if not isinstance(store, RedisStore):
        return None
    return share(await store.info("memory"))


def share(info: dict[str, str]) -> float | None:
    used, most = info.get("used_memory", ""), info.get("maxmemory", "")
    return 100 * int(used) / int(most) if used.isdigit() and most.isdigit() and int(most) else None
