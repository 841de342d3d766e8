"""Estimates for waiting people: how many others fit, and how long it takes.

They are measurements, not promises. A wait is estimated from recent waits of people in the same pool, with similar
wishes, who were paired. The others who fit are those who wait now or came recently. The matcher feeds both.

No exact count is shown. Somebody could narrow their filters until only one person is left, and watch when that person
comes and goes. So `blurred` knows only three sizes, and the smallest includes nobody.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from enum import StrEnum
from itertools import chain, islice
from statistics import median

from passerby.domain.matching.wishes import compatible
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Ticket

LATELY_S = 900.0
SAMPLE = 400
"""How many recent people are remembered for `fitting`, and at how many waiting people it looks."""

WAITS_KEPT = 50
WAITS_LATELY_S = 3600.0
ENOUGH = 5
"""How many waits are needed for a measurement."""

SOME = 6
MANY = 20


class Crowding(StrEnum):
    """The estimate that people are shown: few if any, about ten, or many."""

    FEW = "few"
    SOME = "some"
    MANY = "many"


def blurred(count: int) -> Crowding:
    if count < SOME:
        return Crowding.FEW
    return Crowding.SOME if count < MANY else Crowding.MANY


class Estimates:
    """The estimates of one pool. Times are in Unix seconds."""

    def __init__(self) -> None:
        self._waits: dict[Hashable, deque[tuple[float, float]]] = {}
        self._seen: OrderedDict[PersonId, Ticket] = OrderedDict()

    def saw(self, ticket: Ticket) -> None:
        """A person has started to wait."""
        self._seen[ticket.person] = ticket
        self._seen.move_to_end(ticket.person)
        if len(self._seen) > SAMPLE:
            self._seen.popitem(last=False)

    def paired(self, ticket: Ticket, now: float) -> None:
        """A waiting person has been paired."""
        for kind in _kinds(ticket):
            waits = self._waits.setdefault(kind, deque(maxlen=WAITS_KEPT))
            waits.append((now, max(0.0, now - ticket.since)))

    def expected_s(self, ticket: Ticket, now: float) -> float | None:
        """The median wait of people with similar wishes. None until enough waits are measured.

        It is measured over people with the same gender and filters. If they are too few, over people of the same
        gender with the same kinds of filters: whether they filter by gender, by age, or by language.
        """
        for kind in _kinds(ticket):
            waits = [wait_s for at, wait_s in self._waits.get(kind, ()) if now - at <= WAITS_LATELY_S]
            if len(waits) >= ENOUGH:
                return median(waits)
        return None

    def fitting(self, ticket: Ticket, waiting: Iterable[Ticket], now: float) -> int:
        """How many people who wait or came recently fit the hard wishes, both ways. `MANY` at most.

        `waiting`: everybody who waits now. Only the first `SAMPLE` are looked at, so that the cost has a bound.
        People may see the count only through `blurred`.
        """
        recent = (other for other in reversed(self._seen.values()) if now - other.since <= LATELY_S)
        found = set[PersonId]()
        for other in chain(recent, islice(waiting, SAMPLE)):
            if compatible(ticket, other):
                found.add(other.person)
                if len(found) == MANY:
                    break
        return len(found)


def _kinds(ticket: Ticket) -> tuple[Hashable, Hashable]:
    """The groups whose waits are similar, the closest first. There are few groups, so that each is measured; ages go by
    tens."""
    wants = ticket.wants
    filtered = (bool(wants.genders), wants.age_min is not None or wants.age_max is not None, not wants.other_languages)
    ages = tuple(None if age is None else age // 10 for age in (wants.age_min, wants.age_max))
    return (ticket.gender, wants.genders, ages, not wants.other_languages), (ticket.gender, *filtered)
