"""Numbers of people that staff see: one person must not be recognised, also by subtracting.

A number below ten is not told. If the whole is shown and all parts but one, a reader can compute the last one. So a
second part stays untold, or stands as a range that tells nothing new. Numbers that can be subtracted from each other on
several pages (by bot, by period) are rounded down to tens: their difference tells no small number.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

FEW: Final = 10
NOT_SHOWN: Final = "not shown"


def count(value: float | None) -> str:
    """A number for people: `12,345`. None: a dash."""
    if value is None:
        return "–"
    return f"{value:,.0f}"


def people(value: float | None) -> str:
    """How many people. Nobody can be recognised in a group of ten or more."""
    if value is not None and 0 < value < FEW:
        return f"< {FEW}"
    return count(value)


def in_tens(value: int) -> str:
    """At least so many: `20+` is 20 to 29."""
    return people(value) if value < FEW else f"{value // FEW * FEW:,}+"


def told(values: Sequence[int]) -> list[bool]:
    """Which parts of a whole may be told where the whole is shown, too.

    A part that is told is shown as it is. A part that is untold is below ten, or the smallest other one: if only one
    part is below ten, the whole without the others would tell it. `of_parts` asks the same for one row of a table.
    """
    few = [0 < value < FEW for value in values]
    others = [value for value in values if value >= FEW]
    beside = values.index(min(others)) if sum(few) == 1 and others else None
    return [not is_few and at != beside for at, is_few in enumerate(few)]


def parts(values: Sequence[int]) -> list[str]:
    """The parts of a whole that is shown, too."""
    told_ones = told(values)
    return [people(value) if value < FEW or told_ones[at] else bounds(values, at) for at, value in enumerate(values)]


def bounds(values: Sequence[int], at: int) -> str:
    """The range that a reader can compute anyway of a number that is untold. They know the whole and the other
    parts, and that one part is between one and nine."""
    whole = values[at] + sum(value for value in values if value < FEW)
    least, most = max(FEW, whole - FEW + 1), whole - 1
    return f"{least:,}–{most:,}" if least < most else NOT_SHOWN


def of_parts(table: Mapping[str, Mapping[str, int]], name: str, step: str) -> str | None:
    """None: the table's rows, which add up to a number that is shown, let this one be told. Otherwise: its bounds."""
    if name not in table:
        return None
    values, at = [steps.get(step, 0) for steps in table.values()], list(table).index(name)
    return None if values[at] < FEW or told(values)[at] else bounds(values, at)


def untold(counts: Mapping[str, int], wholes: Collection[Collection[str]]) -> frozenset[str]:
    """The names whose numbers are not told. `wholes`: names whose numbers add up to one that is shown."""
    hidden = {name for name, value in counts.items() if 0 < value < FEW}
    while True:
        before = len(hidden)
        for names in wholes:
            shown = [name for name in names if counts.get(name, 0) and name not in hidden]
            if shown and sum(name in hidden for name in names) == 1:
                hidden.add(min(shown, key=lambda name: counts[name]))
        if len(hidden) == before:
            return frozenset(hidden)
