"""Several workers over a real server's scripts, storm after storm: promises 1 to 6 hold for every seed.

`SIMULATION_REDIS_SEEDS` (20) is the number of seeds.
"""

import os
from collections.abc import Iterator

import pytest

from tests.contract.servers import start_valkey
from tests.simulation.real_redis import BUGS, ScriptBug, simulate_over_redis
from tests.size import in_full

pytestmark = pytest.mark.services

SEEDS = int(os.environ.get("SIMULATION_REDIS_SEEDS", "20"))
MOST_SEEDS = 20


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with start_valkey("--save", "") as server:
        yield server.url


@pytest.mark.parametrize("seed", in_full(range(1, SEEDS + 1), 1))
def test_the_promises_hold_over_redis(url: str, seed: int) -> None:
    verdict = simulate_over_redis(seed, url)
    assert not verdict.broken, verdict.report()
    assert verdict.figures["delivered"]


@pytest.mark.parametrize("bug", in_full(BUGS, 0), ids=lambda bug: f"{bug.script}-{bug.wrong[:12].strip()}")
def test_the_checker_finds_a_bug_planted_in_a_script(url: str, bug: ScriptBug) -> None:
    for seed in range(1, MOST_SEEDS + 1):
        if simulate_over_redis(seed, url, bug).broken:
            return
    pytest.fail(f"{MOST_SEEDS} seeds, and nobody noticed: {bug}")
