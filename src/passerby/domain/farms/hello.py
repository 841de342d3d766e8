"""Some chats begin with one more key, which says hello with one tap. Programs that talk do not look at keys.

The id of a chat decides, so both sides have the key or neither, and nothing has to be stored. A press is a sign of
life. Somebody who does not press it shows nothing by that, because most people type.
"""

from typing import Final
from zlib import crc32

from passerby.kernel.ids import ChatId

EVERY: Final = 8
"""In one of so many chats."""
HELLO: Final = "👋"
"""The greeting that the partner reads."""


def begins_with_hello(chat: ChatId) -> bool:
    return crc32(chat.encode()) % EVERY == 0
