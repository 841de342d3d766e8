"""Budgets that several couriers share. Not in the log: after a restart a bucket is full, as if it had not been used.

So each start may send one burst too early. Telegram's own counting is unknown, and a 429 is obeyed in any case.
"""

from math import floor

from passerby.domain.budgets import FULL
from passerby.ports.shared_budgets import Account, Grant

_ROUNDING = 1e-9
"""Floating point: this much may be missing from a whole message."""


class Buckets:
    """GCRA, as in `domain.budgets`. Times in monotonic seconds."""

    def __init__(self) -> None:
        self._tats: dict[Account, float] = {}
        self._held: dict[Account, float] = {}

    def reserve(self, account: Account, rate_per_s: float, burst: int, wanted: int, now: float) -> Grant:
        held_s = self._held.get(account, now) - now
        if held_s > 0:
            return Grant(0, held_s)
        tat = max(self._tats.get(account, FULL), now)
        there = (now - tat) * rate_per_s + burst
        count = min(wanted, floor(there + _ROUNDING))
        if count <= 0:
            return Grant(0, (1 - there) / rate_per_s)
        self._tats[account] = tat + count / rate_per_s
        return Grant(count, 0.0)

    def hold(self, account: Account, wait_s: float, now: float) -> None:
        self._held[account] = max(self._held.get(account, now), now + wait_s)

    def is_held(self, account: Account, now: float) -> bool:
        return bool(self._held) and self._held.get(account, now) > now

    def sweep(self, now: float) -> None:
        """Drop buckets that are full again, and holds that are over."""
        self._tats = {account: tat for account, tat in self._tats.items() if tat > now}
        self._held = {account: until for account, until in self._held.items() if until > now}
