"""The number of people that a sample stands for."""

from random import Random

import pytest

from passerby.domain.broadcasts.estimates import estimate, rounded


@pytest.mark.parametrize(
    ("found", "share", "people", "spread"),
    [(4_300, 256 / 8191, 138_000, 6_000), (100, 64 / 8191, 13_000, 4_000), (100, 1.0, 100, 30), (1, 1.0, 1, 3)],
)
def test_an_estimate_shows_no_digits_that_say_nothing(found: int, share: float, people: int, spread: int) -> None:
    assert estimate(found, share) == (people, spread)


def test_the_truth_is_within_the_spread_in_almost_every_sample() -> None:
    rng, share, true = Random(5), 1 / 32, 20_000
    missed = 0
    for _ in range(200):
        about = estimate(sum(rng.random() < share for _ in range(true)), share)
        missed += abs(about.people - true) > about.spread
    assert missed <= 6


@pytest.mark.parametrize(("found", "rounds_to"), [(4_321, 140_000), (77, 2_500), (1, 32), (0, 0)])
def test_a_part_of_an_estimate_has_two_digits(found: int, rounds_to: int) -> None:
    assert rounded(found, 1 / 32) == rounds_to
