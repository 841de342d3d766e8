"""Simulated farms and honest people: the same seed writes the same words."""

from random import Random

import pytest

from simulated_people.book import Book
from simulated_people.farms import STYLES
from simulated_people.openers import link, speaker


@pytest.mark.parametrize("name", STYLES)
def test_a_farm_writes_the_same_with_the_same_seed_and_has_times(name: str) -> None:
    style = STYLES[name]
    said = [style.opening(Random(4), 2) for _ in range(2)]
    assert said[0] == said[1]
    assert all(said[0])
    rng = Random(5)
    assert min(times(rng) for times in (style.reaction, style.gap, style.stays, style.rest)) > 0


def test_honest_people_differ_and_stay_themselves() -> None:
    rng = Random(1)
    people = [speaker(rng) for _ in range(300)]
    pasting = [each for each in people if each.own]
    assert 100 < len(pasting) < 250
    for each in pasting:
        openers = [each.opener() for _ in range(30)]
        assert max(openers.count(opener) for opener in openers) > 5
    assert all(each.reaction() > 0 and each.line() for each in people)
    assert link(Random(2)) == link(Random(2))


def test_a_book_knows_how_often_honest_people_met_a_farm() -> None:
    book = Book(farmers=2)
    for at, mark in ((1.0, "0.1"), (2.0, "5.1"), (3.0, "1.9"), (70.0, "7.1")):
        book.met(mark, at)
    assert book.contact(0.0, 60.0) == pytest.approx(2 / 3)
    assert (book.contact(60.0, 120.0), book.contact(120.0, 180.0)) == (0.0, None)
