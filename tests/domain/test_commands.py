"""Which command a text begins with, and which one was probably meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.commands import LONGEST, command_in, nearest, slip_in
from passerby.features import ALL

COMMANDS = frozenset(name for feature in ALL for name in feature.commands)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_recognised_in_any_spelling(name: str) -> None:
    assert command_in(f"/{name}@some_bot and more") == command_in(f"/{name.upper()}") == name
    assert nearest(name, COMMANDS) == nearest(f"{name}!", COMMANDS) == name


@pytest.mark.parametrize("name", sorted(name for name in COMMANDS if len(name) > 4))
def test_one_typing_mistake_in_a_long_command_is_corrected(name: str) -> None:
    left_out = [name[:at] + name[at + 1 :] for at in range(len(name))]
    doubled = [name[: at + 1] + name[at:] for at in range(len(name))]
    swapped = [name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)]
    for typed in (*left_out, *doubled, *swapped):
        # Some slips are as near to a shorter command.
        assert nearest(typed, COMMANDS) in {name, "block", name.removesuffix("me")}, typed


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
def test_synonyms_beginnings_and_the_wrong_keyboard_are_understood(typed: str, meant: str) -> None:
    assert nearest(typed, COMMANDS) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("nxt", "next"), ("stpo", "stop"), ("stoooop", "stop"), ("setings", "settings"), ("frends", "friends")],
)
def test_a_mistake_in_a_short_command_and_a_held_key_are_corrected(typed: str, meant: str) -> None:
    assert nearest(typed, COMMANDS) == meant


@pytest.mark.parametrize(
    "typed",
    ["gender", "games", "age", "boy", "text", "test", "love", "hello", "filter", "edit", "story", "top", "vpn", "stats",
     "location", "contact", "restart", "quest", "photo", "e" * LONGEST],
)  # fmt: skip
def test_a_word_that_only_shares_letters_with_a_command_is_not_that_command(typed: str) -> None:
    assert nearest(typed, COMMANDS) is None


@pytest.mark.parametrize("typed", ["", "...", "x", "xyzzy", "zz", "s" * (LONGEST + 1), "привет", "123"])
def test_a_word_that_resembles_no_command_is_no_command(typed: str) -> None:
    assert nearest(typed, COMMANDS) is None


def test_only_existing_commands_are_suggested() -> None:
    assert nearest("durdur", ["search"]) is None
    assert nearest("serach", []) is None


@pytest.mark.parametrize("words", ["/ stop", "\\stop", "// serach ", "/ стоп!"])
def test_a_slash_with_a_space_before_the_only_word_is_a_mistake(words: str) -> None:
    assert command_in(words) is None
    assert slip_in(words, COMMANDS) is not None


@pytest.mark.parametrize("words", ["/", "stop", "/ stop it", "\\o/", "/ xyzzy", ""])
def test_several_words_or_an_unknown_word_are_not_a_mistyped_command(words: str) -> None:
    assert slip_in(words, COMMANDS) is None


@given(st.text())
def test_any_text_can_be_compared_with_commands(words: str) -> None:
    for each in (words, f"/{words}"):
        typed = command_in(each) or slip_in(each, COMMANDS)
        assert typed is None or nearest(typed, COMMANDS) in {None, *COMMANDS}
