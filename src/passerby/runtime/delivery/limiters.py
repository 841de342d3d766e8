"""Limits what an account, a bot or a chat, may send.

`LocalLimiter` is a bucket of this process alone, exact and free. `SharedLimiter` is this process's part of a bucket in
the store. It takes *blocks* from it, so that not every message needs a call. A block that is not used in time is void.

In any time t, all processes together send no more than rate·t + burst, although a message may be sent up to E after it
was taken. Everything that is sent within t was taken within t + E. So the store gets a burst that is smaller by the
*slack* rate·E. The price is a shorter first burst; the rate stays the same.

A block that was taken before a hold is not used during it: holds are published to all processes at once.
"""

from typing import Protocol

from passerby.domain.budgets import FULL, Budget
from passerby.ports.clock import Clock
from passerby.ports.shared_budgets import Account, SharedBudgets
from passerby.telemetry import metrics

_ROUNDING_S = 1e-9
"""Floating-point seconds are not exact: a time this near counts as reached."""

LEAST_S = 0.05
"""A block is good for at least this long after it came, however slow the store was. Otherwise nothing might ever
leave."""

SHORTEST_WAIT_S = 0.02
"""We wait at least this long before we ask again. Meanwhile several messages may have been earned."""


class Limiter(Protocol):
    """For one caller at a time. Times are monotonic seconds."""

    def ready(self, now: float) -> bool:
        """Whether one message may be sent now."""
        ...

    def takes(self, now: float) -> bool:
        """Count one message that is being sent, if it may be sent now. Returns whether it may."""
        ...

    async def ask(self) -> float:
        """Get ready. Returns 0.0, or after how many seconds to try again. Raises: LiveStoreLost."""
        ...

    def spend(self, now: float) -> None:
        """Count one message that is being sent. Only when ready."""
        ...

    async def take_spare(self) -> bool:
        """Take one message if the budget is full, so that whatever comes next still finds nearly all of it. Returns
        whether it was taken. Raises: LiveStoreLost."""
        ...

    def is_idle(self, now: float) -> bool:
        """Whether this limiter may be forgotten, because a new one would be in the same state."""
        ...


class LocalLimiter:
    __slots__ = ("_budget", "_clock", "_each_s", "_slack_s", "_tat")

    def __init__(self, budget: Budget, clock: Clock) -> None:
        self._budget = budget
        self._clock = clock
        # The same as in `Budget`, which would divide for each message.
        self._each_s = 1 / budget.rate_per_s
        self._slack_s = (budget.burst - 1) / budget.rate_per_s + _ROUNDING_S
        self._tat = FULL

    def ready(self, now: float) -> bool:
        return self._tat - now <= self._slack_s

    def takes(self, now: float) -> bool:
        tat = self._tat
        if tat - now > self._slack_s:
            return False
        self._tat = (max(now, tat)) + self._each_s
        return True

    async def ask(self) -> float:
        return max(0.0, self._budget.wait_s(self._tat, self._clock.monotonic()))

    def spend(self, now: float) -> None:
        tat = self._tat
        self._tat = (max(now, tat)) + self._each_s

    async def take_spare(self) -> bool:
        now = self._clock.monotonic()
        if self._budget.full_at(self._tat) > now + _ROUNDING_S:
            return False
        self.spend(now)
        return True

    def is_idle(self, now: float) -> bool:
        return self._budget.full_at(self._tat) <= now


class SharedLimiter:
    """A bot's slack is half of its burst; the rate makes up for that within half a second. A chat's is a quarter."""

    __slots__ = ("_account", "_block", "_burst", "_clock", "_good_for_s", "_left", "_rate_per_s", "_store", "_until")

    def __init__(self, account: Account, budget: Budget, store: SharedBudgets, clock: Clock) -> None:
        self._account = account
        self._store = store
        self._clock = clock
        self._rate_per_s = budget.rate_per_s
        slack = budget.burst // 2 if account.person is None else budget.burst // 4
        self._burst = budget.burst - slack
        self._block = max(1, min(self._burst, int(budget.rate_per_s / 5) if account.person is None else slack))
        self._good_for_s = slack / budget.rate_per_s
        self._left = 0
        self._until = FULL

    def ready(self, now: float) -> bool:
        return self._left > 0 and now <= self._until and not self._store.is_held(self._account)

    def takes(self, now: float) -> bool:
        if not self.ready(now):
            return False
        self._left -= 1
        return True

    async def ask(self) -> float:
        asked_at = self._clock.monotonic()
        grant = await self._store.reserve(self._account, self._rate_per_s, self._burst, self._block)
        metrics.RESERVATIONS.add("granted" if grant.granted else "refused")
        if not grant.granted:
            return max(SHORTEST_WAIT_S, grant.wait_s)
        self._left = grant.granted
        self._until = max(asked_at + self._good_for_s, self._clock.monotonic() + LEAST_S)
        return 0.0

    def spend(self, now: float) -> None:
        self._left -= 1

    async def take_spare(self) -> bool:
        # With a burst of 1, the store grants something only if the account is full.
        return bool((await self._store.reserve(self._account, self._rate_per_s, 1, 1)).granted)

    def is_idle(self, now: float) -> bool:
        return not self.ready(now)
