"""Notices become calls in the reader's language."""

from pathlib import Path

import msgspec
import pytest

import passerby
from passerby.catalogue import Catalogue, Written
from passerby.kernel.effect import Answer, Button, Keys, Menu, Priority
from passerby.kernel.feature import MenuCommand
from passerby.kernel.ids import BotId, MessageId
from passerby.kernel.text import text
from passerby.ports.outbox import Notice
from passerby.ports.telegram import AnswerCallback, EditNotice, InlineButton, InlineRows, ReplyRows, SendNotice
from passerby.runtime.delivery.wording import Wording
from tests.runtime.virtual import EPOCH
from tests.runtime.world import ANN, BOT, OTHER_BOT, WORDS
from tests.wording import html

WORDING = Wording(WORDS)
MENU = Menu(((Button(text("chat.show_it"), "show", "c0ffee"),),))
FIND = Keys((("keys.find",),))


def notice(key: str, **rest: object) -> Notice:
    return Notice("n", ANN, BOT, text(key), Priority.COMMAND, EPOCH, **rest)  # type: ignore[arg-type]


def test_a_notice_is_in_its_readers_language_with_its_keyboard() -> None:
    english, russian = [WORDING.notice(notice("chat.shown", keyboard=FIND), language) for language in ("en", "ru")]
    assert english == SendNotice(BOT, ANN, "Sent.", ReplyRows((("🔎 Find a partner",),)))
    assert isinstance(russian, SendNotice)
    assert russian.html != english.html
    assert russian.markup != english.markup
    assert WORDING.notice(notice("chat.shown", keyboard=FIND), "tlh") == english


def test_a_wording_that_staff_change_counts_from_the_next_notice_on() -> None:
    words = Catalogue.load(Path(passerby.__file__).parent)
    wording = Wording(words)
    first = wording.notice(notice("chat.shown", keyboard=FIND), "en")
    assert wording.notice(notice("chat.shown", keyboard=FIND), "en") == first
    words.override([Written("chat.shown", "en", BOT, ("Done.",)), Written("keys.find", "en", BotId(0), ("Go",))])
    assert wording.notice(notice("chat.shown", keyboard=FIND), "en") == SendNotice(
        BOT, ANN, "Done.", ReplyRows((("Go",),))
    )
    elsewhere = msgspec.structs.replace(notice("chat.shown", keyboard=FIND), bot=OTHER_BOT)
    assert wording.notice(elsewhere, "en") == SendNotice(OTHER_BOT, ANN, "Sent.", ReplyRows((("Go",),)))


def test_a_button_has_its_action_and_subject() -> None:
    spoken = WORDING.notice(notice("chat.shown", keyboard=MENU, reply_to=MessageId(5)), "en")
    assert spoken == SendNotice(BOT, ANN, "Sent.", InlineRows(((InlineButton("Send", "show:c0ffee"),),)), 5)  # type: ignore[arg-type]


def test_button_data_that_telegram_would_refuse_is_a_bug() -> None:
    too_long = Menu(((Button(text("chat.show_it"), "show", "c" * 60),),))
    with pytest.raises(AssertionError, match="64 bytes"):
        WORDING.notice(notice("chat.shown", keyboard=too_long), "en")


def test_an_edited_notice_changes_its_text_and_buttons() -> None:
    bare = WORDING.notice(notice("chat.shown", revises=MessageId(9)), "en")
    assert bare == EditNotice(BOT, ANN, MessageId(9), "Sent.")
    with_menu = WORDING.notice(notice("chat.shown", revises=MessageId(9), keyboard=MENU), "en")
    rows = InlineRows(((InlineButton("Send", "show:c0ffee"),),))
    assert with_menu == EditNotice(BOT, ANN, MessageId(9), "Sent.", rows)


def test_an_answer_is_plain_text_or_empty() -> None:
    assert WORDING.answer(Answer("q"), BOT, "en") == AnswerCallback(BOT, "q")
    said = Answer("q", text("chat.button_too_old"), alert=True)
    assert WORDING.answer(said, BOT, "en") == AnswerCallback(BOT, "q", html("chat.button_too_old"), True)


def test_the_menu_describes_each_command_in_every_language() -> None:
    menu = (MenuCommand("search", "commands.search", 1), MenuCommand("stop", "commands.stop", 2))
    menus = WORDING.menus(menu, BOT)
    assert [each.language for each in menus] == ["", *WORDS.languages[1:]], "English for everyone else"
    assert {tuple(name for name, _ in each.commands) for each in menus} == {("search", "stop")}
    assert menus[0].commands[0] == ("search", html("commands.search"))
    fewer = WORDING.menus(menu[:1], BOT)
    assert [name for name, _ in fewer[0].commands] == ["search"], "the settings changed what the menu has"
