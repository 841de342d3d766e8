"""Effects of one person on all the others."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from statistics import quantiles
from time import time

from tests.faults.fleet import PASSERBY
from tests.faults.people import Person
from tests.faults.stage import START_S, Case, Stage

POURED = 3_000
AT_ONCE = 20
AROUND_S = 15.0
ADDED_S = 1.0
GROWN_BYTES = 10 << 20
SETTLED_S = 400.0
SHRUNK_S = 60.0


async def flood(stage: Stage) -> None:
    """Everybody chats. Then one person floods the bot. The others' latencies are compared with those before."""
    flooder = await _in_a_chat(stage)
    await asyncio.sleep(AROUND_S)
    calm = _memory(stage)
    log = stage.directory / "passerby.live"
    began, grown, largest = time(), 0, 0

    async def watch() -> None:
        nonlocal grown, largest
        while True:
            largest = max(largest, _size(log))
            grown = max(grown, *(now - then for now, then in zip(_memory(stage), calm, strict=True)))
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    stage.closing.callback(watching.cancel)
    for _ in range(0, POURED, AT_ONCE):
        await asyncio.gather(*(flooder.chat("and on and on") for _ in range(AT_ONCE)))
    poured = time()
    await _until_taken(stage)
    taken = time()
    await asyncio.sleep(AROUND_S)
    partners = (await stage.crowd.verdict(stage.faults)).partners
    others = [person for person in stage.crowd.people if flooder.id not in (person.id, partners.get(person.id))]
    before = await _latencies(stage, others, began - AROUND_S, began)
    during = await _latencies(stage, others, began, taken)
    async with asyncio.timeout(SETTLED_S):
        while not any("You can go on" in words for words in flooder.notices):
            stage.fleet.check()
            await asyncio.sleep(1.0)
    await flooder.say("/stop")
    await flooder.hears("You left")
    watching.cancel()
    async with asyncio.timeout(SHRUNK_S):
        while _size(log) > largest / 2:
            await asyncio.sleep(1.0)
    added = _p99(during) - _p99(before)
    stage.evidence |= {
        "poured, a second": round(POURED / (poured - began)),
        "s until the last was taken": round(taken - poured, 2),
        "messages of others meanwhile": len(during),
        "their p99 before and meanwhile, s": [round(_p99(before), 3), round(_p99(during), 3)],
        "RSS grown, MB": round(grown / (1 << 20), 1),
        "notices to the flooder": [each for each in flooder.notices if "🐢" in each or "✅" in each],
    }
    if largest:
        stage.evidence["log when largest and after /stop, kB"] = [largest >> 10, _size(log) >> 10]
    assert not stage.timed or added <= ADDED_S, f"others waited {added:.2f} s longer"
    assert not stage.timed or grown <= GROWN_BYTES, f"memory grew by {grown >> 20} MB"


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _memory(stage: Stage) -> list[int]:
    return [stage.fleet.memory(name) for name in stage.fleet.names]


async def _in_a_chat(stage: Stage) -> Person:
    async with asyncio.timeout(START_S):
        while True:
            for person in stage.crowd.people:
                if person.state == "chatting":
                    return person
            await asyncio.sleep(0.1)


async def _until_taken(stage: Stage) -> None:
    """Wait until few updates are left in Telegram's queue."""
    async with asyncio.timeout(120):
        while True:
            await stage.crowd.follow()
            if stage.crowd.journal.in_hand < AT_ONCE:
                return
            await asyncio.sleep(0.05)


async def _latencies(stage: Stage, people: Iterable[Person], since: float, until: float) -> list[float]:
    """Return the seconds from sending to arrival, for each message that these people wrote in this time."""
    await stage.crowd.verdict(stage.faults)
    return stage.crowd.latencies({person.id for person in people}, since, until)


def _p99(every: list[float]) -> float:
    return quantiles(every, n=100)[-1] if len(every) > 1 else 0.0


CASES = (
    Case("flood-one-person", "one person pours", "3,000 texts as fast as Telegram takes them, one process on SQLite",
         flood, workers=1, people=40, bots=1, slow=False, pause_s=3.0, leaves=False, embedded=True, command=PASSERBY,
         quiet_s=300),
    Case("flood-one-person-fleet", "one person pours", "the same with two workers on Redis and PostgreSQL",
         flood, workers=2, people=40, bots=1, slow=False, pause_s=3.0, leaves=False, quiet_s=300),
)  # fmt: skip
