"""An append-only log of opaque records: what is in it when a process is killed is there when it starts again.

File format, one record after another:

    4 bytes  length of the payload, little-endian
    4 bytes  CRC-32 of the payload
    n bytes  payload

`append` writes straight to the file before it returns, so `kill -9` loses nothing that was acknowledged: the page cache
outlives the process. Power loss may cost what `sync` has not yet put on the disk: a second's worth, as with Redis'
`appendfsync everysec`. Reading stops at the first record that is cut short or damaged; `open` cuts the file there.

`rewrite` replaces the log by a shorter one that says the same: written beside it, synced, renamed over it. A crash at
any point leaves one of the two, whole.
"""

import asyncio
import contextlib
import fcntl
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

_HEAD = struct.Struct("<II")


class LogInUse(Exception):
    """Another process holds this log open."""


class Log(Protocol):
    """Ordering: `records` yields what was appended, in order.

    Raises: OSError where the disk refuses; then nothing was added.
    """

    @property
    def size(self) -> int:
        """Bytes in the log."""
        ...

    def records(self) -> Iterable[bytes]: ...

    def append(self, record: bytes) -> None: ...

    def rewrite(self, records: Iterable[bytes]) -> None: ...

    async def sync(self) -> None:
        """Put on the disk what only the page cache has."""
        ...

    def close(self) -> None: ...


def frame(record: bytes) -> bytes:
    return _HEAD.pack(len(record), zlib.crc32(record)) + record


def unframe(data: bytes) -> tuple[list[bytes], int]:
    """The whole records at the beginning of `data`, and how many bytes they take."""
    records, at = [], 0
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        record = data[at + _HEAD.size : end]
        if end > len(data) or zlib.crc32(record) != checksum:
            break
        records.append(record)
        at = end
    return records, at


class FileLog:
    """A log in a file. Holds an exclusive lock on it for as long as it is open."""

    def __init__(self, path: Path) -> None:
        """Open or create. Raises LogInUse, or OSError where the path cannot be written."""
        self._path = path
        self._lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise LogInUse(str(path)) from None
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            self._records, self._size = unframe(path.read_bytes())
            os.ftruncate(self._file, self._size)
        except OSError:
            os.close(self._lock)
            raise
        self._synced = self._size

    @property
    def size(self) -> int:
        return self._size

    def records(self) -> Iterable[bytes]:
        """What was there when the log was opened; handed out once, so that it need not be kept."""
        records, self._records = self._records, []
        return records

    def append(self, record: bytes) -> None:
        data = frame(record)
        try:
            written = os.write(self._file, data)
        except OSError:
            self._undo()
            raise
        if written != len(data):
            self._undo()
            raise OSError(28, "the disk is full")
        self._size += written

    def _undo(self) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._size)

    def rewrite(self, records: Iterable[bytes]) -> None:
        beside = self._path.with_name(self._path.name + ".new")
        new = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            with open(new, "wb", closefd=False) as file:
                file.writelines(frame(record) for record in records)
            os.fsync(new)
            beside.replace(self._path)
        except BaseException:
            os.close(new)
            beside.unlink(missing_ok=True)
            raise
        self._sync_folder()
        os.close(self._file)
        self._file, self._size = new, os.fstat(new).st_size
        self._synced = self._size

    def _sync_folder(self) -> None:
        """Without this, power loss could bring the old log back, and with it lose what was synced to the new one."""
        with contextlib.suppress(OSError):
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    async def sync(self) -> None:
        if self._synced != self._size:
            size, duplicate = self._size, os.dup(self._file)
            try:
                await asyncio.to_thread(os.fsync, duplicate)
            finally:
                os.close(duplicate)
            self._synced = size

    def close(self) -> None:
        os.close(self._file)
        os.close(self._lock)
