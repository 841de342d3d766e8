"""The fields at the beginning of the lock file beside a log. Each is followed by its checksum.

     0   8 bytes    the highest number that was synced
    16   16 bytes   the mark of the installation's key
    40   4 bytes    the release that has used the log, the newest one
    48   8 bytes    the inode of the lock file itself: a copy has another one

Behind them are the notes of `touched` and `delivered`, and then

    8 bytes    for the name of the database that the log belongs to
    8 bytes    when a watch for another installation last sent a poll that may have ended one of theirs, in Unix seconds

Numbers are little-endian.
"""

import contextlib
import os
import struct
import zlib
from typing import Final

from passerby.adapters.memory import delivered

_CRC: Final = struct.Struct("<I")
_SYNCED: Final = struct.Struct("<Q")
_MARK_AT: Final = 16
_MARK_BYTES: Final = 16
_RELEASE: Final = struct.Struct("<I")
_RELEASE_AT: Final = 40
_INODE: Final = struct.Struct("<Q")
_INODE_AT: Final = 48
_DATABASE_BYTES: Final = 8
_DATABASE_AT: Final = delivered.END
_WATCHED: Final = struct.Struct("<d")
_WATCHED_AT: Final = _DATABASE_AT + _DATABASE_BYTES + _CRC.size


def mark(lock: int) -> bytes:
    """Return the mark that `put_mark` stored; empty if there is none."""
    return _field(lock, _MARK_AT, _MARK_BYTES)


def put_mark(lock: int, value: bytes) -> None:
    """Raises: OSError."""
    assert len(value) == _MARK_BYTES, "a mark has one length"
    _put_field(lock, _MARK_AT, value)


def database(lock: int) -> bytes:
    """Return the name that `put_database` stored; empty if there is none."""
    return _field(lock, _DATABASE_AT, _DATABASE_BYTES)


def put_database(lock: int, value: bytes) -> None:
    """Raises: OSError."""
    assert len(value) == _DATABASE_BYTES, "a database's mark has one length"
    _put_field(lock, _DATABASE_AT, value)


def note_release(lock: int, number: int) -> None:
    """Raises: OSError."""
    _put_field(lock, _RELEASE_AT, _RELEASE.pack(number))


def note_synced(lock: int, sequence: int) -> None:
    """Not synced itself: after a power cut the number may be too low, which is harmless. It is never too high."""
    with contextlib.suppress(OSError):
        _put_field(lock, 0, _SYNCED.pack(sequence))


def is_copy(lock: int) -> bool:
    """Whether the lock file was made by copying another one, together with the log beside it."""
    noted = _field(lock, _INODE_AT, _INODE.size)
    return bool(noted) and _INODE.unpack(noted)[0] != os.fstat(lock).st_ino


def has_inode(lock: int) -> bool:
    """Whether the lock file says whose it is. Otherwise the log beside it may be a copy or not."""
    return bool(_field(lock, _INODE_AT, _INODE.size))


def note_inode(lock: int) -> None:
    """Raises: OSError."""
    _put_field(lock, _INODE_AT, _INODE.pack(os.fstat(lock).st_ino))


def note_copy(lock: int) -> None:
    """Note an inode that no file has. Raises: OSError."""
    _put_field(lock, _INODE_AT, _INODE.pack(0))


def watched_at(lock: int) -> float:
    """0 if there is no such poll."""
    found = _field(lock, _WATCHED_AT, _WATCHED.size)
    return float(_WATCHED.unpack(found)[0]) if found else 0.0


def note_watched(lock: int, at: float) -> None:
    """Raises: OSError."""
    _put_field(lock, _WATCHED_AT, _WATCHED.pack(at))


def release(lock: int) -> int:
    """The release of the newest process that has used the log; 0 if it is not known."""
    found = _field(lock, _RELEASE_AT, _RELEASE.size)
    return int(_RELEASE.unpack(found)[0]) if found else 0


def synced(lock: int) -> int:
    """0 if the lock file does not say."""
    found = _field(lock, 0, _SYNCED.size)
    return int(_SYNCED.unpack(found)[0]) if found else 0


def _put_field(lock: int, at: int, value: bytes) -> None:
    os.pwrite(lock, value + _CRC.pack(zlib.crc32(value)), at)


def _field(lock: int, at: int, size: int) -> bytes:
    """Empty if the lock file does not have it, or it is damaged."""
    found = os.pread(lock, size + _CRC.size, at)
    value = found[:size]
    is_whole = len(found) == size + _CRC.size and _CRC.unpack_from(found, size)[0] == zlib.crc32(value)
    return value if is_whole else b""
