"""Chats in which nobody says anything. User: the task that nudges them."""

from typing import Protocol

import msgspec

from passerby.kernel.ids import ChatId, PersonId


class IdleChat(msgspec.Struct, frozen=True, gc=False):
    """An open chat in which nothing was delivered since `since` (Unix seconds). `speaker` wrote the last message."""

    chat: ChatId
    people: tuple[PersonId, PersonId]
    since: float
    speaker: PersonId | None


class IdleChats(Protocol):
    async def idle_chats(self, since: float, limit: int) -> list[IdleChat]:
        """Open chats in which nothing was delivered since then (Unix seconds), the longest idle first.

        Opening or adopting a chat counts as a delivery. `since` of an answer may be late, by at most a minute.
        """
        ...
