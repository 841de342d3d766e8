"""The estimates that waiting people are told: measured, and blurred."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.matching.estimates import (
    ENOUGH,
    LATELY_S,
    MANY,
    SAMPLE,
    WAITS_LATELY_S,
    Crowding,
    Estimates,
    blurred,
)
from passerby.domain.matching.wishes import compatible
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Preferences
from tests.domain.matching.crowds import NOW, crowds, ticket


def test_counts_are_shown_in_three_sizes_and_zero_looks_like_a_few() -> None:
    assert [blurred(each) for each in (0, 1, 5)] == [Crowding.FEW] * 3
    assert [blurred(each) for each in (6, 19)] == [Crowding.SOME] * 2
    assert [blurred(each) for each in (20, 1000)] == [Crowding.MANY] * 2


@given(crowds(), st.integers(0, 13))
def test_people_within_the_hard_wishes_fit(tickets: list, index: int) -> None:  # type: ignore[type-arg]
    estimates = Estimates()
    for each in tickets:
        estimates.saw(each)
    for one in tickets[index : index + 1]:
        assert estimates.fitting(one, (), NOW) == sum(compatible(one, other) for other in tickets)


def test_old_visitors_do_not_count_and_counting_stops_at_many() -> None:
    estimates = Estimates()
    for person in range(SAMPLE + 100):
        estimates.saw(ticket(person + 2, NOW))
    estimates.saw(ticket(2, NOW))
    assert estimates.fitting(ticket(1, NOW), (), NOW) == MANY
    assert estimates.fitting(ticket(1, NOW), (), NOW + LATELY_S + 1) == 0


def test_people_who_still_wait_count_however_long_ago_they_came() -> None:
    estimates = Estimates()
    waiting = [ticket(person + 2, NOW - LATELY_S - 60) for person in range(MANY - 1)]
    for each in waiting:
        estimates.saw(each)
    one = ticket(1, NOW)
    assert estimates.fitting(one, (), NOW) == 0
    assert estimates.fitting(one, [*waiting, one], NOW) == MANY - 1
    estimates.saw(msgspec.structs.replace(waiting[0], since=NOW))
    assert estimates.fitting(one, waiting, NOW) == MANY - 1, "nobody counts twice"


def test_the_expected_wait_is_the_median_of_similar_people() -> None:
    estimates = Estimates()
    picky = ticket(1, NOW, wants=Preferences(genders=(Gender.FEMALE,), age_min=20, age_max=29))
    assert estimates.expected_s(picky, NOW) is None
    for wait_s in (1.0, 50.0, 3.0, 2.0, 90.0):
        estimates.paired(msgspec.structs.replace(picky, person=PersonId(9), since=NOW - wait_s), NOW)
    assert estimates.expected_s(picky, NOW) == 3.0
    older = msgspec.structs.replace(picky, wants=Preferences(genders=(Gender.FEMALE,), age_min=50))
    assert estimates.expected_s(older, NOW) == 3.0, "filters of the same kinds, while no others were measured"
    assert estimates.expected_s(ticket(1, NOW), NOW) is None, "but not for somebody without filters"
    assert estimates.expected_s(picky, NOW + WAITS_LATELY_S + 1) is None


def test_a_few_waits_are_not_a_measurement() -> None:
    estimates = Estimates()
    for _ in range(ENOUGH - 1):
        estimates.paired(ticket(1, NOW - 4), NOW)
    assert estimates.expected_s(ticket(1, NOW), NOW) is None
