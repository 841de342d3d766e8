"""Finds when a bot did not work lately, and the share of the time in which it did, from the samples of each minute.

A minute without a sample is one in which no process of the fleet ran, so no bot was polled then.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from passerby.panel.samples import Sample

OK: Final = "o"
NOBODY: Final = "n"
"""No process ran."""
UNKNOWN: Final = " "
GAP_S: Final = 150.0
"""Two samples that are farther apart than this have minutes without one between them."""
_MINUTE_S: Final = 60.0


class Outage(NamedTuple):
    """`bot` is empty if no process ran. `state`: as in `Sample.bots`, or NOBODY. `lasts`: it is not over."""

    bot: str
    state: str
    since: float
    minutes: int
    lasts: bool = False


class Uptime(NamedTuple):
    """`share` of the known minutes in which a bot worked. None: there are no such minutes."""

    share: float | None
    minutes: int

    @property
    def said(self) -> str:
        """Rounded down: 100 % is said of no bot that failed for a minute."""
        return "–" if self.share is None else f"{int(self.share * 1000) / 10:.1f} %"


def uptime(samples: Sequence[Sample], bot: str) -> Uptime:
    states = [state for each in samples if (state := each.bots.get(bot, UNKNOWN)) != UNKNOWN]
    first = next((each.at for each in samples if each.bots.get(bot, UNKNOWN) != UNKNOWN), None)
    later = [each for each in samples if first is not None and each.at >= first]
    missing = sum(_missing(before, after) for before, after in pairwise(later))
    known = len(states) + missing
    return Uptime(states.count(OK) / known if known else None, known)


def outages(samples: Sequence[Sample], bots: Sequence[str]) -> list[Outage]:
    """The newest first. A change of the reason is another one."""
    found = [
        Outage("", NOBODY, before.at + _MINUTE_S, _missing(before, after))
        for before, after in pairwise(samples)
        if _missing(before, after)
    ]
    for bot in bots:
        found += _of(bot, samples)
    return sorted(found, key=lambda each: (-each.since, each.bot))


def _of(bot: str, samples: Sequence[Sample]) -> list[Outage]:
    found: list[Outage] = []
    state = OK
    for index, each in enumerate(samples):
        now = each.bots.get(bot, UNKNOWN)
        if now not in (OK, UNKNOWN):
            goes_on = now == state and not _missing(samples[index - 1], each)
            last = index == len(samples) - 1
            if goes_on:
                found[-1] = found[-1]._replace(minutes=found[-1].minutes + 1, lasts=last)
            else:
                found.append(Outage(bot, now, each.at, 1, last))
        state = now
    return found


def _missing(before: Sample, after: Sample) -> int:
    """Whole minutes without a sample between two samples."""
    apart_s = after.at - before.at
    return round(apart_s / _MINUTE_S) - 1 if apart_s > GAP_S else 0
