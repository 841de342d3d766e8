"""Computes the number of people that a sample stands for, and how far that may be from the truth.

Each person is in a sample with the same chance. So the number that was found varies like its square root (the standard
deviation of Poisson's distribution).
"""

from math import ceil, sqrt
from typing import Final, NamedTuple

DEVIATIONS: Final = 2.6
"""The truth is within so many standard deviations in 99 of 100 samples."""


class Estimate(NamedTuple):
    """`people`, give or take `spread`."""

    people: int
    spread: int


def estimate(found: int, share: float) -> Estimate:
    """`found` people are in a sample of this share. The digits that would say nothing are zeros."""
    spread = DEVIATIONS * sqrt(found) / share
    unit: int = 10 ** (len(str(int(spread))) - 1)
    return Estimate(round(found / share / unit) * unit, ceil(spread / unit) * unit)


def rounded(found: int, share: float) -> int:
    """A part of an estimate, with two digits."""
    people = round(found / share)
    unit: int = 10 ** max(0, len(str(people)) - 2)
    return round(people / unit) * unit
