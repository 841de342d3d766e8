"""Sending a reply whose target may be gone: the message matters more than the link."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from passerby.adapters.botapi.errors import Meaning, Rejected
from passerby.adapters.botapi.outgoing import ReplyParameters

T = TypeVar("T")


async def with_reply(attempt: Callable[[ReplyParameters | None], Awaitable[T]], reply: ReplyParameters | None) -> T:
    """Attempt it with the reply; where Telegram refuses the quote or the reply, without.

    A refused attempt delivered nothing, so the next cannot double it. Three attempts at most.
    """
    try:
        return await attempt(reply)
    except Rejected as rejected:
        if reply is None or rejected.meaning not in (Meaning.QUOTE_INVALID, Meaning.REPLY_GONE):
            raise
        quote_alone = rejected.meaning is Meaning.QUOTE_INVALID and reply.quote is not None
    if not quote_alone:
        return await attempt(None)
    return await with_reply(attempt, ReplyParameters(reply.message_id))
