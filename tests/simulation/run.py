"""One run: a seed determines bots, people, faults and crashes. The story is recorded and judged.

    python -m tests.simulation.run 17            the verdict on seed 17
    python -m tests.simulation.run 17 --story    also prints everything that phones showed

A run has acts. Each act begins with a storm: people act, calls fail, processes are killed. Then comes a calm: nobody
acts and nothing fails, until every queue is empty. Then everybody sends a probe. All randomness comes from the seed.
"""

import asyncio
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random
from typing import Any

import msgspec
import structlog

from botapi_sandbox import Switches, World
from botapi_sandbox.world.faults import Fault, FaultKind
from passerby.kernel.ids import BotId
from passerby.kernel.rules import ContactPolicy, Rules
from passerby.telemetry import logs
from tests.simulation.checker import Broken, Evidence, Probe, check
from tests.simulation.network import Network
from tests.simulation.people import Person, Town
from tests.simulation.process import Build, Host, KillPlan
from tests.simulation.virtual_time import VirtualClock, VirtualLoop
from tests.simulation.witness import Witness, between

EPOCH_S = 1_760_000_000.0
IDLE_S = 45.0
"""Everything is quiet if no bot has made a request for this long, which is longer than any pause of the courier."""
PROBE_IDLE_S = 3.0
CALM_MOST_S = 600.0
BUGS = (
    "runtime.broken",
    "fleet.task_not_begun",
    "event.broken",
    "event.put_aside",
    "staff.broken",
    "staff.put_aside",
    "courier.broken",
    "courier.rejected",
    "loop.complained",
    "bot.updates_missing",  # nobody else serves the bots here
    "bot.polled_elsewhere",
)
"""Log events that always mean a bug of ours."""


KINDS: tuple[FaultKind, ...] = (
    "429", "429", "500", "502", "502", "slow", "stall", "reset_before", "reset_after", "reset_after",
    "401",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    seed: int
    broken: list[Broken]
    figures: dict[str, int]
    digest: str
    witness: Witness

    def report(self) -> str:
        """Return what is wrong, and the part of the story that shows it."""
        lines = [f"seed {self.seed}: {len(self.broken)} broken; again with: python -m tests.simulation.run {self.seed}"]
        lines += [str(broken) for broken in self.broken[:12]]
        if self.broken:
            first = self.broken[0]
            people = set(first.people) or {seen.person for seen in self.witness.seen}
            lines += ["", *map(str, list(between(self.witness.seen, people, first.first, first.last))[-60:])]
        return "\n".join(lines)


def simulate(
    seed: int, build: Build | None = None, *, verify: bool = False, kind: "type[Run] | None" = None
) -> Verdict:
    """Run and judge. With `verify` the world checks its own updates and answers against the schema, which is slow."""
    loop = VirtualLoop()
    try:
        with captured_log() as log:
            run = (kind or Run)(seed, build or Build(), loop, log, verify=verify)
            loop.run_until_complete(run.play())
            return run.verdict()
    finally:
        close(loop)


def close(loop: VirtualLoop) -> None:
    """Close the dead processes and the loop. Their logs meanwhile are discarded."""
    with captured_log():
        loop.evict()
    loop.close()


@contextmanager
def captured_log() -> Iterator[io.StringIO]:
    """Capture everything that is logged inside the block, one JSON object a line."""
    former, was_strict = structlog.get_config(), logs._strict
    log = io.StringIO()
    logs._strict = True
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.WriteLoggerFactory(log),
        cache_logger_on_first_use=False,
    )
    try:
        yield log
    finally:
        structlog.configure(**former)
        logs._strict = was_strict


class Run:
    late_s = 0.0
    undone: Sequence[float] = ()
    """See `Evidence`."""

    def __init__(self, seed: int, build: Build, loop: VirtualLoop, log: io.StringIO, *, verify: bool) -> None:
        def chance(what: str) -> Random:
            return Random(f"{seed}:{what}")

        self.seed = seed
        self.loop = loop
        self.log = log
        self.rng = chance("run")
        rng = chance("cast")
        self.clock = VirtualClock(loop, EPOCH_S + rng.random())
        switches = Switches(check_own=verify, journal_length=1_000_000)
        self.world = World(clock=self.clock.now, rng=chance("world"), seed=seed, switches=switches)
        self.witness = Witness(self.world, loop)
        bots = [self.world.add_bot() for _ in range(rng.randint(2, 4))]
        self.network = Network(self.world, loop, chance("network"))
        tokens = {BotId(bot.id): bot.token for bot in bots}
        delay_s = rng.choice((0.0, 0.0, 0.004, 0.03, 0.08))
        # With OFF nobody is asked before a name is sent, so more messages are sent at once.
        rules = Rules(contact_policy=rng.choice((ContactPolicy.WARN, ContactPolicy.OFF)))
        self.host = self.make_host(tokens, chance("host"), build, delay_s, rules)
        self.awake = asyncio.Event()
        self.town = Town(self.world, self.witness, [bot.id for bot in bots], self.awake)
        for number in range(rng.randint(6, 12)):
            russian = rng.random() < 0.2
            person = self.world.add_person(
                f"Canaryfirst{number}",
                f"canary_user{number}",
                "ru" if russian else "en",
                last_name=f"Canarylast{number}",
            )
            home = rng.choice(bots).id
            own = chance(f"person {number}")
            pace_s, roams = own.choice((0.6, 1.5, 2.0, 3.0, 5.0)), rng.random() < 0.2
            self.town.people.append(Person(self.town, person.id, home, own, pace_s, roams, russian))
        self.witness.on_found = self._found
        self.probes: list[Probe] = []
        self.undrained: list[str] = []
        self.apart: list[str] = []
        """People on whom the live store and the records disagreed when everything was quiet."""

    def make_host(self, tokens: dict[BotId, str], rng: Random, build: Build, delay_s: float, rules: Rules) -> Any:
        """Return the host that runs the app. See `Host`."""
        sync_s = rng.choice((0.0, 0.0, 0.003, 0.02))
        return Host(self.loop, self.clock, self.network, tokens, rng, build, delay_s, rules, sync_s=sync_s)

    def _found(self, person: int, bot: int) -> None:
        who = self.town.person(person)
        if self.awake.is_set() and who.bot == bot and who.rng.random() < 0.7:
            self.network.later(who.rng.expovariate(1 / 0.8), who.greet)

    async def play(self) -> None:
        running = asyncio.ensure_future(self.host.keep_going())
        people = [asyncio.ensure_future(person.live()) for person in self.town.people]
        for act in range(self.rng.choice((1, 2, 2))):
            await self.storm(self.rng.uniform(15, 45))
            await self.calm(act)
        for task in (running, *people):
            task.cancel()
        await asyncio.gather(running, *people, return_exceptions=True)
        self.host.end()
        await asyncio.sleep(0)

    async def storm(self, duration_s: float) -> None:
        self.awake.set()
        troubles = [asyncio.ensure_future(self.crashes()), asyncio.ensure_future(self.faults())]
        await asyncio.sleep(duration_s)
        self.awake.clear()
        for trouble in troubles:
            trouble.cancel()
        await asyncio.gather(*troubles, return_exceptions=True)
        self.world.faults.clear()
        self.network.down_until = 0.0
        self.host.calm_down()

    async def crashes(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(1.0, 16.0))
            way = self.rng.choice(("now", "fetch", "effect", "before", "torn", "after", "restart", "power"))
            if way == "now":
                self.host.kill()
            elif way == "power":
                self.host.cut_power()
            elif way == "restart":
                self.host.restart()
            else:
                most = {"fetch": 3, "effect": 12}.get(way, 30)
                self.host.kill_plan = KillPlan(way, self.rng.randint(1, most))

    async def faults(self) -> None:
        bots = [*self.town.bots, None, None]
        while True:
            self.world.faults[:] = list(self._some_faults(bots))
            await asyncio.sleep(self.rng.uniform(2.0, 12.0))
            trouble = self.rng.random()
            if trouble < 0.15:
                self.network.down_until = self.loop.time() + self.rng.uniform(0.2, 6.0)
            elif trouble < 0.3:
                self.host.lost_until = self.loop.time() + self.rng.uniform(0.1, 4.0)
            elif trouble < 0.4:
                self.host.set_sql_lost(lost=True)
            elif trouble < 0.6:
                self.host.set_sql_lost(lost=False)

    def _some_faults(self, bots: list[int | None]) -> Iterator[Fault]:
        rng = self.rng
        for _ in range(rng.choice((0, 1, 2, 4))):
            kind = rng.choice(KINDS)
            yield Fault(
                kind=kind,
                bot=rng.choice(bots),
                method=rng.choice((None, "send*", "copyMessage", "sendMessage", "getUpdates")),
                chat=rng.choice((None, None, None, rng.choice(self.town.people).id)),
                probability=rng.choice((0.02, 0.1, 0.3)) if kind != "stall" else 0.01,
                retry_after=rng.choice((1, 1, 2, 4, 12)),
                delay_s=rng.uniform(0.1, 3.0),
                effect=rng.random() < 0.5,
            )

    async def calm(self, act: int) -> None:
        await self._quiet(IDLE_S, act)
        for person in self.town.people:
            if person.state != "new" and not person.blocked:
                person.text()
                self.probes.append(Probe(act, person.id, self.witness.seen[-1].markers[0]))
        await self._quiet(PROBE_IDLE_S, act)
        self.apart += [f"act {act}: {what}" for what in await self.host.apart()]
        until = len(self.witness.seen)
        self.probes[:] = [replace(probe, until=min(probe.until, until)) for probe in self.probes]

    async def _quiet(self, idle_s: float, act: int) -> None:
        began = self.loop.time()
        self.network.last_call_at = began
        while self.loop.time() - self.network.last_call_at < idle_s or self._queued():
            if self.loop.time() - began > CALM_MOST_S:
                self.undrained.append(f"act {act}: after {CALM_MOST_S:.0f} s of calm, queued: {self._queued()}")
                return
            await asyncio.sleep(1.0)

    def _queued(self) -> dict[int, int]:
        return {bot.id: len(bot.queue.items) for bot in self.world.state.bots.values() if bot.queue.items}

    def verdict(self) -> Verdict:
        evidence = Evidence(
            self.world,
            self.witness,
            self.clock.now() - self.loop.time(),
            frozenset(person.id for person in self.town.people if person.roams),
            [at for at, _ in self.host.deaths],
            self.host.power_cuts,
            self.probes,
            frozenset(self.town.shown),
            self.log.getvalue(),
            self.undrained,
            self.late_s,
            self.undone,
        )
        broken = check(evidence)
        for line in evidence.log.splitlines():
            if any(f'"{bug}"' in line for bug in BUGS):
                broken.append(Broken(0, f"logged: {line[:300]}"))
        broken += [Broken(6, what) for what in self.apart]
        broken += [Broken(0, f"the loop complained: {complaint}") for complaint in self.loop.complaints]
        journal = self.world.journal.after(0)
        figures = {
            "seconds": int(self.loop.time()),
            "deaths": len(self.host.deaths),
            "power cuts": len(self.host.power_cuts),
            "restarts": self.host.restarts,
            "requests": sum(each["kind"] == "request" for each in journal),
            "faults": sum("fault" in each for each in journal),
            "written": sum(seen.kind == "out" for seen in self.witness.seen),
            "delivered": sum(seen.kind == "in" and bool(seen.markers) for seen in self.witness.seen),
            "found": sum(seen.key == "search.found" for seen in self.witness.seen),
        }
        digest = sha256(msgspec.json.encode(journal)).hexdigest()[:16]
        return Verdict(self.seed, broken, figures, digest, self.witness)


def main() -> None:
    verdict = simulate(int(sys.argv[1]))
    if "--story" in sys.argv:
        print(*verdict.witness.seen, sep="\n")
    print(verdict.report())
    print(verdict.digest, verdict.figures)
    sys.exit(bool(verdict.broken))


if __name__ == "__main__":
    main()
