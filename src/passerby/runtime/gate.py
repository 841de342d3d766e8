"""A bot's budget, with the order of those who wait for it: chat before match before reply before the rest.

One gate a bot. Somebody passes at once while the budget lasts and nobody waits; otherwise by priority, then in turn.
"""

import asyncio
from heapq import heappop, heappush
from itertools import count

from passerby.domain.budgets import FULL, Budget
from passerby.kernel.effect import Priority
from passerby.kernel.ids import PersonId
from passerby.ports.clock import Clock

STRIKE_WINDOW_S = 5.0
"""Two chats of a bot that Telegram holds back within this time: then it is the bot that is held, not the chats."""


class Gate:
    def __init__(self, budget: Budget, clock: Clock) -> None:
        self._budget = budget
        self._clock = clock
        self._tat = FULL
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._turn = count()
        self._timer: asyncio.TimerHandle | None = None
        self._strike: tuple[PersonId, float] | None = None
        self.held_until = FULL
        self.lost = False
        """Its token has been refused: nothing goes out through this bot any more."""

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def _wait_s(self, now: float) -> float:
        return max(self._budget.wait_s(self._tat, now), self.held_until - now)

    def passes(self) -> bool:
        """Take one from the budget if that is possible at once."""
        now = self._clock.monotonic()
        if self._waiting or self._wait_s(now) > 0:
            return False
        self._tat = self._budget.spend(self._tat, now)
        return True

    async def turn(self, priority: Priority) -> None:
        """Wait for one's turn; one has been taken from the budget when this returns."""
        passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (priority, next(self._turn), passed))
        if self._timer is None:
            self._release()
        await passed

    def strike(self, person: PersonId, retry_after_s: float) -> bool:
        """Telegram held a chat back. Returns whether the whole bot is held from now on."""
        now = self._clock.monotonic()
        before, self._strike = self._strike, (person, now)
        if before is not None and before[0] != person and now - before[1] <= STRIKE_WINDOW_S:
            self.held_until = max(self.held_until, now + retry_after_s)
            return True
        return False

    def _release(self) -> None:
        self._timer = None
        while self._waiting:
            now = self._clock.monotonic()
            wait_s = self._wait_s(now)
            if wait_s > 0 and not self.lost:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self._release)
                return
            *_, passed = heappop(self._waiting)
            if not passed.done():
                self._tat = self._budget.spend(self._tat, now)
                passed.set_result(None)

    def lose(self) -> None:
        """The bot is gone: let everybody who waits through, to be told so."""
        self.lost = True
        if self._timer is not None:
            self._timer.cancel()
        self._release()
