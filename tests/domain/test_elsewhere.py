"""A text leads somewhere new: a link, a user name, a number that was not in it before."""

import pytest

from passerby.domain.elsewhere import new_places


@pytest.mark.parametrize(
    "words",
    [
        "Hi, win at t.me/evil_casino!",
        "Hi @evil_casino",
        "Hi @ev\u200bil_casino",
        "evil dot com",
        "Play at evil.casino",
        "win.bet",
        "кaзино.рф",
        "ｔ．ｍｅ/evil",
        "tg://resolve?domain=evil",
        "http://192.0.2.4",
        "192.0.2.4",
        "telegram: evilcasino",
        "Call +49 170 1234567",
        "t.me/\nevil_casino",
        "t.\nme/evil",
        "Hi @placeholder_evil",
    ],
)
def test_a_place_in_any_form_is_new(words: str) -> None:
    before = ["Hi @placeholder", "Read https://example.org/help."]
    assert new_places(before, [words])
    assert new_places(before, ["Hi\n" + words, "Read https://example.org/help"])
    assert not new_places([*before, words], [words])


def test_other_words_around_the_same_places_lead_nowhere_new() -> None:
    before = ["Join <us>: @my_channel, or read https://example.org/help."]
    assert not new_places(before, ["Now: read (https://example.org/help)!", "Join @my_channel"])
    assert new_places(["bit.ly/AbC"], ["bit.ly/abc"]) == ("bit.ly/abc",), "a shortened link has its letters"
    for words in ("3.5 Stars, 18+ at 10:30", "e.g. this, on 2026-12-01", "10 000 000 people", "me@ home", ""):
        assert not new_places(before, [words]), words
