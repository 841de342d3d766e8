"""The stores that the scenarios run over. To add one, add a line to `STORES`.

A store comes with a place (see `tests.contract.live_places`). The place holds the data that outlives a process, runs
the event loop that the store needs, and lets time pass for it.
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
from tests.scenario.records_places import FileRecordsPlace, MemoryRecordsPlace, PostgresRecordsPlace, RecordsPlace


@cache
def _valkey() -> Valkey:
    """Return the server for this process's whole run."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(start_valkey("--appendonly", "yes", "--appendfsync", "always"))


STORES: dict[str, Callable[[], Place]] = {
    "memory": MemoryPlace,
    "late": lambda: LatePlace(MemoryPlace()),
    "redis": lambda: RedisPlace(_valkey()),
}
"""`late`: responses come late, and in a different order than the requests."""

SERVERS = "redis+postgres"
"""Both stores on servers, and one worker."""

FLEET = "redis+postgres, two workers"
"""Both stores on servers, and two workers that share the bots. A kill or a restart is that of one of them."""

FILE = "memory+sqlite"
"""Both stores of an installation on a laptop."""


def opened(store: str) -> tuple[Place, RecordsPlace]:
    """Return the places of the store and of the records for a scenario over one of `STORES`, `SERVERS`, `FLEET` or
    `FILE`."""
    on_server = store in (SERVERS, FLEET)
    records_place = (
        PostgresRecordsPlace() if on_server else FileRecordsPlace() if store == FILE else MemoryRecordsPlace()
    )
    return STORES[store.partition("+")[0]](), records_place


def opened_again(store: str, records_place: RecordsPlace) -> Place:
    """Empty the records for another scenario over the same store, and return a new place for the live store."""
    records_place.empty()
    return STORES[store.partition("+")[0]]()


def workers(store: str) -> int:
    """How many workers a scenario over this store has."""
    return 2 if store == FLEET else 1


class Severed:
    """A store as one process sees it. Once the process is dead, its calls have no effect."""

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
