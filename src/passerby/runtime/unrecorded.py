"""The facts that this worker has stored and that may not be in the records yet. Needed if the live store is wiped.

The records learn of a change some tenths of a second after people. If the store is wiped in between, the records have
an older state: a chat that has ended looks open. So each worker keeps its own newest facts until it knows that the
records have them, and hands them in after a wipe (see `background.roll_call`).

A heartbeat tells how far the journal and the records are. Facts that were stored before a heartbeat was sent have
numbers up to the one that its answer names.
"""

from collections import deque
from collections.abc import Sequence

from passerby.ports.facts import Fact

MOST: int = 5_000
"""Facts, a few megabytes at most. That is a minute of a busy worker, if the records are away."""


class UnrecordedFacts:
    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: deque[tuple[int, Sequence[Fact]]] = deque()
        self._count = 0
        self._stored = 0
        """The number of the last commit; each commit with facts has the next one."""
        self._recorded = 0
        """The records have the facts of all commits up to this one."""
        self._dropped = 0
        """There was no room for the facts of this commit and older ones."""
        self._looks: deque[tuple[int, int]] = deque()
        """For each heartbeat, oldest first: the last number of the journal then, and our last commit before it."""

    def stored(self, facts: Sequence[Fact]) -> None:
        """Note the facts of a commit that was stored."""
        if not facts:
            return
        self._stored += 1
        self._kept.append((self._stored, facts))
        self._count += len(facts)
        while self._count > self._most:
            self._dropped, dropped = self._kept.popleft()
            self._count -= len(dropped)

    @property
    def last(self) -> int:
        """The number of our last commit, to pass to `heard` and `recorded`."""
        return self._stored

    def heard(self, last: int, newest: int, recorded: int) -> None:
        """Note the answer to a heartbeat that was sent after our commit `last`.

        `newest` and `recorded` are numbers of the journal: of its newest fact, and of the last one in the records.
        """
        self._looks.append((newest, last))
        while self._looks and self._looks[0][0] <= recorded:
            self.recorded(self._looks.popleft()[1])

    def recorded(self, last: int) -> None:
        """Note that the records have our facts up to the commit `last`."""
        self._recorded = max(self._recorded, last)
        while self._kept and self._kept[0][0] <= last:
            self._count -= len(self._kept.popleft()[1])

    @property
    def facts(self) -> list[Fact]:
        return [fact for _, facts in self._kept for fact in facts]

    @property
    def is_whole(self) -> bool:
        """Whether no fact is missing that the records may lack."""
        return self._dropped <= self._recorded

    def forget_looks(self) -> None:
        """Another generation counts its journal from another number."""
        self._looks.clear()
