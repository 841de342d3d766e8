"""A run with several workers. See `run` for what a run is, and `sim_fleet` for the faults in this one.

python -m tests.simulation.fleet_run 17            the verdict on seed 17
python -m tests.simulation.fleet_run 17 --story    also prints everything that phones showed
"""

import asyncio
import sys
from random import Random

from passerby.kernel.ids import BotId
from passerby.kernel.rules import Rules
from tests.simulation.process import Build
from tests.simulation.run import Run, Verdict, simulate
from tests.simulation.sim_fleet import SimFleet


class FleetRun(Run):
    host: SimFleet
    late_s = 5.0

    def make_host(self, tokens: dict[BotId, str], rng: Random, build: Build, delay_s: float, rules: Rules) -> SimFleet:
        return SimFleet(
            self.loop, self.clock, self.network, tokens, rng, build, delay_s or 0.002, rules, size=rng.randint(2, 4)
        )

    async def crashes(self) -> None:
        self.host.server.troubles = True
        while True:
            await asyncio.sleep(self.rng.uniform(2.0, 16.0))
            if self.rng.random() < 0.1:
                await self.host.wipe()
            else:
                self.host.strike(self.rng)

    async def faults(self) -> None:
        bots = [*self.town.bots, None, None]
        while True:
            self.world.faults[:] = list(self._some_faults(bots))
            await asyncio.sleep(self.rng.uniform(2.0, 12.0))
            trouble = self.rng.random()
            if trouble < 0.15:
                self.network.down_until = self.loop.time() + self.rng.uniform(0.2, 6.0)
            elif trouble < 0.3:
                self.host.server.down_until = self.loop.time() + self.rng.uniform(0.1, 9.0)
            elif trouble < 0.4:
                self.host.set_sql_lost(lost=True)
            elif trouble < 0.6:
                self.host.set_sql_lost(lost=False)


def simulate_fleet(seed: int, build: Build | None = None) -> Verdict:
    return simulate(seed, build, kind=FleetRun)


def tell(verdict: Verdict) -> None:
    """Print what a run showed, and end with 1 if a promise was broken."""
    if "--story" in sys.argv:
        print(*verdict.witness.seen, sep="\n")
    print(verdict.report())
    print(verdict.digest, verdict.figures)
    sys.exit(bool(verdict.broken))


def main() -> None:
    tell(simulate_fleet(int(sys.argv[1])))


if __name__ == "__main__":
    main()
