"""Finds the known name that a misspelt one probably means. It does not know about settings."""

from collections.abc import Iterable
from functools import cache
from typing import Final

_SHORTEST: Final = 6
"""Shorter names are too common to count as misspellings."""
_LONG: Final = 8
"""From this length on, two mistakes are accepted."""


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known name that differs from `name` by one mistake, or by two if it is long. None if there is none, or if
    `name` itself is known.

    A mistake is one letter too many, missing or wrong, or two letters swapped. Underscores do not count.
    """
    bare = _bare(name)
    letters = set(bare)
    found = []
    for candidate in known:
        if candidate == name:
            return None
        other = _bare(candidate)
        most = 0 if len(other) < _SHORTEST else 1 if len(other) < _LONG else 2
        # Comparing is slow, and every start compares everything in the environment with every setting.
        if most and abs(len(bare) - len(other)) <= most and len(letters.symmetric_difference(other)) <= 2 * most:
            slips = distance(bare, other)
            if slips <= most:
                found.append((slips, candidate))
    return min(found)[1] if found else None


def distance(one: str, other: str) -> int:
    """The number of mistakes between two names (optimal string alignment distance)."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, across in enumerate(other, start=1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != across))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == across:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


@cache
def _bare(name: str) -> str:
    return name.replace("_", "").upper()
