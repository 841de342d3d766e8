"""The tastes in a profile, and how typed words are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from tests.wording import catalogue

CATALOGUE = catalogue()


def test_every_language_of_the_product_can_be_chosen_by_its_own_name() -> None:
    assert set(CATALOGUE.languages) == set(WRITTEN_IN) <= set(LANGUAGES)
    assert WRITTEN_IN[0] == CATALOGUE.languages[0]


def test_every_curated_interest_has_a_text() -> None:
    for tag in INTERESTS:
        assert CATALOGUE.plain(worded(tag), "en")
    for number in range(1, ICEBREAKERS + 1):
        assert CATALOGUE.plain(text(f"icebreakers.{number}"), "en").endswith("?")


def test_a_persons_own_interest_is_shown_as_typed() -> None:
    assert CATALOGUE.word(worded("a <b> word"), "en") == "a &lt;b&gt; word"


def test_countries_are_codes_and_have_a_flag() -> None:
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
        (f"chess, {'word ' * WORD_LENGTH}, walks", ("chess", "walks")),
    ],
)
def test_interests_are_words_without_user_names(words: str, expected: tuple[str, ...]) -> None:
    assert interests_in(words) == expected


@pytest.mark.parametrize(
    "word", ["insta annsmith is my insta", "annsmith is my insta", "example dot com", "my insta is annsmith"]
)
def test_an_interest_that_tells_how_to_find_somebody_is_dropped(word: str) -> None:
    assert interests_in(f"music, {word}") == ("music",)


@given(st.text())
def test_any_typed_text_gives_short_words_each_once(words: str) -> None:
    found = interests_in(words)
    assert len(set(found)) == len(found)
    assert all(2 <= len(word) <= WORD_LENGTH and "@" not in word and "/" not in word for word in found)
