"""What a waiting person is told of their chances: how many fit, and how long it takes.

Measured, never promised: waits of people in the same pool with such wishes who were paired within the last while, and
those who wait or came by lately. The matcher feeds it.

No count leaves here as it is. Somebody who narrows their filters until only one person is left could watch the count
for that person's coming and going; `blurred` knows three sizes, and the smallest begins at nobody.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from enum import StrEnum
from statistics import median

from passerby.domain.matching.wishes import compatible
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Ticket

LATELY_S = 900.0
SAMPLE = 400
"""People who came by that are remembered for `fitting`."""

WAITS_KEPT = 50
WAITS_LATELY_S = 3600.0
ENOUGH = 5
"""Waits that make a measurement."""

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
    """Of one pool. Times are Unix seconds."""

    def __init__(self) -> None:
        self._waits: dict[Hashable, deque[tuple[float, float]]] = {}
        self._seen: OrderedDict[PersonId, Ticket] = OrderedDict()

    def saw(self, ticket: Ticket) -> None:
        """Somebody waits."""
        self._seen[ticket.person] = ticket
        self._seen.move_to_end(ticket.person)
        if len(self._seen) > SAMPLE:
            self._seen.popitem(last=False)

    def paired(self, ticket: Ticket, now: float) -> None:
        """Somebody who waited has been paired."""
        for kind in _kinds(ticket):
            waits = self._waits.setdefault(kind, deque(maxlen=WAITS_KEPT))
            waits.append((now, max(0.0, now - ticket.since)))

    def expected_s(self, ticket: Ticket, now: float) -> float | None:
        """How long people with such wishes waited, in the middle of them; None while too few were measured.

        Of those with the same gender and filters, or if they are too few, with any filters of the same kinds.
        """
        for kind in _kinds(ticket):
            waits = [wait_s for at, wait_s in self._waits.get(kind, ()) if now - at <= WAITS_LATELY_S]
            if len(waits) >= ENOUGH:
                return median(waits)
        return None

    def fitting(self, ticket: Ticket, now: float) -> int:
        """How many of those who wait or came by lately are within the hard wishes, both ways; `MANY` at most.

        For people's eyes only through `blurred`.
        """
        count = 0
        for other in reversed(self._seen.values()):
            if now - other.since <= LATELY_S and compatible(ticket, other):
                count += 1
                if count == MANY:
                    break
        return count


def _kinds(ticket: Ticket) -> tuple[Hashable, Hashable]:
    """Whose waits are alike, the closest first: few enough kinds that each is measured, so ages go by tens."""
    wants = ticket.wants
    filtered = (bool(wants.genders), wants.age_min is not None or wants.age_max is not None, not wants.other_languages)
    ages = tuple(None if age is None else age // 10 for age in (wants.age_min, wants.age_max))
    return (ticket.gender, wants.genders, ages, not wants.other_languages), (ticket.gender, *filtered)
