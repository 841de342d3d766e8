"""The product in a process with faults from inside: `python -m tests.faults.child WHAT... worker`.

    die:POINT:N     it sends itself SIGKILL when it reaches the point for the N-th time. Points: `fetched`, updates are
                    in hand; `committed`, a commit is stored; `confirming`, a poll is about to confirm; `sent`, Telegram
                    has answered a send
    clock:FILE      its wall clock is off by the seconds in the file, which is read every 50 ms. The monotonic clock is
                    right, as on a machine whose time is set
    doubled:SEED    a fifth of what it fetches comes twice, and up to 50 updates of different people change places. The
                    updates of one person keep their order, as in Telegram's queue
    poison          a message "poison WHERE HOW" breaks it. WHERE: `decide`, when it is decided; `send`, when it is
                    relayed. HOW: `loop`, Python code without end; `match`, a library call without end, which holds the
                    interpreter; `abort`, a crash as in a library
    small:BYTES     no file that it writes can grow beyond this size, until it gets SIGUSR1
    synced:FILE     each sync of its log takes 50 ms longer, as on a cheap disk. After it, the log's synced size (by
                    inode) is written to the file: a power cut leaves this part. Each start is one of the machine, too
    disk:FILE       a share of the writes, syncs and truncates of its log and SQLite fails with ENOSPC or EIO. The file
                    gives the share (0 to 1), read every 50 ms. Half of SQLite's commits fail after they are stored
    unreadable:FILE the disk cannot read the blocks of its log that the file names: numbers, or `all`
    undo            at SIGUSR1 a write to its log stops half way and cannot be undone; at SIGUSR2 this ends the process

It always runs in its own process. It changes the adapters, never the code under test.
"""

import errno
import os
import re
import resource
import signal
import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import aiosqlite

from passerby.adapters.botapi import BotApi
from passerby.adapters.memory.open_files import BLOCK_BYTES
from passerby.adapters.redis.store import RedisStore
from passerby.bootstrap import files as bootstrap_files
from passerby.bootstrap.clock import SystemClock
from passerby.kernel.decision import Decider, Decision, Env, Facts
from passerby.kernel.event import Event, MessageReceived
from passerby.kernel.ids import BotId, MessageId
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import Arrival, OutgoingCall
from passerby.runtime.decide.router import Router

LOOK_EVERY_S = 0.05
_POINTS = ("fetched", "committed", "confirming", "sent")


def die(words: str) -> None:
    point, _, number = words.partition(":")
    assert point in _POINTS, f"{point} is not one of {_POINTS}"
    left = int(number)

    def passed(here: str) -> None:
        nonlocal left
        left -= here == point
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    updates, send, store = BotApi.updates, BotApi.send, RedisStore.commit
    offsets: dict[BotId, int] = {}

    async def fetching(self: BotApi, bot: BotId, offset: int | None, limit: int, timeout_s: int) -> list[Arrival]:
        if offset is not None and offsets.get(bot) != offset:
            offsets[bot] = offset
            passed("confirming")
        arrivals = await updates(self, bot, offset, limit, timeout_s)
        if arrivals:
            passed("fetched")
        return arrivals

    async def sending(self: BotApi, outgoing: OutgoingCall) -> tuple[MessageId, ...]:
        messages = await send(self, outgoing)
        if messages:
            passed("sent")
        return messages

    async def storing(self: RedisStore, commit: Commit) -> Committed:
        stored = await store(self, commit)
        passed("committed")
        return stored

    BotApi.updates, BotApi.send = fetching, sending  # type: ignore[method-assign]
    RedisStore.commit = storing  # type: ignore[method-assign]


def _number(file: Path, before: float) -> float:
    """The number in a file. While it is written, the file is empty, and the number before counts."""
    return float(file.read_text() or before)


def clock(words: str) -> None:
    file, off, looked_at = Path(words), 0.0, 0.0

    def now(self: object) -> float:
        nonlocal off, looked_at
        if time.monotonic() - looked_at > LOOK_EVERY_S:
            looked_at, off = time.monotonic(), _number(file, off)
        return time.time() + off

    SystemClock.now = now  # type: ignore[method-assign]


def doubled(words: str) -> None:
    rng = Random(words)
    updates = BotApi.updates
    earlier: dict[BotId, list[Arrival]] = defaultdict(list)

    async def fetching(self: BotApi, bot: BotId, offset: int | None, limit: int, timeout_s: int) -> list[Arrival]:
        arrivals = _shuffled(await updates(self, bot, offset, limit, timeout_s), rng)
        known = earlier[bot]
        again = [each for each in arrivals if rng.random() < 0.2] + [each for each in known if rng.random() < 0.05]
        known[:] = (known + arrivals)[-50:]
        return arrivals + again

    BotApi.updates = fetching  # type: ignore[method-assign]


def _shuffled(arrivals: list[Arrival], rng: Random) -> list[Arrival]:
    of: dict[object, list[Arrival]] = defaultdict(list)
    for arrival in reversed(arrivals):
        of[arrival.event.person].append(arrival)
    turns = [arrival.event.person for arrival in arrivals]
    rng.shuffle(turns)
    return [of[person].pop() for person in turns]


def _poisoned(where: str, words: str) -> None:
    if not words.startswith(f"poison {where} "):
        return
    match words.split()[2]:
        case "loop":
            while True:
                pass
        case "match":
            re.match(r"(a|a)*$", "a" * 200 + "b")
        case "abort":
            os.abort()


def poison(_: str) -> None:
    decide, send = Router.decide, BotApi.send

    def deciding(self: Router, decider: Decider | None, event: Event, facts: Facts, env: Env) -> Decision:
        if isinstance(event, MessageReceived):
            _poisoned("decide", event.text)
        return decide(self, decider, event, facts, env)

    async def sending(self: BotApi, outgoing: OutgoingCall) -> tuple[MessageId, ...]:
        for content in getattr(outgoing, "contents", ()):
            _poisoned("send", content.text)
        return await send(self, outgoing)

    Router.decide = deciding  # type: ignore[method-assign]
    BotApi.send = sending  # type: ignore[method-assign]


def small(words: str) -> None:
    # Python ignores SIGXFSZ. So a write beyond the limit gives EFBIG, where a full disk gives ENOSPC.
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(words), most))

    def room(*_: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    signal.signal(signal.SIGUSR1, room)


SYNC_S = 0.05


def _is_log(file: int) -> bool:
    return Path(f"/proc/self/fd/{file}").readlink().name.endswith((".live", ".live.new"))


def synced(words: str) -> None:
    told = os.open(words, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    fdatasync, fsync = os.fdatasync, os.fsync

    def recording(sync: Callable[[int], None]) -> Callable[[int], None]:
        def syncing(file: int) -> None:
            if not _is_log(file):
                sync(file)
                return
            state = os.fstat(file)  # a write from here on may not be included
            time.sleep(SYNC_S)
            sync(file)
            os.write(told, f"{state.st_ino} {state.st_size}\n".encode())

        return syncing

    os.fdatasync, os.fsync = recording(fdatasync), recording(fsync)  # type: ignore[assignment]
    bootstrap_files.BOOT = Path("no machine tells its boot here")  # type: ignore[misc]


def disk(words: str) -> None:
    file, part, looked_at, rng = Path(words), 0.0, 0.0, Random(words)

    def fails() -> int:
        nonlocal part, looked_at
        if time.monotonic() - looked_at > LOOK_EVERY_S:
            looked_at, part = time.monotonic(), _number(file, part)
        if rng.random() >= part:
            return 0
        print("disk: refused", flush=True)
        return rng.choice((errno.ENOSPC, errno.EIO))

    def failing(call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(file: int, *rest: Any) -> Any:
            if _is_log(file) and (number := fails()):
                raise OSError(number, os.strerror(number))
            return call(file, *rest)

        return calling

    for name in ("write", "ftruncate", "fdatasync", "fsync"):
        setattr(os, name, failing(getattr(os, name)))
    execute, commit = aiosqlite.Cursor.execute, aiosqlite.Connection.commit

    def refuse() -> None:
        if number := fails():
            error = sqlite3.OperationalError("disk")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL if number == errno.ENOSPC else sqlite3.SQLITE_IOERR
            raise error

    async def executing(self: aiosqlite.Cursor, sql: str, parameters: Any = None) -> aiosqlite.Cursor:
        refuse()
        return await execute(self, sql, parameters)

    async def committing(self: aiosqlite.Connection) -> None:
        if rng.random() < 0.5:
            refuse()
        await commit(self)
        refuse()

    aiosqlite.Cursor.execute, aiosqlite.Connection.commit = executing, committing  # type: ignore[method-assign]


def unreadable(words: str) -> None:
    file, pread = Path(words), os.pread

    def reading(log: int, size: int, at: int) -> bytes:
        blocks = range(at // BLOCK_BYTES, (at + size - 1) // BLOCK_BYTES + 1)
        bad = file.read_text().split() if _is_log(log) else []
        if "all" in bad or any(int(each) in blocks for each in bad):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return pread(log, size, at)

    os.pread = reading


def undo(_: str) -> None:
    write, truncate = os.write, os.ftruncate
    wanted: signal.Signals | None = None
    stuck: signal.Signals | None = None

    def want(number: int, _: object) -> None:
        nonlocal wanted
        wanted = signal.Signals(number)

    def writing(file: int, data: bytes) -> int:
        nonlocal wanted, stuck
        if wanted is None or not _is_log(file):
            return write(file, data)
        wanted, stuck = None, wanted
        return write(file, data[: len(data) // 2])

    def truncating(file: int, size: int) -> None:
        nonlocal stuck
        if stuck is None or not _is_log(file):
            return truncate(file, size)
        now, stuck = stuck, None
        if now is signal.SIGUSR2:
            os.kill(os.getpid(), signal.SIGKILL)
        print("undo: refused", flush=True)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    os.write, os.ftruncate = writing, truncating  # type: ignore[assignment]
    signal.signal(signal.SIGUSR1, want)
    signal.signal(signal.SIGUSR2, want)


WHAT: dict[str, Callable[[str], None]] = {
    "die": die,
    "clock": clock,
    "doubled": doubled,
    "poison": poison,
    "small": small,
    "synced": synced,
    "disk": disk,
    "unreadable": unreadable,
    "undo": undo,
}


def command(*what: str, role: str = "worker") -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.faults.child", *what, role)


def main(arguments: Sequence[str]) -> None:
    whats = [each for each in arguments if each.partition(":")[0] in WHAT]
    for each in whats:
        name, _, words = each.partition(":")
        WHAT[name](words)
    sys.argv = ["passerby", *arguments[len(whats) :]]
    from passerby.cli import main as run

    run()


if __name__ == "__main__":
    main(sys.argv[1:])
