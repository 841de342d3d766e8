"""Several workers over one store, storm after storm: promises 1 to 6 hold for every seed.

Workers are killed, paused beyond their leases, cut off and replaced. The store goes down, loses responses, and comes
back empty. `SIMULATION_FLEET_SEEDS` (30) is the number of seeds, `SIMULATION_FIRST` (1) the first seed. To repeat one
seed: `python -m tests.simulation.fleet_run SEED --story`.
"""

import asyncio
import os
from collections import Counter

import pytest

from tests.simulation.fleet_run import FleetRun, simulate_fleet
from tests.simulation.planted import FLEET_BUGS, Bug
from tests.simulation.process import Build
from tests.simulation.run import captured_log, close
from tests.simulation.virtual_time import VirtualLoop
from tests.size import in_full, size

SEEDS = int(os.environ.get("SIMULATION_FLEET_SEEDS", "30"))
FIRST = int(os.environ.get("SIMULATION_FIRST", "1"))
CHUNK = 5
MOST_SEEDS = 60
TAKEOVER_S = 10.0


@pytest.mark.sized
@pytest.mark.parametrize("first", in_full(range(FIRST, FIRST + SEEDS, CHUNK), 1))
def test_the_promises_hold_for_a_fleet(first: int) -> None:
    happened: Counter[str] = Counter()
    seeds = range(first, min(first + size(2, CHUNK), FIRST + SEEDS))
    for seed in seeds:
        verdict = simulate_fleet(seed)
        assert not verdict.broken, verdict.report()
        happened.update(verdict.figures)
    if len(seeds) == CHUNK:
        idle = [what for what in ("deaths", "restarts", "faults", "delivered", "found") if not happened[what]]
        assert not idle, f"nothing was tried: {idle} never happened"


@pytest.mark.parametrize("bug", in_full(FLEET_BUGS, 0), ids=str)
def test_the_checker_finds_a_planted_bug_in_a_fleet(bug: Bug) -> None:
    for seed in range(1, MOST_SEEDS + 1):
        verdict = simulate_fleet(seed, bug.plant(Build()))
        if {broken.promise for broken in verdict.broken} & bug.promises:
            return
    pytest.fail(f"{MOST_SEEDS} seeds, and nobody noticed: {bug}")


def test_one_seed_of_a_fleet_always_gives_the_same_story() -> None:
    assert simulate_fleet(FIRST).digest == simulate_fleet(FIRST).digest


class _Takeovers(FleetRun):
    """Kills one worker after another while nothing else fails, and measures how long it takes others to poll."""

    slowest_s = 0.0
    kills = 0

    async def play(self) -> None:
        running = asyncio.ensure_future(self.host.keep_going())
        await asyncio.sleep(30.0)
        for host in [host for host in self.host.hosts if host.process is not None]:
            self.host.server.troubles = False
            host.kill()
            self.kills += 1
            killed_at = self.loop.time()
            polled = dict.fromkeys(self.town.bots, 0.0)
            while min(polled.values()) <= killed_at and self.loop.time() < killed_at + 60.0:
                await asyncio.sleep(0.1)
                for other in self.host.living():
                    for lease in other.holds():
                        if lease.startswith("bot:"):
                            polled[int(lease[4:])] = self.loop.time()
            self.slowest_s = max(self.slowest_s, self.loop.time() - killed_at)
            await asyncio.sleep(20.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        self.host.end()
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", in_full(range(4), 1))
def test_others_poll_the_bots_of_a_killed_worker_within_ten_seconds(seed: int) -> None:
    loop = VirtualLoop()
    with captured_log() as log:
        run = _Takeovers(seed, Build(), loop, log, verify=False)
        loop.run_until_complete(run.play())
    close(loop)
    assert run.kills >= 2
    assert 0 < run.slowest_s <= TAKEOVER_S
