"""The canary: a hundredth of the people gets a broadcast first. If it annoys them, it goes to nobody else.

People who left the bot since the start are counted among those who got it and among those who still wait. So a day on
which many people leave anyway stops nothing.
"""

from math import ceil, sqrt
from typing import Final

from passerby.kernel.broadcast import Broadcast, CanaryFigures

SHARE: Final = 0.01
LEAST: Final = 200
WATCH_S: Final = 600.0
"""How long those who got it are watched."""
TIMES: Final = 3.0
REFUSED_SHARE: Final = 0.02
COUNTED_FROM: Final = 3
"""Fewer than this prove nothing."""
PLACES: Final = 1_000_000_000
"""Targets have random places below this. Turns go by place."""
_Z: Final = 1.96


def canary_below(broadcast: Broadcast, people: int) -> int:
    """Targets with a place below this are the canary. 0: there is none, for it would be half of the people."""
    if not broadcast.canary or people < 2 * LEAST:
        return 0
    return ceil(PLACES * max(SHARE, LEAST / people))


def verdict(watched: CanaryFigures) -> str:
    """Why the broadcast must not go on, as a text key. Empty if it may."""
    tried = watched.got + watched.refused
    if watched.refused >= COUNTED_FROM and watched.refused > REFUSED_SHARE * tried:
        return "broadcasts.why_refused"
    usual = max(watched.waiting_left, 1) / max(watched.waiting, 1)
    if watched.got_left >= COUNTED_FROM and watched.got_left > TIMES * usual * watched.got:
        return "broadcasts.why_left"
    return ""


def share_between(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's score interval). Of nobody: anything."""
    if not of:
        return 0.0, 1.0
    share, square = count / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference_between(count: int, of: int, other_count: int, other_of: int) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares (source: Newcombe 1998, method 10).

    If it contains 0, neither is better as far as one can tell.
    """
    share, other = count / max(of, 1), other_count / max(other_of, 1)
    (low, high), (other_low, other_high) = share_between(count, of), share_between(other_count, other_of)
    difference = share - other
    return (
        difference - sqrt((share - low) ** 2 + (other_high - other) ** 2),
        difference + sqrt((high - share) ** 2 + (other - other_low) ** 2),
    )
