"""Parks relays, one commit after another in each queue."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from passerby.domain.delivery.commands import Park
from passerby.domain.delivery.events import Overdue
from passerby.ports.live_store import LiveStoreLost
from passerby.runtime.delivery.courier_queue import CourierQueue, Feed
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.tasks import Background

Parker = Callable[[Sequence[Delivery]], Awaitable[None]]
"""Puts relays into the outbox, and tells the courier of each (`tell`). Raises: LiveStoreLost."""


class Parks:
    def __init__(self, background: Background, feed: Feed) -> None:
        self._background = background
        self._feed = feed
        self.parker: Parker | None = None

    async def wait(self, queue: CourierQueue, delivery: Delivery) -> None:
        """Say that a relay is overdue, and wait until it is parked, or cannot be now. Raises: LiveStoreLost."""
        while queue.parking is not None:
            await asyncio.wait((queue.parking,))
        if delivery.is_over or delivery.parked:
            return
        self._feed(queue, Overdue(delivery))
        await _error_free(queue.parking)

    def park(self, queue: CourierQueue, command: Park, now: float) -> None:
        deliveries = [each for each in command.deliveries if isinstance(each, Delivery)]
        queue.parking = self._background.spawn(self._parked(queue, deliveries))

    async def _parked(self, queue: CourierQueue, deliveries: Sequence[Delivery]) -> BaseException | None:
        assert self.parker is not None, "somebody parks"
        try:
            await self.parker(deliveries)
        except LiveStoreLost as error:
            return error
        finally:
            queue.parking = None
        return None


async def _error_free(parking: "asyncio.Task[BaseException | None] | None") -> None:
    error = await asyncio.shield(parking) if parking is not None else None
    if error is not None:
        raise error
