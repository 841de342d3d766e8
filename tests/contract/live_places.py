"""The places for the live store's contract. A place holds the data; tests open stores on it and kill them.

To test another store with the contract, add a place for it to `PLACES`.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import AbstractContextManager
from random import Random
from typing import Any, Protocol, TypeVar

import pytest

from passerby.adapters.memory import MemoryStore
from passerby.adapters.memory.store import JOURNAL_BOUND
from passerby.kernel.ids import PersonId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore
from tests.contract.live_cluster import ClusterPlace
from tests.contract.live_late import LatePlace
from tests.contract.live_redis import RedisPlace
from tests.runtime import virtual
from tests.runtime.virtual import VirtualClock

T = TypeVar("T")


class Place(Protocol):
    @property
    def clock(self) -> Clock: ...

    @property
    def lease_s(self) -> float:
        """A time for leases that shall run out: much longer than a call, even on a busy machine."""
        ...

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a test's body in the loop that this place needs."""
        ...

    def open(self) -> LiveStore:
        """Open a store on the current data. Stores opened before count as killed, not closed."""
        ...

    def open_bounded(self, journal_bound: int) -> LiveStore:
        """The same, with a journal of at most `journal_bound` facts."""
        ...

    def wipe(self) -> None:
        """Lose everything while stores are open."""
        ...

    async def elapse(self, delay_s: float) -> None:
        """Let time pass for the store's clock."""
        ...

    async def outlast(self, delay_s: float) -> None:
        """Let time pass also for leases and limiters, which a server times by its own clock."""
        ...

    def lost(self) -> AbstractContextManager[None]:
        """Within this context, nothing can be stored."""
        ...


class Disk:
    """The records of a log that outlives its process. While it is `full`, it accepts nothing."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.full = False


class DiskLog:
    """A log on such a disk, for one process."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    @property
    def size(self) -> int:
        return sum(map(len, self._disk.records))

    def records(self) -> Iterable[bytes]:
        return list(self._disk.records)

    @property
    def is_broken(self) -> bool:
        return False

    def append(self, record: bytes, touched: Collection[PersonId] = ()) -> None:
        self._take()
        self._disk.records.append(record)

    def rewrite(self, records: Iterable[bytes], *, keep_former: bool = False) -> None:
        self._take()
        self._disk.records = list(records)

    def delivered(self, now: float) -> Iterable[UpdateRef]:
        return ()

    def note_delivered(self, refs: Sequence[UpdateRef], now: float) -> None:
        pass

    async def sync(self) -> None:
        self._take()

    def close(self) -> None:
        pass

    def _take(self) -> None:
        if self._disk.full:
            raise OSError(28, "the disk is full")


class _Full(AbstractContextManager[None]):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def __enter__(self) -> None:
        self._disk.full = True

    def __exit__(self, *_: object) -> None:
        self._disk.full = False


class MemoryPlace:
    """The memory store with a log. Time is virtual, so a day passes at once."""

    lease_s = 6.0

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.disk = Disk()
        self._rng = Random(1)
        self._store: MemoryStore | None = None

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        return virtual.run(main)

    def open(self) -> MemoryStore:
        return self.open_bounded(JOURNAL_BOUND)

    def open_bounded(self, journal_bound: int) -> MemoryStore:
        self._store = MemoryStore(DiskLog(self.disk), self.clock, self._rng, journal_bound=journal_bound)
        return self._store

    def wipe(self) -> None:
        assert self._store is not None, "there is nothing to lose"
        self._store.wipe()

    async def elapse(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)

    async def outlast(self, delay_s: float) -> None:
        await self.elapse(delay_s)

    def lost(self) -> AbstractContextManager[None]:
        return _Full(self.disk)


PLACES: dict[str, Callable[[pytest.FixtureRequest], Place]] = {
    "memory": lambda _: MemoryPlace(),
    "redis": lambda request: RedisPlace(request.getfixturevalue("valkey")),
    "cluster": lambda request: ClusterPlace(request.getfixturevalue("cluster")),
    "late memory": lambda _: LatePlace(MemoryPlace()),
    "late redis": lambda request: LatePlace(RedisPlace(request.getfixturevalue("valkey"))),
}
"""The late ones answer late and in any order: see `live_late`."""
SERVICES = {"redis", "cluster", "late redis"}
