"""Several workers over one store: a fleet, and the faults that it may meet.

Each worker is a `Host`. It may be killed, paused for longer than its leases last, cut off from the store, or stopped
gracefully and started again. The store may be down for all of them, lose responses, or come back empty.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from passerby.kernel.ids import BotId
from passerby.kernel.rules import Rules
from tests.contract.records_memory import Disk
from tests.simulation.disk import SimDisk
from tests.simulation.network import Network
from tests.simulation.process import Build, Host, KillPlan, Server
from tests.simulation.virtual_time import SimProcess, VirtualClock, VirtualLoop

LEASES_LAST_S = 6.0
WIPE_LOOKS = 200


@dataclass
class SimFleet:
    """Several hosts with the interface of `Host`. `faults` are the times and kinds of events that may cause
    duplicates."""

    loop: VirtualLoop
    clock: VirtualClock
    network: Network
    tokens: dict[BotId, str]
    rng: Random
    build: Build
    delay_s: float
    rules: Rules
    size: int
    hosts: list[Host] = field(default_factory=list)
    faults: list[tuple[float, str]] = field(default_factory=list)
    wipes: int = 0
    sql: Disk = field(default_factory=Disk)

    def __post_init__(self) -> None:
        rng = Random(self.rng.getrandbits(64))
        self.server = self.make_server(rng)
        for number in range(self.size):
            self.hosts.append(
                Host(
                    self.loop,
                    self.clock,
                    self.network,
                    self.tokens,
                    Random(self.rng.getrandbits(64)),
                    self.build,
                    rules=self.rules,
                    sql=self.sql,
                    server=self.server,
                    name=f"worker {number + 1}",
                )
            )
        self.network.tell = self.passing

    def make_server(self, rng: Random) -> Any:
        """Return the store that the workers share. See `Server`."""
        inner = self.build.store(SimDisk().open(SimProcess("the store's server")), self.clock, rng)
        return Server(self.loop, inner, self.delay_s, forgets=rng.choice((0.0, 0.002, 0.02)))

    async def keep_going(self) -> None:
        async with asyncio.TaskGroup() as group:
            for host in self.hosts:
                group.create_task(self._keep_going(host))

    async def _keep_going(self, host: Host) -> None:
        await asyncio.sleep(self.rng.choice((0.0, 0.0, 0.5, 12.0)))
        await host.keep_going()

    def passing(self, point: str, process: SimProcess) -> bool:
        return any(host.passing(point, process) for host in self.hosts)

    def living(self) -> list[Host]:
        return [host for host in self.hosts if host.process is not None and not host.process.dead]

    def strike(self, rng: Random) -> None:
        """Cause one fault for one worker."""
        living = self.living()
        if not living:
            return
        host = rng.choice(living)
        match rng.choice(("now", "fetch", "effect", "after", "pause", "pause", "cut off", "restart", "restart")):
            case "now":
                host.kill()
            case "pause":
                self.pause(host, rng.choice((0.5, 3.0, 5.0, 7.0, 12.0)))
            case "cut off":
                self._note("cut off")
                host.lost_until = self.loop.time() + rng.uniform(0.5, 12.0)
            case "restart":
                host.restart()
            case point:
                host.kill_plan = KillPlan(point, rng.randint(1, {"fetch": 3, "effect": 12}.get(point, 60)))

    def pause(self, host: Host, duration_s: float) -> None:
        process = host.process
        assert process is not None, "it has been started"
        if process.stash is None:
            self._note(f"pause of {duration_s}")
            self.loop.pause(process)
            self.network.later(duration_s, self.loop.resume, process)

    def _note(self, what: str) -> None:
        self.faults.append((self.loop.time(), what))

    async def wipe(self) -> None:
        """Empty the store, at a moment when the records are up to date with it."""
        for _ in range(WIPE_LOOKS):
            figures = await self.server.figures()
            if not figures.journal and not figures.outbox:
                self._note("wipe")
                self.wipes += 1
                self.server.wipe()
                return
            await asyncio.sleep(0.05)

    @property
    def deaths(self) -> list[tuple[float, str]]:
        """Return all events that may cause duplicates."""
        return sorted([*self.faults, *(death for host in self.hosts for death in host.deaths)])

    async def apart(self) -> list[str]:
        """Always empty: this is compared only for a store of one process."""
        return []

    @property
    def power_cuts(self) -> list[float]:
        """Always empty: the store is a server that stays up."""
        return []

    @property
    def restarts(self) -> int:
        return sum(host.restarts for host in self.hosts)

    @property
    def lapses(self) -> list[float]:
        return sorted(at for host in self.hosts for at in host.lapses)

    def set_sql_lost(self, *, lost: bool) -> None:
        for host in self._started():
            host.set_sql_lost(lost=lost)

    def _started(self) -> Iterator[Host]:
        return (host for host in self.hosts if host.process is not None)

    def calm_down(self) -> None:
        self.server.down_until = 0.0
        self.server.troubles = False
        for host in self._started():
            host.calm_down()

    def end(self) -> None:
        for host in self.hosts:
            host.end()
        self.server.end()
