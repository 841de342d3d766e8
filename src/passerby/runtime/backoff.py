"""Pauses between tries: they grow with each failure, and chance spreads them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from passerby.ports.clock import Clock

T = TypeVar("T")

_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pause is `first_s` after the first failure, doubles with each further one, and is at most `longest_s`.

    Each pause is multiplied by a random number between `low` and `high`, so that many who failed at the same moment do
    not all come back at the same moment.
    """

    first_s: float
    longest_s: float
    low: float = 0.75
    high: float = 1.25

    def pause_s(self, failures: int, rng: Random) -> float:
        """The pause after so many failures in a row; at least 1."""
        return self.spread(min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)), rng)

    def spread(self, pause_s: float, rng: Random) -> float:
        """A pause that somebody else has set, such as Telegram's `retry_after`, spread in the same way."""
        return pause_s * rng.uniform(self.low, self.high)


def steady(pause_s: float, low: float = 0.75, high: float = 1.25) -> Backoff:
    """Pauses that do not grow."""
    return Backoff(pause_s, pause_s, low, high)


WRITE_BACKOFF: Final = Backoff(0.05, 5.0)
"""For storing what has happened."""


async def persistently(attempt: Callable[[], Awaitable[T]], lost: type[Exception], clock: Clock, rng: Random) -> T:
    """Try until the store is back, with growing pauses. Returns the result."""
    failures = 0
    while True:
        try:
            return await attempt()
        except lost:
            failures += 1
            await clock.sleep(WRITE_BACKOFF.pause_s(failures, rng))
