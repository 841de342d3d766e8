"""Who is paired with whom.

Pure and deterministic: tickets and a time in, pairs out. Promise, of everybody whom `wishes` lets be paired by now:
whose turn comes first chooses first, and takes who suits them best, and among equals whose turn comes first; no pair
that is open is left waiting. The *turn* is the wait: who began to search earlier goes first. A VIP goes as if they had
come `VIP_HEAD_START_S` earlier, and so passes nobody who has waited longer than that before them. Equal turns go by
person.

`Pool` remembers from look to look. After a look no two who wait are open to each other, and only newcomers, or people
who have just come to put up with more, can change that: a look costs what these are, not who waits. For each of them
the crowd is asked for the first who is open to them; of all those, the one whose turn comes first chooses. If so many
are new that asking each for their first would cost more, everybody chooses in turn.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from passerby.domain.matching.crowd import Crowd, Place, Step, Turn, steps
from passerby.domain.matching.wishes import Common, common
from passerby.kernel.ids import PersonId, PoolId
from passerby.kernel.participant import Ticket

VIP_HEAD_START_S = 5.0


@dataclass(frozen=True, slots=True)
class Pair:
    """`first` has chosen."""

    first: Ticket
    second: Ticket

    @property
    def common(self) -> Common:
        return common(self.first, self.second)


def turn(ticket: Ticket) -> Turn:
    """What the order of choice goes by: the least first."""
    return ticket.since - (VIP_HEAD_START_S if ticket.vip else 0.0), ticket.person


class Pool:
    """The people who wait in one pool, and their pairs. Times are Unix seconds.

    `patience` stretches the steps of widening (see `Rules.patience`).
    """

    def __init__(self, patience: float = 1.0) -> None:
        self._patience = patience
        self._crowd = Crowd()
        self._newcomers: dict[PersonId, Ticket] = {}
        """Not in the crowd before the next look: then in order, and with what they put up with by now."""
        self._steps: list[tuple[float, int, Place, Step]] = []
        self._later: dict[PersonId, list[tuple[float, Step]]] = {}
        """The steps after the one that is among `_steps`, the latest first."""
        self._counter = 0

    def __len__(self) -> int:
        return len(self._crowd) + len(self._newcomers)

    def __contains__(self, person: PersonId) -> bool:
        return person in self._newcomers or self._crowd.get(person) is not None

    def add(self, ticket: Ticket) -> None:
        """Somebody waits, or waits for something else than before."""
        self.remove(ticket.person)
        self._newcomers[ticket.person] = ticket

    def remove(self, person: PersonId) -> None:
        """Somebody waits no longer, if they ever did."""
        self._newcomers.pop(person, None)
        place = self._crowd.get(person)
        if place is not None:
            self._leave(place)

    def _leave(self, place: Place) -> None:
        self._crowd.remove(place)
        self._later.pop(place.ticket.person, None)

    def next_at(self) -> float | None:
        """When to look again, if nothing happens: somebody will put up with more then, or is new. None: never."""
        if self._newcomers:
            return float("-inf")
        while self._steps and self._steps[0][2].block is None:
            heappop(self._steps)
        return self._steps[0][0] if self._steps else None

    def pairs(self, now: float) -> list[Pair]:
        """Pair all who may be paired by now, in the order in which they choose. They wait here no longer.

        Whoever is not brought together after all is to be added again. `now` never goes back.
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
        places = [Place(ticket, turn(ticket)) for ticket in self._newcomers.values()]
        self._newcomers.clear()
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
        """The same pairs, looking only at who is fresh and who is open to them."""
        crowd, pairs = self._crowd, []
        heads: list[tuple[Turn, Turn, Place, Place]] = []

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
    """Pair as many of the waiting as may be paired by now. At most one ticket a person; pools stay apart."""
    pools: dict[PoolId, Pool] = {}
    for ticket in tickets:
        pool = pools.get(ticket.pool)
        if pool is None:
            pool = pools[ticket.pool] = Pool(patience)
        pool.add(ticket)
    found = [pair for pool in pools.values() for pair in pool.pairs(now)]
    return sorted(found, key=lambda pair: turn(pair.first))
