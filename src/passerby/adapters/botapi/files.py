"""The adapter's port for remembering files: the id of each file for each bot.

`LiveStore` satisfies it. A `unique` is the same for every bot; a file id belongs to one bot. We add two kinds of keys:
`renamed:` is the copy of a file that was uploaded without its sender's name for it; `introduction:` is not a file (see
`bot_api`).

A bot's token and a file id suffice to fetch a file, and anybody who has a file knows its `unique`. So the stored values
are encrypted or hashed. Without the key they show neither what was sent nor how to get it.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from passerby.kernel.ids import BotId


class FileCache(Protocol):
    """A cache: entries may vanish at any time, and a wrong one costs one more attempt."""

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        """Return this bot's id for the file, if it is known."""
        ...

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        """Remember a bot's id for a file, or forget it (None)."""
        ...


_NONCE: Final = 12
_NAMES: Final = b"file names"
_IDS: Final = b"file ids"


class Disguised:
    """Stores hashed names and encrypted ids in another cache. `key` has at most 64 bytes. With another key, nothing is
    found."""

    def __init__(self, inner: FileCache, key: bytes) -> None:
        self._inner = inner
        self._key = key
        self._cipher = AESGCM(blake2b(key=key, digest_size=32, person=_IDS).digest())

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        sealed = await self._inner.file_id(self._name(unique), bot)
        if sealed is None:
            return None
        try:
            held = urlsafe_b64decode(sealed)
            return self._cipher.decrypt(held[:_NONCE], held[_NONCE:], _encoded(unique)).decode()
        except (InvalidTag, ValueError):
            return None

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        sealed = None
        if file_id is not None:
            nonce = os.urandom(_NONCE)
            sealed = urlsafe_b64encode(
                nonce + self._cipher.encrypt(nonce, _encoded(file_id), _encoded(unique))
            ).decode()
        await self._inner.remember_file(self._name(unique), bot, sealed)

    def _name(self, unique: str) -> str:
        return blake2b(_encoded(unique), digest_size=16, key=self._key, person=_NAMES).hexdigest()


def _encoded(unique: str) -> bytes:
    return unique.encode("utf-8", "surrogatepass")
