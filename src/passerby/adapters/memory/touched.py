"""Notes in the lock file beside the log which people its newest records concern.

A damaged log cannot say what its missing records were about. If the newest ones are missing, the database has not heard
of them either. So nobody would know that somebody had just begun to search, except that person. This note survives
damage of the log: it is in another file, and names the people of the last records in a ring of fixed size.

    8 bytes   the record's sequence number; numbers are little-endian
    8 bytes   the person

A note is written together with its record and not synced: after a power cut, the newest notes are those of records that
nobody was told about. The hot path never gets here, because relays concern nobody in this sense.
"""

import os
import struct
from collections.abc import Iterable
from typing import Final

from passerby.kernel.ids import PersonId

AT: Final = 64
"""In the lock file, behind everything else."""

ROOM: Final = 512
"""Many more than change between a commit and the moment the database has it."""

NOTE: Final = struct.Struct("<Qq")


class Touched:
    """The ring. `lock` is given each time, because the lock file may be replaced while it is open."""

    def __init__(self, lock: int) -> None:
        data = os.pread(lock, ROOM * NOTE.size, AT)
        whole = data[: len(data) // NOTE.size * NOTE.size]
        self._found = [(number, PersonId(person)) for number, person in NOTE.iter_unpack(whole)]
        newest = max(range(len(self._found)), key=lambda place: self._found[place][0], default=-1)
        self._next = (newest + 1) % ROOM

    def within(self, after: int, upto: int) -> frozenset[PersonId]:
        """The people whom records after the first number and up to the second concern, as of when this was opened."""
        return frozenset(person for number, person in self._found if after < number <= upto)

    def note(self, lock: int, number: int, people: Iterable[PersonId]) -> None:
        """Raises: OSError."""
        notes = [NOTE.pack(number, person) for person in dict.fromkeys(people)][-ROOM:]
        before_the_end = notes[: ROOM - self._next]
        os.pwrite(lock, b"".join(before_the_end), AT + self._next * NOTE.size)
        if len(before_the_end) < len(notes):
            os.pwrite(lock, b"".join(notes[len(before_the_end) :]), AT)
        self._next = (self._next + len(notes)) % ROOM
