"""Buttons next to each other fit on a phone, in every language.

The rows are those of the real menus. A phone shows about 40 columns, and the width of letters is estimated: characters
of two columns (emoji) count twice, marks over or under a letter do not count.
"""

import unicodedata

import pytest

from passerby.dialogue.keyboards import KEYS
from passerby.features.profile.menus import SECTIONS
from passerby.features.start import CONSENT_MENU, GENDER_MENU, MEND_MENU, age_menu
from passerby.kernel.effect import Effect, Menu
from passerby.kernel.text import Text, text
from tests.features.playbook import WORDS, Playbook

COLUMNS = 40
EMOJI = "\ufe0f"
"""VARIATION SELECTOR-16: the character before it is shown as an emoji, two columns wide."""

Row = tuple[Text, ...]


def width(label: str) -> int:
    columns = 0
    for sign in label:
        if sign == EMOJI:
            columns += 1
        elif unicodedata.category(sign) not in ("Mn", "Me", "Cf"):
            columns += 2 if unicodedata.east_asian_width(sign) in ("W", "F") else 1
    return columns


def menus(effects: tuple[Effect, ...]) -> list[Menu]:
    return [keyboard for each in effects if isinstance(keyboard := getattr(each, "keyboard", None), Menu)]


def shown() -> list[Menu]:
    """Every menu with buttons next to each other, as people get it."""
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    talk.later(60)
    every = [section(ann.value, talk.env, "")[1] for section in SECTIONS.values()]
    every += [CONSENT_MENU, GENDER_MENU, MEND_MENU, age_menu(talk.env)]
    every += menus(ann.writes("/report").effects) + menus(ann.writes("/nothing").effects)
    every += menus(ann.writes("/stop").effects)
    return every


ROWS: set[Row] = {
    *(tuple(button.label for button in row) for menu in shown() for row in menu.rows),
    *(tuple(text(key) for key in row) for keys in KEYS.values() for row in keys.rows),
    (text("friends.label", who=text("friends.friend", number=12)), text("friends.forget")),
    (text("safety.newer"), text("safety.older")),
}


def test_a_character_is_as_wide_as_a_phone_shows_it() -> None:
    assert [width(label) for label in ("Stop", "⭐ Stop", "✖️ Ok", "शिकायत", "هم‌صحبت")] == [4, 7, 5, 6, 6]


def test_there_are_rows_of_one_two_and_three() -> None:
    assert {1, 2, 3} <= {len(row) for row in ROWS}


@pytest.mark.parametrize("language", WORDS.languages)
def test_buttons_fit_their_rows(language: str) -> None:
    wide = [
        f"{label}: {width(label)} of {COLUMNS // len(row)}"
        for row in sorted(ROWS, key=repr)
        for label in (WORDS.plain(each, language) for each in row)
        if width(label) > COLUMNS // len(row)
    ]
    assert wide == []
