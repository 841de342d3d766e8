"""What a message shows, as one number: to tell an edit from an update that changed nothing, and words from body.

Telegram sends an edit also for what we do not pass on (a reaction has been seen to cause one). The upper half stands
for the words and their formatting, the lower for what they belong to: the file, or the fields of a kind without one.
"""

from zlib import crc32

import msgspec

from passerby.kernel.content import Content

_HALF = 31
_encode = msgspec.msgpack.Encoder().encode


def fingerprint(content: Content) -> int:
    """A positive number below 2**62. Equal contents have equal ones; others almost never do."""
    words = crc32(_encode((content.text, content.entities))) >> 1
    file = content.file
    body = crc32(file.unique.encode() if file is not None else _encode(content.detail)) >> 1
    return words << _HALF | body


def same_body(one: int, other: int) -> bool:
    """Whether at most the words differ."""
    mask = (1 << _HALF) - 1
    return one & mask == other & mask
