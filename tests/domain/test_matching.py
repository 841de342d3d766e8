"""Promise 1 in the small: `match` over every kind of crowd, beside a matcher that is too simple to be wrong."""

from collections.abc import Callable
from itertools import combinations
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from passerby.domain import matching
from passerby.domain.matching import JUST_MET, PERFECT, Pair, fit, match
from passerby.kernel.ids import PersonId, PoolId
from passerby.kernel.participant import Gender, Ticket

POOLS = [PoolId("adults"), PoolId("minors")]
Fit = Callable[[Ticket, Ticket], float | None]


def ticket(person: int, since: float = 0.0, *recent: int, pool: PoolId = POOLS[0]) -> Ticket:
    return Ticket(PersonId(person), pool, since, Gender.UNSAID, 20, tuple(PersonId(each) for each in recent))


@st.composite
def crowds(draw: st.DrawFn, most: int = 12) -> list[Ticket]:
    people = draw(st.lists(st.integers(1, 15), unique=True, max_size=most))
    return [
        ticket(
            person,
            draw(st.integers(0, 4)),
            *draw(st.lists(st.sampled_from(people), max_size=3)),
            pool=draw(st.sampled_from(POOLS)),
        )
        for person in people
    ]


def names(pairs: list[Pair]) -> set[tuple[PersonId, PersonId]]:
    return {(pair.first.person, pair.second.person) for pair in pairs}


def reference(tickets: list[Ticket], fits: Fit) -> set[tuple[PersonId, PersonId]]:
    """The promise, word for word: the longest wait chooses the best fit, among equals the longest wait."""
    waiting = sorted(tickets, key=lambda each: (each.since, each.person))
    pairs: set[tuple[PersonId, PersonId]] = set()
    while waiting:
        one = waiting.pop(0)
        options = [(-score, index) for index, other in enumerate(waiting) if (score := fits(one, other)) is not None]
        if options:
            pairs.add((one.person, waiting.pop(min(options)[1]).person))
    return pairs


@given(crowds())
@example([])
def test_nobody_twice_nobody_with_themselves_nobody_over_the_wall(tickets: list[Ticket]) -> None:
    pairs = match(tickets)
    paired = [each.person for pair in pairs for each in (pair.first, pair.second)]
    assert len(paired) == len(set(paired))
    assert all(pair.first.pool == pair.second.pool for pair in pairs)


@given(crowds())
def test_no_compatible_pair_is_left_waiting(tickets: list[Ticket]) -> None:
    paired = {person for pair in names(match(tickets)) for person in pair}
    left = [each for each in tickets if each.person not in paired]
    assert all(fit(one, other) is None for one, other in combinations(left, 2))


@given(crowds())
def test_the_longest_wait_goes_first(tickets: list[Ticket]) -> None:
    assert names(match(tickets)) == reference(tickets, fit)


@given(crowds(), st.randoms(use_true_random=False))
def test_the_order_in_which_people_are_looked_at_decides_nothing(tickets: list[Ticket], rng: Random) -> None:
    shuffled = list(tickets)
    rng.shuffle(shuffled)
    assert match(shuffled) == match(tickets)


@given(crowds())
def test_a_fit_is_mutual(tickets: list[Ticket]) -> None:
    for one, other in combinations(tickets, 2):
        assert fit(one, other) == fit(other, one)


@given(crowds(most=9), st.randoms(use_true_random=False))
def test_with_any_wishes_the_promise_is_kept(tickets: list[Ticket], rng: Random) -> None:
    """The filters to come: hard ones that rule out, soft ones of any weight."""
    scores = {
        frozenset((one.person, other.person)): rng.choice([None, PERFECT, -1.0, -1.5, -25.0])
        for one, other in combinations(tickets, 2)
    }

    def fits(one: Ticket, other: Ticket) -> float | None:
        return scores[frozenset((one.person, other.person))]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "fit", fits)
        assert names(match(tickets)) == reference(tickets, fits)


def test_the_partner_of_just_now_is_avoided_while_somebody_else_is_there() -> None:
    ann, ben, eve = ticket(1, 0, 2), ticket(2, 1), ticket(3, 2)
    assert names(match([ann, ben, eve])) == {(1, 3)}
    assert names(match([ann, ben])) == {(1, 2)}, "but nobody is kept waiting for it"


def test_it_is_enough_that_one_of_the_two_has_met_the_other() -> None:
    assert fit(ticket(1, 0, 2), ticket(2)) == fit(ticket(1), ticket(2, 0, 1)) == PERFECT - JUST_MET


def test_equal_waits_go_by_the_person() -> None:
    assert names(match([ticket(4), ticket(3), ticket(2), ticket(1)])) == {(1, 2), (3, 4)}


def test_a_thousand_people_at_once_are_all_paired() -> None:
    crowd = [ticket(person, person % 7) for person in range(1, 1001)]
    pairs = match(crowd)
    assert len({person for pair in names(pairs) for person in pair}) == 1000
