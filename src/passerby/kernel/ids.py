"""The names of things. Telegram's own ids keep their meaning; ours are opaque and mean nothing outside."""

from typing import NamedTuple, NewType

PersonId = NewType("PersonId", int)
"""A Telegram user id; in a private chat also the chat's id, and the same for every bot."""

BotId = NewType("BotId", int)
"""The number before the colon of a bot's token."""

MessageId = NewType("MessageId", int)
"""Counts up within one bot's private chats; two bots use the same numbers for different messages."""

ChatId = NewType("ChatId", str)
"""Names a pair while it lasts. Random, so that it may stand in a button: it says nothing of either person."""

PoolId = NewType("PoolId", str)
"""People of different pools never meet. One matcher owns a pool."""


class UpdateRef(NamedTuple):
    """One update of one bot: what Telegram is told is done, and what a redelivery is recognised by."""

    bot: BotId
    update: int


class MessageRef(NamedTuple):
    """A message as one bot sees it."""

    bot: BotId
    message: MessageId


def search_of(person: PersonId) -> ChatId:
    """Names a person's search where an anchor names a chat. It begins and ends with the search."""
    return ChatId(f"search:{person}")


NOWHERE = MessageRef(BotId(0), MessageId(0))
"""In place of a message that is not there and never will be."""
