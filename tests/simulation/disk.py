"""A disk that outlives processes, and the log that a process keeps on it.

The bytes are framed by the product's own `frame` and read back by its own `unframe`, so that a record cut short by a
crash is met as it would be in a file. A dead process writes nothing more.
"""

from collections.abc import Callable, Iterable

from passerby.adapters.memory.log import frame, unframe
from tests.simulation.virtual_time import Life

Tell = Callable[[str, bytes], bool]
"""Called around each append as ("before" | "after", record). Returns whether the process died of it."""


class Platter:
    """The bytes. `tell` lets the simulation kill the process at a write."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.appends = 0

    def open(self, life: Life, tell: Tell | None = None) -> "DiskLog":
        return DiskLog(self, life, tell)

    def tear(self, record: bytes, size: int) -> None:
        """Leave the first `size` bytes of a record and its frame, as a crash in the middle of a write would."""
        self.data += frame(record)[:size]


class DiskLog:
    """`passerby.adapters.memory.log.Log` for one process."""

    def __init__(self, platter: Platter, life: Life, tell: Tell | None) -> None:
        self._platter = platter
        self._life = life
        self._tell = tell
        self._records, whole = unframe(bytes(platter.data))
        del platter.data[whole:]

    @property
    def size(self) -> int:
        return len(self._platter.data)

    def records(self) -> Iterable[bytes]:
        records, self._records = self._records, []
        return records

    def append(self, record: bytes) -> None:
        if self._life.dead:
            return
        if self._tell is not None and self._tell("before", record):
            return
        self._platter.data += frame(record)
        self._platter.appends += 1
        if self._tell is not None:
            self._tell("after", record)

    def rewrite(self, records: Iterable[bytes]) -> None:
        if not self._life.dead:
            self._platter.data[:] = b"".join(frame(record) for record in records)

    async def sync(self) -> None:
        pass

    def close(self) -> None:
        pass
