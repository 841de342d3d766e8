"""Ports for a look at a picture: the bytes, and a judge."""

from typing import Protocol

from passerby.kernel.content import File
from passerby.kernel.ids import BotId


class LookerAway(Exception):
    """Nobody looked: the process that looks is not there, is not ready, or has just died of a picture."""


class Pictures(Protocol):
    async def read_file(self, bot: BotId, file: File, most_bytes: int) -> bytes:
        """Fetch a file into memory. `bot` is the one that the file's id belongs to.

        Raises: TelegramError; Refused(TOO_LARGE) as soon as it has more than `most_bytes`.
        """
        ...


class PictureJudge(Protocol):
    async def is_doubtful(self, picture: bytes) -> bool:
        """Whether a model takes the picture for a sexual one. It may be cancelled at any time. Raises: LookerAway."""
        ...
