"""Who does what in a fleet: one owner for each bot's queue, for each pool, for each duty; a lease, never for good.

A *worker* is one process of the fleet, or rather one incarnation of it: a name is never used twice. It sends heartbeats
at short intervals. What it holds it renews by its heartbeats, and loses by sending none for the time it named.

Every taking of a lease has a number higher than the last one's, the *epoch*. A write that stands on a lease names both,
and the store refuses it once somebody else has taken the lease: a holder that was paused and wakes up changes nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple, NewType, Protocol

import msgspec

from passerby.kernel.ids import BotId, PoolId

WorkerId = NewType("WorkerId", str)
"""One incarnation of one process. Opaque, and says nothing of the machine."""

NOBODY = WorkerId("")

LeaseName = NewType("LeaseName", str)


def bot_lease(bot: BotId) -> LeaseName:
    """To poll a bot, and to deal with what it brought."""
    return LeaseName(f"bot:{bot}")


def pool_lease(pool: PoolId) -> LeaseName:
    """To pair the people of a pool."""
    return LeaseName(f"pool:{pool}")


def duty_lease(duty: str) -> LeaseName:
    """To do what one worker does for all."""
    return LeaseName(f"duty:{duty}")


class Fence(NamedTuple):
    """The lease that a write stands on, at the epoch it was taken at."""

    lease: LeaseName
    epoch: int


class Fenced(Exception):
    """Somebody else has taken the lease. Nothing was stored; what stood on it is theirs now."""


class Evicted(Exception):
    """This worker was taken for dead, and what it had to send is another's. It can only begin anew, as another one."""


class Members(msgspec.Struct, frozen=True):
    """What a heartbeat tells. `kept` are the leases that were renewed; one named and not kept is lost.

    `workers` are the living, in the order they came, with what each reported last; `holders` says who of them has what.
    """

    kept: frozenset[LeaseName]
    workers: Mapping[WorkerId, bytes]
    holders: Mapping[LeaseName, WorkerId]


class Leases(Protocol):
    """Times are the store's own: no worker's clock plays a part.

    After the store itself has been away for longer than leases last, or has been wiped, everybody who held something
    has one such time to renew it before it can be taken: an outage of the store moves nothing.
    """

    async def heartbeat(self, worker: WorkerId, held: Mapping[LeaseName, int], ttl_s: float, report: bytes) -> Members:
        """Be living for another `ttl_s`, and renew what is held (lease -> epoch), even if its time was up, as long as
        nobody else has taken it.

        A wiped store knows no leases: one that nobody has taken since is renewed at the epoch named. Raises: Evicted.
        """
        ...

    async def take(self, worker: WorkerId, lease: LeaseName, ttl_s: float) -> int | None:
        """Take a lease that is free or has run out; its epoch, or None where it is not to be had.

        A living worker takes what it holds already at its present epoch.
        """
        ...

    async def give(self, worker: WorkerId, lease: LeaseName, epoch: int) -> None:
        """Give a lease back. Nothing, if it is another's by now."""
        ...

    async def leave(self, worker: WorkerId) -> None:
        """Give everything back and be living no more. What is still in the outbox is inherited by whoever asks."""
        ...

    async def members(self) -> Members:
        """What a heartbeat would tell, without a heartbeat: for those who only look."""
        ...
