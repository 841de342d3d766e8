"""Turns our notices into calls: wording, labels and button data, in the reader's language."""

from collections.abc import Sequence
from typing import Protocol, assert_never

from passerby.kernel.decision import Places
from passerby.kernel.effect import Answer, Button, Keys, Menu
from passerby.kernel.feature import MenuCommand
from passerby.kernel.ids import BotId
from passerby.kernel.money import Bill
from passerby.kernel.text import Text, text
from passerby.ports.outbox import Notice
from passerby.ports.telegram import (
    AnswerCallback,
    CommandList,
    EditNotice,
    InlineButton,
    InlineRows,
    ReplyRows,
    SendInvoice,
    SendNotice,
)


class Words(Protocol):
    """The texts in all languages."""

    @property
    def languages(self) -> tuple[str, ...]: ...
    @property
    def places(self) -> Places: ...
    def word(self, text: Text, language: str) -> str: ...
    def plain(self, text: Text, language: str) -> str: ...
    def find_word(self, label: str) -> str | None: ...


class Wording:
    def __init__(self, words: Words) -> None:
        self._words = words

    def notice(self, notice: Notice, language: str) -> SendNotice | EditNotice | SendInvoice:
        if notice.bill is not None:
            return self._invoice(notice, notice.bill, language)
        html = self._words.word(notice.text, language)
        keyboard = notice.keyboard
        if notice.revises is not None:
            rows = self._inline(keyboard, language) if isinstance(keyboard, Menu) else None
            return EditNotice(notice.bot, notice.to, notice.revises, html, rows)
        match keyboard:
            case None:
                markup: InlineRows | ReplyRows | None = None
            case Menu():
                markup = self._inline(keyboard, language)
            case Keys():
                markup = ReplyRows(
                    tuple(tuple(self._words.plain(Text(key), language) for key in row) for row in keyboard.rows)
                )
            case _:
                assert_never(keyboard)
        return SendNotice(notice.bot, notice.to, html, markup, notice.reply_to, notice.thread)

    def _invoice(self, notice: Notice, bill: Bill, language: str) -> SendInvoice:
        title, description, label = (
            self._words.plain(each, language) for each in (bill.title, notice.text, bill.label)
        )
        return SendInvoice(
            notice.bot, notice.to, title, description, bill.payload, bill.stars, bill.renews, label, notice.thread
        )

    def _inline(self, menu: Menu, language: str) -> InlineRows:
        return InlineRows(tuple(tuple(self._button(button, language) for button in row) for row in menu.rows))

    def _button(self, button: Button, language: str) -> InlineButton:
        data = f"{button.action}:{button.token}"
        assert len(data.encode()) <= 64, "button data has a limit of 64 bytes (source: Bot API)"
        return InlineButton(self._words.plain(button.label, language), data)

    def answer(self, answer: Answer, bot: BotId, language: str) -> AnswerCallback:
        plain = self._words.plain(answer.text, language) if answer.text is not None else None
        return AnswerCallback(bot, answer.query, plain, answer.alert)

    def menus(self, menu: Sequence[MenuCommand]) -> tuple[CommandList, ...]:
        """What a bot says about itself, and its menu, in each language. People with another language get English."""
        return tuple(
            CommandList(
                "" if language == self._words.languages[0] else language,
                tuple((command.name, self._words.plain(Text(command.description), language)) for command in menu),
                self._words.plain(text("intro.description"), language),
                self._words.plain(text("intro.short"), language),
            )
            for language in self._words.languages
        )
