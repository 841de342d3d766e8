"""The program under test: started over a disk, killed, started again.

`Host` runs one process of the app at a time, as a supervisor would. Only the disk, the records and the world outlive a
process.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from passerby.adapters.memory import MemoryStore
from passerby.adapters.memory.frames import frame
from passerby.domain.budgets import Budget
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.feature import Feature
from passerby.kernel.ids import BotId
from passerby.kernel.rules import Rules
from passerby.ports.live_store import Figures, LiveStore
from passerby.runtime.supervise import supervise
from passerby.runtime.worker import Worker
from passerby.runtime.worker_config import WorkerConfig
from tests.contract.records_memory import Disk, MemoryRecords
from tests.simulation.disk import SimDisk
from tests.simulation.network import Network, SimBotApi
from tests.simulation.remote_store import RemoteStore
from tests.simulation.virtual_time import SimProcess, VirtualClock, VirtualLoop
from tests.wording import catalogue

KEY = b"thirty-two bytes of simulation.."
STOP_TIMEOUT_S = 8.0
# The defaults of the settings.
BOT_BUDGET = Budget(30.0, 30)
CHAT_BUDGET = Budget(1.0, 20)
RULES = Rules()


@dataclass(frozen=True)
class Build:
    """The parts of the program. A planted bug replaces one of them."""

    app: Callable[..., Worker] = Worker
    store: Callable[..., MemoryStore] = MemoryStore
    features: tuple[Feature, ...] = ALL
    bot_budget: Budget = BOT_BUDGET
    chat_budget: Budget = CHAT_BUDGET


@dataclass
class Server:
    """The store that the workers of a fleet share. It outlives them. It cannot be reached until `down_until`.

    `forgets` is the share of completed calls whose response is lost, while there are `troubles`.
    """

    loop: VirtualLoop
    inner: MemoryStore
    delay_s: float
    forgets: float = 0.0
    down_until: float = 0.0
    troubles: bool = False

    def reach(self, rng: Random, cut_off: Callable[[], bool], done: Callable[[], object]) -> LiveStore:
        """Return one process's connection to the store. `done` is called when a call was completed, before its
        response."""

        def lost() -> bool:
            return cut_off() or self.loop.time() < self.down_until

        def forgetful() -> bool:
            done()
            return self.troubles and rng.random() < self.forgets

        way: Any = RemoteStore(self.inner, rng, self.delay_s, lost, late_answers=True, forgetful=forgetful)
        found: LiveStore = way
        return found

    async def figures(self) -> Figures:
        return await self.inner.figures()

    def wipe(self) -> None:
        self.inner.wipe()

    def end(self) -> None:
        """It is not needed any more."""


@dataclass
class KillPlan:
    """The process is killed when it passes `point` for the `countdown`-th time."""

    point: str
    countdown: int


@dataclass
class Host:
    """`deaths` are the times (of the loop) at which a process was killed."""

    loop: VirtualLoop
    clock: VirtualClock
    network: Network
    tokens: dict[BotId, str]
    rng: Random
    build: Build
    store_delay_s: float = 0.0
    rules: Rules = RULES
    disk: SimDisk = field(default_factory=SimDisk)
    sync_s: float = 0.0
    """How long a sync of the disk takes."""
    sql: Disk = field(default_factory=Disk)
    deaths: list[tuple[float, str]] = field(default_factory=list)
    power_cuts: list[float] = field(default_factory=list)
    """Power cuts that lost data."""
    boots: int = 0
    """How often the machine was started again."""
    restarts: int = 0
    lapses: list[float] = field(default_factory=list)
    """When a worker found that others had taken over its leases, and started a new incarnation."""
    process: SimProcess | None = None
    app: Worker | None = None
    inner: MemoryStore | None = None
    """Its live store, if it has its own."""
    kill_plan: KillPlan | None = None
    lost_until: float = 0.0
    """Until then the live store cannot be reached, if it is a remote one."""
    sql_lost: bool = False
    server: "Server | None" = None
    """A store that several hosts share, instead of a store on the host's own disk."""
    name: str = "process"
    _starts: int = 0
    _died: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.disk.sync_s = self.sync_s
        self.network.tell = self.passing

    def start(self) -> None:
        self._starts += 1
        process = self.process = SimProcess(f"{self.name} {self._starts}")
        rng = Random(f"{self.rng.getrandbits(64)}")
        self._died = asyncio.Event()
        self._stop = asyncio.Event()
        process.on_kill.append(self._died.set)
        store = self._store(process, rng)
        if process.dead:
            return  # opening a log that was not closed writes to it
        self.records = MemoryRecords(self.sql)
        self.records.lost = self.sql_lost
        telegram = SimBotApi(self.tokens, store, self.network, process)

        def make() -> Worker:
            self.app = self.build.app(
                telegram=telegram,
                store=store,
                records=self.records,
                features=self.build.features,
                introduce=introduce,
                words=catalogue(),
                clock=self.clock,
                rng=rng,
                config=WorkerConfig(
                    rules=self.rules,
                    key=KEY,
                    bot_budget=self.build.bot_budget,
                    chat_budget=self.build.chat_budget,
                    shared=self.server is not None,
                    name=self.name,
                ),
            )
            return self.app

        self._task: asyncio.Task[Any] = self.loop.begin(process, self._run(make, self._stop, self._died))

    def _store(self, process: SimProcess, rng: Random) -> LiveStore:
        def lost() -> bool:
            return self.loop.time() < self.lost_until

        if self.server is not None:
            return self.server.reach(rng, lost, lambda: self.passing("after", process))
        log = self.disk.open(process, lambda point, record: self._writing(point, record, process))
        inner = self.inner = self.build.store(log, self.clock, rng, boot=str(self.boots))
        if not self.store_delay_s:
            return inner
        return RemoteStore(inner, rng, self.store_delay_s, lost)

    async def _run(self, make: Callable[[], Worker], stop: asyncio.Event, ended: asyncio.Event) -> None:
        def end(lapsed: bool) -> None:
            if lapsed:
                self.lapses.append(self.loop.time())

        await supervise(make, stop, self.clock, STOP_TIMEOUT_S, on_end=end)
        ended.set()

    async def keep_going(self) -> None:
        """Start the app whenever it is not running, until cancelled."""
        while True:
            self.start()
            await self._died.wait()
            if self._task.done():
                self._task.result()
            await asyncio.sleep(self.rng.uniform(0.3, 3.0))

    def kill(self, point: str = "now") -> None:
        process = self.process
        if process is not None and not process.dead:
            self.deaths.append((self.loop.time(), point))
            self.kill_plan = None
            self.loop.kill(process)

    async def apart(self) -> list[str]:
        """Return the people on whom the live store and the records disagree."""
        if self.inner is None:
            return []
        return [
            f"the records have another {held.participant.person} than the live store"
            for held in await self.inner.everybody()
            if self.sql.people.get(held.participant.person) != held.participant
        ]

    def cut_power(self) -> None:
        """Kill the machine. Unsynced data is gone, completely or in part."""
        process = self.process
        if process is not None and not process.dead:
            self.kill("power")
            self.boots += 1
            if self.disk.cut(self.rng):
                self.power_cuts.append(self.loop.time())

    def restart(self) -> None:
        """Stop gracefully and start again, as in a deploy."""
        self.kill_plan = None
        if self.process is not None and not self.process.dead:
            self.restarts += 1
            self._stop.set()

    def holds(self) -> frozenset[str]:
        """Return the leases that its worker holds now."""
        if self.process is None or self.process.dead or self.app is None:
            return frozenset()
        return frozenset(self.app.membership.held)

    def calm_down(self) -> None:
        """From now on it has no faults."""
        self.lost_until = 0.0
        self.set_sql_lost(lost=False)
        self.kill_plan = None

    def end(self) -> None:
        """End the process at the end of the run."""
        if self.process is not None:
            self.loop.kill(self.process)

    def set_sql_lost(self, *, lost: bool) -> None:
        self.sql_lost = self.records.lost = lost

    def passing(self, point: str, process: SimProcess) -> bool:
        """Return whether the process is killed here."""
        kill_plan = self.kill_plan
        if kill_plan is None or kill_plan.point != point or process is not self.process or process.dead:
            return False
        kill_plan.countdown -= 1
        if kill_plan.countdown > 0:
            return False
        self.kill(point)
        return True

    def _writing(self, point: str, record: bytes, process: SimProcess) -> bool:
        if point == "after":
            return self.passing("after", process)
        if self.passing("torn", process):
            framed = len(frame(record, 1))
            self.disk.tear(record, self.rng.randrange(framed))
            return True
        return self.passing("before", process)
