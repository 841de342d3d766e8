"""Leases: which worker polls which bot, pairs which pool, and does which duty. Each has one holder, for a limited time.

A *worker* is one process of the fleet. A process that restarts is another worker: a name is never used twice. A worker
sends heartbeats at short intervals. They renew the leases that it holds. It loses its leases if it sends no heartbeat
for the time that it named.

Each time a lease is taken, it gets a higher number, the *epoch*. A write that depends on a lease names both, and the
store refuses it if somebody else has taken the lease. So a holder that was paused changes nothing when it wakes up.
"""

from collections.abc import Mapping
from typing import NamedTuple, NewType, Protocol

import msgspec

from passerby.kernel.ids import BotId, PoolId

WorkerId = NewType("WorkerId", str)
"""One incarnation of one process. Opaque: it does not identify the machine."""

NOBODY = WorkerId("")

LeaseName = NewType("LeaseName", str)


def bot_lease(bot: BotId) -> LeaseName:
    """The right to poll a bot and to handle its updates."""
    return LeaseName(f"bot:{bot}")


def pool_lease(pool: PoolId) -> LeaseName:
    """The right to pair the people of a pool."""
    return LeaseName(f"pool:{pool}")


def duty_lease(duty: str) -> LeaseName:
    """The right to do something that one worker does for all."""
    return LeaseName(f"duty:{duty}")


class Fence(NamedTuple):
    """The lease that a write depends on, with the epoch at which it was taken."""

    lease: LeaseName
    epoch: int


class Fenced(Exception):
    """Somebody else has taken the lease, and its work with it. Nothing was stored."""


class Evicted(Exception):
    """This worker was considered dead, and another one sends its messages. It must restart under a new name."""


class Members(msgspec.Struct, frozen=True):
    """The answer to a heartbeat. `kept`: the leases that were renewed. A lease that was named but not kept is lost.

    `workers`: the living workers with their last reports, in the order of their arrival. `holders`: which of them holds
    which lease. `newest` and `recorded`: the numbers of the journal's newest fact and of the newest one in the records;
    only in answers to heartbeats.
    """

    kept: frozenset[LeaseName]
    workers: Mapping[WorkerId, bytes]
    holders: Mapping[LeaseName, WorkerId]
    newest: int = 0
    recorded: int = 0


class Leases(Protocol):
    """The store measures the time; the workers' clocks do not matter.

    After the store was unreachable for longer than leases last, or was wiped, holders get that time once more to renew
    their leases before anybody can take them. So an outage of the store moves no lease.
    """

    async def heartbeat(self, worker: WorkerId, held: Mapping[LeaseName, int], ttl_s: float, report: bytes) -> Members:
        """Count as living for another `ttl_s`, and renew the leases in `held` (lease -> epoch).

        A lease whose time had run out is renewed too, if nobody else has taken it. A wiped store knows no leases: it
        renews a lease at the named epoch if nobody has taken it since. Raises: Evicted.
        """
        ...

    async def take(self, worker: WorkerId, lease: LeaseName, ttl_s: float) -> int | None:
        """Take a lease that is free or has run out. Returns its epoch; None if the lease is not available.

        If a living worker holds the lease already, it gets the current epoch.
        """
        ...

    async def give(self, worker: WorkerId, lease: LeaseName, epoch: int) -> None:
        """Give a lease back. Does nothing if another worker has it now."""
        ...

    async def leave(self, worker: WorkerId) -> None:
        """Give all leases back, and stop counting as living. The next worker that calls `inherit` gets the unsent
        outbox."""
        ...

    async def members(self) -> Members:
        """The answer that a heartbeat would get, without sending one. For observers."""
        ...
