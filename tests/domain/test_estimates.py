"""What a waiting person is told: measured, and never so exactly that it tells of somebody."""

import msgspec
import pytest

from passerby.domain.estimates import (
    ENOUGH,
    LATELY_S,
    MANY,
    SAMPLE,
    WAITS_LATELY_S,
    Crowding,
    Estimates,
    blurred,
)
from passerby.kernel.participant import Gender, Preferences, Ticket
from tests.domain.crowds import ticket

NOW = 10_000.0
WOMEN = Preferences((Gender.FEMALE,))


def paired(estimates: Estimates, one: Ticket, *waits: float, at: float = NOW) -> None:
    for wait_s in waits:
        estimates.paired(msgspec.structs.replace(one, since=at - wait_s), at)


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, Crowding.FEW),
        (1, Crowding.FEW),
        (5, Crowding.FEW),
        (6, Crowding.SOME),
        (19, Crowding.SOME),
        (20, Crowding.MANY),
    ],
)
def test_nobody_and_a_handful_read_the_same(count: int, told: Crowding) -> None:
    assert blurred(count) is told


def test_too_few_waits_are_no_measurement() -> None:
    estimates = Estimates()
    paired(estimates, ticket(1), *[10.0] * (ENOUGH - 1))
    assert estimates.expected_s(ticket(2), NOW) is None
    paired(estimates, ticket(1), 10.0)
    assert estimates.expected_s(ticket(2), NOW) == 10.0


def test_the_middle_of_the_latest_waits_counts_and_old_ones_do_not() -> None:
    estimates = Estimates()
    paired(estimates, ticket(1), *[500.0] * 9, at=NOW - WAITS_LATELY_S - 1)
    paired(estimates, ticket(1), 1.0, 2.0, 3.0, 4.0, 900.0)
    assert estimates.expected_s(ticket(2), NOW) == 3.0


def test_waits_are_of_people_with_such_wishes_or_else_with_wishes_of_the_kind() -> None:
    estimates = Estimates()
    paired(estimates, ticket(1), *[1.0] * 9)
    assert estimates.expected_s(ticket(2, wants=WOMEN), NOW) is None
    paired(estimates, ticket(1, wants=Preferences((Gender.MALE,))), *[60.0] * ENOUGH)
    assert estimates.expected_s(ticket(2, wants=WOMEN), NOW) == 60.0, "a filter of gender, if not the same"
    paired(estimates, ticket(1, wants=WOMEN), *[90.0] * ENOUGH)
    assert estimates.expected_s(ticket(2, wants=WOMEN), NOW) == 90.0
    aged = ticket(3, wants=Preferences(age_min=20, age_max=29))
    assert estimates.expected_s(aged, NOW) is None


def test_a_clock_that_went_back_makes_no_wait_negative() -> None:
    estimates = Estimates()
    for _ in range(ENOUGH):
        estimates.paired(ticket(1, NOW + 50), NOW)
    assert estimates.expected_s(ticket(2), NOW) == 0.0


def test_those_fit_who_are_within_the_hard_wishes_of_both_and_came_by_lately() -> None:
    estimates = Estimates()
    me = ticket(1, NOW, wants=WOMEN)
    for number in range(2, 6):
        estimates.saw(msgspec.structs.replace(ticket(number, NOW - 10), gender=Gender.FEMALE))
    estimates.saw(me)
    estimates.saw(ticket(6, NOW - 10))
    estimates.saw(msgspec.structs.replace(ticket(7, NOW - LATELY_S - 1), gender=Gender.FEMALE))
    estimates.saw(msgspec.structs.replace(ticket(8, NOW, wants=WOMEN), gender=Gender.FEMALE))
    assert estimates.fitting(me, NOW) == 4
    assert estimates.fitting(ticket(9, NOW), NOW) == 5, "nobody is counted who would not take them"


def test_counting_ends_where_it_is_many_and_memory_where_it_is_enough() -> None:
    estimates = Estimates()
    for number in range(2, SAMPLE + 100):
        estimates.saw(ticket(number, NOW))
        estimates.saw(ticket(2, NOW))
    assert estimates.fitting(ticket(1, NOW), NOW) == MANY
    assert len(estimates._seen) == SAMPLE
