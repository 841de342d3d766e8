"""The results of a load test, as plain data. The terminal, the page and the JSON show these."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

import msgspec

from passerby.loadtest.day import TELEGRAM_PER_S
from passerby.loadtest.fleet import Ended
from passerby.loadtest.run import Course
from passerby.loadtest.watch import Sample
from simulated_people.book import quantile
from simulated_people.verdict import Verdict

MOST_EXAMPLES: Final = 10
MINUTE_S: Final = 60.0
BUSY: Final = 0.85
"""A process that uses this share of one core on average is at its limit, because it works on one core."""
FULL: Final = 0.92
LATE_S: Final = 0.1
"""If the load test is later than this at p99, it measures itself and not the product."""


class LatencySpread(msgspec.Struct, frozen=True):
    """Percentiles of `n` values, in seconds. None if there are no values."""

    n: int
    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    most: float | None

    @classmethod
    def of(cls, values: Iterable[float]) -> "LatencySpread":
        ordered = sorted(values)
        p50, p90, p99, p999 = (quantile(ordered, share) for share in (0.5, 0.9, 0.99, 0.999))
        return cls(len(ordered), p50, p90, p99, p999, ordered[-1] if ordered else None)


class Promises(msgspec.Struct, frozen=True):
    """The outcome of people's messages. `kept` None: not decided, because some were not finished in time."""

    kept: bool | None
    sent: int
    delivered: int
    refused: int
    unheard: int
    lost: int
    misrouted: int
    reordered: int
    duplicated: int
    duplicates_unprovoked: int
    most_duplicates: int
    undecided: int
    examples: dict[str, list[str]]


class Usage(msgspec.Struct, frozen=True):
    """A process. `cpu` is in cores on average, `cpu_most` in its busiest second. `rss_most` is in bytes."""

    name: str
    cpu: float
    cpu_most: float
    rss_most: int


class Mark(msgspec.Struct, frozen=True):
    """A kill. Its time is in seconds since the beginning."""

    name: str
    at: float


class Point(msgspec.Struct, frozen=True):
    """One moment, `at` in seconds since the beginning. Rates are per second, latencies in seconds, memory in bytes."""

    at: float
    sent: float
    delivered: float
    p50: float | None
    p99: float | None
    wait_p50: float | None
    wait_p99: float | None
    searching: int
    chatting: int
    in_hand: int
    cpu: dict[str, float]
    rss: dict[str, int]
    gauges: dict[str, float]


class StatementCost(msgspec.Struct, frozen=True):
    """One of the slowest statements: its total, average and longest time, in milliseconds."""

    text: str
    calls: int
    total_ms: float
    mean_ms: float
    most_ms: float


class SlowCommand(msgspec.Struct, frozen=True):
    """An entry of Redis' SLOWLOG."""

    text: str
    took_ms: float


class Stores(msgspec.Struct, frozen=True):
    """`*_note`: why there is nothing to show, or what one must know about it."""

    sql: tuple[StatementCost, ...] = ()
    sql_note: str = ""
    slowlog: tuple[SlowCommand, ...] = ()
    slowlog_note: str = ""
    figures: dict[str, str] = {}


class LoadReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report. Times are in seconds."""

    command: str
    version: str
    machine: str
    seed: int
    people: int
    bots: int
    seconds: float
    joining_s: float
    quiet_s: float
    cut_short: bool
    arithmetic: tuple[str, ...]
    promises: Promises
    latency: LatencySpread
    within: LatencySpread
    waits: LatencySpread
    latency_curve: tuple[tuple[float, float], ...]
    """Pairs of a share of messages and the longest time that they took."""
    within_curve: tuple[tuple[float, float], ...]
    gave_up: int
    found: int
    relays_per_s: float
    relays_most_per_s: float
    counts: dict[str, int]
    product: dict[str, float]
    usage: tuple[Usage, ...]
    points: tuple[Point, ...]
    kills: tuple[Mark, ...]
    stores: Stores
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0: no promise is known to be broken. 1: one was broken or, at the end of a whole run, is undecided."""
        if self.promises.kept is None:
            return 0 if self.cut_short else 1
        return 0 if self.promises.kept else 1


def promises(verdict: Verdict, dropped: int, missed: int) -> Promises:
    """`dropped`: updates that the sandbox gave up. `missed`: entries of its journal that nobody has read."""
    broken = {
        "lost": verdict.lost,
        "misrouted": verdict.misrouted,
        "reordered": verdict.reordered,
        "one chat reaches two people": verdict.split,
        "arrived after the end": verdict.after_the_end,
        "duplicated without a kill": verdict.unprovoked,
        "undecided": verdict.unresolved,
    }
    failed = any(broken[name] for name in broken if name != "undecided") or verdict.most_duplicates > 1
    undecided = bool(verdict.unresolved or dropped or missed)
    return Promises(
        kept=False if failed else None if undecided else True,
        sent=verdict.sent,
        delivered=verdict.delivered,
        refused=verdict.refused,
        unheard=verdict.unheard,
        lost=len(verdict.lost),
        misrouted=len(verdict.misrouted),
        reordered=len(verdict.reordered),
        duplicated=verdict.duplicated,
        duplicates_unprovoked=len(verdict.unprovoked),
        most_duplicates=verdict.most_duplicates,
        undecided=len(verdict.unresolved),
        examples={name: found[:MOST_EXAMPLES] for name, found in broken.items() if found},
    )


def points(course: Course, at_most: int = 120) -> tuple[Point, ...]:
    """The samples with the latencies of the same time, reduced to `at_most` moments."""
    samples = course.samples
    if len(samples) < 2:
        return ()
    step = -(-len(samples) // at_most)
    chosen = samples[::step] if samples[-1] in samples[::step] else [*samples[::step], samples[-1]]
    arrivals = _Dated((each.at, each.took_s) for each in course.crowd.book.arrivals)
    waits = _Dated((each.at, each.took_s) for each in course.crowd.book.waits)
    return tuple(
        _point(before, now, course.began, arrivals.until(now.at), waits.until(now.at))
        for before, now in pairwise(chosen)
    )


class _Dated:
    """Values with their moments, returned piece by piece."""

    def __init__(self, dated: Iterable[tuple[float, float]]) -> None:
        self._dated = sorted(dated)
        self._next = 0

    def until(self, at: float) -> list[float]:
        """The values up to `at` that were not returned yet, sorted by value."""
        first = self._next
        while self._next < len(self._dated) and self._dated[self._next][0] <= at:
            self._next += 1
        return sorted(value for _, value in self._dated[first : self._next])


def _point(before: Sample, now: Sample, began: float, latencies: list[float], waited: list[float]) -> Point:
    span_s = max(now.at - before.at, 1e-3)
    return Point(
        at=now.at - began,
        sent=(now.sent - before.sent) / span_s,
        delivered=(now.delivered - before.delivered) / span_s,
        p50=quantile(latencies, 0.5),
        p99=quantile(latencies, 0.99),
        wait_p50=quantile(waited, 0.5),
        wait_p99=quantile(waited, 0.99),
        searching=now.searching,
        chatting=now.chatting,
        in_hand=now.in_hand,
        cpu=now.cpu,
        rss=now.rss,
        gauges=now.gauges,
    )


def usage(samples: Iterable[Sample]) -> tuple[Usage, ...]:
    cpu: dict[str, list[float]] = {}
    rss: dict[str, int] = {}
    for sample in samples:
        for name, cores in sample.cpu.items():
            cpu.setdefault(name, []).append(cores)
        for name, size in sample.rss.items():
            rss[name] = max(size, rss.get(name, 0))
    return tuple(
        Usage(name, sum(cpu.get(name, [0.0])) / len(cpu.get(name, [0.0])), max(cpu.get(name, [0.0])), rss[name])
        for name in sorted(rss)
    )


def contact(course: Course) -> str:
    """How often honest people met the farm, by minute."""
    minutes = max(1, round((course.ended - course.began) / MINUTE_S))
    shares = [
        course.crowd.book.contact(course.began + MINUTE_S * minute, course.began + MINUTE_S * (minute + 1))
        for minute in range(minutes)
    ]
    told = ", ".join("–" if share is None else f"{share:.0%}" for share in shares)
    return (
        f"{course.plan.farmers} of the people were accounts of a farm ({course.plan.farm}). The share of honest "
        f"people's chats that met it, minute by minute: {told}."
    )


def notes(
    course: Course,
    used: Iterable[Usage],
    late: LatencySpread,
    product: Mapping[str, float],
    ended: Iterable[Ended],
    bots: int,
) -> list[str]:
    """Remarks that a reader needs to understand the figures, above all the bottleneck."""
    found = [contact(course)] if course.plan.farm else []
    for each in used:
        if each.cpu > BUSY and each.name == "sandbox":
            found.append(f"The sandbox was busy ({each.cpu:.0%} of its core). It may be the bottleneck, not Passerby.")
        elif each.cpu > BUSY and each.name == "load test":
            found.append(
                f"The load test itself was busy ({each.cpu:.0%} of its core). Latencies include its own delay."
            )
        elif each.cpu > BUSY:
            found.append(f"{each.name} was busy ({each.cpu:.0%} of its core).")
    shares = [each.machine_cpu for each in course.samples if each.machine_cpu is not None]
    if shares and sum(shares) / len(shares) > FULL:
        found.append(
            f"This machine was full ({sum(shares) / len(shares):.0%} of all cores, by all programs). With the "
            "sandbox and the people on another machine, Passerby would do more."
        )
    if late.p99 is not None and late.p99 > LATE_S:
        found.append(
            f"Actions reached the sandbox up to {late.p99 * 1000:.0f} ms (p99) after they were due. This is part of "
            "the latency. `within` does not include it."
        )
    load = course.plan.load
    share = load.sends / bots
    found.append(
        f"{load.sends:.0f} sends a second are expected, {share:.1f} for each of {bots} bots. Telegram allows "
        f"about {TELEGRAM_PER_S:g}, so {TELEGRAM_PER_S * bots:,.0f} in all."
    )
    waits, waited_s = product.get("waits for a budget", 0.0), product.get("waited for budgets, s", 0.0)
    if waits:
        found.append(f"Budgets held back {waits:,.0f} sends, for {waited_s / waits:.2f} s on average.")
    seen = course.crowd.confirmations
    if seen.floods:
        found.append(f"Requests that the sandbox answered with 429: {seen.floods:,}.")
    if seen.dropped:
        found.append(f"The sandbox dropped {seen.dropped:,} updates, as Telegram does with full queues.")
    if seen.missed:
        found.append(f"The journal dropped {seen.missed:,} entries before they were read. No verdict is possible.")
    if course.crowd.outside:
        found.append(
            f"{len(course.crowd.outside):,} messages went to people outside this test, and are not judged. "
            "Nobody else should use that sandbox during the test."
        )
    for one in ended:
        why = "cleanly" if one.code == 0 else f"with code {one.code}"
        found.append(f"{one.name} ended by itself {why}, after {one.at - course.began:.0f} s, and was started again.")
    if course.watch.silent:
        found.append(f"No metrics could be read from {', '.join(sorted(course.watch.silent))}.")
    if course.not_done:
        found.append(f"Actions that were not possible on the phone at that moment: {course.not_done:,}.")
    if course.cut_short:
        found.append("The test was stopped early. The figures cover the time until then.")
    return found


def curve(values: Iterable[float]) -> tuple[tuple[float, float], ...]:
    """The latency at each percent and at 99.9 percent. Empty without values."""
    ordered = sorted(values)
    found = ((share, quantile(ordered, share)) for share in (*(number / 100 for number in range(1, 100)), 0.999))
    return tuple((share, value) for share, value in found if value is not None)


def make(
    course: Course, *, command: str, version: str, machine: str, stores: Stores, ended: Iterable[Ended] = ()
) -> LoadReport:
    """The report of a finished load test."""
    assert course.verdict is not None, "it has been judged"
    book, plan = course.crowd.book, course.plan
    seconds = max(0.0, course.ended - course.began)
    samples = course.samples
    used = usage(samples)
    late = LatencySpread.of(book.late_s)
    product = course.watch.counted()
    shown = points(course)
    settled = [each.delivered for each in shown if each.at > plan.ramp_s] or [each.delivered for each in shown]
    hour = plan.peak
    return LoadReport(
        command=command,
        version=version,
        machine=machine,
        seed=plan.seed,
        people=course.people,
        bots=len(course.bots),
        seconds=seconds,
        joining_s=course.joining_s,
        quiet_s=course.quiet_s,
        cut_short=course.cut_short,
        arithmetic=tuple(hour.told()) if hour is not None else (),
        promises=promises(course.verdict, course.crowd.confirmations.dropped, course.crowd.confirmations.missed),
        latency=LatencySpread.of(each.took_s for each in book.arrivals),
        within=LatencySpread.of(each.within_s for each in book.arrivals if each.within_s is not None),
        waits=LatencySpread.of(each.took_s for each in book.waits if each.found),
        latency_curve=curve(each.took_s for each in book.arrivals),
        within_curve=curve(each.within_s for each in book.arrivals if each.within_s is not None),
        found=sum(each.found for each in book.waits),
        gave_up=sum(not each.found for each in book.waits),
        relays_per_s=sum(settled) / len(settled) if settled else 0.0,
        relays_most_per_s=max(settled, default=0.0),
        counts=dict(sorted(book.counts.items())),
        product=product,
        usage=used,
        points=shown,
        kills=tuple(Mark(kill.name, kill.at - course.began) for kill in course.kills),
        stores=stores,
        notes=tuple(notes(course, used, late, product, ended, len(course.bots))),
    )
