"""A queue with what its commands are performed with: its chat's budget, its place in the bot's, its timer."""

import asyncio
from collections.abc import Callable

from passerby.domain.budgets import FULL
from passerby.domain.delivery.events import Event
from passerby.domain.delivery.queue import DeliveryQueue
from passerby.runtime.delivery.bot_queue import Place
from passerby.runtime.delivery.limiters import Limiter


class CourierQueue(DeliveryQueue):
    __slots__ = ("asked", "limiter", "no_wait_until", "parking", "passed", "place", "timer")

    def __init__(self, limiter: Limiter) -> None:
        super().__init__()
        self.limiter = limiter
        self.asked: object = None
        """Marks the budget's answer that the queue waits for; None if it waits for none."""
        self.place: Place | None = None
        self.passed = False
        """One message has been taken from the bot's budget, for the next delivery of this queue."""
        self.timer: asyncio.TimerHandle | None = None
        self.parking: asyncio.Task[BaseException | None] | None = None
        self.no_wait_until = FULL
        """Until then, no delivery of this queue waits for other processes."""


Feed = Callable[[CourierQueue, Event], None]
"""Tells a queue what has happened, and performs what it wants done."""
