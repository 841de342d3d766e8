"""Commits that have no answer from the store yet, or never got one: they may have been stored, or not.

The notices of two commits to one person must be sent in the order in which the commits were stored. Answers may come in
another order, or not at all.
"""

import asyncio
from collections.abc import Iterable

from passerby.kernel.ids import PersonId
from passerby.ports.clock import Clock
from passerby.ports.outbox import Notice


class UncertainCommits:
    """After a commit without an answer, the outbox may hold notices that no process knows of. Until they were looked
    for, no later notice may be sent to the same people: it would overtake them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_at = float("-inf")
        self._notices: dict[str, PersonId] = {}
        self._under_way: dict[PersonId, list[asyncio.Event]] = {}

    def under_way(self, notices: Iterable[Notice]) -> "_UnderWay":
        """During the block, a commit with these notices waits for its answer. The block gets the ends of the commits to
        the same people that began earlier and have no answer yet.

        If both are stored, the earlier one was stored first: otherwise it would be stale.
        """
        return _UnderWay(self._under_way, {notice.to for notice in notices})

    def mark(self, notices: Iterable[Notice] = ()) -> None:
        """Note that a commit with these notices was left without an answer just now."""
        self._last_at = self._clock.monotonic()
        self._notices |= {notice.id: notice.to for notice in notices}

    def last_at(self) -> float:
        """When that last happened, in monotonic seconds; -inf if never."""
        return self._last_at

    def before(self, notices: Iterable[Notice]) -> set[str]:
        """The ids of the notices that may be in the outbox and come before these."""
        if not self._notices:
            return set()
        people = {notice.to for notice in notices}
        return {each for each, to in self._notices.items() if to in people}

    def looked_for(self, ids: Iterable[str]) -> None:
        """They were looked for, and are sent if they were stored."""
        for each in ids:
            self._notices.pop(each, None)


class _UnderWay:
    """See `UncertainCommits.under_way`. A generator would cost twice as much, and every commit enters here."""

    __slots__ = ("_all", "_end", "_people")

    def __init__(self, all_of_them: dict[PersonId, list[asyncio.Event]], people: set[PersonId]) -> None:
        self._all = all_of_them
        self._people = people
        self._end = asyncio.Event()

    def __enter__(self) -> list[asyncio.Event]:
        earlier: dict[asyncio.Event, None] = {}
        for person in self._people:
            ends = self._all.get(person)
            if ends is None:
                self._all[person] = [self._end]
            else:
                earlier |= dict.fromkeys(ends)
                ends.append(self._end)
        return list(earlier)

    def __exit__(self, *_: object) -> None:
        for person in self._people:
            ends = self._all[person]
            if len(ends) == 1:
                del self._all[person]
            else:
                ends.remove(self._end)
        self._end.set()
