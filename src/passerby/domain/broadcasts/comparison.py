"""Compares the effect of a broadcast: each version with the people who were held out; without those, B with A.

There is no winner, only the interval in which the difference lies. If it contains 0, it may be chance.
"""

from collections.abc import Sequence
from typing import NamedTuple

from passerby.domain.broadcasts.canary import difference_between
from passerby.kernel.broadcast import ArmFigures

HELD_OUT = "-"


class Compared(NamedTuple):
    """`arm` against `other`: by how much the share of those who came back within a day, and of those who left, differs.
    95 % intervals; a share of 1 is everybody."""

    arm: str
    other: str
    back: tuple[float, float]
    left: tuple[float, float]


def compared(arms: Sequence[ArmFigures]) -> tuple[Compared, ...]:
    by_name = {each.arm: each for each in arms}
    sent = sorted(each for each in by_name if each != HELD_OUT)
    other = HELD_OUT if HELD_OUT in by_name else sent[0] if sent else HELD_OUT
    return tuple(_difference(by_name[arm], by_name[other]) for arm in sent if arm != other)


def _difference(one: ArmFigures, other: ArmFigures) -> Compared:
    return Compared(
        one.arm,
        other.arm,
        difference_between(one.back, one.people, other.back, other.people),
        difference_between(one.left, one.people, other.left, other.people),
    )
