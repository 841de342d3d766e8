"""Measures people's messages and searches: when each was due, when it arrived, and how often.

Latency counts from the moment that a message was *due*, not from when it was sent, so a load test that falls behind
cannot hide it. The time *within* is measured, too: from the moment when the sandbox has the message until it shows it
to the partner. That is the time of the product and its calls, by one clock.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Arrival(NamedTuple):
    """`at`: when it was due, in Unix seconds. `within_s` None: not known."""

    at: float
    took_s: float
    within_s: float | None


class Wait(NamedTuple):
    """A search that began at `at`. It found a partner or not."""

    at: float
    took_s: float
    found: bool


@dataclass(slots=True)
class Book:
    """`since`: messages that were due earlier are not measured. It is infinity until the measurement begins."""

    since: float = float("inf")
    counts: Counter[str] = field(default_factory=Counter)
    arrivals: list[Arrival] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    """How late the load test itself was: from the due time until it heard that the sandbox has the message."""
    stickers: dict[bytes, str] = field(default_factory=dict)
    """The marks of stickers, by their bytes."""
    farmers: int = 0
    """The people with the lowest numbers are accounts of a farm; this many."""
    meetings: list[tuple[float, bool]] = field(default_factory=list)
    """When an honest person first heard from a partner, and whether that was an account of a farm."""
    _due: dict[str, float] = field(default_factory=dict)
    _taken: dict[str, float] = field(default_factory=dict)
    _seen: Counter[str] = field(default_factory=Counter)

    def wrote(self, mark: str, due: float) -> None:
        self._due[mark] = due
        self.counts["sent"] += 1

    def taken(self, mark: str, at: float, heard: float) -> None:
        """The sandbox has the message since `at` by its clock. We heard of that at `heard` by ours."""
        self._taken[mark] = at
        due = self._due.get(mark)
        if due is not None and due >= self.since:
            self.late_s.append(heard - due)

    def arrived(self, mark: str, at: float, heard: float) -> None:
        """The message is on a phone."""
        self._seen[mark] += 1
        if self._seen[mark] > 1:
            self.counts["again"] += 1
            return
        self.counts["delivered"] += 1
        due = self._due.pop(mark, None)
        taken = self._taken.pop(mark, None)
        if due is not None and due >= self.since:
            self.arrivals.append(Arrival(due, heard - due, at - taken if taken is not None else None))

    def met(self, mark: str, heard: float) -> None:
        """An honest person heard from a partner for the first time."""
        self.meetings.append((heard, int(mark.partition(".")[0]) < self.farmers))

    def contact(self, since: float, until: float) -> float | None:
        """The share of honest people's chats that were with an account of a farm. None without chats."""
        found = [farm for at, farm in self.meetings if since <= at < until]
        return sum(found) / len(found) if found else None

    def searched(self, due: float, heard: float, *, found: bool) -> None:
        self.counts["found" if found else "gave up"] += 1
        if due >= self.since:
            self.waits.append(Wait(due, heard - due, found))

    @property
    def under_way(self) -> int:
        """How many messages were written and not delivered yet. Some may never be."""
        return len(self._due)


def quantile(ordered: list[float], share: float) -> float | None:
    """The value that this share of `ordered` does not exceed. None without values. `ordered` is sorted."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
