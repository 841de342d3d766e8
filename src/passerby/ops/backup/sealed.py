"""The format of a backup: a dump and its manifest in one encrypted file, written and read as a stream.

    18 bytes  magic
     8 bytes  mark of the key, so that a wrong key is told apart from damage
    16 bytes  salt, for a key of this file only
    chunks    AES-256-GCM, each of CHUNK bytes and a tag of 16; the last one may be shorter

The plaintext is the dump, then the manifest (JSON), then its length in 8 bytes. So the manifest can say what the stream
turned out to be, and be read without the dump, from the end. A chunk's nonce is its number and whether it is the last
one, as in age and in the STREAM construction. So a chunk that is missing, repeated or moved is noticed, and so is a
file that was cut at a chunk's end. The header is authenticated with every chunk. Memory holds two chunks.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC: Final = b"passerby backup 1\n"
CHUNK: Final = 1 << 20
_TAG: Final = 16
_MARK: Final = 8
_SALT: Final = 16
_HEAD: Final = len(MAGIC) + _MARK + _SALT
_LENGTH: Final = 8
_MOST_MANIFEST: Final = 1 << 20


class NotABackup(Exception):
    """The file is no backup, is damaged or cut off, or has another key. The text is for the operator."""


class BackupSealer:
    """Writes a backup to `file`: the dump by `write`, then the manifest by `finish`."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        salt = secrets.token_bytes(_SALT)
        self._file = file
        self._head = MAGIC + mark(key) + salt
        self._aead = _aead(key, salt)
        self._number = 0
        self._waiting = bytearray()
        self._sha256 = hashlib.sha256()
        self.size = 0
        """Bytes of the dump so far."""
        file.write(self._head)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def write(self, data: bytes) -> None:
        """Raises: OSError."""
        self._sha256.update(data)
        self.size += len(data)
        self._put(data)

    def finish(self, manifest: bytes) -> None:
        """Raises: OSError."""
        self._put(manifest + len(manifest).to_bytes(_LENGTH, "big"))
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > CHUNK:  # one more byte is there, so this chunk is not the last one
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._aead.encrypt(_nonce(self._number, last=last), chunk, self._head))
        self._number += 1


class BackupOpener:
    """Reads a backup. Raises: NotABackup from every method; OSError."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self._head = file.read(_HEAD)
        if not self._head.startswith(MAGIC):
            raise NotABackup("this is not a backup of Passerby")
        if len(self._head) < _HEAD:
            raise NotABackup("it is cut off")
        if not hmac.compare_digest(self._head[len(MAGIC) : -_SALT], mark(key)):
            raise NotABackup("it was made with another key: BACKUP_KEY must be the one of that time")
        self._aead = _aead(key, self._head[-_SALT:])
        body = os.fstat(file.fileno()).st_size - _HEAD
        self._chunks, rest = divmod(body, CHUNK + _TAG)
        if rest:
            self._chunks += 1
        if not body or 0 < rest <= _TAG:
            raise NotABackup("it is cut off")
        self._size = body - self._chunks * _TAG

    def manifest(self) -> bytes:
        """Read the end only."""
        tail = b"".join(self._chunk(number) for number in range(max(0, self._chunks - 2), self._chunks))
        length = int.from_bytes(tail[-_LENGTH:], "big")
        if not 0 < length <= min(_MOST_MANIFEST, len(tail) - _LENGTH):
            raise NotABackup("it is damaged")
        return tail[-_LENGTH - length : -_LENGTH]

    def dump_size(self) -> int:
        """How many bytes of the file are the dump. Reads the end only."""
        return self._size - len(self.manifest()) - _LENGTH

    def dump(self) -> Iterator[bytes]:
        """The dump, checked chunk by chunk. It is whole only if the iteration ends without an exception."""
        left = self.dump_size()
        for number in range(self._chunks):
            chunk = self._chunk(number)
            if left > 0:
                yield chunk[:left]
            left -= len(chunk)

    def _chunk(self, number: int) -> bytes:
        self._file.seek(_HEAD + number * (CHUNK + _TAG))
        sealed = self._file.read(CHUNK + _TAG)
        try:
            return self._aead.decrypt(_nonce(number, last=number == self._chunks - 1), sealed, self._head)
        except InvalidTag:
            raise NotABackup("it is damaged or cut off") from None


def mark(key: bytes) -> bytes:
    """Tells keys apart without revealing them."""
    return hmac.digest(key, b"passerby backup key", hashlib.sha256)[:_MARK]


def _aead(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"passerby backup chunks").derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
