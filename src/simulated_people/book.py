"""What is measured of the people's messages and searches: when each was due, when it arrived, and how often.

Latency counts from the moment that something was *due*, not from when it was sent: a side that falls behind does not
get to hide it. Next to it stands how long it took *within*: from the sandbox's taking the message to its showing it to
the partner, which is the product and its calls alone, by one clock.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Arrival(NamedTuple):
    """`at`: when it was due, Unix seconds. `within_s` None: not known."""

    at: float
    took_s: float
    within_s: float | None


class Wait(NamedTuple):
    """A search that began at `at` and found somebody, or not."""

    at: float
    took_s: float
    found: bool


@dataclass(slots=True)
class Book:
    """`since`: what was due before, is not measured; infinity until the measuring begins."""

    since: float = float("inf")
    counts: Counter[str] = field(default_factory=Counter)
    arrivals: list[Arrival] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    """How late this side was: from due to the sandbox's having it, as heard here."""
    stickers: dict[bytes, str] = field(default_factory=dict)
    """The marks of stickers, by their bytes."""
    _due: dict[str, float] = field(default_factory=dict)
    _taken: dict[str, float] = field(default_factory=dict)
    _seen: Counter[str] = field(default_factory=Counter)

    def wrote(self, mark: str, due: float) -> None:
        self._due[mark] = due
        self.counts["sent"] += 1

    def taken(self, mark: str, at: float, heard: float) -> None:
        """The sandbox has it, since `at` by its clock; heard of at `heard` by ours."""
        self._taken[mark] = at
        due = self._due.get(mark)
        if due is not None and due >= self.since:
            self.late_s.append(heard - due)

    def arrived(self, mark: str, at: float, heard: float) -> None:
        """It is on somebody's phone."""
        self._seen[mark] += 1
        if self._seen[mark] > 1:
            self.counts["again"] += 1
            return
        self.counts["delivered"] += 1
        due = self._due.pop(mark, None)
        taken = self._taken.pop(mark, None)
        if due is not None and due >= self.since:
            self.arrivals.append(Arrival(due, heard - due, at - taken if taken is not None else None))

    def searched(self, due: float, heard: float, *, found: bool) -> None:
        self.counts["found" if found else "gave up"] += 1
        if due >= self.since:
            self.waits.append(Wait(due, heard - due, found))

    @property
    def under_way(self) -> int:
        """Written, and neither delivered nor, perhaps, ever to be."""
        return len(self._due)


def quantile(ordered: list[float], share: float) -> float | None:
    """The value that this share of `ordered`, ascending, does not exceed; None of nothing."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
