"""A message's visible content as one number. It tells a real edit from an update that changed nothing, and a change of
words from a change of the rest.

Telegram also sends edits for changes that we do not pass on (a reaction has caused one). The upper half of the number
stands for the words and their formatting. The lower half stands for the *body*: the file, or the fields of a kind
without one.

The number is kept as long as the message map, so it must not tell what was said; all short messages could be tried out.
So it is made with a key, and with the id of the chat: the same words give a different number in each chat.
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
    """Makes fingerprints with `key`, and recognises those made with `former` keys, too. A key has at most 32 bytes."""

    def __init__(self, key: bytes, *former: bytes) -> None:
        # BLAKE2 takes a key by itself. Preparing the keyed state here saves a third of the time (measured).
        self._begun, *self._former = (
            blake2s(digest_size=_HALF_BYTES, key=each, person=_PURPOSE) for each in (key, *former)
        )

    def of(self, content: Content, chat: ChatId) -> int:
        """A number from 0 up to 2**62. Equal contents of a chat have equal numbers. Different contents almost never
        do."""
        words = _number(self._begun, (chat, content.text, content.entities)) << _HALF
        if content.file is None and content.detail is None:
            return words
        return words | _body(self._begun, content, chat)

    def fits(self, known: int, content: Content, chat: ChatId) -> bool:
        """Whether the fingerprint was made from this content."""
        return known == self.of(content, chat) or any(known == _print(key, content, chat) for key in self._former)

    @staticmethod
    def half_done(known: int) -> int:
        """The fingerprint of a copy in the middle of an edit: it matches neither the old words nor the new ones, but
        the same body."""
        return known ^ (1 << _HALF)

    def fits_body(self, known: int, content: Content, chat: ChatId) -> bool:
        """Whether the bodies are the same, so that only the words can differ."""
        return any(known & _BODY == _body(key, content, chat) for key in (self._begun, *self._former))


def _print(begun: blake2s, content: Content, chat: ChatId) -> int:
    return _number(begun, (chat, content.text, content.entities)) << _HALF | _body(begun, content, chat)


def _body(begun: blake2s, content: Content, chat: ChatId) -> int:
    """The half for the body; 0 if there are only words."""
    if content.file is not None:
        return _number(begun, (chat, content.file.unique))
    return _number(begun, (chat, None, content.detail)) if content.detail is not None else 0


def _number(begun: blake2s, of: tuple[object, ...]) -> int:
    made = begun.copy()
    made.update(_encode(of))
    return int.from_bytes(made.digest()) >> 1
