"""An append-only log of opaque records that survives kills, power cuts and damage. Its format is in `frames`.

`append` writes to the file before it returns, so `kill -9` loses nothing: the page cache outlives the process. `sync`
returns when everything appended so far is on the disk; all callers that wait share one `fdatasync`. A power cut loses
only bytes that were not synced.

`rewrite` replaces the log by a shorter one with the same meaning: written beside it, synced, renamed over it. A crash
at any point leaves one of the two, whole. It can keep the former log under another name. After a write that could be
neither finished nor undone, or after a failed sync, the log accepts nothing more until a rewrite succeeds.

The lock file notes its own inode when a process begins to serve (`note_alone`), so a copy of the files shows. The copy
lacks everything that happened since it was made: `records` ends with a `Hole` that may concern anybody. After the note,
a rewrite ends that. If a used log has no such note, it may be a copy (`is_unknown`).

Somebody may delete or replace the files while they are in use. If the log is not at its place any more, `is_broken`
says so, and a rewrite puts a whole one there. `keep_lock` does the same for the lock file; if another process has
locked a new one meanwhile, this log accepts nothing more for good.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import re
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from passerby.adapters.memory import lock_fields
from passerby.adapters.memory.delivered import Delivered
from passerby.adapters.memory.frames import Hole, frame, unframe
from passerby.adapters.memory.open_files import is_at, open_regular, read_all
from passerby.adapters.memory.touched import Touched
from passerby.kernel.ids import PersonId, UpdateRef
from passerby.ports.soon import Soon

_DAMAGED_KEPT: Final = 3


class LogInUse(Exception):
    """Another process holds this log open."""


class LogNewer(Exception):
    """A newer release of Passerby has used this log. It is left as it is."""


class Log(Protocol):
    """Ordering: `records` yields what was appended, in order, with a `Hole` where something is missing.

    Raises: OSError if the disk refuses; then nothing was added.
    """

    @property
    def size(self) -> int:
        """Bytes in the log."""
        ...

    @property
    def is_broken(self) -> bool:
        """Whether it accepts nothing until it has been rewritten."""
        ...

    def records(self) -> Iterable[bytes | Hole]: ...

    def append(self, record: bytes, touched: Collection[PersonId] = ()) -> None:
        """`touched`: the people whom the record concerns. A hole in its place names them, if possible."""
        ...

    def rewrite(self, records: Iterable[bytes], *, keep_former: bool = False) -> None:
        """`keep_former`: keep the old log under another name, so that an operator can examine the damage."""
        ...

    def delivered(self, now: float) -> Iterable[UpdateRef]:
        """Return the notes that `note_delivered` stored beside the log within the time for which Telegram keeps an
        update."""
        ...

    def note_delivered(self, refs: Sequence[UpdateRef], now: float) -> None:
        """Note beside the log which updates were delivered, in case that the log is damaged. Only the last are kept."""
        ...

    async def sync(self) -> None:
        """Return when everything appended before the call is on the disk. Calls return in their order."""
        ...

    def close(self) -> None: ...


class FileLog:
    """A log in a file. It holds an exclusive lock while it is open."""

    def __init__(self, path: Path, release: int | None = None) -> None:
        """Open or create. `release`: ours; an older one could not read what a newer one may have stored. None: any
        release's log will do.

        Blocks that the disk cannot read are damage. Raises LogInUse, LogNewer, or OSError if nothing can be read, or
        the path cannot be written.
        """
        self._path = path
        self._our_release = release
        self._lock_path = path.with_name(path.name + ".lock")
        self._lock = open_regular(self._lock_path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise LogInUse(str(path)) from None
        if release is not None and lock_fields.release(self._lock) > release:
            os.close(self._lock)
            raise LogNewer(str(path))
        try:
            is_there = path.exists()
            self._note_release(self._lock)
            self._touched = Touched(self._lock)
            self._delivered = Delivered(self._lock)
            self._file = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            synced = lock_fields.synced(self._lock)
            self.is_copy = lock_fields.is_copy(self._lock)
            self._is_alone = False
            data = read_all(self._file)
            self.was_empty = not data
            self._records, self._size, self._sequence = unframe(data, synced)
            self.is_unknown = bool(data) and not lock_fields.has_inode(self._lock)
            os.ftruncate(self._file, self._size)
        except OSError:
            os.close(self._lock)
            raise
        if self._sequence < synced and is_there:  # somebody who deletes the log does not want it back
            self._records.append(Hole(self._size, 0, synced - self._sequence, self._sequence))
            self._sequence = synced  # so the next number shows the hole, too, until a rewrite
        if self.is_copy:
            self._records.append(Hole(self._size, 0, None, self._sequence))
        self._records = [self._named(each, synced) for each in self._records]
        self._is_broken = self._is_lost = False
        self._appended = self._synced = 0  # in records, since it was opened
        self._is_syncing = False
        self._waiting: deque[tuple[int, Soon[None]]] = deque()
        """Up to which record each caller waits. In the order of their calls."""
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix="passerby-log")

    @property
    def size(self) -> int:
        return self._size

    @property
    def is_broken(self) -> bool:
        return self._is_broken or self.is_gone

    @property
    def name(self) -> str:
        return self._path.name

    @property
    def is_gone(self) -> bool:
        """Whether somebody deleted, replaced or shortened the file."""
        return not is_at(self._file, self._path) or os.fstat(self._file).st_size < self._size

    def keep_lock(self) -> bool:
        """Put the lock file back if it is gone. Returns whether it was. Raises: LogInUse, OSError."""
        if is_at(self._lock, self._lock_path):
            return False
        lock = open_regular(self._lock_path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._note_release(lock)
            if self._is_alone and not self.is_copy:
                lock_fields.note_inode(lock)
        except BlockingIOError:
            os.close(lock)
            self._is_lost = True
            raise LogInUse(str(self._path)) from None
        except OSError:
            os.close(lock)  # otherwise the next look would take this lock for another process's
            raise
        former, self._lock = self._lock, lock
        if not self._is_syncing:  # otherwise a thread may write to it soon
            os.close(former)
        return True

    def _note_release(self, lock: int) -> None:
        """Note in the lock file that our release uses the log. Raises: OSError."""
        if self._our_release is not None:
            lock_fields.note_release(lock, self._our_release)

    def note_alone(self) -> None:
        """Note that nobody else serves with these files. A copy's note comes with the next rewrite."""
        self._is_alone, self.is_unknown = True, False
        with contextlib.suppress(OSError):  # then the next start watches again
            lock_fields.note_watched(self._lock, 0.0)
            if not self.is_copy:
                lock_fields.note_inode(self._lock)

    def note_copy(self) -> None:
        """Note that somebody else serves, so these files are a copy: also for the next start."""
        self.is_copy, self.is_unknown = True, False
        with contextlib.suppress(OSError):  # this process knows it anyway
            lock_fields.note_copy(self._lock)

    @property
    def watched_at(self) -> float:
        """When the last poll of a watch began that may have ended one of somebody else's, in Unix seconds; 0 if there
        is none."""
        return lock_fields.watched_at(self._lock)

    def note_watched(self, at: float) -> None:
        with contextlib.suppress(OSError):  # others will soon write to the same disk and report the fault
            lock_fields.note_watched(self._lock, at)

    @property
    def mark(self) -> bytes:
        """Return the mark that `put_mark` stored beside the log; empty if there is none."""
        return lock_fields.mark(self._lock)

    def put_mark(self, mark: bytes) -> None:
        """Raises: OSError."""
        lock_fields.put_mark(self._lock, mark)

    @property
    def database(self) -> bytes:
        """Return the name that `put_database` stored beside the log; empty if there is none."""
        return lock_fields.database(self._lock)

    def put_database(self, mark: bytes) -> None:
        """Raises: OSError."""
        lock_fields.put_database(self._lock, mark)

    def records(self) -> Iterable[bytes | Hole]:
        """Return the contents of the log when it was opened. Returned only once, to free the memory."""
        records, self._records = self._records, []
        return records

    def _named(self, record: bytes | Hole, synced: int) -> bytes | Hole:
        if not isinstance(record, Hole):
            return record
        upto = max(synced, self._sequence) if record.lost is None else record.after + record.lost
        return record._replace(people=self._touched.within(record.after, upto))

    def append(self, record: bytes, touched: Collection[PersonId] = ()) -> None:
        if self._is_broken or self._is_lost:
            raise _broken()
        data = frame(record, self._sequence + 1)
        try:
            written = os.write(self._file, data)
        except OSError:
            self._undo()
            raise
        if written != len(data):
            self._undo()
            raise OSError(errno.ENOSPC, "the disk is full")
        self._size += written
        self._sequence += 1
        self._appended += 1
        if touched:
            with contextlib.suppress(OSError):  # it only matters if the log is damaged, too
                self._touched.note(self._lock, self._sequence, touched)

    def delivered(self, now: float) -> Iterable[UpdateRef]:
        return self._delivered.since(now)

    def note_delivered(self, refs: Sequence[UpdateRef], now: float) -> None:
        with contextlib.suppress(OSError):  # it only matters if the log is damaged, too
            self._delivered.note(self._lock, refs, now)

    def _undo(self) -> None:
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            # Half a frame may be at the end of the file. Frames written after it could be read as damage.
            self._is_broken = True

    def rewrite(self, records: Iterable[bytes], *, keep_former: bool = False) -> None:
        if self._is_lost:
            raise _broken()
        beside = self._path.with_name(self._path.name + ".new")
        new = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        sequence = self._sequence
        try:
            with open(new, "wb", closefd=False) as file:
                for record in records:
                    sequence += 1
                    file.write(frame(record, sequence))
            os.fsync(new)
            if keep_former and self._path.exists():
                self._set_aside()
            beside.replace(self._path)
        except BaseException:
            os.close(new)
            beside.unlink(missing_ok=True)
            raise
        self._sync_folder()
        os.close(self._file)
        self._file, self._size, self._sequence = new, os.fstat(new).st_size, sequence
        self._synced = self._appended
        self._is_broken = False
        lock_fields.note_synced(self._lock, sequence)
        if self.is_copy and self._is_alone:
            self.is_copy = False
            with contextlib.suppress(OSError):  # then the next start takes it for a copy again
                lock_fields.note_inode(self._lock)

    def _set_aside(self) -> None:
        """Only the newest few damaged files are kept."""
        ours = re.compile(re.escape(self._path.name) + r"\.damaged-([0-9]{1,9})")
        beside = {path: ours.fullmatch(path.name) for path in self._path.parent.iterdir()}
        former = sorted((int(found[1]), path) for path, found in beside.items() if found)
        os.link(self._path, self._path.with_name(f"{self._path.name}.damaged-{former[-1][0] + 1 if former else 1}"))
        for _, old in former[: len(former) - _DAMAGED_KEPT + 1]:
            with contextlib.suppress(OSError):  # somebody's directory of that name, for example
                old.unlink()

    def _sync_folder(self) -> None:
        """Without this, a power cut could bring the old log back, and lose what was synced to the new one."""
        with contextlib.suppress(OSError):
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    async def sync(self) -> None:
        if self._synced == self._appended:
            return
        if self._is_broken:
            raise _broken()
        waiter: Soon[None] = Soon()
        self._waiting.append((self._appended, waiter))
        if not self._is_syncing:
            self._is_syncing = True
            asyncio.get_running_loop().call_soon(self._begin_sync)  # so that it covers all of this turn
        await waiter

    def _begin_sync(self) -> None:
        try:
            file = os.dup(self._file)
        except OSError as error:
            self._is_syncing = False
            self._release(error)
            return
        self._is_syncing = True
        flush = partial(_flush, file, self._lock, self._sequence)
        syncing = asyncio.get_running_loop().run_in_executor(self._syncer, flush)
        syncing.add_done_callback(partial(self._end_sync, self._appended))

    def _end_sync(self, upto: int, done: "asyncio.Future[None]") -> None:
        self._is_syncing = False
        error = done.exception()
        if error is None:
            self._synced = max(self._synced, upto)
        elif self._synced < upto:
            # The kernel may drop the pages that it could not write, and report success for the next sync.
            self._is_broken = True
        else:
            error = None  # meanwhile a rewrite has put everything on the disk
        self._release(error or (_broken() if self._is_broken else None))
        if self._waiting and not self._is_syncing:
            self._begin_sync()

    def _release(self, error: BaseException | None) -> None:
        """Wake the callers whose records are synced. With an error, raise it in all others.

        Callers go on in this very call. Records that they append then wait for the next sync.
        """
        ready: list[tuple[int, Soon[None]]] = []
        while self._waiting and (error is not None or self._waiting[0][0] <= self._synced):
            ready.append(self._waiting.popleft())
        synced = self._synced
        for wanted, waiter in ready:
            if error is None or wanted <= synced:
                waiter.settle(None)
            else:
                waiter.fail(error)

    def close(self) -> None:
        self._syncer.shutdown()
        os.close(self._file)
        os.close(self._lock)


def _broken() -> OSError:
    return OSError(errno.EIO, "the log must be rewritten first")


def _flush(file: int, lock: int, sequence: int) -> None:
    try:
        os.fdatasync(file)
    finally:
        os.close(file)
    lock_fields.note_synced(lock, sequence)
