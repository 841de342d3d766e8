"""Nearly equal openings share keyed hashes; different ones do not, and nobody can try out sentences without the key."""

import pytest

from passerby.domain.farms.judgement import ALIKE_BANDS
from passerby.domain.farms.openers import BANDS, SHORTEST, bands, words_of

KEY = b"today"
ADVERT = "Hey! I'm Anna, 23, bored tonight. My private photos are waiting for you, come and say hi to me"


def shared(one: str, other: str, key: bytes = KEY) -> int:
    return len({*bands(KEY, words_of(one))} & {*bands(key, words_of(other))})


@pytest.mark.parametrize(
    "copy",
    [
        ADVERT,
        ADVERT.upper(),
        ADVERT.replace("23", "19"),
        ADVERT.replace("a", "а"),  # Cyrillic letters that look the same
        ADVERT.replace("o", "o\u200b"),
        ADVERT.replace(" ", "  ").replace(".", " !!"),
    ],
)
def test_a_copy_in_disguise_shares_every_hash(copy: str) -> None:
    assert shared(ADVERT, copy) == BANDS


def test_a_filled_template_shares_some_hashes() -> None:
    assert shared(ADVERT, ADVERT.replace("Anna", "Kate").replace("tonight", "today")) >= ALIKE_BANDS


@pytest.mark.parametrize(
    "other",
    [
        "Hello, I'm looking for someone to talk about music and films, and about life in general",
        "bored at work, give me your hottest take about football and I tell you why you are wrong",
    ],
)
def test_other_openings_share_none(other: str) -> None:
    assert shared(ADVERT, other) == 0


@pytest.mark.parametrize("words", ["", "hi", "m 24 u?", "привет как дела", "?" * 200])
def test_short_openings_are_not_compared(words: str) -> None:
    assert bands(KEY, words_of(words)) == ()


def test_the_shortest_opening_that_counts_has_all_hashes() -> None:
    assert len(bands(KEY, "x" * SHORTEST)) == BANDS


def test_another_days_key_gives_other_hashes() -> None:
    assert shared(ADVERT, ADVERT, b"tomorrow") == 0


def test_a_very_long_opening_is_compared_by_its_beginning() -> None:
    assert shared(ADVERT * 10, ADVERT * 10 + " and more") == BANDS
