"""Turns our notices into calls: wording, labels and button data, in the reader's language."""

from collections.abc import Sequence
from typing import Final, Protocol, assert_never

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

_WORDED_KEPT: Final = 10_000


class Words(Protocol):
    """The texts in all languages."""

    @property
    def languages(self) -> tuple[str, ...]: ...
    @property
    def places(self) -> Places: ...
    @property
    def revision(self) -> int: ...
    def of(self, bot: BotId) -> "Words": ...
    def name(self, language: str) -> str: ...
    def word(self, text: Text, language: str) -> str: ...
    def plain(self, text: Text, language: str) -> str: ...
    def key_with_label(self, label: str) -> str | None: ...


class Wording:
    """Each bot may have wordings of its own."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._worded: dict[tuple[BotId, str, Keys, str], tuple[str, ReplyRows]] = {}
        self._usual_of = -1
        self._menus: dict[BotId, tuple[tuple[int, tuple[MenuCommand, ...]], tuple[CommandList, ...]]] = {}

    def notice(self, notice: Notice, language: str) -> SendNotice | EditNotice | SendInvoice:
        words = self._words.of(notice.bot)
        if notice.bill is not None:
            return self._invoice(notice, notice.bill, words, language)
        if type(notice.keyboard) is Keys and not notice.text.args and notice.revises is None:
            html, keys = self._usual(notice.bot, notice.text, notice.keyboard, words, language)
            return SendNotice(notice.bot, notice.to, html, keys, notice.reply_to, notice.thread)
        html = words.word(notice.text, language)
        keyboard = notice.keyboard
        if notice.revises is not None:
            rows = _inline(keyboard, words, language) if isinstance(keyboard, Menu) else None
            return EditNotice(notice.bot, notice.to, notice.revises, html, rows)
        match keyboard:
            case None:
                markup: InlineRows | ReplyRows | None = None
            case Menu():
                markup = _inline(keyboard, words, language)
            case Keys():
                markup = _reply_rows(keyboard, words, language)
            case _:
                assert_never(keyboard)
        return SendNotice(notice.bot, notice.to, html, markup, notice.reply_to, notice.thread)

    def _usual(self, bot: BotId, said: Text, keys: Keys, words: Words, language: str) -> tuple[str, ReplyRows]:
        """A text without placeholders, and a reply keyboard. Nearly all notices of searches and chats are such, and the
        same for many people."""
        if self._usual_of != self._words.revision:
            self._usual_of = self._words.revision
            self._worded.clear()
        key = bot, said.key, keys, language
        found = self._worded.get(key)
        if found is None:
            if len(self._worded) >= _WORDED_KEPT:
                self._worded.clear()
            found = self._worded[key] = words.word(said, language), _reply_rows(keys, words, language)
        return found

    def _invoice(self, notice: Notice, bill: Bill, words: Words, language: str) -> SendInvoice:
        title, description, label = (words.plain(each, language) for each in (bill.title, notice.text, bill.label))
        return SendInvoice(
            notice.bot, notice.to, title, description, bill.payload, bill.stars, bill.renews, label, notice.thread
        )

    def answer(self, answer: Answer, bot: BotId, language: str) -> AnswerCallback:
        plain = self._words.of(bot).plain(answer.text, language) if answer.text is not None else None
        return AnswerCallback(bot, answer.query, plain, answer.alert)

    def menus(self, menu: Sequence[MenuCommand], bot: BotId) -> tuple[CommandList, ...]:
        """Return a bot's description of itself and its menu, in each language. People with another language get
        English.

        It is asked for often, so it is made again only if a wording or the menu has changed.
        """
        made_from = self._words.revision, tuple(menu)
        kept = self._menus.get(bot)
        if kept is None or kept[0] != made_from:
            kept = self._menus[bot] = made_from, self._menus_of(menu, self._words.of(bot))
        return kept[1]

    def _menus_of(self, menu: Sequence[MenuCommand], words: Words) -> tuple[CommandList, ...]:
        return tuple(
            CommandList(
                "" if language == words.languages[0] else language,
                tuple((command.name, words.plain(Text(command.description), language)) for command in menu),
                words.plain(text("intro.description"), language),
                words.plain(text("intro.short"), language),
                words.name(language),
            )
            for language in words.languages
        )


def _reply_rows(keys: Keys, words: Words, language: str) -> ReplyRows:
    return ReplyRows(tuple(tuple(words.plain(Text(key), language) for key in row) for row in keys.rows))


def _inline(menu: Menu, words: Words, language: str) -> InlineRows:
    return InlineRows(tuple(tuple(_button(button, words, language) for button in row) for row in menu.rows))


def _button(button: Button, words: Words, language: str) -> InlineButton:
    data = f"{button.action}:{button.token}"
    assert len(data.encode()) <= 64, "button data has a limit of 64 bytes (source: Bot API)"
    return InlineButton(words.plain(button.label, language), data)
