"""How often may we send: a budget of so many a second, with a burst.

The generic cell rate algorithm: one number per bucket, the *theoretical arrival time*, is all that is remembered. A
bucket that has not been used for `burst / rate_per_s` seconds is full again and may be forgotten.

Source: ITU-T I.371, annex A; Bot API FAQ, "My bot is hitting limits", for the numbers operators set.
"""

from dataclasses import dataclass

FULL = float("-inf")
"""The theoretical arrival time of a bucket never used."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`rate_per_s` messages a second in the long run, up to `burst` at once."""

    rate_per_s: float
    burst: int

    def wait_s(self, tat: float, now: float) -> float:
        """Seconds until one more may be sent; zero or less: now. Times are monotonic seconds."""
        return tat - now - (self.burst - 1) / self.rate_per_s

    def spend(self, tat: float, now: float) -> float:
        """The theoretical arrival time after sending one."""
        return max(tat, now) + 1 / self.rate_per_s

    def full_at(self, tat: float) -> float:
        """From when on the bucket is as good as new."""
        return tat
