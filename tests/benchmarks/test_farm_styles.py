"""The farms of the benchmark: all write and have times, and accounts that take turns do not overlap."""

from random import Random

import pytest

from benchmarks.farms.course import Course, shifts
from benchmarks.farms.fresh import FRESH
from benchmarks.farms.held_out import HELD_OUT

STYLES = {**HELD_OUT, **FRESH}


@pytest.mark.parametrize("name", STYLES)
def test_a_farm_writes_the_same_with_the_same_seed_and_has_times(name: str) -> None:
    style = STYLES[name]
    said = [style.opening(Random(4), 2) for _ in range(2)]
    assert said[0] == said[1]
    assert all(said[0])
    rng = Random(5)
    assert min(times(rng) for times in (style.reaction, style.gap, style.stays, style.rest)) > 0


def test_accounts_take_each_others_place() -> None:
    style, begins, lasts = FRESH["shifts"], 1000.0, 3600.0
    assert (shifts(style, lasts), shifts(FRESH["slow"], lasts)) == (4, 1)
    course = Course(0, [(style, 3)], seed=1, begins_at=begins, contains=False, until=begins + lasts, notes=True)
    farm = course.run().farm
    assert [each.stops_at for each in farm] == [begins + 900.0 * shift for shift in (1, 2, 3, 4) for _ in range(3)]
    for each in farm:
        conduct = course.conducts[each.person]
        assert each.stops_at - 900.0 <= conduct.first_at < each.stops_at
