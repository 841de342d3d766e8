"""Crowds for the tests of pairing, and a matcher that is too simple to be wrong."""

from collections.abc import Iterable

from hypothesis import strategies as st

from passerby.domain.matching.match import Pair, turn
from passerby.domain.matching.wishes import compatible, opens_at, score
from passerby.kernel.ids import PersonId, PoolId
from passerby.kernel.participant import Gender, Met, Preferences, Ticket

POOLS = [PoolId("adults"), PoolId("minors")]
LANGUAGES = ["en", "ru", "fa"]
INTERESTS = ["music", "films", "chess", "cats", "books"]
NOW = 60.0
"""Everybody in a crowd came before this time, most of them within the steps of widening."""


def ticket(person: int, since: float = 0.0, **facts: object) -> Ticket:
    return Ticket(PersonId(person), POOLS[0], since, Gender.UNSAID, 20, **facts)  # type: ignore[arg-type]


def met(*people: int, skipped: bool = False) -> tuple[Met, ...]:
    return tuple(Met(PersonId(person), 0.0, skipped) for person in people)


ages = st.integers(17, 22)
preferences = st.builds(
    Preferences,
    genders=st.one_of(st.just(()), st.lists(st.sampled_from(Gender), unique=True, max_size=3).map(tuple)),
    age_min=st.none() | ages,
    age_max=st.none() | ages,
    other_languages=st.booleans(),
)


@st.composite
def tickets(draw: st.DrawFn, people: st.SearchStrategy[int]) -> Ticket:
    others = st.lists(people, max_size=2)
    return Ticket(
        PersonId(draw(people)),
        draw(st.sampled_from(POOLS)) if draw(st.integers(0, 5)) == 0 else POOLS[0],
        NOW - draw(st.sampled_from([0.0, 1.0, 4.0, 5.0, 7.0, 10.0, 12.0, 15.0, 20.0, 30.0])),
        draw(st.sampled_from(Gender)),
        draw(ages),
        tuple(Met(PersonId(each), 0.0, draw(st.booleans())) for each in draw(others)),
        tuple(PersonId(each) for each in draw(others)) if draw(st.integers(0, 3)) == 0 else (),
        tuple(draw(st.lists(st.sampled_from(LANGUAGES), max_size=2))),
        tuple(draw(st.lists(st.sampled_from(INTERESTS), max_size=4))),
        draw(preferences) if draw(st.booleans()) else Preferences(),
        draw(st.integers(0, 4)) == 0,
        draw(st.sampled_from([0.0, 3.0, -2.0, -5.0])),
    )


@st.composite
def crowds(draw: st.DrawFn, most: int = 14) -> list[Ticket]:
    people = st.integers(1, 20)
    drawn = draw(st.lists(tickets(people), max_size=most))
    return list({each.person: each for each in drawn}.values())


def open_now(one: Ticket, other: Ticket, now: float, patience: float = 1.0) -> bool:
    return compatible(one, other) and opens_at(one, other, patience) <= now


def reference(waiting: Iterable[Ticket], now: float, patience: float = 1.0) -> list[Pair]:
    """The promise, word for word: the person with the earliest turn gets the best fit; among equals, the earliest
    turn."""
    left = sorted(waiting, key=turn)
    pairs: list[Pair] = []
    while left:
        one = left.pop(0)
        options = [
            (-score(one, other), index) for index, other in enumerate(left) if open_now(one, other, now, patience)
        ]
        if options:
            pairs.append(Pair(one, left.pop(min(options)[1])))
    return pairs
