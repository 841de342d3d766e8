"""The file format of the log: how records are framed, and how a damaged file is read.

One frame after another:

    4 bytes  magic, the same in every frame: reading resumes at one after damage
    4 bytes  length of the payload; numbers are little-endian
    8 bytes  sequence number: one more than the frame before
    4 bytes  CRC-32 of the payload
    4 bytes  CRC-32 of the 20 bytes above
    n bytes  payload

Reading distinguishes two kinds of bad bytes:

- *A torn end*: a power cut or a full disk cut the last write short. It was never synced, so it is dropped.
  The lock file says up to which frame the log was synced. If frames before that are missing at the end, that is a hole.
  The first bad bytes after that begin a torn end, even if good frames follow: a disk writes sectors in any order.
- *A hole*: damaged bytes of frames that were complete. They are skipped and reported, and reading resumes at the next
  valid frame. Missing numbers are a hole, too. The reader of the records decides what a hole means.
"""

import struct
import zlib
from typing import Final, NamedTuple

from passerby.kernel.ids import PersonId

_MAGIC: Final = b"\xf5plg"
_HEAD: Final = struct.Struct("<4sIQI")
_CRC: Final = struct.Struct("<I")
_HEAD_SIZE: Final = _HEAD.size + _CRC.size
_SECTOR: Final = 512


class Hole(NamedTuple):
    """`size` damaged bytes at offset `at`. `lost`: how many records were in them; None if that is not known.

    `after`: the sequence number of the record before them. `people`: those whom the lost records concern, as far as the
    lock file tells.
    """

    at: int
    size: int
    lost: int | None
    after: int = 0
    people: frozenset[PersonId] = frozenset()


def frame(record: bytes, sequence: int) -> bytes:
    head = _HEAD.pack(_MAGIC, len(record), sequence, zlib.crc32(record))
    return head + _CRC.pack(zlib.crc32(head)) + record


class Contents(NamedTuple):
    """The content of a log. `size`: the offset of the next frame. `sequence`: the last frame's number, 0 if there is
    none."""

    records: list[bytes | Hole]
    size: int
    sequence: int


def unframe(data: bytes, synced: int = 0) -> Contents:
    """Read a log, damaged or not. Takes time linear in its length.

    `synced`: up to which frame it is known to have been synced, 0 if it is not known.
    """
    records: list[bytes | Hole] = []
    at = sequence = 0
    while at < len(data):
        found = _frame_at(data, at, sequence)
        if found is not None:
            number, end = found
            if sequence and number > sequence + 1:
                records.append(Hole(at, 0, number - sequence - 1, sequence))
            records.append(data[at + _HEAD_SIZE : end])
            at, sequence = end, number
            continue
        start = at
        if 0 < synced <= sequence:
            return Contents(records, start, sequence)  # what follows was never synced, so no caller relies on it
        found, at = _next_frame(data, at, sequence)
        if found is None:
            if _is_torn(data, start):
                return Contents(records, start, sequence)
            records.append(Hole(start, len(data) - start, None, sequence))
            return Contents(records, len(data), sequence)
        records.append(Hole(start, at - start, found[0] - sequence - 1, sequence))
        sequence = found[0] - 1
    return Contents(records, at, sequence)


def _frame_at(data: bytes, at: int, after: int) -> tuple[int, int] | None:
    """The sequence number and the end of a valid frame that begins here and has a number above `after`."""
    head = _head_at(data, at)
    if head is None:
        return None
    length, number, checksum = head
    end = at + _HEAD_SIZE + length
    if number <= after or end > len(data) or zlib.crc32(data[at + _HEAD_SIZE : end]) != checksum:
        return None
    return number, end


def _head_at(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Length, sequence number and checksum of the frame whose head begins here, if the head is valid."""
    head = data[at : at + _HEAD.size]
    if len(data) < at + _HEAD_SIZE or not head.startswith(_MAGIC):
        return None
    if _CRC.unpack_from(data, at + _HEAD.size)[0] != zlib.crc32(head):
        return None
    _, length, number, checksum = _HEAD.unpack(head)
    return length, number, checksum


def _next_frame(data: bytes, at: int, after: int) -> tuple[tuple[int, int] | None, int]:
    while (at := data.find(_MAGIC, at + 1)) >= 0:
        found = _frame_at(data, at, after)
        if found is not None:
            return found, at
    return None, len(data)


def _is_torn(data: bytes, at: int) -> bool:
    """Whether the bad bytes at the end look like an unfinished write rather than damage."""
    rest = data[at:]
    if len(rest) < _HEAD_SIZE:
        return _MAGIC.startswith(rest[:4]) or rest.startswith(_MAGIC) or not any(rest)
    if not any(rest):
        return True  # the file had grown, and its bytes had not arrived yet
    head = _head_at(data, at)
    if head is None:
        return False
    last_sector = (len(data) - 1) // _SECTOR * _SECTOR
    zeros_arrived = last_sector > at + _HEAD_SIZE and not any(data[last_sector:])
    return len(rest) < _HEAD_SIZE + head[0] or zeros_arrived
