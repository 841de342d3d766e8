"""Limits how often we may send: a number of messages a second, with a burst.

This is the generic cell rate algorithm. Each bucket remembers only one number, the *theoretical arrival time*. A bucket
that has not been used for `burst / rate_per_s` seconds is full again and may be forgotten.

Source: ITU-T I.371, annex A; Bot API FAQ, "My bot is hitting limits", for the numbers that operators set.
"""

from dataclasses import dataclass

FULL = float("-inf")
"""The theoretical arrival time of a bucket that was never used."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`rate_per_s` messages a second in the long run, up to `burst` at once."""

    rate_per_s: float
    burst: int

    def wait_s(self, tat: float, now: float) -> float:
        """Seconds until one more message may be sent. Zero or less means now. Times are monotonic seconds."""
        return tat - now - (self.burst - 1) / self.rate_per_s

    def spend(self, tat: float, now: float) -> float:
        """The theoretical arrival time after sending one."""
        return max(tat, now) + 1 / self.rate_per_s

    def full_at(self, tat: float) -> float:
        """When the bucket is full again."""
        return tat
