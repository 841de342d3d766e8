"""Blocks fill, split, close gaps and merge, and keep everybody in order."""

from collections.abc import Iterator
from random import Random

import pytest

from passerby.domain.matching import crowd
from passerby.domain.matching.block import OLDEST_AGE, Place
from passerby.domain.matching.crowd import Crowd
from passerby.domain.matching.match import match, turn
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Preferences
from tests.domain.matching.crowds import met, reference, ticket


@pytest.fixture(autouse=True)
def tiny_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crowd, "PLACES", 16)
        patch.setattr(crowd, "SPARE", 64)
        yield


def place(person: int, since: float) -> Place:
    each = ticket(person, since)
    return Place(each, turn(each))


@pytest.mark.parametrize("seed", range(5))
def test_turns_stay_in_order_as_people_come_and_go(seed: int) -> None:
    rng = Random(seed)
    waiting, people = Crowd(), dict[int, Place]()
    for person in range(600):
        since = rng.uniform(0, 100) if rng.random() < 0.5 else 100.0 + person
        people[person] = place(person, since)
        waiting.add(people[person])
        if person > 100 and rng.random() < 0.9:
            waiting.remove(people.pop(rng.choice(list(people))))
    for person in rng.sample(sorted(people), len(people) - 3):
        waiting.remove(people.pop(person))
        assert [each.turn for each in waiting] == sorted(each.turn for each in people.values())
    assert len(waiting) == 3
    assert all(waiting.get(PersonId(person)) is each for person, each in people.items())


def test_an_almost_empty_block_joins_the_one_before_if_there_is_room() -> None:
    """Two full blocks: the first one takes the rest of the second, but only when it is almost empty."""
    waiting, people = Crowd(), [place(person, person) for person in range(48)]
    for each in people:
        waiting.add(each)
    for each in people[18:32]:
        waiting.remove(each)
    assert [each.ticket.person for each in waiting] == [*range(18), *range(32, 48)]
    for each in [*people[2:16], *people[34:]]:
        waiting.remove(each)
    assert [each.ticket.person for each in waiting] == [0, 1, 16, 17, 32, 33]


def test_a_block_that_is_too_long_becomes_two() -> None:
    waiting = Crowd()
    for person in range(100):
        waiting.add(place(person, 1000 - person))
    assert [each.ticket.person for each in waiting] == list(range(99, -1, -1))


def test_wishes_for_impossible_ages_do_no_harm() -> None:
    old = [ticket(person, 0.0, wants=Preferences(age_min=90, age_max=300)) for person in (1, 2)]
    assert match(old, 0.0) == []
    young = ticket(3, 0.0, wants=Preferences(age_min=-5, age_max=OLDEST_AGE + 9))
    assert match([young, ticket(4)], 0.0) == reference([young, ticket(4)], 0.0) != []


def test_a_better_fit_is_sought_only_among_those_who_wait_longest() -> None:
    """So a choice does not cost more if more people wait."""
    hopes = ticket(1, 0.0, interests=("chess",))
    crowd_ = [ticket(person, float(person)) for person in range(2, 300)]
    late = ticket(300, 300.0, interests=("chess",))
    near = [ticket(person, float(person), interests=("chess",)) for person in (30,)]
    far_off = match([hopes, *crowd_, late], 1000.0)
    assert (far_off[0].first, far_off[0].second) == (hopes, crowd_[0])
    close = match([hopes, *crowd_[:20], *near, *crowd_[40:]], 1000.0)
    assert (close[0].first, close[0].second) == (hopes, near[0])


def test_an_acquaintance_in_an_earlier_block_comes_before_strangers_in_later_ones() -> None:
    waiting = Crowd()
    picky = Preferences(genders=(Gender.FEMALE,))
    places = [Place(each, turn(each)) for each in (ticket(person, person, wants=picky) for person in range(2, 40))]
    stranger = place(40, 40.0)
    acquaintance = place(1, 0.0)
    newcomer = ticket(50, 50.0, recent=met(1))
    asking = Place(newcomer, turn(newcomer))
    for each in (acquaintance, *places, stranger, asking):
        waiting.add(each)
    assert waiting.first_open_to(asking, 1000.0, 1.0) is acquaintance
    waiting.remove(acquaintance)
    assert waiting.first_open_to(asking, 1000.0, 1.0) is stranger


def test_the_earliest_turn_comes_first_even_if_others_arrived_out_of_order() -> None:
    waiting = Crowd()
    first, last, between, asking = (
        place(person, since) for person, since in ((1, 1.0), (2, 10.0), (3, 5.0), (4, 20.0))
    )
    for each in (first, last, between, asking):
        waiting.add(each)
    for expected in (first, between, last):
        assert waiting.first_open_to(asking, 1000.0, 1.0) is expected
        waiting.remove(expected)
