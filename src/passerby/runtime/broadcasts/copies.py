"""One copy of a broadcast as a call to Telegram."""

from passerby.kernel.broadcast import Broadcast, Category, Copy, Variant
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.text import text
from passerby.ports.telegram import EditContent, InlineButton, InlineRows, SendContent
from passerby.runtime.delivery.wording import Words

MUTE = "mute"
"""The action of the button below each copy."""


class Copies:
    """`staff_bot` received the messages. None: there is none, so no broadcast has a file."""

    def __init__(self, words: Words, staff_bot: BotId | None) -> None:
        self._words = words
        self._staff_bot = staff_bot

    def sending(self, broadcast: Broadcast, variant: Variant, bot: BotId, whom: PersonId, language: str) -> SendContent:
        return SendContent(
            bot,
            whom,
            self._staff_bot or bot,
            variant.writer or PersonId(0),
            (),
            (variant.content,),
            markup=self._markup(broadcast.category, variant, language),
            silent=broadcast.silent,
            paid=broadcast.paid,
        )

    def correcting(self, broadcast: Broadcast, variant: Variant, copy: Copy) -> EditContent:
        return EditContent(
            copy.bot,
            copy.whom,
            copy.message,
            self._staff_bot or copy.bot,
            variant.writer or PersonId(0),
            variant.content,
            words_only=variant.content.file is None,
            markup=self._markup(broadcast.category, variant, copy.language),
        )

    def _markup(self, category: Category, variant: Variant, language: str) -> InlineRows | None:
        rows = [(InlineButton(each.label, "", each.url),) for each in variant.buttons]
        if category is not Category.SYSTEM:
            rows.append((InlineButton(self._words.plain(text("mute.button"), language), f"{MUTE}:{category}"),))
        return InlineRows(tuple(rows)) if rows else None
