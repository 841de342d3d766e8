"""Ids. Telegram's own ids keep their meaning. Ours are opaque and mean nothing outside Passerby."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, NewType, cast

PersonId = NewType("PersonId", int)
"""A Telegram user id. It is the same for every bot, and in a private chat it is also the id of the chat."""

BotId = NewType("BotId", int)
"""The number before the colon of a bot's token."""

MessageId = NewType("MessageId", int)
"""Counts up within one bot's private chats. Two bots use the same numbers for different messages."""

ChatId = NewType("ChatId", str)
"""Identifies a chat between two people. It is random, so a button can carry it: it says nothing about either person."""

PoolId = NewType("PoolId", str)
"""People in different pools never meet. One matcher owns a pool."""


class UpdateRef(NamedTuple):
    """One update of one bot. It is confirmed to Telegram, and a repeated delivery is recognised by it."""

    bot: BotId
    update: int


class MessageRef(NamedTuple):
    """A message as one bot sees it."""

    bot: BotId
    message: MessageId


# To call a NamedTuple's class runs Python code, and costs five times as much. These are for the hot path.
update_ref: Final = cast("Callable[[tuple[BotId, int]], UpdateRef]", partial(tuple.__new__, UpdateRef))
message_ref: Final = cast("Callable[[tuple[BotId, MessageId]], MessageRef]", partial(tuple.__new__, MessageRef))


def search_of(person: PersonId) -> ChatId:
    """Stands for a person's search where an anchor has a chat. It begins and ends with the search."""
    return ChatId(f"search:{person}")


NOWHERE = MessageRef(BotId(0), MessageId(0))
"""Stands for a message that does not exist and never will."""
