"""Numbers in a broadcast."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.broadcasts.live_numbers import filled, has_number, rounded
from passerby.kernel.content import Content, Entity, Kind


@pytest.mark.parametrize(
    ("people", "shown"),
    [(0, None), (9, None), (10, 10), (37, 30), (100, 100), (157, 150), (1_278, 1_200), (123_456, 120_000)],
)
def test_a_number_is_rounded_down_and_a_small_group_is_not_shown(people: int, shown: int | None) -> None:
    assert rounded(people) == shown


@given(st.integers(0, 10**9))
def test_a_number_never_says_more_than_is_true(people: int) -> None:
    shown = rounded(people)
    assert (people < 10) if shown is None else (0.9 * people - 10 < shown <= people)


def test_formatting_stays_on_its_words() -> None:
    words = "😀 {waiting} people, yes {waiting}, now"
    bold, link, emoji, half = (
        Entity("bold", 13, 6),
        Entity("text_link", 3, 9, url="https://example.org"),
        Entity("custom_emoji", 0, 2, custom_emoji_id="7"),
        Entity("italic", 36, 3),
    )
    content = filled(Content(Kind.TEXT, words, (emoji, link, bold, half)), 120)
    assert content.text == "😀 120 people, yes 120, now"
    units = content.text.encode("utf-16-le")
    marked = [units[2 * each.offset : 2 * (each.offset + each.length)].decode("utf-16-le") for each in content.entities]
    assert marked == ["😀", "120", "people", "now"]
    assert not has_number(content)


def test_formatting_within_the_sign_does_not_reach_beyond_the_number() -> None:
    within, all_of_it = Entity("bold", 5, 2), Entity("italic", 0, 9)
    content = filled(Content(Kind.PHOTO, "{waiting}", (within, all_of_it)), 10)
    assert content == Content(Kind.PHOTO, "10", (Entity("italic", 0, 2),))
