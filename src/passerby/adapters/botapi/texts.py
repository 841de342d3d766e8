"""Sends texts. Most relays are plain texts, so a text leaves in the turn of its call if a connection is free, and its
answer comes by a callback: without a coroutine, and without a task.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

from passerby.adapters.botapi import outgoing
from passerby.adapters.botapi.client import SENT, Client, Sending, Sent, encode
from passerby.adapters.botapi.errors import Rejected
from passerby.adapters.botapi.parts import with_less, with_less_than
from passerby.kernel.ids import BotId, MessageId
from passerby.ports.telegram import SendContent, TelegramError


class Texts:
    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, content_call: SendContent) -> Awaitable[tuple[MessageId, ...]]:
        """Send a text. If Telegram refuses a part of it, it is sent again without that part. Raises: TelegramError."""
        content, bot = content_call.contents[0], content_call.bot
        message = outgoing.SendMessage(
            content_call.person,
            content.text,
            outgoing.NO_PREVIEW,
            protect_content=content.protected,
            message_effect_id=content.effect,
            message_thread_id=content_call.thread,
            disable_notification=content_call.silent,
            allow_paid_broadcast=content_call.paid,
        )
        if content.entities:
            message.entities = outgoing.entities(content)
        if content_call.reply_to is not None:
            message.reply_parameters = outgoing.reply_of(content_call)
        if content_call.markup is not None:
            message.reply_markup = outgoing.markup(content_call.markup)
        text = _Text(self._client, self, bot, message)
        if self._client.begin(bot, "sendMessage", encode(message), text):
            return text
        return self._late(bot, message)

    async def _late(self, bot: BotId, message: outgoing.SendMessage) -> tuple[MessageId, ...]:
        return ((await with_less(lambda members: self._attempt(bot, members), message)).message_id,)

    async def with_less(self, refused: Rejected, bot: BotId, message: outgoing.SendMessage) -> tuple[MessageId, ...]:
        """Send it again without the part that was refused."""
        sent = await with_less_than(refused, lambda members: self._attempt(bot, members), message)
        return (sent.message_id,)

    def _attempt(self, bot: BotId, members: Any) -> Awaitable[Sent]:
        return self._client.call(bot, "sendMessage", encode(members), SENT, sends=True)


class _Text(Sending[tuple[MessageId, ...]]):
    """A text on its way."""

    __slots__ = ("_again", "_bot", "_message", "_texts")

    decoder = SENT

    def __init__(self, client: Client, texts: Texts, bot: BotId, message: outgoing.SendMessage) -> None:
        super().__init__(client, "sendMessage")
        self._texts = texts
        self._bot = bot
        self._message = message
        self._again: asyncio.Task[tuple[MessageId, ...]] | None = None

    def arrived(self, result: Sent) -> None:
        self.settle((result.message_id,))

    def went_wrong(self, error: TelegramError) -> None:
        if not isinstance(error, Rejected):
            self.fail(error)
            return
        again = self._texts.with_less(error, self._bot, self._message)
        self._again = asyncio.get_running_loop().create_task(again)
        self._again.add_done_callback(self._has_ended)

    def _has_ended(self, again: "asyncio.Task[tuple[MessageId, ...]]") -> None:
        if again.cancelled():
            return  # it was given up
        error = again.exception()
        if error is not None:
            self.fail(error)
        else:
            self.settle(again.result())

    def give_up(self) -> None:
        if self._again is not None:
            self._again.cancel()
        else:
            super().give_up()
