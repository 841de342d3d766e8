"""Encrypts content that is stored: relays that wait too long for Telegram's queue, items of albums, comments,
evidence.

AES-GCM-SIV would tolerate a repeated nonce. AES-GCM with a random 96-bit nonce is safe for four billion messages per
key (source: NIST SP 800-38D, 8.3), far more than are ever parked.
"""

import hashlib
import os
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from passerby.kernel.content import Content
from passerby.kernel.effect import Attach, RelayEffect
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.facts import EvidenceKept

T = TypeVar("T")

_NONCE = 12
_PURPOSE = b"passerby parked relay"
_ITEM_PURPOSE = b"passerby item of an album"
_EVIDENCE_PURPOSE = b"passerby evidence"
_EVIDENCE_KEY_PURPOSE = b"passerby key of one piece of evidence"
_WORDS_PURPOSE = b"passerby words about a complaint"


class ParkedRelayEffect(msgspec.Struct, frozen=True):
    relay_effect: RelayEffect
    refs: tuple[UpdateRef, ...]


class Item(msgspec.Struct, frozen=True):
    """One item of an album, as it came."""

    event: MessageReceived
    ref: UpdateRef


class Words(msgspec.Struct, frozen=True):
    """A person's comment on their complaint."""

    words: str


class Evidence(msgspec.Struct, frozen=True):
    """A message that a reporter chose. `bot` received it, so the file id is this bot's."""

    bot: BotId
    content: Content


class EvidenceKey(msgspec.Struct, frozen=True):
    key: bytes


class Sealer:
    """Seals with `key`. Opens data that was sealed with it or with one of `former`. Keys have 32 bytes."""

    def __init__(self, key: bytes, *former: bytes) -> None:
        self._cipher = AESGCM(key)
        self._ciphers = (self._cipher, *map(AESGCM, former))
        self._relay_effects = msgspec.msgpack.Decoder(ParkedRelayEffect)
        self._items = msgspec.msgpack.Decoder(Item)
        self._evidence = msgspec.msgpack.Decoder(Evidence)
        self._evidence_keys = msgspec.msgpack.Decoder(EvidenceKey)
        self._words = msgspec.msgpack.Decoder(Words)

    def seal(self, relay_effect: RelayEffect, refs: tuple[UpdateRef, ...]) -> bytes:
        return self._seal(ParkedRelayEffect(relay_effect, refs), _PURPOSE)

    def open(self, sealed: bytes) -> ParkedRelayEffect | None:
        """The opened content; None if it is damaged, or was sealed with an unknown key."""
        return self._open(sealed, _PURPOSE, self._relay_effects)

    def seal_item(self, event: MessageReceived, ref: UpdateRef) -> bytes:
        return self._seal(Item(event, ref), _ITEM_PURPOSE)

    def open_item(self, sealed: bytes) -> Item | None:
        """As `open`."""
        return self._open(sealed, _ITEM_PURPOSE, self._items)

    def seal_words(self, words: str) -> bytes:
        return self._seal(Words(words), _WORDS_PURPOSE)

    def open_words(self, sealed: bytes) -> str | None:
        """As `open`."""
        opened = self._open(sealed, _WORDS_PURPOSE, self._words)
        return opened.words if opened is not None else None

    def keep(self, chosen: Attach, at: float) -> EvidenceKept:
        """Seal a message that a reporter chose, under a key of its own, which is wrapped with ours."""
        key = AESGCM.generate_key(256)
        body = self._seal(Evidence(chosen.bot, chosen.content), _EVIDENCE_PURPOSE, AESGCM(key))
        sealed = self._seal(EvidenceKey(key), _EVIDENCE_KEY_PURPOSE)
        sealed = len(sealed).to_bytes(2) + sealed + body
        digest = hashlib.sha256(sealed).hexdigest()
        return EvidenceKept(chosen.chat, chosen.by, chosen.whom, chosen.place, sealed, digest, at)

    def open_evidence(self, sealed: bytes) -> Evidence | None:
        """As `open`."""
        end = 2 + int.from_bytes(sealed[:2])
        wrapped = self._open(sealed[2:end], _EVIDENCE_KEY_PURPOSE, self._evidence_keys)
        if wrapped is None:
            return None
        return self._open(sealed[end:], _EVIDENCE_PURPOSE, self._evidence, (AESGCM(wrapped.key),))

    def open_exhibit(self, sealed: bytes, place: int) -> str | tuple[BotId, Content] | None:
        """A comment (place 0), or the message that a reporter chose and the bot that received it."""
        if place == 0:
            return self.open_words(sealed)
        opened = self.open_evidence(sealed)
        return (opened.bot, opened.content) if opened is not None else None

    def _seal(self, what: msgspec.Struct, purpose: bytes, cipher: AESGCM | None = None) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + (cipher or self._cipher).encrypt(nonce, msgspec.msgpack.encode(what), purpose)

    def _open(
        self, sealed: bytes, purpose: bytes, decoder: msgspec.msgpack.Decoder[T], ciphers: tuple[AESGCM, ...] = ()
    ) -> T | None:
        for cipher in ciphers or self._ciphers:
            try:
                return decoder.decode(cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose))
            except (InvalidTag, ValueError):  # ValueError: it is too short, or cannot be decoded
                continue
        return None
