"""One run: people chat while the product is killed again and again. Then everybody stops writing, and the judge looks.

    join        everybody joins and finds a partner, without faults
    kills       at random moments with work in hand; the product is started again at once. Every eighth start is killed
                too, twice in a row, before it can be ready. Every tenth time it is stopped with SIGTERM instead.
    quiet       nobody writes; the run waits until every message has its outcome, for four minutes at most
    questions   everybody asks for their state: chats, searches and profiles must be as their phones say

Most answers of the sandbox are slow, as over a network. So a kill interrupts sends whose outcome is then unknown.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import time

from simulated_people.verdict import Fault, Verdict
from tests.faults.crowd import LOOK_EVERY_S, Crowd
from tests.faults.product import PASSERBY, Product
from tests.faults.sandbox import Sandbox, a_sandbox

START_S = 180.0
SLOW = {"kind": "slow", "delay_s": 0.15, "probability": 0.6}
WARM_S = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`alive_s`: the shortest and longest time from a process's first sent message to its kill."""

    kills: int
    people: int = 30
    bots: int = 4
    seed: int = 0
    alive_s: tuple[float, float] = (0.2, 3.5)
    stops: bool = True
    quiet_s: float = 240.0
    """The longest wait until every message has its outcome."""
    command: Sequence[str] = PASSERBY


@dataclass(slots=True)
class Outcome:
    verdict: Verdict
    kills: int = 0
    """Kills with work in hand. Only these count towards the number that was asked for."""
    idle_kills: int = 0
    early_kills: int = 0
    """Kills before the process was ready, with or without work in hand."""
    stops: int = 0
    in_hand: list[int] = field(default_factory=list)
    """For each kill: updates that Telegram had queued and that were not confirmed yet."""
    takeovers_s: list[float] = field(default_factory=list)
    quiet_s: float = 0.0
    disagreements: list[str] = field(default_factory=list)
    """People whose state in the product differs from what their phone says."""
    put_aside: int = 0
    """Updates that were put aside as if they had ended the process."""

    @property
    def happened(self) -> bool:
        """Return whether the run tested something: a kill found work in hand, and the next process finished some of
        it."""
        return self.kills > 0 and self.verdict.carried_over > 0

    @property
    def passed(self) -> bool:
        return self.verdict.passed and self.happened and not self.disagreements and not self.put_aside


class _Run:
    def __init__(self, plan: Plan, sandbox: Sandbox, product: Product) -> None:
        self._plan = plan
        self._sandbox = sandbox
        self._product = product
        self._rng = Random(plan.seed)
        self._crowd = Crowd(sandbox, plan.people, plan.seed)
        self._journal = self._crowd.journal
        self._kills_at: list[float] = []
        self.outcome = Outcome(Verdict())

    async def run(self) -> Outcome:
        crowd, outcome = self._crowd, self.outcome
        self._product.start()
        async with crowd.present():
            await crowd.join()
            await self._sandbox.put("faults", [{**SLOW, "method": method} for method in ("send*", "copy*")])
            async with crowd.living():
                await asyncio.sleep(WARM_S)
                await self._disturb()
            await self._sandbox.put("faults", [])
            faults = [Fault(at, at) for at in self._kills_at]
            outcome.verdict, outcome.quiet_s = await crowd.until_quiet(faults, self._plan.quiet_s)
            if outcome.verdict.passed:  # otherwise the answers would only repeat the breaches, slowly
                outcome.disagreements = list((await crowd.question(outcome.verdict.partners)).values())
        outcome.takeovers_s = self._journal.takeovers(self._kills_at)
        assert self._journal.dropped == 0, "the sandbox itself dropped updates"
        return outcome

    async def _disturb(self) -> None:
        outcome = self.outcome
        turn = 0
        while outcome.kills < self._plan.kills:
            turn += 1
            await self._until_working()
            await asyncio.sleep(self._rng.uniform(*self._plan.alive_s))
            if self._plan.stops and turn % 10 == 2:
                code = await self._product.stop()
                assert code == 0, f"SIGTERM: exit code {code}"
                outcome.stops += 1
            else:
                await self._kill()
                if turn % 8 == 3:
                    await self._kill_starts()
            self._product.start()

    async def _until_working(self) -> None:
        """Wait until the newest process has sent something."""
        started_at = time()
        async with asyncio.timeout(START_S):
            while not any(at > started_at and made for at, _, made in reversed(self._journal.requests)):
                await asyncio.sleep(LOOK_EVERY_S / 10)
                await self._journal.follow(self._sandbox)

    async def _kill(self) -> None:
        """Kill when there is work in hand. Under this load that is nearly always."""
        while True:
            await self._journal.follow(self._sandbox)
            if self._journal.in_hand:
                break
            await asyncio.sleep(self._rng.uniform(0.01, 0.2))
        self._product.kill()
        self._kills_at.append(time())
        # Updates confirmed between the look and the kill do not count.
        await self._journal.follow(self._sandbox)
        if self._journal.in_hand:
            self.outcome.kills += 1
            self.outcome.in_hand.append(self._journal.in_hand)
        else:
            self.outcome.idle_kills += 1

    async def _kill_starts(self) -> None:
        for _ in range(2):
            self._product.start()
            await asyncio.sleep(self._rng.uniform(0.05, 0.9))
            await self._kill()
            self.outcome.early_kills += 1


async def run_plan(plan: Plan, directory: Path) -> Outcome:
    """Run a plan with its files in `directory`. Raises: AssertionError, if it could not be completed."""
    async with a_sandbox(directory, bots=plan.bots, seed=plan.seed) as (sandbox, tokens):
        product = Product(directory, tokens, sandbox.url, plan.command)
        try:
            outcome = await _Run(plan, sandbox, product).run()
            outcome.put_aside = product.log.read_text().count('"event.put_aside"')
            return outcome
        finally:
            product.close()
