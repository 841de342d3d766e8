"""If a machine goes back in time, nobody gets what is not theirs; without the watch over gaps, somebody does."""

import pytest

from tests.simulation.planted import OVERLOOKED_GAPS
from tests.simulation.process import Build
from tests.simulation.rolled_back import simulate_rolled_back
from tests.size import in_full

SEEDS = (2, 1, 3, 4, 5, 6, 7, 8)
BEGIN_AT = 2
"""The seed that found it last. The search goes on from there, if it no longer does."""

MOST_SEEDS = 20


@pytest.mark.parametrize("seed", in_full(SEEDS, 1))
def test_a_machine_that_goes_back_in_time_misroutes_nothing(seed: int) -> None:
    verdict = simulate_rolled_back(seed)
    assert verdict.figures["rolled back"]
    assert not verdict.broken, verdict.report()


@pytest.mark.long
def test_the_checker_finds_a_gap_that_is_not_noticed() -> None:
    for seed in range(BEGIN_AT, BEGIN_AT + MOST_SEEDS):
        verdict = simulate_rolled_back(seed, OVERLOOKED_GAPS.plant(Build()))
        if {broken.promise for broken in verdict.broken} == OVERLOOKED_GAPS.promises:
            return
    pytest.fail(f"{MOST_SEEDS} seeds, and nobody noticed: {OVERLOOKED_GAPS}")
