"""Passages that wait longer than Telegram's queue should be held up: encrypted, because content is never stored bare.

AES-GCM-SIV would forgive a repeated nonce; AES-GCM with a random 96-bit one is safe for four thousand million parcels a
key (source: NIST SP 800-38D, 8.3), far more than are ever parked.
"""

import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from passerby.kernel.effect import Passage
from passerby.kernel.ids import UpdateRef

_NONCE = 12
_PURPOSE = b"passerby parked relay"


class ParkedPassage(msgspec.Struct, frozen=True):
    passage: Passage
    refs: tuple[UpdateRef, ...]


class Sealer:
    """`key`: 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._decoder = msgspec.msgpack.Decoder(ParkedPassage)

    def seal(self, passage: Passage, refs: tuple[UpdateRef, ...]) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(ParkedPassage(passage, refs)), _PURPOSE)

    def open(self, sealed: bytes) -> ParkedPassage | None:
        """What was sealed; None if it was with another key, or is damaged."""
        try:
            return self._decoder.decode(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _PURPOSE))
        except (InvalidTag, ValueError):  # a ValueError is also what cannot be decoded, or is too short
            return None
