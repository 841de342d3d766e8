"""Sends texts. Most relays are plain texts, and so are most notices. A text leaves in the turn of its call if a
connection is free, and its answer comes by a callback: without a coroutine, and without a task.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

from passerby.adapters.botapi import outgoing
from passerby.adapters.botapi.client import SENT, Client, Sending, Sent, encode
from passerby.adapters.botapi.errors import Rejected
from passerby.adapters.botapi.outgoing import SendMessage
from passerby.adapters.botapi.parts import with_less, with_less_than
from passerby.kernel.ids import BotId, MessageId
from passerby.ports.telegram import SendContent, TelegramError


class Texts:
    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, content_call: SendContent) -> Awaitable[tuple[MessageId, ...]]:
        """Send a text. If Telegram refuses a part of it, it is sent again without that part. Raises: TelegramError."""
        content, bot = content_call.contents[0], content_call.bot
        message = SendMessage(
            content_call.person,
            content.text,
            outgoing.NO_PREVIEW,
            None,
            outgoing.entities(content) if content.entities else (),
            content.protected,
            content.effect,
            outgoing.reply_of(content_call) if content_call.reply_to is not None else None,
            outgoing.markup(content_call.markup) if content_call.markup is not None else None,
            content_call.thread,
            content_call.silent,
            content_call.paid,
        )
        return self.begin(bot, message)

    def begin(self, bot: BotId, message: SendMessage) -> Awaitable[tuple[MessageId, ...]]:
        """The same for a message that is put together already."""
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
        # All that `Sending` and `Soon` set, too: three nested calls cost more than the rest of a send.
        self.is_done = False
        self._value = self._then = self.error = self.connection = None
        self._client = client
        self._method = "sendMessage"
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
