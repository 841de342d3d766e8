"""The tickets of each pool, and a feed of their changes for the pool's matcher.

Each change gets the next number; only a person's latest change is kept. If somebody no longer waits, the change stays
as a tombstone, so that readers learn of it. Above a bound, tombstones are dropped, and a reader that is further behind
gets the whole pool again.
"""

import asyncio

from passerby.kernel.ids import PersonId, PoolId
from passerby.kernel.participant import Participant, Searching
from passerby.ports.tickets import TicketChange, TicketFeed

GONE_KEPT = 10_000


class TicketPool:
    """`floor`: a reader whose cursor is below it may have missed a tombstone, and gets the whole pool."""

    def __init__(self, floor: int) -> None:
        self.changed: dict[PersonId, tuple[int, TicketChange]] = {}  # in the order of their numbers
        self.waiting = 0
        self.floor = floor
        self.has_changed = asyncio.Event()

    def put(self, number: int, change: TicketChange) -> None:
        before = self.changed.pop(change.person, None)
        self.waiting += (change.ticket is not None) - (before is not None and before[1].ticket is not None)
        self.changed[change.person] = (number, change)
        if len(self.changed) - self.waiting > GONE_KEPT:
            self._bury(number)
        self.has_changed.set()

    def _bury(self, number: int) -> None:
        self.changed = {person: each for person, each in self.changed.items() if each[1].ticket is not None}
        self.floor = number

    def since(self, cursor: int | None) -> tuple[tuple[TicketChange, ...], bool]:
        """The changes after the cursor, and whether they are the whole pool instead."""
        if cursor is None or cursor < self.floor:
            return tuple(change for _, change in self.changed.values() if change.ticket is not None), True
        newest_first = []
        for number, change in reversed(self.changed.values()):
            if number <= cursor:
                break
            newest_first.append(change)
        return tuple(reversed(newest_first)), False


class TicketPools:
    def __init__(self, first: int = 0) -> None:
        self._pools: dict[PoolId, TicketPool] = {}
        self._first = first
        self._number = first

    def successor(self) -> "TicketPools":
        """An empty one. Every reader of this one is too far behind for it. Wakes those who wait here."""
        for pool in self._pools.values():
            pool.has_changed.set()
        return TicketPools(self._number + 1)

    @property
    def waiting(self) -> int:
        return sum(pool.waiting for pool in self._pools.values())

    def note(self, before: Participant | None, after: Participant) -> None:
        """Take in a participant's new value."""
        old = before.state.ticket.pool if before is not None and isinstance(before.state, Searching) else None
        ticket = after.state.ticket if isinstance(after.state, Searching) else None
        if old is not None and (ticket is None or ticket.pool != old):
            self._put(old, TicketChange(after.person, None, after.version))
        if ticket is not None:
            self._put(ticket.pool, TicketChange(after.person, ticket, after.version))

    def _put(self, pool: PoolId, change: TicketChange) -> None:
        self._number += 1
        self._pool(pool).put(self._number, change)

    def _pool(self, pool: PoolId) -> TicketPool:
        found = self._pools.get(pool)
        if found is None:
            found = self._pools[pool] = TicketPool(self._first)
        return found

    def pools(self) -> set[PoolId]:
        return {pool for pool, tickets in self._pools.items() if tickets.waiting}

    async def feed(self, pool: PoolId, cursor: int | None, wait_s: float) -> TicketFeed:
        tickets = self._pool(pool)
        changes, whole = tickets.since(cursor)
        if not changes and not whole and wait_s > 0:
            tickets.has_changed.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await tickets.has_changed.wait()
            except TimeoutError:
                pass
            changes, whole = tickets.since(cursor)
        return TicketFeed(changes, self._number, whole)
