"""Two versions, and the people who got neither."""

import pytest

from passerby.domain.broadcasts.comparison import compared
from passerby.kernel.broadcast import ArmFigures

OUT, A, B = ArmFigures("-", 1_000, 100, 10), ArmFigures("A", 9_000, 1_800, 90), ArmFigures("B", 9_000, 900, 90)


def test_each_version_is_compared_with_those_who_got_nothing() -> None:
    first, second = compared((OUT, A, B))
    assert [(each.arm, each.other) for each in (first, second)] == [("A", "-"), ("B", "-")]
    assert first.back[0] > 0.05
    assert second.back[0] < 0 < second.back[1]
    assert first.left[0] < 0 < first.left[1]


@pytest.mark.parametrize(("arms", "pairs"), [((A, B), [("B", "A")]), ((A,), []), ((), []), ((OUT,), [])])
def test_without_them_the_versions_are_compared_with_each_other(
    arms: tuple[ArmFigures, ...], pairs: list[tuple[str, str]]
) -> None:
    assert [(each.arm, each.other) for each in compared(arms)] == pairs
