"""The crowd keeps its order while people come and go by the thousand."""

from passerby.domain.crowd import PLACES, Crowd, Place
from passerby.domain.matching import turn
from tests.domain.crowds import ticket


def full(count: int) -> tuple[Crowd, list[Place]]:
    crowd = Crowd()
    places = []
    for number in range(1, count + 1):
        each = ticket(number, float(number))
        place = Place(each, turn(each))
        crowd.add(place)
        places.append(place)
    return crowd, places


def test_a_block_that_empties_stands_with_the_one_before_it_and_the_first_stays_where_it_is() -> None:
    crowd, places = full(3 * PLACES)
    for place in (*places[: PLACES - 10], *places[PLACES : 2 * PLACES - 10]):
        crowd.remove(place)
    left = [*places[PLACES - 10 : PLACES], *places[2 * PLACES - 10 :]]
    assert list(crowd) == left
    assert len(crowd) == len(left)
    first = crowd.first_open_to(left[0], 1e6, 1.0)
    assert first is left[1]
    for place in left:
        crowd.remove(place)
    assert (list(crowd), len(crowd)) == ([], 0)
