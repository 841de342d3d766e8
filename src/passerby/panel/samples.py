"""One look at the whole fleet a minute, kept for two days: the lines and the bars of the panel.

A sample has what each worker had counted by then. The figures of a minute are the difference of two samples. Workers
start again, so a worker that counts less than before counts from zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from passerby.runtime.membership.report import Report
from passerby.telemetry.figures import Snapshot, together

POLLED_WITHIN_S: Final = 75.0
"""A poll waits up to 50 s."""
COUNTED: Final = (
    *("updates", "relays", "relays_failed", "notices", "searches", "pairs", "floods", "retries", "errors"),
    *("waits", "waited_s", "latency"),
)


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """`workers`: worker -> its counts since it started. `bots`: bot -> o polled, h held, l lost or doubted, - late.
    `delivery`: bot -> the median and the p99 of what it delivered in the minute before, in seconds."""

    at: float
    waiting: int = 0
    chats: int = 0
    outbox: int = 0
    journal: int = 0
    bots: dict[str, str] = {}
    workers: dict[str, Snapshot] = {}
    delivery: dict[str, tuple[float, float]] = {}


def sample_of(
    reports: Mapping[str, Report],
    bots: Iterable[int],
    now: float,
    *,
    waiting: int,
    chats: int,
    outbox: int,
    journal: int,
) -> Sample:
    workers = {
        worker: Snapshot(at=report.figures.at, **{name: getattr(report.figures, name) for name in COUNTED})
        for worker, report in reports.items()
        if report.figures is not None
    }
    states = {str(bot): state_of(bot, reports.values(), now) for bot in bots}
    return Sample(now, waiting, chats, outbox, journal, states, workers)


def delivered(before: Mapping[str, Report], after: Mapping[str, Report]) -> dict[str, tuple[float, float]]:
    """See `Sample.delivery`. A worker that was not there before, or counts less than before, counts from zero."""
    sums: dict[int, list[int]] = {}
    for worker, report in after.items():
        earlier = before[worker].figures if worker in before else None
        for bot, counts in report.figures.latency_of.items() if report.figures is not None else ():
            then = earlier.latency_of.get(bot, ()) if earlier is not None else ()
            new = [one - other for one, other in zip(counts, then, strict=True)] if then else list(counts)
            if min(new) < 0:
                new = list(counts)
            known = sums.setdefault(bot, [0] * len(new))
            sums[bot] = [one + other for one, other in zip(known, new, strict=True)]
    found = {}
    for bot, new in sums.items():
        step = Snapshot(at=0.0, latency=tuple(new))
        median, p99 = step.quantile_s(0.5), step.quantile_s(0.99)
        if median is not None and p99 is not None:
            found[str(bot)] = (median, p99)
    return found


def state_of(bot: int, reports: Iterable[Report], now: float) -> str:
    """See `Sample.bots`."""
    polled, held, doubted = 0.0, False, False
    for report in reports:
        doubted = doubted or bot in report.doubted_bots
        if report.figures is not None:
            polled = max(polled, report.figures.polled_at.get(bot, 0.0))
            held = held or report.figures.held_s.get(bot, 0.0) > 0
    if doubted:
        return "l"
    if held:
        return "h"
    return "o" if now - polled <= POLLED_WITHIN_S else "-"


def between(before: Sample, after: Sample) -> Snapshot | None:
    """The work of all workers between two samples. None: no worker is known."""
    steps = [
        figures.since(before.workers[worker]) if worker in before.workers else figures
        for worker, figures in after.workers.items()
    ]
    return together(steps) if steps else None


def per_minute(samples: Sequence[Sample]) -> list[Snapshot | None]:
    """Return the figures of each minute. None before the first sample, and where samples are missing."""
    return [between(before, after) if 0 < after.at - before.at <= 150 else None for before, after in pairwise(samples)]
