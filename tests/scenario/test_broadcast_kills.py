"""Whenever the process is killed: at most one copy for each person, and every person in the report. And the test would
notice three mistakes that others make."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from passerby.kernel.broadcast import Settled, Target, TargetState
from passerby.ports.broadcasts import BroadcastRecords, Claimable
from passerby.runtime.broadcasts.rounds import AT_ONCE
from tests.contract.broadcasts_memory import MemoryBroadcasts
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.stores import FILE, SERVERS
from tests.scenario.test_broadcasts import got, is_ended, started, written

PEOPLE = 60
KILLS = 2


class SendsBeforeItClaims(MemoryBroadcasts):
    """Targets are stored only when they are settled."""

    async def claim(self, claimable: Claimable, by: str, most: int) -> Sequence[Target]:
        claimed = await super().claim(claimable, by, most)
        for each in claimed:
            self._row(claimable.broadcast, each.whom, state=TargetState.WAITING)
        return claimed

    async def settle(self, broadcast: int, by: str, settled: Sequence[Settled]) -> None:
        for each in settled:
            self._row(broadcast, each.whom, state=TargetState.SENDING)
        await super().settle(broadcast, by, settled)


class SendsTheUnknownAgain(MemoryBroadcasts):
    async def disown(self, by: str) -> int:
        for (number, whom), row in self._targets():
            if row.state is TargetState.SENDING:
                self._row(number, whom, state=TargetState.WAITING)
        return 0


class HasACursor(MemoryBroadcasts):
    """Every fetched person counts as sent: the cursor is behind them."""

    async def claim(self, claimable: Claimable, by: str, most: int) -> Sequence[Target]:
        claimed = await super().claim(claimable, by, most)
        for each in claimed:
            self._row(claimable.broadcast, each.whom, state=TargetState.SENT)
        return claimed


def staged(kind: type[MemoryBroadcasts] | None) -> type[StaffStage]:
    class KilledStage(StaffStage):
        def broadcast_records(self) -> BroadcastRecords:
            if kind is not None:
                assert isinstance(self.broadcasts, MemoryBroadcasts)
                self.broadcasts = kind(self.broadcasts._disk, self.broadcasts._audit)
            return self.broadcasts

    return KilledStage


def broken(seed: int, store: str = "memory", kind: type[MemoryBroadcasts] | None = None) -> list[str]:
    """Send to many, kill the process several times, and return which promises are broken."""
    found: list[str] = []
    rng = Random(seed)

    async def scene(on: StaffStage) -> None:
        people = [on.join(on.bots[number % 2]) for number in range(PEOPLE)]
        ann = await written(on)
        await started(on, ann)
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(0.0, 2.0))
            await on.kill_and_start()
        await is_ended(on)
        copies = {each.id: len(got(each)) for each in (*people, on.ann, on.bob)}
        counts = (await on.broadcasts.progress(1)).counts
        unknown, sent = counts.pop(TargetState.UNKNOWN, 0), counts.pop(TargetState.SENT, 0)
        if max(copies.values()) > 1:
            found.append("somebody got two copies")
        if counts or unknown + sent != len(copies):
            found.append("somebody is not in the report")
        if sent > sum(copies.values()):
            found.append("somebody counts as sent and got nothing")
        if unknown > KILLS * len(on.bots) * AT_ONCE:
            found.append("more are unknown than were in hand")

    play_staff(store, scene, staged(kind))
    return found


@pytest.mark.parametrize(
    ("store", "seed"),
    [
        *(("memory", seed) for seed in range(4)),
        *((FILE, seed) for seed in range(2)),
        *(pytest.param(SERVERS, seed, marks=pytest.mark.services) for seed in range(2)),
    ],
)
def test_kills_lose_nobody_from_the_report_and_repeat_nothing(store: str, seed: int) -> None:
    assert broken(seed, store) == []


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (SendsBeforeItClaims, "somebody got two copies"),
        (SendsTheUnknownAgain, "somebody got two copies"),
        (HasACursor, "somebody counts as sent and got nothing"),
    ],
)
def test_the_planted_bugs_are_noticed(kind: type[MemoryBroadcasts], promise: str) -> None:
    assert any(promise in broken(seed, kind=kind) for seed in range(30))
