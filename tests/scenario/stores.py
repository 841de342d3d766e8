"""The stores that the scenarios run over. Another one joins by a line in `STORES`.

A store comes with a place (see `tests.contract.live_places`): what outlives its processes, the loop that it needs, and
how time passes for it.
"""

import atexit
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import cache
from typing import Any

from passerby.ports.live_store import LiveStore, LiveStoreLost
from tests.contract.live_late import LatePlace
from tests.contract.live_places import MemoryPlace, Place
from tests.contract.live_redis import RedisPlace
from tests.contract.servers import Valkey, start_valkey
from tests.scenario.records_places import MemoryShelf, PostgresShelf, RecordsPlace


@cache
def _valkey() -> Valkey:
    """One server for the whole run of this process."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(start_valkey("--appendonly", "yes", "--appendfsync", "always"))


STORES: dict[str, Callable[[], Place]] = {
    "memory": MemoryPlace,
    "late": lambda: LatePlace(MemoryPlace()),
    "redis": lambda: RedisPlace(_valkey()),
}
"""`late`: answers come late, and in another order than they were asked for."""

SERVERS = "redis+postgres"
"""Both on servers, as a fleet has them."""


def opened(store: str) -> tuple[Place, RecordsPlace]:
    """The place and the place of the records of a scenario over one of `STORES`, or over `SERVERS`."""
    return STORES[store.partition("+")[0]](), PostgresShelf() if store == SERVERS else MemoryShelf()


class Severed:
    """A store as one process sees it. Once the process is dead, nothing that it still tries has an effect."""

    def __init__(self, inner: LiveStore) -> None:
        self._inner = inner
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._guarded(found) if callable(found) and name != "is_held" else found

    def _guarded(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **more: Any) -> Any:
            if self.dead:
                raise LiveStoreLost("the process is dead")
            return await method(*args, **more)

        return call
