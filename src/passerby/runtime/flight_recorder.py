"""Remembers which update a worker was working on when it ended, in a page of memory that outlives the process.

An update may end its worker with an endless loop, a crash in a library, or unbounded memory use. Telegram then gives
the same update to the next worker. That worker must know which update it was, but the process that knew is gone. So the
page is a memory-mapped file: writing to it needs no system call and no store call, and the kernel keeps its contents
when the process dies. The next process of the same name reads it. If somebody empties the file meanwhile, it is filled
again (see `emptied_file`).

The code that handles an update runs in *steps*, from one await to the next. The recorder writes the update's number
before each step and removes it after. So the page names an update only while code runs for that update. If a process is
killed while it waits for Telegram, no update is blamed, however many it has in hand.

The page, little-endian:

    0   8 bytes   MAGIC
    8   u64       how many turns the event loop has completed (see `loop_watch`); the supervisor reads it
    16  u32       the number of the process; 0 if it has ended on purpose, STUCK if its event loop was stuck
    20  16 bytes  the run: the name of this run of the process
    36  u32       how many updates follow; fewer than 256, so that writing the first byte ends a step
    40  i64, i64  bot and update, for each; MOST_UPDATES at most
"""

import errno
import fcntl
import mmap
import os
import struct
from collections.abc import Awaitable, Coroutine, Generator, MutableSequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, TypeVar, cast

from passerby.kernel.ids import BotId, UpdateRef
from passerby.runtime.emptied_file import keep_filled, let_go

T = TypeVar("T")

RECORDING: Final = ".flight"
"""The page of a process is a file in RUN_DIR with its name and this ending."""

EXIT_STUCK: Final = 70
"""The exit code of a process whose event loop was stuck: EX_SOFTWARE in sysexits.h."""

ENDED: Final = 0
STUCK: Final = 2**32 - 1
MAGIC: Final = b"psrflt01"
MOST_UPDATES: Final = 12
"""An album has at most ten items, each with an update of its own."""

_HEAD: Final = struct.Struct("<8sQI16s")
_BEATS: Final = struct.Struct("<Q")
_COUNT: Final = struct.Struct("<I")
_UPDATE: Final = struct.Struct("<qq")
_BEATS_AT: Final = 8
_PID_AT: Final = 16
_COUNT_AT: Final = _HEAD.size
_SIZE: Final = _COUNT_AT + _COUNT.size + MOST_UPDATES * _UPDATE.size
_FIRST_AT: Final = _COUNT_AT + _COUNT.size
_NONE: Final = _COUNT.pack(0)
_ONE: Final = struct.Struct("<Iqq")
_WHERE_ONE: Final = slice(_COUNT_AT, _COUNT_AT + _ONE.size)


class Crash(NamedTuple):
    """A run of the process ended while it worked on these updates. `run` names the run."""

    run: str
    refs: tuple[UpdateRef, ...]


class Pulse(NamedTuple):
    """The part of this process that others can see: its number, and how many turns its event loop has completed."""

    pid: int
    beats: int


class RecorderInUse(Exception):
    """A living process of the same name has this page."""


class FlightRecorder:
    """`page` is the memory to write to. `crash` is what the previous run left in it, until `settle`.

    `was_cut_off`: the previous run did not end on purpose. `was_stuck`: because its event loop was stuck.

    Without a file (`FlightRecorder()`) it works the same, but nothing outlives the process.
    """

    def __init__(self, page: "MutableSequence[int] | mmap.mmap | None" = None, run: str = "", file: int = -1) -> None:
        self._page: Any = bytearray(_SIZE) if page is None else page
        self._run = run.encode()[:16].ljust(16, b"\0")
        self._file = file
        self._beats = 0
        self.is_on = False
        """A step was begun with `enter` and is not over: `enter` would return False."""
        self.crash = _crash_in(bytes(self._page[:_SIZE]))
        pid = _pid_in(bytes(self._page[: _HEAD.size]))
        self.was_cut_off = pid != ENDED
        self.was_stuck = pid == STUCK
        if self.crash is None:
            self.settle()

    @classmethod
    def open(cls, path: Path, run: str) -> "FlightRecorder":
        """Open the page at `path`; make it if there is none. `run` is 16 characters that no other run has.

        Raises: RecorderInUse; OSError if the file cannot be made or mapped.
        """
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RecorderInUse from None
            size = os.fstat(file).st_size
            if size < _SIZE and os.pwrite(file, bytes(_SIZE - size), size) < _SIZE - size:
                # A file that is only made longer gets its room later. On a full disk, that would kill the process.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            recorder = cls(mmap.mmap(file, _SIZE), run, file)
            keep_filled(file, recorder._fresh)
            return recorder
        except BaseException:
            os.close(file)
            raise

    def settle(self) -> None:
        """Begin this run. Call this after the previous run's crash, if any, has been stored elsewhere."""
        self.crash = None
        self._page[_COUNT_AT : _COUNT_AT + 4] = _NONE
        self._page[: _HEAD.size] = self._head()

    def _head(self) -> bytes:
        return _HEAD.pack(MAGIC, self._beats, os.getpid(), self._run)

    def _fresh(self) -> bytes:
        """The whole page, if no step is on."""
        return self._head().ljust(_SIZE, b"\0")

    def end(self) -> None:
        """Note that this run ends on purpose. Call it last."""
        self._put_pid(ENDED)

    def end_stuck(self) -> None:
        """Note that this run ends because its event loop is stuck. Any thread may call it."""
        self._put_pid(STUCK)

    def _put_pid(self, pid: int) -> None:
        self._page[_PID_AT : _PID_AT + 4] = _COUNT.pack(pid)

    def beat(self) -> None:
        """Count one more turn of the event loop. Between two steps only."""
        self._beats += 1
        if self._file >= 0 and os.fstat(self._file).st_size < _SIZE:
            with suppress(OSError):
                os.pwrite(self._file, self._fresh(), 0)
        self._page[_BEATS_AT : _BEATS_AT + 8] = _BEATS.pack(self._beats)

    @property
    def beats(self) -> int:
        return self._beats

    @property
    def current(self) -> bytes:
        """The updates of the current step, as a value to compare; empty if the step belongs to no update."""
        page = bytes(self._page[_COUNT_AT:_SIZE])
        (count,) = _COUNT.unpack_from(page)
        return page[: _COUNT.size + count * _UPDATE.size] if count else b""

    def follow(self, work: Coroutine[Any, Any, T], refs: tuple[UpdateRef, ...]) -> Coroutine[Any, Any, T]:
        """Return the coroutine with each of its steps recorded."""
        return _Followed(self._page, work, refs) if refs else work

    def followed(self, work: Awaitable[T], refs: tuple[UpdateRef, ...]) -> Awaitable[T]:
        """The same for work that may be no coroutine."""
        return self.follow(work, refs) if isinstance(work, Coroutine) else work

    def step(self, refs: tuple[UpdateRef, ...]) -> "_Step | AbstractContextManager[None]":
        """Record a step that is no coroutine's: the code inside the `with`."""
        return _Step(self._page, refs) if refs else _NO_STEP

    def enter(self, refs: tuple[UpdateRef, ...]) -> bool:
        """Begin a step; end it with `leave` if this returns True. A step inside another one leaves the page to the
        outer one. Faster than `step`."""
        page = self._page
        if not refs or page[_COUNT_AT]:
            return False
        if len(refs) == 1:
            # The count is the last byte to be written. Until then, the page names no update.
            _UPDATE.pack_into(page, _FIRST_AT, refs[0][0], refs[0][1])
            page[_COUNT_AT] = 1
        else:
            mark, where = _marked(refs)
            page[where] = mark
        self.is_on = True
        return True

    def leave(self) -> None:
        self._page[_COUNT_AT] = 0
        self.is_on = False

    def close(self) -> None:
        if self._file >= 0:
            self._page.close()
            let_go(self._file)
            os.close(self._file)
            self._file = -1
            self._page = bytearray(_SIZE)


def _marked(refs: tuple[UpdateRef, ...]) -> tuple[bytes, slice]:
    """Return the bytes to write into the page for these updates, and their place."""
    if len(refs) == 1:
        return _ONE.pack(1, *refs[0]), _WHERE_ONE
    refs = refs[:MOST_UPDATES]
    mark = b"".join((_COUNT.pack(len(refs)), *(_UPDATE.pack(*ref) for ref in refs)))
    return mark, slice(_COUNT_AT, _COUNT_AT + len(mark))


_NO_STEP: Final = nullcontext()


class _Step:
    """A step inside another one leaves the page to the outer one."""

    __slots__ = ("_is_outer", "_page", "_refs")

    def __init__(self, page: Any, refs: tuple[UpdateRef, ...]) -> None:
        self._page = page
        self._refs = refs
        self._is_outer = False

    def __enter__(self) -> None:
        if not self._page[_COUNT_AT]:
            mark, where = _marked(self._refs)
            self._page[where] = mark
            self._is_outer = True

    def __exit__(self, *_: object) -> None:
        if self._is_outer:
            self._page[_COUNT_AT] = 0


class _Followed(Coroutine[Any, Any, T]):
    """Drives a coroutine. Written for speed: every relay passes through it."""

    __slots__ = ("_mark", "_page", "_where", "_work")

    def __init__(self, page: Any, work: Coroutine[Any, Any, T], refs: tuple[UpdateRef, ...]) -> None:
        self._page = page
        self._work = work
        self._mark, self._where = _marked(refs)

    def __await__(self) -> Generator[Any, Any, T]:
        return cast("Generator[Any, Any, T]", self)  # it has all of a generator's methods

    def __iter__(self) -> "_Followed[T]":
        return self

    def __next__(self) -> Any:
        page = self._page
        page[self._where] = self._mark
        try:
            return self._work.send(None)
        finally:
            page[_COUNT_AT] = 0

    def send(self, value: Any) -> Any:
        page = self._page
        page[self._where] = self._mark
        try:
            return self._work.send(value)
        finally:
            page[_COUNT_AT] = 0

    def throw(self, kind: Any, value: Any = None, traceback: TracebackType | None = None) -> Any:
        page = self._page
        page[self._where] = self._mark
        try:
            return self._work.throw(kind if value is None else value)
        finally:
            page[_COUNT_AT] = 0

    def close(self) -> None:
        self._work.close()


def pulse_of(path: Path) -> Pulse | None:
    """Return what the page at `path` says about its process; None if there is no page, or no run has begun."""
    try:
        page = path.read_bytes()
    except OSError:
        return None
    if len(page) < _SIZE or not page.startswith(MAGIC):
        return None
    _, beats, pid, _ = _HEAD.unpack_from(page)
    return Pulse(pid, beats)


def _pid_in(head: bytes) -> int:
    """The number of the previous run's process; ENDED if there was none."""
    return int(_HEAD.unpack(head)[2]) if head.startswith(MAGIC) else ENDED


def _crash_in(page: bytes) -> Crash | None:
    if not page.startswith(MAGIC):
        return None
    _, _, _, run = _HEAD.unpack_from(page)
    (count,) = _COUNT.unpack_from(page, _COUNT_AT)
    if not 0 < count <= MOST_UPDATES:
        return None
    updates = (_UPDATE.unpack_from(page, _COUNT_AT + _COUNT.size + at * _UPDATE.size) for at in range(count))
    return Crash(run.rstrip(b"\0").decode("ascii", "replace"), tuple(UpdateRef(BotId(bot), up) for bot, up in updates))
