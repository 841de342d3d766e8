"""How many disguises are missed, and how often ordinary talk is taken for one. Both are limits, not goals.

The figures are those of `docs/explanation/privacy.md`. Before `domain.contacts` had rules for each kind of disguise,
164 of the 247 were missed.
"""

import pytest

from passerby.domain.contacts import find
from tests.domain.disguises import DESIGNED_FOR, DISGUISES, EVERY, HELD_OUT, INNOCENT, TALK

MOST_MISSED = {"designed for": (DESIGNED_FOR, 0.08), "held out": (HELD_OUT, 0.17)}


@pytest.mark.parametrize("half", MOST_MISSED)
def test_few_disguises_are_missed(half: str) -> None:
    disguises, most = MOST_MISSED[half]
    missed = [words for words in disguises if find(words) is None]
    assert len(missed) <= most * len(disguises), missed


@pytest.mark.parametrize("kind", DISGUISES)
def test_most_disguises_of_each_kind_are_found(kind: str) -> None:
    missed = [words for words in DISGUISES[kind] if find(words) is None]
    assert len(missed) <= len(DISGUISES[kind]) / 3, missed


@pytest.mark.parametrize("kind", DISGUISES)
def test_a_disguise_is_found_in_the_middle_of_a_sentence(kind: str) -> None:
    seen = [words for words in DISGUISES[kind] if find(words) is not None]
    lost = [words for words in seen if find(f"hey,\n{words}\nok?") is None]
    assert len(lost) <= len(seen) / 10, lost


@pytest.mark.parametrize("language", INNOCENT)
def test_talk_without_a_trace_passes(language: str) -> None:
    lines = INNOCENT[language].strip().splitlines()
    assert [line for line in lines if find(line) is not None] == []


def test_there_are_enough_disguises_and_harmless_lines() -> None:
    assert len(set(EVERY)) >= 240
    assert min(len(DESIGNED_FOR), len(HELD_OUT)) >= 100
    assert len(set(TALK)) >= 200
    assert len(INNOCENT) == 10
