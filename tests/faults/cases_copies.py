"""Installations that exist twice: a copy that runs beside the original, and files that are put back to an older state.

In both, the live store and the records agree with each other, so only Telegram knows that somebody else has served the
bots (see `runtime.inbound.continuity`).
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import time

from simulated_people.verdict import Fault
from tests.faults.cases_loss import PAUSE_S, UNSYNCED, UNSYNCED_S
from tests.faults.fleet import PASSERBY
from tests.faults.stage import Case, Stage

FILES = ("passerby.db", "passerby.db-wal", "passerby.db-shm", "passerby.live", "passerby.live.lock")
SETTLED_S = 12.0
"""How long people may find themselves in another state than they were told: the copy may have paired them."""

PEOPLE_GO_ON_S = 4 * PAUSE_S
"""Somebody who moved in what was undone learns it from the answer to what they write next."""


def _copied(stage: Stage, name: str, to: Path) -> None:
    """Copy the files at one moment, as a snapshot of the disk does."""
    to.mkdir(exist_ok=True)
    stage.fleet.pause(name)
    for file in FILES:
        (to / file).unlink(missing_ok=True)
        if (stage.directory / file).exists():
            shutil.copyfile(stage.directory / file, to / file)
    stage.fleet.resume(name)


def _put_back(stage: Stage, copy: Path) -> None:
    """Each file keeps its inode, as with a snapshot of the disk."""
    for file in FILES:
        if (copy / file).exists():
            shutil.copyfile(copy / file, stage.directory / file)
        else:
            (stage.directory / file).unlink(missing_ok=True)


async def rolled_back(stage: Stage) -> None:
    """Every other time, the process is stopped for the copy and at the end; otherwise it is killed."""
    (name,) = stage.fleet.names
    copy = stage.directory / "older"
    for number in range(stage.times or (2 if stage.quick else 8)):
        stops = number % 2 == 1
        if stops:
            assert await stage.fleet.stop(name) == 0
            stage.fleet.start(name)
            await stage.until_working()
        age_s = stage.rng.uniform(3, 8)
        at = len(stage.faults)
        _copied(stage, name, copy)
        stage.faults.append(Fault(time(), float("inf"), UNSYNCED, UNSYNCED_S))
        await asyncio.sleep(age_s)
        if stops:
            assert await stage.fleet.stop(name) == 0
        else:
            stage.fleet.kill(name)
        _put_back(stage, copy)
        stage.fleet.start(name)
        await stage.until_working()
        stage.faults[at] = stage.faults[at]._replace(ended=time())
    await asyncio.sleep(PEOPLE_GO_ON_S)
    _must_say(stage, '"bot.updates_missing"')


async def two_copies(stage: Stage) -> None:
    """A copy of the directory of a running process is started beside it, and killed a while later.

    It waits for the original to stop, so nobody notices anything, and this case allows nothing that a fault does.
    """
    (name,) = stage.fleet.names
    for number in range(stage.times or (1 if stage.quick else 4)):
        copy = stage.directory / f"copy-{number}"
        _copied(stage, name, copy)
        beside = f"copy-{number}"
        stage.fleet.start(beside, SQLITE_DB_PATH=str(copy / "passerby.db"), RUN_DIR=str(copy / "run"))
        await _said(stage, '"copy.waits"', number + 1)
        await asyncio.sleep(stage.rng.uniform(3, 8))
        stage.fleet.kill(beside)
    await asyncio.sleep(PEOPLE_GO_ON_S)
    _must_say(stage, '"store.copied"', '"copy.waits"')
    assert '"bot.polled_elsewhere"' not in stage.fleet.words(), "the copy has ended chats of the original"


async def _said(stage: Stage, words: str, times: int) -> None:
    async with asyncio.timeout(120):
        while stage.fleet.words().count(words) < times:
            await asyncio.sleep(0.2)


def _must_say(stage: Stage, *events: str) -> None:
    words = stage.fleet.words()
    for event in ('"bot.updates_missing"', '"bot.polled_elsewhere"'):
        stage.evidence[f"{event.strip(chr(34))} said"] = words.count(event)
    for event in events:
        assert event in words, f"no log entry {event}"


def _alone(
    name: str, fault: str, how: str, disturb: Callable[[Stage], Awaitable[None]], *, undoes: bool = False
) -> Case:
    return Case(
        name,
        fault,
        how,
        disturb,
        workers=1,
        embedded=True,
        loses=True,
        command=PASSERBY,
        pause_s=PAUSE_S,
        quiet_s=100,
        forgets_s=SETTLED_S,
        undoes=undoes,
    )


CASES = (
    _alone(
        "rolled-back",
        "all files are put back",
        "to their state 3 to 8 s ago, after `kill -9` or a stop",
        rolled_back,
        undoes=True,
    ),
    _alone(
        "two-copies", "a copy runs beside the original", "a copy of the directory is started, and killed", two_copies
    ),
)
