"""The state that workers share: leases and budgets. It is not in the log, because it ends with the process."""

from collections.abc import Mapping, Sequence

import msgspec

from passerby.adapters.memory.logged import LoggedStore
from passerby.ports.leases import Fence, Fenced, LeaseName, Members, WorkerId
from passerby.ports.shared_budgets import Account, Grant


class MemoryMembership(LoggedStore):
    """The roles Leases and SharedBudgets."""

    def _check_fences(self, fences: Sequence[Fence]) -> None:
        if self._is_fenced(fences):
            raise Fenced

    def _is_fenced(self, fences: Sequence[Fence]) -> bool:
        is_fenced = self._worker_table.is_fenced
        return is_fenced(fences[0]) if len(fences) == 1 else any(map(is_fenced, fences))

    async def heartbeat(self, worker: WorkerId, held: Mapping[LeaseName, int], ttl_s: float, report: bytes) -> Members:
        self._check()
        now = self._clock.monotonic()
        members = self._worker_table.members(self._worker_table.heartbeat(worker, held, ttl_s, report, now), now)
        return msgspec.structs.replace(members, newest=self._state.journal_end, recorded=self._state.trimmed)

    async def take(self, worker: WorkerId, lease: LeaseName, ttl_s: float) -> int | None:
        self._check()
        return self._worker_table.take(worker, lease, ttl_s, self._clock.monotonic())

    async def give(self, worker: WorkerId, lease: LeaseName, epoch: int) -> None:
        self._check()
        self._worker_table.give(worker, lease, epoch)

    async def leave(self, worker: WorkerId) -> None:
        self._check()
        self._worker_table.leave(worker)

    async def members(self) -> Members:
        self._check()
        return self._worker_table.members(frozenset(), self._clock.monotonic())

    async def reserve(self, account: Account, rate_per_s: float, burst: int, wanted: int) -> Grant:
        self._check()
        return self._buckets.reserve(account, rate_per_s, burst, wanted, self._clock.monotonic())

    async def hold(self, account: Account, wait_s: float) -> None:
        self._check()
        self._buckets.hold(account, wait_s, self._clock.monotonic())

    def is_held(self, account: Account) -> bool:
        return self._buckets.is_held(account, self._clock.monotonic())
