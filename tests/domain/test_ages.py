"""Ages grow, and the wall holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.ages import ADULTS, MINORS, YEAR_S, age_in, age_now, pool_for
from passerby.kernel.participant import Profile
from passerby.kernel.rules import Rules

RULES = Rules()
GIVEN_AT = 1_800_000_000.0


@pytest.mark.parametrize(
    ("later_s", "age"),
    [(-YEAR_S * 3, 17), (-1, 17), (0, 17), (YEAR_S - 1, 17), (YEAR_S, 18), (YEAR_S * 2 - 1, 18), (YEAR_S * 10, 27)],
)
def test_an_age_grows_by_one_for_each_full_year(later_s: float, age: int) -> None:
    assert age_now(Profile(age=17, age_given_at=GIVEN_AT), GIVEN_AT + later_s) == age


def test_a_profile_without_an_age_has_no_current_age() -> None:
    with pytest.raises(AssertionError):
        age_now(Profile(), GIVEN_AT)


@given(st.integers(1, 99), st.floats(0, 80 * YEAR_S), st.floats(0, 80 * YEAR_S))
def test_nobody_gets_younger_or_ages_faster_than_time(age: int, sooner: float, later: float) -> None:
    sooner, later = sorted((sooner, later))
    profile = Profile(age=age, age_given_at=GIVEN_AT)
    young, old = age_now(profile, GIVEN_AT + sooner), age_now(profile, GIVEN_AT + later)
    assert age <= young <= old <= young + (later - sooner) / YEAR_S + 1


@given(st.integers(1, 130), st.integers(1, 130))
def test_an_adult_and_a_minor_never_share_a_pool(one: int, other: int) -> None:
    apart = pool_for(one, RULES) != pool_for(other, RULES)
    assert apart == ((one >= 18) != (other >= 18))


def test_the_rules_decide_where_the_wall_between_minors_and_adults_is() -> None:
    assert [pool_for(age, Rules(adult_age=21)) for age in (20, 21)] == [MINORS, ADULTS]


@given(st.integers(1, 99))
def test_every_believable_age_is_understood(age: int) -> None:
    assert age_in(f" {age}\n", RULES) == age


@given(st.text(max_size=8))
def test_any_typed_text_gives_an_age_within_bounds_or_none(typed: str) -> None:
    age = age_in(typed, RULES)
    assert age is None or 1 <= age <= 99


@given(st.integers().filter(lambda number: not 1 <= number <= 99))
def test_unbelievable_numbers_are_not_ages(number: int) -> None:
    assert age_in(str(number), RULES) is None


def test_the_rules_decide_the_highest_age() -> None:
    assert age_in("110", Rules(maximum_age=120)) == 110
    assert age_in("121", Rules(maximum_age=120)) is None
