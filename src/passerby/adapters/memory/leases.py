"""The table of workers: which ones are living, which leases they hold, and until when.

Not in the log: only one process uses the file, and after a restart none of its former workers exists.

Outages: if no worker has sent a heartbeat for longer than every one of them had named, the store was unreachable, or
all workers were paused with it. The first worker to send a heartbeat cannot know that the others are dead. So the time
in between does not count: workers that were living when the outage began live for another of their periods, and keep
their leases.

After a wipe, holders name their leases again in their heartbeats. Until the time that a taker names for a lease has
passed, a lease that nobody named does not count as free.
"""

from collections.abc import Collection, Mapping
from math import inf

import msgspec

from passerby.ports.leases import NOBODY, Evicted, Fence, LeaseName, Members, WorkerId


class Living(msgspec.Struct):
    """Times in monotonic seconds, here and below."""

    until: float
    ttl_s: float
    report: bytes


class Lease(msgspec.Struct):
    """`holder` NOBODY: it was given back. `epoch` is then from the last time it was taken."""

    holder: WorkerId
    epoch: int
    until: float
    ttl_s: float


class WorkerTable:
    """Epochs continue after `epoch`, because earlier generations of the store used none above it.

    `wiped_at`: when this generation began, if others may hold leases of an earlier one.
    """

    def __init__(self, epoch: int, wiped_at: float = -inf) -> None:
        self._workers: dict[WorkerId, Living] = {}  # in the order of their arrival
        self._leases: dict[LeaseName, Lease] = {}
        self._evicted: set[WorkerId] = set()
        self._epoch = epoch
        self._wiped_at = wiped_at
        self._heard_at = -inf
        self._heard_until = -inf

    @property
    def epoch(self) -> int:
        """The highest epoch so far."""
        return self._epoch

    def is_living(self, worker: WorkerId, now: float) -> bool:
        found = self._workers.get(worker)
        return found is not None and now < found.until

    def evict(self, workers: Collection[WorkerId]) -> None:
        self._evicted.update(workers)
        self._evicted.discard(NOBODY)

    def heartbeat(
        self, worker: WorkerId, held: Mapping[LeaseName, int], ttl_s: float, report: bytes, now: float
    ) -> frozenset[LeaseName]:
        """The leases that were kept. Raises: Evicted."""
        if worker in self._evicted:
            raise Evicted
        if now >= self._heard_until > -inf:
            self._stop_the_clock(now)
        self._heard_at, self._heard_until = now, max(self._heard_until, now + ttl_s)
        self._workers = {each: living for each, living in self._workers.items() if now < living.until}
        found = self._workers.get(worker)
        if found is None:
            self._workers[worker] = Living(now + ttl_s, ttl_s, report)
        else:
            found.until, found.ttl_s, found.report = now + ttl_s, ttl_s, report
        return frozenset(lease for lease, epoch in held.items() if self._renew(worker, lease, epoch, ttl_s, now))

    def _stop_the_clock(self, now: float) -> None:
        """Do not count an outage (see the module). A lease that had run out before the last heartbeat stays expired."""
        for living in self._workers.values():
            living.until = now + living.ttl_s
        for lease in self._leases.values():
            if lease.until > self._heard_at:
                lease.until = now + lease.ttl_s

    def _renew(self, worker: WorkerId, lease: LeaseName, epoch: int, ttl_s: float, now: float) -> bool:
        found = self._leases.get(lease)
        if found is None:
            self._leases[lease] = Lease(worker, epoch, now + ttl_s, ttl_s)
            return True
        if found.holder != worker or found.epoch != epoch:
            return False
        found.until, found.ttl_s = now + ttl_s, ttl_s
        return True

    def take(self, worker: WorkerId, lease: LeaseName, ttl_s: float, now: float) -> int | None:
        if not self.is_living(worker, now):
            return None
        found = self._leases.get(lease)
        if found is None:
            if now < self._wiped_at + ttl_s:
                return None
        elif found.holder == worker:
            found.until, found.ttl_s = now + ttl_s, ttl_s
            return found.epoch
        elif found.holder != NOBODY and now < found.until:
            return None
        self._epoch += 1
        self._leases[lease] = Lease(worker, self._epoch, now + ttl_s, ttl_s)
        return self._epoch

    def give(self, worker: WorkerId, lease: LeaseName, epoch: int) -> None:
        found = self._leases.get(lease)
        if found is not None and found.holder == worker and found.epoch == epoch:
            found.holder = NOBODY

    def leave(self, worker: WorkerId) -> None:
        self._workers.pop(worker, None)
        for lease in self._leases.values():
            if lease.holder == worker:
                lease.holder = NOBODY

    def members(self, kept: frozenset[LeaseName], now: float) -> Members:
        workers = {worker: living.report for worker, living in self._workers.items() if now < living.until}
        holders = {
            name: lease.holder for name, lease in self._leases.items() if now < lease.until and lease.holder in workers
        }
        return Members(kept, workers, holders)

    def is_fenced(self, fence: Fence) -> bool:
        """Whether somebody else has taken the lease. A lease that nobody took in this generation fences nobody."""
        found = self._leases.get(fence.lease)
        return found is not None and found.epoch != fence.epoch
