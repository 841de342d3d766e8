"""A bot's budget, with the order of those who wait for it: chat before match before reply before the rest.

One queue a bot. Somebody passes at once while the budget lasts and nobody waits; otherwise by priority, then in turn.
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

STRIKE_WINDOW_S = 5.0
"""Two chats of a bot that Telegram holds back within this time: then it is the bot that is held, not the chats."""

STORE_PAUSE_S = 0.5

Place = asyncio.Future[None]
"""In the queue. Done when its owner may pass; cancelled, it costs nothing."""


class BotQueue:
    def __init__(self, limiter: Limiter, background: Background, clock: Clock) -> None:
        self._limiter = limiter
        self._background = background
        self._clock = clock
        self._waiting: list[tuple[Priority, int, Place]] = []
        self._turn = count()
        self._pump: asyncio.Task[None] | None = None
        self._strike: tuple[PersonId, float, float] | None = None
        self.held_until = FULL
        self.lost = False
        """Its token has been refused: nothing goes out through this bot any more."""

    @property
    def waiting(self) -> int:
        return sum(not place.done() for _, _, place in self._waiting)

    def passes(self) -> bool:
        """Take one from the budget if that is possible at once."""
        now = self._clock.monotonic()
        if self._waiting or self.held_until > now or not self._limiter.ready(now):
            return False
        self._limiter.spend(now)
        return True

    def queue(self, priority: Priority) -> Place:
        """A place to be awaited; one has been taken from the budget when it is done."""
        place: Place = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (priority, next(self._turn), place))
        if self.lost:
            self._let_all_through()
        elif self._pump is None:
            self._pump = self._background.spawn(self._run())
        return place

    def hasten(self, place: Place, priority: Priority) -> None:
        """Somebody of a higher priority waits behind this one: from now on it waits as they would."""
        if not place.done():
            heappush(self._waiting, (priority, next(self._turn), place))

    def strike(self, person: PersonId, retry_after_s: float) -> float:
        """Telegram held a chat back. Returns for how many seconds the whole bot is held; 0.0: not at all.

        That is the shorter of the two times: the longer one may be its chat's own, and all others would wait for it.
        """
        now = self._clock.monotonic()
        before, self._strike = self._strike, (person, now, retry_after_s)
        if before is None or before[0] == person or now - before[1] > STRIKE_WINDOW_S:
            return 0.0
        hold_s = min(retry_after_s, before[2])
        self.held_until = max(self.held_until, now + hold_s)
        return hold_s

    async def _run(self) -> None:
        """Let those who wait through as the budget allows, until nobody waits."""
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
                        continue  # who waits, and who is first, may have changed
                if wait_s > 0:
                    await self._clock.sleep(wait_s)
                    continue
                *_, place = heappop(self._waiting)
                self._limiter.spend(now)
                place.set_result(None)
        finally:
            self._pump = None

    def _skip_gone(self) -> bool:
        """Whether anybody waits, once those who have passed or given up are left out."""
        while self._waiting and self._waiting[0][2].done():
            heappop(self._waiting)
        return bool(self._waiting)

    def _let_all_through(self) -> None:
        while self._skip_gone():
            *_, place = heappop(self._waiting)
            place.set_result(None)

    def lose(self) -> None:
        """The bot is gone: let everybody who waits through, to be told so."""
        self.lost = True
        if self._pump is not None:
            self._pump.cancel()
        self._let_all_through()
