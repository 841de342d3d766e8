"""Data that the store may forget at any time: file ids and sightings. Users: the Bot API adapter and the courier."""

from collections.abc import Sequence
from typing import Protocol

from passerby.kernel.ids import BotId


class Caches(Protocol):
    async def file_id(self, unique: str, bot: BotId) -> str | None:
        """This bot's id for the file; None if the bot has not seen it."""
        ...

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        """Remember a bot's id for a file. None: forget it."""
        ...

    async def sight(self, bits: Sequence[int]) -> int:
        """Set these bits of the table of sightings (see `domain.popularity`).

        Returns how many people were seen with all of them, at least, in this period or the one before.
        """
        ...
