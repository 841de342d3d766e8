"""A run in which the whole machine goes back in time: the log and the records are put back together.

Telegram does not go back. It has deleted the updates that were confirmed since, so only a gap in its numbers shows what
happened (see `runtime.inbound.continuity`). The data of the undone time is lost, so only promise 4 is judged: nobody
gets a thing that is not theirs.

    python -m tests.simulation.rolled_back 17            the verdict on seed 17
"""

import asyncio
import sys
from dataclasses import replace

from tests.simulation.process import Build, Host
from tests.simulation.run import Run, Verdict, simulate

STEADY = 25
"""A gap counts only after some updates without one (see `continuity.STEADY`)."""


class RolledBack(Run):
    host: Host

    async def faults(self) -> None:
        """Nothing else fails."""

    async def crashes(self) -> None:
        await self._until_all_have_taken(STEADY, self._first_waiting())
        await asyncio.sleep(self.rng.uniform(0.0, 5.0))
        log, sql, before = bytes(self.host.disk.data), self.host.sql.copy(), self._next()
        await asyncio.sleep(self.rng.uniform(3.0, 30.0))
        # A bot without a gap would let its people write to partners on other bots who have left meanwhile.
        await self._until_all_have_taken(1, before)
        self.host.kill("rolled back")
        self.host.disk.data[:] = log
        self.host.disk.synced = len(log)
        self.host.sql.become(sql)
        self.undone = (*self.undone, self.loop.time())

    def _first_waiting(self) -> dict[int, int]:
        """The first update of each bot that is not confirmed."""
        queues = {bot.id: bot.queue for bot in self.world.state.bots.values()}
        return {bot: queue.items[0].update_id if queue.items else queue.next_id for bot, queue in queues.items()}

    def _next(self) -> dict[int, int]:
        """The next update of each bot. It comes after everything that the files hold now."""
        return {bot.id: bot.queue.next_id for bot in self.world.state.bots.values()}

    async def _until_all_have_taken(self, many: int, since: dict[int, int]) -> None:
        while any(first < since[bot] + many for bot, first in self._first_waiting().items()):
            await asyncio.sleep(0.5)

    async def storm(self, duration_s: float) -> None:
        await super().storm(150.0)

    def verdict(self) -> Verdict:
        found = super().verdict()
        # People who came to a bot in the undone time are not known there any more, so its gap ends no chat of theirs.
        # ADR 48 says so.
        roamers = {person.id for person in self.town.people if person.roams}
        judged = [broken for broken in found.broken if broken.promise == 4 and not broken.people & roamers]
        return replace(found, broken=judged, figures=found.figures | {"rolled back": len(self.undone)})


def simulate_rolled_back(seed: int, build: Build | None = None) -> Verdict:
    return simulate(seed, build, kind=RolledBack)


def main() -> None:
    verdict = simulate_rolled_back(int(sys.argv[1]))
    if "--story" in sys.argv:
        print(*verdict.witness.seen, sep="\n")
    print(verdict.report())
    print(verdict.digest, verdict.figures)
    sys.exit(bool(verdict.broken))


if __name__ == "__main__":
    main()
