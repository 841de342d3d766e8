"""What the adapter needs to remember of files, as a port: which bot calls which file what.

`LiveStore` satisfies it. A `unique` is the same for every bot, a file id belongs to one. Keys that begin with
`neutral:` are ours: they name the copy of a file that was uploaded without its sender's name for it. So is
`introduction:` (see `fleet`).
"""

from typing import Protocol

from passerby.kernel.ids import BotId


class FileCache(Protocol):
    """A cache: entries may vanish at any time, and a wrong one costs one more attempt."""

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        """What this bot calls the file, if it has ever seen it."""
        ...

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        """Remember, or with None forget, a bot's id for a file."""
        ...
