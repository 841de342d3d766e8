"""The whole app, storm after storm: promises 1 to 5 hold for every seed.

`SIMULATION_SEEDS` (100) is the number of seeds, `SIMULATION_FIRST` (1) the first seed. To repeat one seed with its
story: `python -m tests.simulation.run SEED --story`.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.run import simulate
from tests.size import in_full, size

ROOT = Path(__file__).parents[2]
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "100"))
FIRST = int(os.environ.get("SIMULATION_FIRST", "1"))
CHUNK = 5
"""Seeds in one test: few enough to spread the tests over processes, enough for every kind of fault to occur."""


@pytest.mark.sized
@pytest.mark.parametrize("first", in_full(range(FIRST, FIRST + SEEDS, CHUNK), 1))
def test_the_promises_hold_through_crashes_and_faults(first: int) -> None:
    happened: Counter[str] = Counter()
    seeds = range(first, min(first + size(2, CHUNK), FIRST + SEEDS))
    for seed in seeds:
        verdict = simulate(seed)
        assert not verdict.broken, verdict.report()
        happened.update(verdict.figures)
    if len(seeds) == CHUNK:
        idle = [what for what in ("deaths", "restarts", "faults", "delivered", "found") if not happened[what]]
        assert not idle, f"nothing was tried: {idle} never happened"


def test_the_world_keeps_to_the_schema_during_a_storm() -> None:
    verdict = simulate(FIRST, verify=True)
    assert not verdict.broken, verdict.report()


@pytest.mark.long
def test_one_seed_always_gives_the_same_story() -> None:
    assert simulate(FIRST + 1).digest == simulate(FIRST + 1).digest
    assert simulate(FIRST + 1).digest != simulate(FIRST + 2).digest


@pytest.mark.parametrize("hash_seed", in_full(["1", "4711"], 1))
def test_one_seed_gives_the_same_story_in_every_process(hash_seed: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation.run", str(FIRST + 1)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert simulate(FIRST + 1).digest in told.stdout, told.stdout + told.stderr
