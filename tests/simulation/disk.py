"""A disk that outlives processes, and the log that a process keeps on it.

The product's own `frame` and `unframe` write and read the bytes, so a record cut short by a crash looks as it would in
a file. A dead process writes nothing more.

Appended bytes are in the page cache until they are synced. A kill leaves the cache intact. A power cut (`cut`) removes
unsynced bytes: all of them, or some sectors in any order, as a disk may.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from random import Random

from passerby.adapters.memory.frames import Hole, frame, unframe
from passerby.kernel.ids import PersonId, UpdateRef
from tests.simulation.virtual_time import SimProcess

SECTOR = 512

Tell = Callable[[str, bytes], bool]
"""Called around each append as ("before" | "after", record). Returns whether the process was killed there."""


class SimDisk:
    """The bytes. `tell` lets the simulation kill the process at a write. `sync_s`: the duration of a sync."""

    def __init__(self, sync_s: float = 0.0) -> None:
        self.data = bytearray()
        self.synced = 0
        self.sync_s = sync_s
        self.appends = 0
        self.sequence = 0

    def open(self, process: SimProcess, tell: Tell | None = None) -> "DiskLog":
        return DiskLog(self, process, tell)

    def tear(self, record: bytes, size: int) -> None:
        """Leave the first `size` bytes of a framed record, as a crash in the middle of a write would."""
        self.data += frame(record, self.sequence + 1)[:size]

    def cut(self, rng: Random) -> int:
        """Cut the power. Return how many bytes were not synced."""
        unsynced = len(self.data) - self.synced
        kept = self.synced + rng.randint(0, unsynced)
        torn = range(self.synced // SECTOR * SECTOR, kept, SECTOR) if rng.random() < 0.3 else ()
        for start in torn:
            if rng.random() < 0.3:
                for at in range(max(start, self.synced), min(start + SECTOR, kept)):
                    self.data[at] = 0
        del self.data[kept:]
        self.synced = len(self.data)
        return unsynced


class DiskLog:
    """`passerby.adapters.memory.log.Log` for one process."""

    def __init__(self, disk: SimDisk, process: SimProcess, tell: Tell | None) -> None:
        self._disk = disk
        self._process = process
        self._tell = tell
        self._records, whole, disk.sequence = unframe(bytes(disk.data))
        del disk.data[whole:]
        disk.synced = min(disk.synced, whole)

    @property
    def size(self) -> int:
        return len(self._disk.data)

    @property
    def is_broken(self) -> bool:
        return False

    def records(self) -> Iterable[bytes | Hole]:
        records, self._records = self._records, []
        return records

    def append(self, record: bytes, touched: Collection[PersonId] = ()) -> None:
        if self._process.dead:
            return
        if self._tell is not None and self._tell("before", record):
            return
        self._disk.appends += 1
        self._disk.sequence += 1
        self._disk.data += frame(record, self._disk.sequence)
        if self._tell is not None:
            self._tell("after", record)

    def rewrite(self, records: Iterable[bytes], *, keep_former: bool = False) -> None:
        if not self._process.dead:
            frames = [frame(record, self._disk.sequence + number) for number, record in enumerate(records, 1)]
            self._disk.sequence += len(frames)
            self._disk.data[:] = b"".join(frames)
            self._disk.synced = len(self._disk.data)

    def delivered(self, now: float) -> Iterable[UpdateRef]:
        return ()

    def note_delivered(self, refs: Sequence[UpdateRef], now: float) -> None:
        pass

    async def sync(self) -> None:
        wanted = len(self._disk.data)
        if self._disk.synced < wanted and not self._process.dead:
            if self._disk.sync_s:
                await asyncio.sleep(self._disk.sync_s)
            if not self._process.dead:
                # A rewrite meanwhile has synced everything.
                self._disk.synced = max(self._disk.synced, min(wanted, len(self._disk.data)))

    def close(self) -> None:
        pass
