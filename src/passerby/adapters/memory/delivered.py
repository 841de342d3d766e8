"""Notes in the lock file beside the log which messages were delivered last.

If the log is damaged, it may have lost the marks that say which updates are done. Telegram hands out the newest updates
again, as long as it has not heard that they were read. So without their marks, messages that have arrived would arrive
again. This note is in another file, and names the updates of the last deliveries in a ring of fixed size.

    8 bytes   the bot; numbers are little-endian
    8 bytes   the update
    8 bytes   when it was noted, in Unix seconds
    4 bytes   CRC-32 of the 24 bytes above

The checksum matters: an update that is wrongly taken for done would be lost. Only deliveries are noted, so a
note is true whatever has become of the log. It is written once a second, and not synced.
"""

import os
import struct
import zlib
from collections.abc import Sequence
from typing import Final

from passerby.adapters.memory import touched
from passerby.adapters.memory.done import KEPT_S
from passerby.kernel.ids import BotId, UpdateRef

AT: Final = touched.AT + touched.ROOM * touched.NOTE.size
"""In the lock file, behind the notes of `touched`."""

ROOM: Final = 1024
"""Many more than Telegram hands out again: at most a hundred for each bot."""

_NOTE: Final = struct.Struct("<qqd")
_CRC: Final = struct.Struct("<I")
_SIZE: Final = _NOTE.size + _CRC.size
END: Final = AT + ROOM * _SIZE
"""The first byte behind these notes."""


class Delivered:
    """The ring. `lock` is given each time, because the lock file may be replaced while it is open."""

    def __init__(self, lock: int) -> None:
        data = os.pread(lock, ROOM * _SIZE, AT)
        notes = {at // _SIZE: _NOTE.unpack_from(data, at) for at in range(0, len(data), _SIZE) if _is_whole(data, at)}
        self._found = [(UpdateRef(BotId(bot), update), at) for bot, update, at in notes.values()]
        newest = max(notes, key=lambda place: (notes[place][2], place), default=-1)
        self._place = (newest + 1) % ROOM

    def since(self, now: float) -> list[UpdateRef]:
        """The updates that were noted when this was opened, without those that Telegram has forgotten by `now`."""
        return [ref for ref, at in self._found if now - KEPT_S < at]

    def note(self, lock: int, refs: Sequence[UpdateRef], at: float) -> None:
        """Raises: OSError."""
        notes = [_packed(ref, at) for ref in refs[-ROOM:]]
        before_the_end = notes[: ROOM - self._place]
        os.pwrite(lock, b"".join(before_the_end), AT + self._place * _SIZE)
        os.pwrite(lock, b"".join(notes[len(before_the_end) :]), AT)
        self._place = (self._place + len(notes)) % ROOM


def _packed(ref: UpdateRef, at: float) -> bytes:
    note = _NOTE.pack(ref.bot, ref.update, at)
    return note + _CRC.pack(zlib.crc32(note))


def _is_whole(data: bytes, at: int) -> bool:
    note = data[at : at + _NOTE.size]
    return at + _SIZE <= len(data) and _CRC.unpack_from(data, at + _NOTE.size)[0] == zlib.crc32(note)
