"""The adapter's port for remembering files: the id of each file for each bot.

`LiveStore` satisfies it. A `unique` is the same for every bot, a file id belongs to one. Keys that begin with
`neutral:` are ours: they name the copy of a file that was uploaded without its sender's name for it. So is
`introduction:` (see `bot_api`).

With a bot's token, a file can be fetched by its id, and anybody who has a file knows its `unique`. So the stored values
are encrypted or hashed: without the key they tell neither what was sent nor how to get it.
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
        """What this bot calls the file, if it has ever seen it."""
        ...

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        """Remember, or with None forget, a bot's id for a file."""
        ...


_NONCE: Final = 12
_NAMES: Final = b"file names"
_IDS: Final = b"file ids"


class Disguised:
    """Stores hashed names and encrypted ids in another cache. `key`: at most 64 bytes; with another key, nothing is
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
            return self._cipher.decrypt(held[:_NONCE], held[_NONCE:], _told(unique)).decode()
        except (InvalidTag, ValueError):
            return None

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        sealed = None
        if file_id is not None:
            nonce = os.urandom(_NONCE)
            sealed = urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, _told(file_id), _told(unique))).decode()
        await self._inner.remember_file(self._name(unique), bot, sealed)

    def _name(self, unique: str) -> str:
        return blake2b(_told(unique), digest_size=16, key=self._key, person=_NAMES).hexdigest()


def _told(unique: str) -> bytes:
    return unique.encode("utf-8", "surrogatepass")
