"""Passing a message on: which method, which file id, copied or built anew.

Text is always sent anew, so that only the entities that its caller kept go along. Files travel by id where the
recipient's bot knows them and are moved (`transfer`) where it does not.
"""

from passerby.adapters.botapi import outgoing
from passerby.adapters.botapi.client import SENT, Client, encode
from passerby.adapters.botapi.files import FileCache
from passerby.adapters.botapi.reply import with_reply
from passerby.kernel.content import Content, Kind
from passerby.kernel.event import Refusal
from passerby.kernel.ids import MessageId
from passerby.ports.telegram import Carry, Refused


class Carrier:
    def __init__(self, client: Client, files: FileCache, *, unlimited_files: bool, transfers: int) -> None:
        self._client = client

    async def carry(self, carry: Carry) -> tuple[MessageId, ...]:
        """Deliver it; return the new ids in order. Raises: TelegramError."""
        if len(carry.contents) > 1:
            raise Refused(Refusal.CANNOT_COPY, "album")
        content = carry.contents[0]
        if content.kind is Kind.TEXT:
            return await self._text(carry, content)
        raise Refused(Refusal.CANNOT_COPY, content.kind)

    async def _text(self, carry: Carry, content: Content) -> tuple[MessageId, ...]:
        message = outgoing.SendMessage(
            chat_id=carry.person,
            text=content.text,
            link_preview_options=outgoing.NO_PREVIEW,
            entities=outgoing.entities(content),
            protect_content=content.protected,
            message_effect_id=content.effect,
        )

        async def attempt(reply: outgoing.ReplyParameters | None) -> tuple[MessageId, ...]:
            message.reply_parameters = reply
            sent = await self._client.call(carry.bot, "sendMessage", encode(message), SENT, sends=True)
            return (MessageId(sent.message_id),)

        return await with_reply(attempt, outgoing.reply_of(carry))
