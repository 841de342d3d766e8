"""How many disguises pass unseen, and how often ordinary talk is taken for one. Both are bounds, not wishes.

The figures are those of `docs/explanation/privacy.md`. Before the rules of `domain.contacts` were written for kinds of
disguise, 164 of the 247 passed.
"""

import pytest

from passerby.domain.contacts import find
from tests.domain.disguises import DESIGNED_FOR, DISGUISES, EVERY, HELD_OUT, INNOCENT, TALK

MOST_MISSED = {"designed for": (DESIGNED_FOR, 0.08), "held out": (HELD_OUT, 0.17)}


@pytest.mark.parametrize("half", MOST_MISSED)
def test_few_disguises_pass_unseen(half: str) -> None:
    disguises, most = MOST_MISSED[half]
    missed = [words for words in disguises if find(words) is None]
    assert len(missed) <= most * len(disguises), missed


@pytest.mark.parametrize("kind", DISGUISES)
def test_of_each_kind_most_are_seen(kind: str) -> None:
    missed = [words for words in DISGUISES[kind] if find(words) is None]
    assert len(missed) <= len(DISGUISES[kind]) / 3, missed


@pytest.mark.parametrize("kind", DISGUISES)
def test_a_disguise_is_seen_in_the_middle_of_talk(kind: str) -> None:
    seen = [words for words in DISGUISES[kind] if find(words) is not None]
    lost = [words for words in seen if find(f"hey,\n{words}\nok?") is None]
    assert len(lost) <= len(seen) / 10, lost


@pytest.mark.parametrize("language", INNOCENT)
def test_talk_that_gives_nothing_away_is_left_alone(language: str) -> None:
    lines = INNOCENT[language].strip().splitlines()
    assert [line for line in lines if find(line) is not None] == []


def test_there_are_enough_of_both() -> None:
    assert len(set(EVERY)) >= 240
    assert min(len(DESIGNED_FOR), len(HELD_OUT)) >= 100
    assert len(set(TALK)) >= 200
    assert len(INNOCENT) == 10
