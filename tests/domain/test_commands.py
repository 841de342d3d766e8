"""Which command a text begins with, and which one was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.commands import LONGEST, command_in, nearest, slip_in
from passerby.features import ALL

COMMANDS = frozenset(name for feature in ALL for name in feature.commands)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_known_as_itself_however_it_is_written(name: str) -> None:
    assert command_in(f"/{name}@some_bot and more") == command_in(f"/{name.upper()}") == name
    assert nearest(name, COMMANDS) == nearest(f"{name}!", COMMANDS) == name


@pytest.mark.parametrize("name", sorted(name for name in COMMANDS if len(name) > 4))
def test_one_slip_in_a_long_command_is_forgiven(name: str) -> None:
    left_out = [name[:at] + name[at + 1 :] for at in range(len(name))]
    doubled = [name[: at + 1] + name[at:] for at in range(len(name))]
    swapped = [name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)]
    for typed in (*left_out, *doubled, *swapped):
        assert nearest(typed, COMMANDS) in {name, "block"}, typed


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("quit", "stop"),
        ("parar", "stop"),
        ("ŞİKAYET", "report"),
        ("настройки", "settings"),
        ("بعدی", "next"),
        ("туче", "next"),
        ("ыуфкср", "search"),
        ("set", "settings"),
        ("inter", "interests"),
    ],
)
def test_other_words_beginnings_and_the_wrong_keyboard_are_understood(typed: str, meant: str) -> None:
    assert nearest(typed, COMMANDS) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("nxt", "next"), ("stpo", "stop"), ("stoooop", "stop"), ("setings", "settings"), ("frends", "friends")],
)
def test_a_slip_in_a_short_command_and_a_key_held_down_are_forgiven(typed: str, meant: str) -> None:
    assert nearest(typed, COMMANDS) == meant


@pytest.mark.parametrize(
    "typed",
    ["gender", "games", "age", "boy", "text", "test", "love", "hello", "filter", "edit", "story", "top", "vpn", "stats",
     "location", "contact", "restart", "quest", "photo", "e" * LONGEST],
)  # fmt: skip
def test_another_word_that_only_shares_letters_with_a_command_is_not_taken_for_it(typed: str) -> None:
    assert nearest(typed, COMMANDS) is None


@pytest.mark.parametrize("typed", ["", "...", "x", "xyzzy", "zz", "s" * (LONGEST + 1), "привет", "123"])
def test_what_resembles_nothing_is_taken_for_nothing(typed: str) -> None:
    assert nearest(typed, COMMANDS) is None


def test_only_commands_that_there_are_can_be_meant() -> None:
    assert nearest("durdur", ["search"]) is None
    assert nearest("serach", []) is None


@pytest.mark.parametrize("words", ["/ stop", "\\stop", "// serach ", "/ стоп!"])
def test_a_slash_apart_from_the_only_word_is_a_slip(words: str) -> None:
    assert command_in(words) is None
    assert slip_in(words, COMMANDS) is not None


@pytest.mark.parametrize("words", ["/", "stop", "/ stop it", "\\o/", "/ xyzzy", ""])
def test_more_words_or_none_that_resembles_a_command_is_no_slip(words: str) -> None:
    assert slip_in(words, COMMANDS) is None


@given(st.text())
def test_whatever_is_written_comes_to_an_answer(words: str) -> None:
    for each in (words, f"/{words}"):
        typed = command_in(each) or slip_in(each, COMMANDS)
        assert typed is None or nearest(typed, COMMANDS) in {None, *COMMANDS}
