"""The worker's reaction when the store refuses a write because of its fence."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from passerby.ports.leases import Fence


class OwnLeases(Protocol):
    """A worker's knowledge of the leases that it holds itself."""

    def holds(self, fence: Fence) -> bool: ...

    def is_young(self, fence: Fence) -> bool:
        """Whether the lease was taken so recently that the last holder's sends may still be under way."""
        ...

    def lapse(self, reason: str) -> None:
        """End this incarnation: another worker has a lease that we took for ours."""
        ...


async def write_refused(leases: OwnLeases, fences: Iterable[Fence]) -> None:
    """Handle a refused write: another worker has one of the leases now.

    Returns if we gave the lease away ourselves. Otherwise this incarnation is over, and this never returns: the task is
    cancelled with the rest of the incarnation.
    """
    if any(map(leases.holds, fences)):
        leases.lapse("a write was refused")
        await asyncio.get_running_loop().create_future()
