"""What people may say of themselves, and what is made of words they type."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import passerby
from passerby.catalogue import Catalogue
from passerby.domain.tastes import (
    COUNTRIES,
    ICEBREAKERS,
    INTERESTS,
    LANGUAGES,
    WORD_LENGTH,
    WRITTEN_IN,
    flag,
    interests_in,
    worded,
)
from passerby.kernel.text import text

CATALOGUE = Catalogue.load(Path(passerby.__file__).parent)


def test_every_catalogue_can_be_chosen_and_has_a_name_of_its_own() -> None:
    assert set(CATALOGUE.languages) == set(WRITTEN_IN) <= set(LANGUAGES)
    assert WRITTEN_IN[0] == CATALOGUE.languages[0]


def test_all_that_is_curated_is_worded() -> None:
    for tag in INTERESTS:
        assert CATALOGUE.plain(worded(tag), "en")
    for number in range(1, ICEBREAKERS + 1):
        assert CATALOGUE.plain(text(f"icebreakers.{number}"), "en").endswith("?")


def test_somebodys_own_word_is_said_as_it_is() -> None:
    assert CATALOGUE.word(worded("a <b> word"), "en") == "a &lt;b&gt; word"


def test_countries_are_codes_and_show_a_flag() -> None:
    assert len(set(COUNTRIES)) == len(COUNTRIES)
    assert all(CATALOGUE.places.exactly(code) == code for code in COUNTRIES)
    assert flag("PE") == "🇵🇪"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Chess, long   Walks", ("chess", "long walks")),
        ("chess; CHESS\nchess", ("chess",)),
        ("a, , x", ()),
        ("@ann_smith, t.me/ann, 555 1234, room 101", ()),
        ("rock'n'roll, o’neill, ju-jutsu", ("rock'n'roll", "o’neill", "ju-jutsu")),
        ("шахматы, 音楽", ("шахматы", "音楽")),
        ("शतरंज, लंबी सैर", ("शतरंज", "लंबी सैर")),
        ("شطرنج، پیاده\u200cروی؛ شعر", ("شطرنج", "پیاده\u200cروی", "شعر")),
        ("x" * (WORD_LENGTH + 1), ()),
    ],
)
def test_interests_are_words_and_nothing_that_names_an_account(words: str, expected: tuple[str, ...]) -> None:
    assert interests_in(words) == expected


@pytest.mark.parametrize(
    "word", ["insta annsmith is my insta", "annsmith is my insta", "example dot com", "my insta is annsmith"]
)
def test_an_interest_that_says_where_to_find_somebody_is_none(word: str) -> None:
    assert interests_in(f"music, {word}") == ("music",)


@given(st.text())
def test_whatever_is_typed_comes_to_short_words_each_once(words: str) -> None:
    found = interests_in(words)
    assert len(set(found)) == len(found)
    assert all(2 <= len(word) <= WORD_LENGTH and "@" not in word and "/" not in word for word in found)
