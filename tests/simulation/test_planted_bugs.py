"""The checker finds each planted bug and reports the right promise."""

import pytest

from tests.simulation.planted import BUGS, Bug
from tests.simulation.process import Build
from tests.simulation.run import simulate

MOST_SEEDS = 60
"""More than ten times the average number needed."""


# They take many times as long as the others.
LONG = {"version check off", "send to the current partner", "dedupe off"}

BEGIN_AT = {"send to the current partner": 9, "dedupe off": 2}
"""The seeds that found it last. The search goes on from there, if they no longer do."""


@pytest.mark.parametrize(
    "bug", [pytest.param(bug, marks=[pytest.mark.long] * (str(bug) in LONG)) for bug in BUGS], ids=str
)
def test_the_checker_finds_a_planted_bug(bug: Bug) -> None:
    first = BEGIN_AT.get(str(bug), 1)
    for seed in range(first, first + MOST_SEEDS):
        verdict = simulate(seed, bug.plant(Build()))
        if {broken.promise for broken in verdict.broken} & bug.promises:
            return
    pytest.fail(f"{MOST_SEEDS} seeds, and nobody noticed: {bug}")
