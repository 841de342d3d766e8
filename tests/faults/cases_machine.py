"""Faults of the machine, and too much work at once."""

import asyncio
from signal import SIGUSR1
from time import time

from tests.faults import child
from tests.faults.fleet import PASSERBY
from tests.faults.stage import START_S, Case, Stage, worker_names

ROOM_BYTES = 64 * 1024
AT_ONCE = 20
LOST = '"store.lost"'


async def disk_full(stage: Stage) -> None:
    """Let the only process write 64 KiB more, then nothing for a while. Telegram keeps the updates."""
    (name,) = stage.fleet.names
    assert await stage.fleet.stop(name) == 0
    size = (stage.directory / "passerby.live").stat().st_size
    before = stage.fleet.log(name).read_text().count(LOST)
    stage.fleet.start(name, child.command(f"small:{size + ROOM_BYTES}", role="run"))
    async with stage.fault():
        # Updates also wait while the process starts, so their number alone does not say that the disk is full.
        async with asyncio.timeout(START_S):
            while True:
                complaints = stage.fleet.log(name).read_text().count(LOST) - before
                waiting = stage.crowd.journal.in_hand
                if complaints and waiting >= 40:
                    break
                await asyncio.sleep(0.2)
                await stage.crowd.follow()
        stage.fleet.signal(name, SIGUSR1)
        await asyncio.sleep(1)
    stage.evidence |= {"updates that waited": waiting, "times that it was logged": complaints}
    await stage.until_working()


async def backlog(stage: Stage) -> None:
    """Let updates pile up while nobody works. Then all workers come back at once."""
    wanted, number = (1_000, 100) if stage.quick else (10_000, 500)
    sandbox = stage.sandbox
    for name in worker_names(4):
        assert await stage.fleet.stop(name) == 0
    bots = sorted({person.bot for person in stage.crowd.people})

    async def insist(stranger: int) -> None:
        person = await sandbox.post("people", {"first_name": f"Stranger {stranger}"})
        for _ in range(wanted // number):
            await sandbox.post(f"people/{person['id']}/chats/{bots[stranger % len(bots)]}/send", {"text": "hello?"})

    for first in range(0, number, AT_ONCE):
        await asyncio.gather(*map(insist, range(first, first + AT_ONCE)))
    await stage.crowd.follow()
    waiting = stage.crowd.journal.in_hand
    assert waiting >= wanted, f"only {waiting} updates are waiting"
    began = time()
    for name in worker_names(4):
        stage.fleet.start(name)
    async with asyncio.timeout(300):
        while stage.crowd.journal.in_hand > wanted // 50:
            await asyncio.sleep(0.5)
            await stage.crowd.follow()
    stage.evidence |= {"updates that waited": waiting, "s until they were done": round(time() - began, 1)}
    await stage.until_working()


CASES = (
    Case("disk-full", "disk full", "no file may grow (RLIMIT_FSIZE), one process on SQLite", disk_full, workers=1,
         embedded=True, command=PASSERBY),
    Case("backlog", "10,000 updates waiting", "by 500 strangers, while the others search and chat", backlog,
         quiet_s=240),
)  # fmt: skip
