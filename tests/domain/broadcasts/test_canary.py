"""When a broadcast stops by itself, and how sure a comparison is."""

import pytest

from passerby.domain.broadcasts.canary import PLACES, canary_below, difference_between, share_between, verdict
from passerby.kernel.broadcast import Broadcast, BroadcastState, CanaryFigures

MADE = Broadcast(1, BroadcastState.STARTING, 1, 0.0)


def test_a_hundredth_gets_it_first_but_two_hundred_at_least_and_never_half_of_all() -> None:
    assert canary_below(MADE, 1_000_000) == PLACES // 100
    assert canary_below(MADE, 2_000) == PLACES // 10
    assert canary_below(MADE, 399) == 0
    assert canary_below(Broadcast(1, BroadcastState.STARTING, 1, 0.0, canary=False), 1_000_000) == 0


@pytest.mark.parametrize(
    ("watched", "why"),
    [
        (CanaryFigures(), ""),
        (CanaryFigures(1_000, 3, 0, 100_000, 100), ""),
        (CanaryFigures(1_000, 4, 0, 100_000, 100), "broadcasts.why_left"),
        (CanaryFigures(1_000, 30, 0, 100_000, 1_000), ""),
        (CanaryFigures(200, 2, 0, 1_000, 0), ""),
        (CanaryFigures(200, 3, 0, 1_000, 0), "broadcasts.why_left"),
        (CanaryFigures(97, 0, 3, 10_000, 0), "broadcasts.why_refused"),
        (CanaryFigures(1_000, 0, 3, 10_000, 0), ""),
        (CanaryFigures(0, 0, 3), "broadcasts.why_refused"),
    ],
)
def test_it_stops_if_three_times_as_many_leave_or_its_text_is_refused(watched: CanaryFigures, why: str) -> None:
    assert verdict(watched) == why


def test_a_share_of_few_is_uncertain_and_a_share_of_many_is_not() -> None:
    assert share_between(0, 0) == (0.0, 1.0)
    low, high = share_between(5, 10)
    assert 0.2 < low < 0.5 < high < 0.8
    low, high = share_between(5_000, 10_000)
    assert 0.49 < low < 0.5 < high < 0.51


def test_a_difference_that_may_be_chance_has_an_interval_around_zero() -> None:
    low, high = difference_between(12, 100, 10, 100)
    assert low < 0 < high
    low, high = difference_between(1_200, 10_000, 1_000, 10_000)
    assert 0.01 < low < 0.02 < high < 0.03
    assert difference_between(0, 0, 0, 0) == (-1.0, 1.0)
