"""A disk that outlives processes, and the log that a process keeps on it.

The bytes are framed by the product's own `frame` and read back by its own `unframe`, so that a record cut short by a
crash is met as it would be in a file. A dead process writes nothing more.

What has been appended is in the page cache until it is synced. A kill leaves the cache as it is; a power cut (`cut`)
takes what nobody has synced: all of it, or some sectors of it, in any order, as a disk may.
"""

import asyncio
from collections.abc import Callable, Iterable
from random import Random

from passerby.adapters.memory.log import Hole, frame, unframe
from tests.simulation.virtual_time import Life

SECTOR = 512

Tell = Callable[[str, bytes], bool]
"""Called around each append as ("before" | "after", record). Returns whether the process died of it."""


class Platter:
    """The bytes. `tell` lets the simulation kill the process at a write. `sync_s`: what a sync takes."""

    def __init__(self, sync_s: float = 0.0) -> None:
        self.data = bytearray()
        self.synced = 0
        self.sync_s = sync_s
        self.appends = 0
        self.sequence = 0

    def open(self, life: Life, tell: Tell | None = None) -> "DiskLog":
        return DiskLog(self, life, tell)

    def tear(self, record: bytes, size: int) -> None:
        """Leave the first `size` bytes of a record and its frame, as a crash in the middle of a write would."""
        self.data += frame(record, self.sequence + 1)[:size]

    def cut(self, rng: Random) -> int:
        """Take the power away. Returns how many bytes it cost."""
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

    def __init__(self, platter: Platter, life: Life, tell: Tell | None) -> None:
        self._platter = platter
        self._life = life
        self._tell = tell
        self._records, whole, platter.sequence = unframe(bytes(platter.data))
        del platter.data[whole:]
        platter.synced = min(platter.synced, whole)

    @property
    def size(self) -> int:
        return len(self._platter.data)

    @property
    def is_broken(self) -> bool:
        return False

    def records(self) -> Iterable[bytes | Hole]:
        records, self._records = self._records, []
        return records

    def append(self, record: bytes) -> None:
        if self._life.dead:
            return
        if self._tell is not None and self._tell("before", record):
            return
        self._platter.appends += 1
        self._platter.sequence += 1
        self._platter.data += frame(record, self._platter.sequence)
        if self._tell is not None:
            self._tell("after", record)

    def rewrite(self, records: Iterable[bytes], *, keep_former: bool = False) -> None:
        if not self._life.dead:
            frames = [frame(record, self._platter.sequence + number) for number, record in enumerate(records, 1)]
            self._platter.sequence += len(frames)
            self._platter.data[:] = b"".join(frames)
            self._platter.synced = len(self._platter.data)

    async def sync(self) -> None:
        wanted = len(self._platter.data)
        if self._platter.synced < wanted and not self._life.dead:
            if self._platter.sync_s:
                await asyncio.sleep(self._platter.sync_s)
            if not self._life.dead:
                # A rewrite meanwhile has synced all there is.
                self._platter.synced = max(self._platter.synced, min(wanted, len(self._platter.data)))

    def close(self) -> None:
        pass
