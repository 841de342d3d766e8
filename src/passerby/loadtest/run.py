"""Runs one load test, from the first person to the verdict. The caller provides the processes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from passerby.loadtest.day import Load, Peak, crowd, peak
from passerby.loadtest.fleet import ON_ITS_WAY_S, TEND_S, Chaos, Fleet, Kill
from passerby.loadtest.watch import Sample, Watch
from passerby.ports.clock import Clock
from simulated_people.control import Sandbox
from simulated_people.crowd import Crowd
from simulated_people.farms import STYLES
from simulated_people.habits import Habits, arrivals
from simulated_people.verdict import Fault, Verdict

FARMERS_SHARE: Final = 5
"""One in this many users is an account of the farm, if there is one."""
FEWEST_FARMERS: Final = 6
MOST_PEOPLE: Final = 20_000
RAMP_SHARE: Final = 0.2
LONGEST_RAMP_S: Final = 30.0
JOIN_S: Final = 900.0
QUICKEST_KILLS_S: Final = 6.0
QUIET_S: Final = 60.0
QUIET_CUT_SHORT_S: Final = 15.0


class TooMuch(Exception):
    """There are more people than one load test can simulate."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """The plan of a load test: either `users` people who stay, or the busiest hour of a day with `daily` people."""

    seconds: float
    seed: int
    users: int = 0
    searching: bool = False
    """All search at the same moment, and not one after the other."""
    daily: int = 0
    factor: float | None = None
    chaos: bool = False
    farm: str = ""
    """The style of a farm (`simulated_people.farms`) that plays along. Empty: none."""
    quiet_s: float = QUIET_S
    habits: Habits = field(default_factory=Habits)

    @property
    def farmers(self) -> int:
        """How many of the users are accounts of the farm."""
        return min(self.users - 2, max(FEWEST_FARMERS, self.users // FARMERS_SHARE)) if self.farm else 0

    @property
    def peak(self) -> Peak | None:
        return peak(self.daily, self.seconds / 60, self.habits, self.factor) if self.daily else None

    @property
    def load(self) -> Load:
        """The expected load of all people, in the steady state."""
        hour = self.peak
        return hour.played if hour is not None else crowd(self.users, self.habits)

    @property
    def ramp_s(self) -> float:
        return 0.0 if self.searching else min(LONGEST_RAMP_S, self.seconds * RAMP_SHARE)

    def moments(self) -> list[float]:
        """The time at which each person comes, in seconds since the start, sorted. Raises: TooMuch."""
        rng = Random(f"arrivals:{self.seed}")  # noqa: S311  # habits, not secrecy
        here = self.users if not self.daily else round(self.load.people)
        if here + self.load.arrivals * self.seconds > MOST_PEOPLE:
            wanted = here + self.load.arrivals * self.seconds
            raise TooMuch(f"{wanted:,.0f} people would come, more than {MOST_PEOPLE:,}")
        at_first = [rng.uniform(0.0, self.ramp_s) for _ in range(here)]
        later = arrivals(self.load.arrivals, self.seconds, rng)
        return sorted((*at_first, *later))


@dataclass(slots=True)
class Course:
    """The progress of a load test, for a live view. Times are in Unix seconds."""

    plan: LoadPlan
    crowd: Crowd
    watch: Watch
    people: int
    bots: Sequence[int]
    phase: str = "people join"
    joining_s: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    quiet_s: float = 0.0
    kills: list[Kill] = field(default_factory=list)
    verdict: Verdict | None = None
    cut_short: bool = False
    not_done: int = 0
    """Acts that no phone offered at that moment, so they were not done."""

    @property
    def samples(self) -> list[Sample]:
        """The samples between `began` and `ended`."""
        until = self.ended or float("inf")
        return [each for each in self.watch.samples if self.began <= each.at <= until]


class Spoiled(Exception):
    """The test could not be completed. The text is for the person at the terminal."""


async def play(
    plan: LoadPlan,
    sandbox: Sandbox,
    bots: Sequence[int],
    clock: Clock,
    stop: asyncio.Event,
    *,
    fleet: Fleet | None = None,
    pids: Callable[[], Mapping[str, int]] = dict,
    pages: Mapping[str, str] | None = None,
    show: Callable[[Course], None] = lambda _: None,
) -> Course:
    """Run it until its time is over or `stop` is set. Then wait until all messages have an end, and judge.

    `pids`: further processes to watch. Raises: Spoiled, SandboxFault, FleetFault, TooMuch.
    """
    moments = plan.moments()
    farm = STYLES[plan.farm] if plan.farm else None
    folk = Crowd(sandbox, clock, plan.habits, plan.seed, farm=farm, farmers=plan.farmers)

    def all_pids() -> dict[str, int]:
        return {**(fleet.pids if fleet is not None else {}), **pids()}

    watch = Watch(folk, clock, all_pids, fleet.run_dir if fleet is not None else None, pages or {}, sandbox.http)
    course = Course(plan, folk, watch, len(moments), bots)
    show(course)
    try:
        async with folk.present(len(moments), bots), _beside(watch.look_on()):
            await _join(course, clock, stop)
            if not stop.is_set():
                await _live(course, moments, clock, stop, fleet)
            course.cut_short = stop.is_set()
            course.phase = "waiting until all is quiet"
            # From here on, a stop only makes the wait shorter.
            stop.clear()
            patience_s = min(plan.quiet_s, QUIET_CUT_SHORT_S) if course.cut_short else plan.quiet_s
            ended = fleet.ended if fleet is not None else []
            lived = [Fault(kill.at, kill.gone_at) for kill in course.kills]
            # A process that ends by itself is noticed a moment later.
            lived += [Fault(each.at - TEND_S, each.at + ON_ITS_WAY_S) for each in ended]
            faults = sorted(lived)
            course.verdict, course.quiet_s = await folk.until_quiet(faults, patience_s, stop)
            if fleet is None:
                course.phase = "people leave"
                await folk.disperse()
            course.phase, course.not_done = "done", sandbox.refused
    except BaseExceptionGroup as group:
        raise _cause(group) from None
    return course


async def _join(course: Course, clock: Clock, stop: asyncio.Event) -> None:
    began = clock.now()
    try:
        async with asyncio.timeout(JOIN_S):
            await _first(course.crowd.join(), stop.wait())
    except TimeoutError:
        raise Spoiled(
            f"only {course.crowd.joined} of {course.people} people got through the first questions within "
            f"{JOIN_S:g} s: is Passerby running, with the sandbox as its BOT_API_URL?"
        ) from None
    course.joining_s = clock.now() - began


async def _live(
    course: Course, moments: Sequence[float], clock: Clock, stop: asyncio.Event, fleet: Fleet | None
) -> None:
    plan = course.plan
    course.phase = "people search and chat"
    course.began = clock.now()
    course.crowd.book.since = course.began
    course.watch.begin()
    every_s = max(QUICKEST_KILLS_S, plan.seconds / 6)
    chaos = Chaos(fleet, clock, Random(f"chaos:{plan.seed}"), every_s) if plan.chaos and fleet is not None else None  # noqa: S311
    if chaos is not None:
        course.kills = chaos.kills
    arriving = [course.began + moment for moment in moments]
    beside = [*([chaos.reign()] if chaos is not None else []), *([fleet.tend(clock)] if fleet is not None else [])]
    async with course.crowd.living(arriving, stay=not plan.daily), _beside(*beside):
        await _first(clock.sleep(plan.seconds), stop.wait())
    course.ended = clock.now()
    if fleet is not None:
        await fleet.ready()


@asynccontextmanager
async def _beside(*running: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these during the block. A fault in one ends all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in running]
        yield
        for task in tasks:
            task.cancel()


async def _first(*running: Coroutine[Any, Any, Any]) -> None:
    """Return when one of them is done. The others are cancelled."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in running]
        _, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()


def _cause(error: BaseException) -> BaseException:
    """The first exception of a group. It is the reason why the others were cancelled."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
