"""Stores that lose data or go back in time: one process on SQLite and its own log, with changes to its files.

The process is ended. Its files are changed the way a power cut, a bad disk or a restored backup would change them. Then
the process is started again. A person is told about a chat only after the chat is on disk, so no message may go to a
former partner. Everyone who may be affected by a loss is told that the connection was lost.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from signal import SIGUSR1, SIGUSR2, Signals
from time import time

from passerby.adapters.memory.frames import frame, unframe
from simulated_people.verdict import Fault
from tests.faults import child
from tests.faults.fleet import PASSERBY
from tests.faults.stage import START_S, Case, Stage

SECTOR = 512
UNSYNCED = 20
"""Messages to one chat that may be duplicated after a power cut. Marks are not synced for up to a second, and this is
the number of messages that a chat's budget allows in that second."""

MARKS_IN_A_SECTOR = 5
"""How many records of relays a blanked sector may hit: each takes more than 128 bytes. A flipped bit hits one record,
which has one message of a chat, because these are sent one after another."""

PAUSE_S = 3.0
"""People write less often than in other cases, because the process is down for much of the time."""

UNSYNCED_S = 2.0
"""How long a mark may stay in memory: one second, plus the sync itself."""

Change = Callable[[Stage], str | None]
"""Changes the files while the process is down. Returns a description, or None if there was nothing to change."""


def _log(stage: Stage) -> Path:
    return stage.directory / "passerby.live"


def _count(stage: Stage, what: str, number: int = 1) -> None:
    stage.evidence[what] = int(str(stage.evidence.get(what, 0))) + number


async def _restart_with(
    stage: Stage, change: Change, *, stop: bool = False, duplicates: int = 1, again_s: float = 0.0
) -> bool:
    """End the process, change its files, start it again. Return whether there was something to change."""
    (name,) = stage.fleet.names
    at = len(stage.faults)
    stage.faults.append(Fault(time(), float("inf"), duplicates, again_s))
    if stop:
        assert await stage.fleet.stop(name) == 0
    else:
        stage.fleet.kill(name)
    did = change(stage)
    stage.faults[at] = stage.faults[at]._replace(ended=time())
    if did is not None:
        _count(stage, did)
    stage.fleet.start(name)
    await stage.until_working()
    return did is not None


async def _let_people_chat(stage: Stage, least_s: float = 0.3, most_s: float = 3.0) -> None:
    await asyncio.sleep(stage.rng.uniform(least_s, most_s))


def _on_disk(stage: Stage) -> int:
    """Return how many bytes of the log were synced."""
    inode = str(_log(stage).stat().st_ino)
    told = [line.split() for line in (stage.directory / "synced").read_text().splitlines()]
    return next(int(size) for number, size in reversed(told) if number == inode)


def _cut_power(stage: Stage) -> str | None:
    """Remove unsynced bytes: all of them, the last ones, or some sectors in any order, as a disk may."""
    log, rng = _log(stage), stage.rng
    synced, data = _on_disk(stage), bytearray(log.read_bytes())
    unsynced = len(data) - synced
    kept = synced + rng.choice((0, rng.randint(0, unsynced)))
    blanked = 0
    for start in range(synced // SECTOR * SECTOR, kept, SECTOR) if rng.random() < 0.5 else ():
        if rng.random() < 0.3:
            here = slice(max(start, synced), min(start + SECTOR, kept))
            data[here] = bytes(here.stop - here.start)
            blanked += 1
    log.write_bytes(data[:kept])
    _count(stage, "unsynced bytes", unsynced)
    _count(stage, "of them blanked or gone", min(unsynced, len(data) - kept + blanked * SECTOR))
    return "power cuts that took something" if unsynced and (blanked or kept < len(data)) else None


async def power_cut(stage: Stage) -> None:
    wanted, cuts = stage.times or (4 if stage.quick else 50), 0
    for _ in range(3 * wanted):
        await _let_people_chat(stage, 0.1, 1.5)
        cuts += await _restart_with(stage, _cut_power, duplicates=UNSYNCED, again_s=UNSYNCED_S)
        if cuts == wanted:
            return
    raise AssertionError(f"only {cuts} of {3 * wanted} power cuts took anything")


def _tear_off(stage: Stage) -> str:
    """Remove the last kilobytes, synced or not."""
    log = _log(stage)
    size = log.stat().st_size
    with log.open("r+b") as file:
        file.truncate(max(0, size - stage.rng.randint(2_000, 12_000)))
    return "logs with their end torn off"


def _begin_a_frame(stage: Stage) -> str:
    """Append part of a record, as an interrupted write leaves it, perhaps with zeros for the rest."""
    log, rng = _log(stage), stage.rng
    size = rng.randint(30, 2_000)
    written = frame(rng.randbytes(size), unframe(log.read_bytes()).sequence + 1)
    kept = written[: rng.randint(1, size)]
    with log.open("ab") as file:
        file.write(kept + rng.choice((b"", bytes(len(written) - len(kept)))))
    return "logs with half a record at the end"


async def torn_log(stage: Stage) -> None:
    for number in range(stage.times or (4 if stage.quick else 20)):
        await _let_people_chat(stage, 0.1, 1.5)
        await _restart_with(stage, (_begin_a_frame, _tear_off)[number % 2])
    named = stage.fleet.words().count('"store.doubtful"')
    stage.evidence["times that it was named"] = named
    assert named, "no log entry about the lost records"


def _flip(stage: Stage) -> str:
    log, rng = _log(stage), stage.rng
    data = bytearray(log.read_bytes())
    at = rng.randrange(len(data))
    data[at] ^= 1 << rng.randrange(8)
    log.write_bytes(data)
    return "logs with one bit flipped"


def _blank(stage: Stage) -> str:
    log = _log(stage)
    data = bytearray(log.read_bytes())
    at = stage.rng.randrange(len(data)) // SECTOR * SECTOR
    data[at : at + SECTOR] = bytes(len(data[at : at + SECTOR]))
    log.write_bytes(data)
    return "logs with one sector blanked"


async def flipped_log(stage: Stage) -> None:
    for number in range(stage.times or (4 if stage.quick else 20)):
        await _let_people_chat(stage, 0.1, 1.5)
        damage, duplicates = ((_flip, 1), (_blank, MARKS_IN_A_SECTOR))[number % 2]
        await _restart_with(stage, damage, stop=number % 4 > 1, duplicates=duplicates)
    named = stage.fleet.words().count('"store.doubtful"')
    stage.evidence["times that it was named"] = named
    assert named, "no log entry about the damage"


async def _fail(stage: Stage, how: Signals) -> None:
    (name,) = stage.fleet.names
    before = stage.fleet.log(name).read_text().count("undo: refused")
    async with stage.fault():
        stage.fleet.signal(name, how)
        if how is SIGUSR2:
            assert await stage.fleet.ended(name, START_S) == -9
            stage.fleet.start(name)
        else:
            async with asyncio.timeout(START_S):
                while stage.fleet.log(name).read_text().count("undo: refused") == before:
                    await asyncio.sleep(0.05)
        await stage.until_working()


async def failed_undo(stage: Stage) -> None:
    for number in range(stage.times or (3 if stage.quick else 12)):
        await _let_people_chat(stage)
        await _fail(stage, (SIGUSR1, SIGUSR2)[number % 2])
        _count(stage, ("undone by a new file", "ended in the middle")[number % 2])
        if number % 3 == 0:  # the records after the half-written one must be read again
            stage.kill(*stage.fleet.names)
            stage.fleet.start("worker-1")
            await stage.until_working()


def _disk_of(stage: Stage) -> Path:
    return stage.directory / "disk"


async def _good_disk(stage: Stage) -> None:
    _disk_of(stage).write_text("0")


async def disk_errors(stage: Stage) -> None:
    """For some seconds a third of all calls by the log and SQLite fail. In every other round the process is killed
    too."""
    (name,) = stage.fleet.names
    for number in range(stage.times or (3 if stage.quick else 12)):
        await _let_people_chat(stage)
        async with stage.fault():
            _disk_of(stage).write_text("0.3")
            await asyncio.sleep(stage.rng.uniform(2, 5))
            if number % 2:
                stage.fleet.kill(name)
            _disk_of(stage).write_text("0")
            if number % 2:
                stage.fleet.start(name)
            await asyncio.sleep(1)
        await stage.until_working()
    words = stage.fleet.words()
    said = [line for line in words.splitlines() if '"store.lost"' in line]
    stage.evidence |= {"calls that failed": words.count("disk: refused"), "times that it was said": len(said)}
    assert said, "no log entry about the failing disk"
    assert all('"reason": "the disk' in line for line in said), "a log entry does not name the disk"
    assert len(said) <= 2 * len(stage.faults), "one fault was logged too often"


async def live_store_older(stage: Stage) -> None:
    copy = stage.directory / "older.live"

    def put_back(stage: Stage) -> str:
        _count(stage, "bytes of log gone back", _log(stage).stat().st_size - copy.stat().st_size)
        copy.replace(_log(stage))
        return "times the log was an older one"

    for number in range(stage.times or (2 if stage.quick else 10)):
        shutil.copyfile(_log(stage), copy)
        age_s = stage.rng.uniform(3, 8)
        await asyncio.sleep(age_s)
        await _restart_with(stage, put_back, stop=number % 2 == 1, again_s=age_s + UNSYNCED_S)
    _must_differ(stage)


async def records_older(stage: Stage) -> None:
    database, copy = stage.directory / "passerby.db", stage.directory / "older.db"

    def clear() -> None:
        for name in ("passerby.db", "passerby.db-wal", "passerby.db-shm"):
            (stage.directory / name).unlink(missing_ok=True)

    def put_back(_: Stage) -> str:
        clear()
        copy.replace(database)
        return "times the database was an older one"

    def delete(_: Stage) -> str:
        clear()
        return "times there was none"

    for number in range(stage.times or (3 if stage.quick else 10)):
        await asyncio.to_thread(_back_up, database, copy)
        await asyncio.sleep(stage.rng.uniform(3, 8))
        change: Change = delete if number % 3 == 2 else put_back
        await _restart_with(stage, change, stop=number % 2 == 1)
    _must_differ(stage)


def _back_up(database: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _must_differ(stage: Stage) -> None:
    found = stage.fleet.words().count('"stores.differ"')
    stage.evidence["times that it was named"] = found
    assert found, "no log entry about the difference"


TWO_YEARS_S = 2 * 365.25 * 86_400


def _clock_of(stage: Stage) -> Path:
    return stage.directory / "clock"


async def _right_clock(stage: Stage) -> None:
    _clock_of(stage).write_text("0")


async def clocks_far(stage: Stage) -> None:
    """Set the machine's clock two years ahead, two years back, or right, in random order. In every other round a
    process is killed."""
    offsets = []
    for number in range(stage.times or (6 if stage.quick else 24)):
        offsets.append(stage.rng.choice([each for each in (-TWO_YEARS_S, 0, TWO_YEARS_S) if each not in offsets[-1:]]))
        async with stage.fault():
            _clock_of(stage).write_text(str(offsets[-1]))
            await asyncio.sleep(1)
        await _let_people_chat(stage, 0.5, 3.0)
        if number % 2:
            victim = stage.rng.choice(stage.fleet.names)
            stage.kill(victim)
            stage.fleet.start(victim)
        await stage.until_working()
    _clock_of(stage).write_text("0")
    stage.evidence |= {"times that the clock was set": len(offsets), "kills": len(offsets) // 2}
    await stage.until_working()


def _alone(name: str, fault: str, how: str, disturb: Callable[[Stage], Awaitable[None]], *what: str) -> Case:
    command = child.command(*what, role="run") if what else PASSERBY
    # Messages that pile up while the process is down need time: a chat gets one message a second.
    return Case(
        name, fault, how, disturb, workers=1, embedded=True, loses=True, command=command, pause_s=PAUSE_S, quiet_s=300
    )


CASES = (
    Case("clocks-far", "a clock that is years off, and kills", "two years ahead, behind, right; one process on SQLite",
         clocks_far, workers=1, embedded=True, loses=True, prepare=_right_clock,
         command=child.command("clock:clock", role="run")),
    _alone("power-cut", "power cut", "`kill -9`, then all or some of what was not synced is gone", power_cut,
           "synced:synced"),
    _alone("torn-log", "torn log", "its last kilobytes gone, or half a record more", torn_log),
    _alone("flipped-log", "damaged log", "one bit flipped, or one sector blanked, at rest", flipped_log),
    Case("disk-errors", "a disk that fails now and then", "ENOSPC or EIO for a third of what the log and SQLite do",
         disk_errors, workers=1, embedded=True, loses=True, prepare=_good_disk,
         command=child.command("disk:disk", role="run")),
    _alone("failed-undo", "a write neither finished nor undone", "`ftruncate` fails after a short write, or it dies",
           failed_undo, "undo"),
    _alone("live-store-older", "live store older than the records", "a log from 3 to 8 s ago", live_store_older),
    _alone("records-older", "records older than the live store", "a database from 3 to 8 s ago, or none",
           records_older),
)  # fmt: skip
