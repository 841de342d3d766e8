"""Updates that break the process that handles them: an endless loop, a library that holds the interpreter, a crash.

A process that ends is started again at once, as a process manager would do. These cases measure how often that happens,
and for how long nobody else is served. The judge checks that other people lose nothing, as in every case.
"""

import asyncio
from contextlib import suppress
from time import time
from typing import Any

from passerby.ops.cluster import sockets
from simulated_people.phrases import words_of
from simulated_people.verdict import Fault
from tests.faults import child
from tests.faults.fleet import Fleet
from tests.faults.stage import Case, Stage
from tests.wording import opening

FATAL = 2
WAYS = ("loop", "abort", "match")
SORRY = opening("chat.failed_fatal")
CANARY = "canary-4711"
"""A word of the message. A stack trace may name our own functions, but never this."""

WITHIN_S = 120.0
ENDED_BY_KERNEL, ENDED_BY_ITSELF, ABORTED = -27, 70, -6
CODES = {"loop": {ENDED_BY_ITSELF}, "abort": {ABORTED}, "match": {ENDED_BY_KERNEL, ENDED_BY_ITSELF}}


class Keeper:
    """Restarts processes that have ended."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.ends: list[tuple[float, int]] = []

    async def keep(self) -> None:
        fleet = self._stage.fleet
        fleet.kept = True
        try:
            await self._keep(fleet)
        finally:
            fleet.kept = False

    async def _keep(self, fleet: Fleet) -> None:
        while True:
            for name in fleet.names:
                code = fleet.ended_by_itself(name)
                if code is not None:
                    ended_at = time()
                    self.ends.append((ended_at, code))
                    self._stage.faults.append(Fault(ended_at, ended_at))  # each end may leave one send unknown
                    fleet.start(name)
            await asyncio.sleep(0.05)


async def _stranger(stage: Stage) -> Any:
    """Add a person that the judge does not know, on a bot that others use."""
    person = await stage.sandbox.post("people", {"first_name": "Stranger"})
    path = f"people/{person['id']}/chats/{stage.crowd.people[0].bot}"
    await stage.sandbox.post(f"{path}/start", {})
    async with asyncio.timeout(WITHIN_S):
        while len((await stage.sandbox.get(path))["messages"]) < 2:
            await asyncio.sleep(0.2)
    return path


async def _words(stage: Stage, path: str) -> list[str]:
    return [words_of(message) for message in (await stage.sandbox.get(path))["messages"]]


def _is_silent(stage: Stage) -> bool:
    """Return whether any process fails to answer its liveness probe. The time to answer is short, because a stuck
    process soon ends."""
    for name in stage.fleet.names:
        with suppress(sockets.Silent):
            sockets.ask(stage.directory / "run", name, "/livez", 1.0)
            continue
        return True
    return False


async def _poison(stage: Stage, keeper: Keeper, path: str, how: str) -> dict[str, Any]:
    """Send one message that breaks every process that decides on it, until it is put aside."""
    before, began, silent = len(keeper.ends), time(), False
    at = len(stage.faults)
    stage.faults.append(Fault(began, float("inf")))
    await stage.sandbox.post(f"{path}/send", {"text": f"poison decide {how} {CANARY}"})
    async with asyncio.timeout(WITHIN_S):
        while not any(SORRY in words for words in (await _words(stage, path))[-3:]):
            silent = silent or (how != "abort" and await asyncio.to_thread(_is_silent, stage))
            await asyncio.sleep(0.1)
    aside_s = time() - began
    await stage.until_working()
    stage.faults[at] = Fault(began, time())
    codes = [code for _, code in keeper.ends[before:]]
    assert set(codes) <= CODES[how], f"{how}: it ended with {codes}"
    assert len(codes) >= FATAL, f"{how}: it was put aside after {codes}"
    if how != "abort":
        assert silent, "a process with a stuck loop answered its liveness probe"
    await stage.sandbox.post(f"{path}/send", {"text": f"/help {how}"})
    return {
        "ends": len(codes),
        "put aside after, s": round(aside_s, 1),
        "served after, s": round(time() - began, 1),
    }


async def poison(stage: Stage) -> None:
    keeper = Keeper(stage)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(keeper.keep())
        for how in WAYS[:2] if stage.quick else WAYS:
            stage.evidence[how] = found = await _poison(stage, keeper, await _stranger(stage), how)
            stage.evidence["most ends for one message"] = max(
                found["ends"], int(str(stage.evidence.get("most ends for one message", 0)))
            )
        keeping.cancel()
    words = stage.fleet.words()
    aside = words.count('"event.put_aside"')
    stage.evidence["updates put aside"] = aside
    assert aside == len(WAYS[:2] if stage.quick else WAYS), "other updates were put aside than the poisonous ones"
    assert CANARY not in words, "a log contains a person's message"


CASES = (
    Case(
        "poison-update",
        "an update that takes down whoever works on it",
        "a loop without end, an abort; long: a regular expression without end",
        poison,
        command=child.command("poison"),
        poisonous=True,
    ),
    Case(
        "poison-alone",
        "the same, one process on SQLite",
        "as `poison-update`",
        poison,
        workers=1,
        embedded=True,
        command=child.command("poison", role="run"),
        poisonous=True,
    ),
    Case(
        "poison-brought",
        "the same, brought by webhooks",
        "as `poison-update`",
        poison,
        workers=2,
        webs=3,
        command=child.command("poison"),
        poisonous=True,
    ),
)
