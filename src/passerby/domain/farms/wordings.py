"""The notice that a partner was found has several wordings. A script that knows only one of them misses other chats.

The id of a chat decides, so both sides read the same wording, nothing has to be stored, and nobody can choose. Each one
contains the words that people look for. A person who reads begins as many chats with one wording as with another.
"""

from typing import Final
from zlib import crc32

from passerby.kernel.ids import ChatId

WORDINGS: Final = 3


def wording_of(chat: ChatId) -> int:
    """The number of the wording with which a chat is announced, from 0."""
    return crc32(b"found " + chat.encode()) % WORDINGS


def named(key: str, wording: int) -> str:
    """The name of a text in this wording. The first one has no number."""
    return f"{key}_{wording + 1}" if wording else key
