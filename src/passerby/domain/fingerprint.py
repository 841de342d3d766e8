"""What a message shows, as one number: to tell an edit from an update that changed nothing, and words from body.

Telegram sends an edit also for what we do not pass on (a reaction has been seen to cause one). The upper half stands
for the words and their formatting, the lower for what they belong to: the file, or the fields of a kind without one.

The number is kept for as long as the message map is, so it must not tell what was said: short messages can all be tried
out. It is made with a key, and with the chat, so that the same words make another number in each.
"""

from hashlib import blake2s
from typing import Final

import msgspec

from passerby.kernel.content import Content
from passerby.kernel.ids import ChatId

_HALF: Final = 31
_HALF_BYTES: Final = 4
_BODY: Final = (1 << _HALF) - 1
_PURPOSE: Final = b"print"
_encode: Final = msgspec.msgpack.Encoder().encode


class Prints:
    """Fingerprints by one key, recognised by that and `former` ones. Keys: at most 32 bytes."""

    def __init__(self, key: bytes, *former: bytes) -> None:
        # BLAKE2 is a keyed hash by itself. What is prepared here saves a third of the time (measured).
        self._begun, *self._former = (
            blake2s(digest_size=_HALF_BYTES, key=each, person=_PURPOSE) for each in (key, *former)
        )

    def of(self, content: Content, chat: ChatId) -> int:
        """A number from 0 up to 2**62. Equal contents of a chat have equal ones; others almost never do."""
        return _print(self._begun, content, chat)

    def fits(self, known: int, content: Content, chat: ChatId) -> bool:
        """Whether a content is the one that a fingerprint was made of."""
        return known == self.of(content, chat) or any(known == _print(key, content, chat) for key in self._former)

    @staticmethod
    def half_done(known: int) -> int:
        """Of a copy that is in the middle of an edit: neither the words before nor those after, but the same body."""
        return known ^ (1 << _HALF)

    def fits_body(self, known: int, content: Content, chat: ChatId) -> bool:
        """Whether at most the words differ."""
        return any(known & _BODY == _body(key, content, chat) for key in (self._begun, *self._former))


def _print(begun: blake2s, content: Content, chat: ChatId) -> int:
    return _number(begun, (chat, content.text, content.entities)) << _HALF | _body(begun, content, chat)


def _body(begun: blake2s, content: Content, chat: ChatId) -> int:
    """0 for words alone."""
    if content.file is not None:
        return _number(begun, (chat, content.file.unique))
    return _number(begun, (chat, None, content.detail)) if content.detail is not None else 0


def _number(begun: blake2s, of: tuple[object, ...]) -> int:
    made = begun.copy()
    made.update(_encode(of))
    return int.from_bytes(made.digest()) >> 1
