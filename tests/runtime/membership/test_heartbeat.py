"""One worker among others: who holds what, who has assurance, and what happens without it."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from passerby.adapters.memory import MemoryStore
from passerby.ports.leases import Fence, LeaseName, Members, WorkerId
from passerby.ports.live_store import LiveStoreLost
from passerby.runtime.membership.heartbeat import (
    AWAITED_S,
    BEAT_S,
    HASTE_S,
    MARGIN_S,
    TTL_S,
    YOUNG_S,
    Membership,
    Report,
    Wanted,
    read_report,
)
from passerby.runtime.tasks import Background
from tests.contract.live_places import Disk, DiskLog
from tests.runtime.virtual import VirtualClock, run, settled
from tests.staged import staged

BOTS = tuple(LeaseName(f"bot:{number}") for number in range(1, 5))
OTHERS = tuple(LeaseName(name) for name in ("pool:adults", "duty:janitor", "duty:recorder", "duty:clock"))


class Worker:
    """A worker that only notes which leases it gets and loses."""

    def __init__(self, name: str, store: MemoryStore, clock: VirtualClock) -> None:
        self.name = name
        self.has: set[LeaseName] = set()
        self.taken: list[LeaseName] = []
        self.reasons: list[str] = []
        self.leads = True
        self.leaving = False
        self.handover_s = 0.0
        self.errors: list[BaseException] = []
        self.background = Background(self.errors.append)
        self.membership = Membership(name, store, self, self.background, clock, Random(name))  # type: ignore[arg-type]
        self.bots = BOTS

    def wanted(self) -> Wanted:
        return Wanted(self.bots, OTHERS)

    def report(self) -> Report:
        return Report(self.name, leads=self.leads, leaving=self.leaving)

    async def gained(self, fence: Fence) -> None:
        self.has.add(fence.lease)
        self.taken.append(fence.lease)

    async def hand_over(self, fence: Fence) -> None:
        await asyncio.sleep(self.handover_s)
        assert self.membership.holds(fence), "it is given back afterwards"
        self.has.discard(fence.lease)

    def lapsed(self, reason: str) -> None:
        self.reasons.append(reason)

    async def begin(self) -> None:
        await self.membership.first_heartbeat()
        if self.leads:
            await self.membership.claim_first()
        self.running = self.background.spawn(self.membership.run())

    async def die(self) -> None:
        await self.background.aclose()
        assert self.errors == []


class Port:
    """The store of a fleet, and its workers."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.disk = Disk()
        self.store = MemoryStore(DiskLog(self.disk), self.clock, Random(1))
        self.workers: dict[str, Worker] = {}

    async def come(self, name: str) -> Worker:
        worker = self.workers[name] = Worker(name, self.store, self.clock)
        await worker.begin()
        return worker

    def bots(self) -> dict[str, int]:
        return {name: len([lease for lease in worker.has if lease in BOTS]) for name, worker in self.workers.items()}


def at_port(body: Callable[[Port], Awaitable[None]]) -> None:
    async def main() -> None:
        port = Port()
        await body(port)
        for worker in port.workers.values():
            await worker.die()

    run(main())


@staged(at_port)
async def test_a_single_worker_holds_all_leases_at_once(port: Port, /) -> None:
    one = await port.come("one")
    assert one.has == {*BOTS, *OTHERS}


@staged(at_port)
async def test_bots_are_taken_first_because_nobody_polls_them_meanwhile(port: Port, /) -> None:
    one = await port.come("one")
    assert set(one.taken[: len(BOTS)]) == set(BOTS)


@staged(at_port)
async def test_a_new_worker_gets_a_fair_share_and_no_lease_is_held_twice(port: Port, /) -> None:
    await port.come("one")
    await port.come("two")
    await asyncio.sleep(4 * BEAT_S)
    assert port.bots() == {"one": 2, "two": 2}
    one, two = (worker.has for worker in port.workers.values())
    assert one | two == {*BOTS, *OTHERS}
    assert not one & two
    assert abs(len(one) - len(two)) <= 1


@staged(at_port)
async def test_a_lease_is_given_back_only_when_its_work_has_ended(port: Port, /) -> None:
    one = await port.come("one")
    one.handover_s = 3.0
    two = await port.come("two")
    for _ in range(200):
        await asyncio.sleep(0.05)
        assert not one.has & two.has
    assert port.bots() == {"one": 2, "two": 2}


@staged(at_port)
async def test_the_leases_of_a_dead_worker_are_taken_within_ten_seconds(port: Port, /) -> None:
    one, two = await port.come("one"), await port.come("two")
    await asyncio.sleep(4 * BEAT_S)
    await two.die()
    await asyncio.sleep(9.0)
    assert one.has == {*BOTS, *OTHERS}


@staged(at_port)
async def test_the_leases_of_a_worker_that_leaves_are_free_at_once(port: Port, /) -> None:
    one, two = await port.come("one"), await port.come("two")
    await asyncio.sleep(4 * BEAT_S)
    two.leaving = True
    two.membership.retire()
    await two.membership.hand_over(list(two.has))
    assert two.has == set()
    await two.membership.leave(1.0)
    await asyncio.sleep(BEAT_S + 0.1)
    assert one.has == {*BOTS, *OTHERS}
    assert list(one.membership.members.workers) == ["one"]


@staged(at_port)
async def test_bots_of_a_leaving_worker_are_taken_at_once(port: Port, /) -> None:
    one = await port.come("one")
    for phase in range(6):
        two = await port.come(f"two, {phase}")
        two.handover_s = BEAT_S + 0.5
        await asyncio.sleep(5 * BEAT_S + phase * BEAT_S / 6)
        assert two.has
        two.leaving = True
        two.membership.retire()
        await two.membership.hand_over(list(two.has))
        await asyncio.sleep(HASTE_S + 0.01)
        assert one.has == {*BOTS, *OTHERS}, phase
        await two.membership.leave(1.0)
        await asyncio.sleep(TTL_S)


@staged(at_port)
async def test_haste_ends_if_a_worker_never_gives_back(port: Port, /) -> None:
    one = await port.come("one")
    one.handover_s = 1_000.0
    two = await port.come("two")
    beats = 0
    beat = port.store.heartbeat

    async def counted(worker: WorkerId, *rest: Any) -> Members:
        nonlocal beats
        beats += worker == two.membership.worker
        return await beat(worker, *rest)

    port.store.heartbeat = counted  # type: ignore[method-assign]
    await asyncio.sleep(AWAITED_S + 1.0)
    assert beats > AWAITED_S / HASTE_S
    beats = 0
    await asyncio.sleep(10 * BEAT_S)
    assert beats < 13, "the usual pace"


@staged(at_port)
async def test_a_worker_that_takes_no_leases_is_a_member_too(port: Port, /) -> None:
    one = await port.come("one")
    two = Worker("two", port.store, port.clock)
    two.leads = False
    port.workers["two"] = two
    await two.begin()
    await asyncio.sleep(4 * BEAT_S)
    assert two.has == set()
    assert one.has == {*BOTS, *OTHERS}
    assert set(one.membership.members.workers) == {"one", "two"}


@staged(at_port)
async def test_many_bots_are_taken_few_at_a_time_and_soon(port: Port, /) -> None:
    one = Worker("one", port.store, port.clock)
    one.bots = tuple(LeaseName(f"bot:{number}") for number in range(1, 36))
    port.workers["one"] = one
    await one.begin()
    assert len(one.has) == 10 + len(OTHERS)
    await asyncio.sleep(2.0)
    assert len(one.has) == 35 + len(OTHERS)


@staged(at_port)
async def test_assurance_ends_before_another_can_take_the_lease_and_comes_back(port: Port, /) -> None:
    one = await port.come("one")
    assert one.membership.is_assured

    async def away(*_: object) -> Members:
        raise LiveStoreLost("away")

    heartbeat, port.store.heartbeat = port.store.heartbeat, away  # type: ignore[method-assign, assignment]
    await asyncio.sleep(TTL_S - MARGIN_S + BEAT_S)
    waits = asyncio.ensure_future(one.membership.assured())
    await settled()
    assert not waits.done()
    waits.cancel()
    waiting = asyncio.ensure_future(one.membership.assured())
    await asyncio.sleep(30.0)
    assert not waiting.done()
    port.store.heartbeat = heartbeat  # type: ignore[method-assign]
    await asyncio.sleep(1.0)
    assert waiting.done()
    assert one.membership.is_assured
    assert one.reasons == [], "nobody has taken a lease: an outage of the store moves none"
    assert one.has == {*BOTS, *OTHERS}


@staged(at_port)
async def test_a_worker_paused_until_others_took_over_lapses_for_good(port: Port, /) -> None:
    one, two = await port.come("one"), await port.come("two")
    await asyncio.sleep(4 * BEAT_S)
    two.running.cancel()  # this pauses it
    await asyncio.sleep(10.0)
    assert one.has == {*BOTS, *OTHERS}
    assert not two.membership.is_assured
    resumed = two.background.spawn(two.membership.run())
    await asyncio.sleep(3 * BEAT_S)
    assert len(two.reasons) == 1
    assert resumed.done()
    assert not two.membership.is_assured


@staged(at_port)
async def test_a_fence_is_held_until_it_is_given_back(port: Port, /) -> None:
    one = await port.come("one")
    fence = one.membership.fence(BOTS[0])
    assert fence is not None
    assert one.membership.holds(fence)
    assert not one.membership.holds(Fence(fence.lease, fence.epoch - 1))
    await one.membership.give(BOTS[0])
    assert not one.membership.holds(fence)
    assert one.membership.fence(BOTS[0]) is None
    await settled()


@pytest.mark.parametrize("blob", [b"", b"\xff", b"[]", b'{"leads": "perhaps"}'])
def test_a_worker_with_an_unreadable_report_gets_no_leases(blob: bytes) -> None:
    assert read_report(blob) == Report(leads=False)


@staged(at_port)
async def test_a_lease_is_young_for_a_minute_after_it_was_taken(port: Port, /) -> None:
    """As long as the last holder's sends may still be under way."""
    one = await port.come("one")
    fence = one.membership.fence(BOTS[0])
    assert fence is not None
    assert one.membership.is_young(fence)
    assert not one.membership.is_young(Fence(LeaseName("bot:99"), 1)), "it was never ours"
    await asyncio.sleep(YOUNG_S - 1)
    assert one.membership.is_young(fence)
    await asyncio.sleep(2)
    assert not one.membership.is_young(fence)


@staged(at_port)
async def test_a_worker_that_has_lapsed_is_sure_of_nothing_and_says_so_once(port: Port, /) -> None:
    one = await port.come("one")
    assert one.membership.is_assured
    one.membership.lapse("a write was refused")
    one.membership.lapse("again")
    assert not one.membership.is_assured, "at once, not when its time is over"
    assert one.reasons == ["a write was refused"]
    await asyncio.sleep(2 * BEAT_S)
    assert one.running.done()


@staged(at_port)
async def test_a_worker_that_says_that_it_leaves_gets_no_more_leases(port: Port, /) -> None:
    one, two = await port.come("one"), await port.come("two")
    await asyncio.sleep(4 * BEAT_S)
    two.leaving = True
    two.membership.retire()
    await asyncio.sleep(2 * BEAT_S)
    assert set(one.membership.plan().values()) == {"one"}
    assert one.membership.plan().keys() == {*BOTS, *OTHERS}
