"""Decides who is paired with whom.

It is pure and deterministic: tickets and a time go in, pairs come out.

Two people are *open to each other* if `wishes` allows their pair by now. Of all who have somebody open to them, the
person with the earliest turn chooses first, and gets the person who suits them best. If several suit equally well, the
one with the earliest turn is chosen. Then the next person chooses. At the end, no two people who still wait are open to
each other.

A *turn* is the place of a person in this order. People who began to search earlier have an earlier turn. A VIP counts
as if they had begun `VIP_HEAD_START_S` earlier. So a VIP never overtakes somebody who began more than that before them.
If two turns are equal after that, the person with the smaller id goes first.

Each call of `Pool.pairs` is a *look*. After a look, no two waiting people are open to each other. Only *fresh* people
can change that: those who came after the last look, or who accept more since then. So the cost of a look depends on how
many people are fresh, not on how many wait. For each fresh person, the crowd finds the first person who is open to
them. Of all the people in these pairs, the one with the earliest turn chooses. If so many people are fresh that this
would cost more, everybody chooses in turn.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from passerby.domain.matching.block import Place, Step, Turn, steps
from passerby.domain.matching.crowd import Crowd
from passerby.domain.matching.wishes import Common, common
from passerby.kernel.ids import PersonId, PoolId
from passerby.kernel.participant import Ticket

VIP_HEAD_START_S = 5.0


@dataclass(frozen=True, slots=True)
class Pair:
    """`first` is the person who chose."""

    first: Ticket
    second: Ticket

    @property
    def common(self) -> Common:
        return common(self.first, self.second)


def turn(ticket: Ticket) -> Turn:
    """The order of choosing: the smallest value first."""
    return ticket.since - (VIP_HEAD_START_S if ticket.vip else 0.0), ticket.person


class Pool:
    """The people who wait in one pool. Times are in Unix seconds.

    Each person *widens* in steps: at certain times they begin to accept more. `patience` multiplies the waits until
    then (see `Rules.patience`).
    """

    def __init__(self, patience: float = 1.0) -> None:
        self._patience = patience
        self._crowd = Crowd()
        self._arrivals: dict[PersonId, Ticket] = {}
        """Those who came after the last look. At the next, they join the crowd, with all that they accept by then."""
        self._delayed: dict[PersonId, Ticket] = {}
        """Those whose search does not count yet (`Ticket.not_before`)."""
        self._steps: list[tuple[float, int, Place, Step]] = []
        """A heap with the next step of each person: (when, a number that no other has, who, what)."""
        self._later: dict[PersonId, list[tuple[float, Step]]] = {}
        """For each person, the steps after the one in `_steps`, the latest first."""
        self._counter = 0

    def __len__(self) -> int:
        return len(self._crowd) + len(self._arrivals) + len(self._delayed)

    def __contains__(self, person: PersonId) -> bool:
        return person in self._arrivals or person in self._delayed or self._crowd.get(person) is not None

    def add(self, ticket: Ticket) -> None:
        """Add a person who waits. If they are here already, the new ticket replaces the old one."""
        self.remove(ticket.person)
        (self._delayed if ticket.not_before else self._arrivals)[ticket.person] = ticket

    def remove(self, person: PersonId) -> None:
        """Remove a person who no longer waits. Does nothing if they are not here."""
        self._arrivals.pop(person, None)
        self._delayed.pop(person, None)
        place = self._crowd.get(person)
        if place is not None:
            self._leave(place)

    def _leave(self, place: Place) -> None:
        self._crowd.remove(place)
        self._later.pop(place.ticket.person, None)

    def next_at(self) -> float | None:
        """When to look again: when the next person accepts more, or at once if somebody came. None: not before that."""
        if self._arrivals:
            return float("-inf")
        while self._steps and self._steps[0][2].block is None:
            heappop(self._steps)
        times = [ticket.not_before for ticket in self._delayed.values()]
        return min((*times, self._steps[0][0]) if self._steps else times, default=None)

    def pairs(self, now: float) -> list[Pair]:
        """Pair everybody who may be paired by now, in the order of choosing, and remove them.

        If a pair could not be stored, add its people again. `now` never goes back.
        """
        fresh = [*self._widen(now), *self._let_in(now)]
        if len(fresh) ** 2 > 4 * len(self._crowd):
            return self._all_in_turn(now)
        return self._around(fresh, now)

    def _widen(self, now: float) -> Iterable[Place]:
        widened: dict[PersonId, Place] = {}
        while self._steps and self._steps[0][0] <= now:
            *_, place, step = heappop(self._steps)
            if place.block is not None:
                self._crowd.widen(place, step)
                self._await_next(place)
                widened[place.ticket.person] = place
        return widened.values()

    def _let_in(self, now: float) -> list[Place]:
        for ticket in [each for each in self._delayed.values() if each.not_before <= now]:
            self._arrivals[ticket.person] = self._delayed.pop(ticket.person)
        places = [Place(ticket, turn(ticket)) for ticket in self._arrivals.values()]
        self._arrivals.clear()
        places.sort(key=lambda place: place.turn)
        for place in places:
            later = steps(place.ticket, self._patience)
            while later and later[-1][0] <= now:
                place.put_up_with(later.pop()[1])
            self._crowd.add(place)
            if later:
                self._later[place.ticket.person] = later
                self._await_next(place)
        return places

    def _await_next(self, place: Place) -> None:
        later = self._later.get(place.ticket.person)
        if later:
            at, step = later.pop()
            self._counter += 1
            heappush(self._steps, (at, self._counter, place, step))

    def _all_in_turn(self, now: float) -> list[Pair]:
        pairs = []
        for one in list(self._crowd):
            if one.block is not None:
                other = self._crowd.best_open_to(one, now, self._patience)
                if other is not None:
                    pairs.append(self._take(one, other))
        return pairs

    def _around(self, fresh: list[Place], now: float) -> list[Pair]:
        """Find the same pairs as `_all_in_turn`, but look only at the fresh people and those who are open to them."""
        crowd, pairs = self._crowd, []
        heads: list[tuple[Turn, Turn, Place, Place]] = []
        # A heap: the earlier turn of the two, the fresh person's turn, the fresh person, the first who is open to them.

        def ask(one: Place, after: Turn | None = None) -> None:
            first = crowd.first_open_to(one, now, self._patience, after)
            if first is not None:
                heappush(heads, (min(one.turn, first.turn), one.turn, one, first))

        for one in fresh:
            ask(one)
        while heads:
            _, _, one, first = heappop(heads)
            if one.block is None:
                continue
            if first.block is not None:
                chooser = min(one, first, key=lambda each: each.turn)
                chosen = crowd.best_open_to(chooser, now, self._patience)
                assert chosen is not None, "the two are open to each other"
                pairs.append(self._take(chooser, chosen))
            if one.block is not None:
                ask(one, first.turn)
        return pairs

    def _take(self, one: Place, other: Place) -> Pair:
        for place in (one, other):
            self._leave(place)
        return Pair(one.ticket, other.ticket)


def match(tickets: Iterable[Ticket], now: float, patience: float = 1.0) -> list[Pair]:
    """Pair everybody who may be paired by now, each pool by itself. Each person has at most one ticket."""
    pools: dict[PoolId, Pool] = {}
    for ticket in tickets:
        pool = pools.get(ticket.pool)
        if pool is None:
            pool = pools[ticket.pool] = Pool(patience)
        pool.add(ticket)
    found = [pair for pool in pools.values() for pair in pool.pairs(now)]
    return sorted(found, key=lambda pair: turn(pair.first))
