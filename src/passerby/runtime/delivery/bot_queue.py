"""A bot's budget, and the order of the deliveries that wait for it: chat before match before reply before the rest.

Each bot has one queue. A delivery passes at once if the budget allows it and nothing waits. Otherwise deliveries wait
in the order of priority, then of arrival.
"""

import asyncio
from heapq import heappop, heappush
from itertools import count

from passerby.domain.budgets import FULL
from passerby.kernel.effect import Priority
from passerby.kernel.ids import PersonId
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStoreLost
from passerby.runtime.delivery.limiters import Limiter
from passerby.runtime.tasks import Background

FLOOD_WINDOW_S = 5.0
"""If Telegram holds back two chats of a bot within this time, we hold the whole bot."""

HELD_AGAIN_S = 30.0
"""A hold that begins within this time after the last one continues it."""

STORE_PAUSE_S = 0.5

Place = asyncio.Future[None]
"""A place in the queue. It is done when its owner may send. Cancelling it costs nothing."""


class BotQueue:
    def __init__(self, limiter: Limiter, background: Background, clock: Clock) -> None:
        self._limiter = limiter
        self._background = background
        self._clock = clock
        self._waiting: list[tuple[Priority, int, Place]] = []
        self._turn = count()
        self._pump: asyncio.Task[None] | None = None
        self._last_flood: tuple[PersonId, float, float] | None = None
        self.held_until = FULL
        self._held_since = FULL
        self.lost = False
        """The bot's token has been refused: nothing goes out through this bot any more."""

    @property
    def waiting(self) -> int:
        return sum(not place.done() for _, _, place in self._waiting)

    def held_s(self, now: float) -> float:
        """For how long Telegram has held the bot back; 0 if it does not."""
        return now - self._held_since if now <= self.held_until + HELD_AGAIN_S else 0.0

    def passes(self, now: float) -> bool:
        """Take one message from the budget if that is possible at once. Returns whether it was."""
        return not self._waiting and self.held_until <= now and self._limiter.takes(now)

    async def take_spare(self) -> bool:
        """Take one message if the bot's budget is full. Raises: LiveStoreLost."""
        return not self.lost and await self._limiter.take_spare()

    def queue(self, priority: Priority) -> Place:
        """Return a place to wait for. When it is done, one message has been taken from the budget."""
        place: Place = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (priority, next(self._turn), place))
        if self.lost:
            self._let_all_through()
        elif self._pump is None:
            self._pump = self._background.spawn(self._run())
        return place

    def raise_priority(self, place: Place, priority: Priority) -> None:
        """Raise the priority of a place, because a delivery of a higher priority waits behind it."""
        if not place.done():
            heappush(self._waiting, (priority, next(self._turn), place))

    def note_flood(self, person: PersonId, retry_after_s: float) -> float:
        """Note that Telegram held a chat back. Returns how many seconds the whole bot is held; 0.0 if it is not.

        The bot is held for the shorter of the two chats' times. The longer time may concern only its chat, and all
        other chats would wait for it.
        """
        now = self._clock.monotonic()
        before, self._last_flood = self._last_flood, (person, now, retry_after_s)
        if before is None or before[0] == person or now - before[1] > FLOOD_WINDOW_S:
            return 0.0
        hold_s = min(retry_after_s, before[2])
        if now > self.held_until + HELD_AGAIN_S:
            self._held_since = now
        self.held_until = max(self.held_until, now + hold_s)
        return hold_s

    async def _run(self) -> None:
        """Let places through as the budget allows, until none waits."""
        try:
            while self._skip_gone():
                now = self._clock.monotonic()
                wait_s = self.held_until - now
                if wait_s <= 0 and not self._limiter.ready(now):
                    try:
                        wait_s = await self._limiter.ask()
                    except LiveStoreLost:
                        wait_s = STORE_PAUSE_S
                    if wait_s <= 0:
                        continue  # during the call, other places may have come or gone
                if wait_s > 0:
                    await self._clock.sleep(wait_s)
                    continue
                *_, place = heappop(self._waiting)
                self._limiter.spend(now)
                place.set_result(None)
        finally:
            self._pump = None

    def _skip_gone(self) -> bool:
        """Remove places that are done or cancelled from the front. Returns whether any place waits."""
        while self._waiting and self._waiting[0][2].done():
            heappop(self._waiting)
        return bool(self._waiting)

    def _let_all_through(self) -> None:
        while self._skip_gone():
            *_, place = heappop(self._waiting)
            place.set_result(None)

    def lose(self) -> None:
        """The bot is gone: let all places through; their deliveries then fail."""
        self.lost = True
        if self._pump is not None:
            self._pump.cancel()
        self._let_all_through()
