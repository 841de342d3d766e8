"""Counts how many people search in a pool, for the numbers in broadcasts.

Reads the same feed of tickets as the matchers: everybody once, then only what has changed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable

import msgspec

from passerby.domain.broadcasts.fates import Send
from passerby.domain.broadcasts.live_numbers import filled, has_number, rounded
from passerby.domain.lifecycle import pool_at
from passerby.kernel.ids import PersonId, PoolId
from passerby.kernel.rules import Rules
from passerby.ports.clock import Clock
from passerby.ports.tickets import Tickets

FRESH_S = 2.0
"""For how long a count is used."""


class _Crowd:
    def __init__(self) -> None:
        self.people: set[PersonId] = set()
        self.cursor: int | None = None
        self.read_at = float("-inf")
        self.reading = asyncio.Lock()


class Crowds:
    """`rules` are those in effect now."""

    def __init__(self, tickets: Tickets, rules: Callable[[], Rules], clock: Clock) -> None:
        self._tickets = tickets
        self._rules = rules
        self._clock = clock
        self._crowds: dict[PoolId, _Crowd] = defaultdict(_Crowd)

    async def counted(self, send: Send, *, is_test: bool) -> Send | None:
        """The copy with its numbers. None: they are too small now. In a test, the placeholder then stays.

        Raises: LiveStoreLost.
        """
        if not has_number(send.variant.content):
            return send
        pool = pool_at(send.me, self._rules(), self._clock.now())
        number = rounded(await self.waiting(pool)) if pool is not None else None
        if number is None:
            return send if is_test else None
        content = filled(send.variant.content, number)
        return send._replace(variant=msgspec.structs.replace(send.variant, content=content))

    async def waiting(self, pool: PoolId) -> int:
        """How many people search in a pool. Raises: LiveStoreLost."""
        crowd = self._crowds[pool]
        async with crowd.reading:
            if self._clock.monotonic() - crowd.read_at >= FRESH_S:
                feed = await self._tickets.tickets(pool, crowd.cursor, 0.0)
                if feed.whole:
                    crowd.people.clear()
                for change in feed.changes:
                    if change.ticket is None:
                        crowd.people.discard(change.person)
                    else:
                        crowd.people.add(change.person)
                crowd.cursor, crowd.read_at = feed.cursor, self._clock.monotonic()
        return len(crowd.people)
