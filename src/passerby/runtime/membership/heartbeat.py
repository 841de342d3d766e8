"""One worker among others: it sends heartbeats, knows the other members, and holds its share of the leases.

A worker sends a *heartbeat* every BEAT_S. The store answers with the list of members. From that list, every worker
computes the same plan of who should hold which lease (`domain.spread`): bots are shared out evenly, and so is the
rest, first to workers with fewer bots. A worker hands over leases that should be another's, and takes free ones that
should be its own, a few at a time. A worker that dies sends no heartbeats, and its leases are free after TTL_S.

A worker is *assured* while no other worker can have been given its leases: for TTL_S less a margin after its last
successful heartbeat was **sent**, by its own monotonic clock. If it is not assured, because it was paused or the store
is away, it does not poll, take updates or begin a send. Its writes are fenced as well. When it learns that a lease is
lost, or that it was declared dead, it abandons everything that this incarnation had in hand (`Callbacks.lapsed`). The
next holder of the lease gets the unconfirmed updates from Telegram, and the heir of the outbox sends its entries. So
there is nothing to clean up.

This module does not know what is done under a lease (see `runtime.leased_tasks`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Protocol

import msgspec

from passerby.domain.spread import spread
from passerby.ports.clock import Clock
from passerby.ports.leases import Evicted, Fence, LeaseName, Leases, Members, WorkerId
from passerby.ports.live_store import LiveStoreLost
from passerby.runtime.backoff import steady
from passerby.runtime.membership.report import Report, read_report
from passerby.runtime.tasks import Background
from passerby.runtime.unrecorded import UnrecordedFacts
from passerby.runtime.waiting import event_within
from passerby.telemetry import logs, metrics

TTL_S = 6.0
"""How long a silent worker counts as living. A takeover takes this time plus one beat."""

BEAT_S = 1.5
HASTE_S = 0.15
"""The time to the next beat while there are more leases to take: more than one beat may take, or leases that another
worker is about to give back. Nobody polls a bot between two holders, so whoever waits there waits for this beat."""

AWAITED_S = 12.0
"""How long leases that another worker should give back are worth such haste. A handover takes less."""

MARGIN_S = 1.5
"""The end of TTL_S, reserved for finishing work that was begun while assured."""

RETRY_S = 0.25
YOUNG_S = 60.0
AT_ONCE = 10
"""The most bots taken in one beat, so that a cold start does not identify and poll a hundred bots at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The leases that some worker should hold. `bots` are the most work, so they are shared out separately."""

    bots: tuple[LeaseName, ...]
    others: tuple[LeaseName, ...]


class Callbacks(Protocol):
    """Called when the worker's leases change."""

    def wanted(self) -> Wanted: ...

    def report(self) -> Report: ...

    async def gained(self, fence: Fence) -> None:
        """Begin the task of the lease. Return when it has begun."""
        ...

    async def hand_over(self, fence: Fence) -> None:
        """End the task in good order. The lease is given back when this returns."""
        ...

    def lapsed(self, reason: str) -> None:
        """This incarnation is over: another worker has what it held. Called once."""
        ...


class Assurance(Protocol):
    """Whether no other worker can hold our leases. `assured` waits until that is so, or forever if it is too late."""

    @property
    def is_assured(self) -> bool: ...

    async def assured(self) -> None: ...


class Membership:
    """One worker's place in the fleet. `fence` and `assured` are for code that acts under a lease."""

    def __init__(
        self,
        worker: WorkerId,
        store: Leases,
        callbacks: Callbacks,
        background: Background,
        clock: Clock,
        rng: Random,
        unrecorded: UnrecordedFacts | None = None,
    ) -> None:
        self.worker = worker
        self._unrecorded = unrecorded or UnrecordedFacts()
        self._store = store
        self._callbacks = callbacks
        self._background = background
        self._clock = clock
        self._rng = rng
        self._held: dict[LeaseName, int] = {}
        self._taken_at: dict[LeaseName, float] = {}
        self._beginnings: dict[LeaseName, asyncio.Task[None]] = {}
        self._handing_over: dict[LeaseName, asyncio.Task[None]] = {}
        self._assured_until = float("-inf")
        self._assurance = asyncio.Event()
        self._over = False
        self._leaving = False
        self._leads = False
        self._pause_s = BEAT_S
        self._awaiting_since: float | None = None
        """Since when another living worker has had a lease that should be ours."""
        self._hurry = asyncio.Event()
        self._was_assured = True
        self._turn = asyncio.Lock()
        """Held during a heartbeat and while giving back, so that no heartbeat renews what was just given back."""
        self._faults = logs.Faults()
        self.members = Members(frozenset(), {}, {})

    @property
    def is_assured(self) -> bool:
        return self._clock.monotonic() < self._assured_until and not self._over

    async def assured(self) -> None:
        """Return when no other worker can hold our leases. Never returns after this incarnation has lapsed."""
        while not self.is_assured:
            if self._was_assured and not self._over:
                self._was_assured = False
                metrics.LAPSES.add("unsure")
            self._assurance.clear()
            await self._assurance.wait()

    @property
    def held(self) -> Mapping[LeaseName, int]:
        return self._held

    def fence(self, lease: LeaseName) -> Fence | None:
        """The fence for writes under the lease. None if the lease is not ours."""
        epoch = self._held.get(lease)
        return Fence(lease, epoch) if epoch is not None else None

    def holds(self, fence: Fence) -> bool:
        return self._held.get(fence.lease) == fence.epoch

    def is_young(self, fence: Fence) -> bool:
        """Whether a lease was taken so recently that its last holder's sends may still be under way."""
        return self._clock.monotonic() - self._taken_at.get(fence.lease, float("-inf")) < YOUNG_S

    def lapse(self, reason: str) -> None:
        """End this incarnation: another worker has one of our leases."""
        if not self._over:
            self._over = True
            metrics.LAPSES.add("restarted")
            logs.record("fleet.lapsed", "warning", reason=reason)
            self._callbacks.lapsed(reason)

    async def first_heartbeat(self) -> None:
        """Join the members. Waits for the store as long as it takes."""
        while not await self._heartbeat():
            if self._over:
                return
            await self._clock.sleep(steady(RETRY_S).pause_s(1, self._rng))

    async def claim_first(self) -> None:
        """Take a first share of the leases. Return when their tasks have begun.

        A worker that never calls this takes no leases.
        """
        self._leads = True
        self._pause_s = HASTE_S if await self._claim() else BEAT_S
        await asyncio.gather(*self._beginnings.values(), return_exceptions=True)

    async def run(self) -> None:
        """Send heartbeats until cancelled or lapsed."""
        while not self._over:
            await self._rest(self._pause_s * self._rng.uniform(0.9, 1.0))
            if not await self._heartbeat():
                self._pause_s = RETRY_S
            else:
                more = self._leads and not self._leaving and await self._claim()
                self._pause_s = HASTE_S if more else BEAT_S

    async def _rest(self, pause_s: float) -> None:
        await event_within(self._hurry, pause_s)
        self._hurry.clear()

    async def _heartbeat(self) -> bool:
        """Returns whether the store has answered and this incarnation still counts as living."""
        report = msgspec.json.encode(self._callbacks.report())
        async with self._turn:
            sent_at = self._clock.monotonic()
            held, last = dict(self._held), self._unrecorded.last
            try:
                members = await self._store.heartbeat(self.worker, held, TTL_S, report)
            except LiveStoreLost as error:
                self._faults.began("store", "fleet.store_lost", error=logs.name_of(error))
                return False
            except Evicted:
                self.lapse("taken for dead")
                return False
        self._faults.over("store", "fleet.store_back")
        if lost := sorted(lease for lease in held if lease not in members.kept):
            self.lapse(f"another has {lost[0].partition(':')[0]} now")
            return False
        self.members = members
        self._unrecorded.heard(last, members.newest, members.recorded)
        self._assured_until = sent_at + TTL_S - MARGIN_S
        if self.is_assured:
            self._was_assured = True
            self._assurance.set()
        return True

    def plan(self) -> dict[LeaseName, WorkerId]:
        """Return which worker should hold which lease, by the last list of members."""
        reports = {worker: read_report(blob) for worker, blob in self.members.workers.items()}
        leading = [worker for worker, report in reports.items() if report.leads and not report.leaving]
        wanted = self._callbacks.wanted()
        bots = spread(wanted.bots, leading, self.members.holders)
        load = dict.fromkeys(leading, 0)
        for worker in bots.values():
            load[worker] += 1
        by_load = sorted(leading, key=lambda worker: load[worker])
        return bots | spread(wanted.others, by_load, self.members.holders)

    async def _claim(self) -> bool:
        """Take leases that should be ours, hand over the others. Returns whether there are more to take at once."""
        plan = self.plan()
        served = set(self._callbacks.wanted().bots)
        for lease in list(self._held):
            is_retired = lease.startswith("bot:") and lease not in served
            if is_retired or plan.get(lease, self.worker) != self.worker:
                self._begin_handing_over(lease)
        holders = self.members.holders
        free = [
            lease
            for lease, worker in plan.items()
            if worker == self.worker
            and lease not in self._held
            and (lease not in holders or holders[lease] == self.worker or holders[lease] not in self.members.workers)
        ]
        bots = [lease for lease in free if lease.startswith("bot:")]
        # Bots come first: nobody polls them meanwhile, and a checkout may wait at Telegram.
        for lease in bots[:AT_ONCE] + [lease for lease in free if lease not in bots]:
            try:
                epoch = await self._store.take(self.worker, lease, TTL_S)
            except LiveStoreLost:
                return False
            if epoch is not None and not self._leaving and not self._over:
                self._held[lease] = epoch
                self._taken_at[lease] = self._clock.monotonic()
                self._count()
                self._beginnings[lease] = self._background.spawn(self._callbacks.gained(Fence(lease, epoch)))
        return len(bots) > AT_ONCE or self._awaits(plan)

    def _awaits(self, plan: Mapping[LeaseName, WorkerId]) -> bool:
        """Whether a living worker will soon give back a lease that should be ours."""
        holders, workers = self.members.holders, self.members.workers
        if not any(
            worker == self.worker != holders.get(lease, worker) and holders[lease] in workers
            for lease, worker in plan.items()
        ):
            self._awaiting_since = None
            return False
        now = self._clock.monotonic()
        if self._awaiting_since is None:
            self._awaiting_since = now
        return now < self._awaiting_since + AWAITED_S

    def hurry(self) -> None:
        """Send the next heartbeat now: there are other leases to take."""
        self._hurry.set()

    def _begin_handing_over(self, lease: LeaseName) -> asyncio.Task[None]:
        task = self._handing_over.get(lease)
        if task is None:
            task = self._handing_over[lease] = self._background.spawn(self._hand_over(lease))
        return task

    async def _hand_over(self, lease: LeaseName) -> None:
        try:
            beginning = self._beginnings.pop(lease, None)
            if beginning is not None:
                await asyncio.gather(beginning, return_exceptions=True)
            await self._callbacks.hand_over(Fence(lease, self._held[lease]))
            await self.give(lease)
        finally:
            del self._handing_over[lease]

    async def give(self, lease: LeaseName) -> None:
        async with self._turn:
            epoch = self._held.pop(lease, None)
            self._count()
            if epoch is not None:
                with suppress(LiveStoreLost):  # it is not renewed any more, so it runs out
                    await self._store.give(self.worker, lease, epoch)

    def retire(self) -> None:
        """Take no more leases, and report that soon, so that the others plan without this worker."""
        self._leaving = True
        self._hurry.set()

    @property
    def has_successor(self) -> bool:
        """Whether another worker takes leases, as far as is known."""
        reports = ((worker, read_report(blob)) for worker, blob in self.members.workers.items())
        return any(worker != self.worker and report.leads and not report.leaving for worker, report in reports)

    async def hand_over(self, leases: Iterable[LeaseName]) -> None:
        """Hand these over, all at the same time."""
        await asyncio.gather(
            *(self._begin_handing_over(lease) for lease in leases if lease in self._held), return_exceptions=True
        )

    async def leave(self, timeout_s: float) -> None:
        """Leave the members. Other workers inherit what is left in the outbox."""
        self._over = True
        self._held.clear()
        self._count()
        try:
            async with asyncio.timeout(timeout_s):
                await self._store.leave(self.worker)
        except (LiveStoreLost, TimeoutError) as error:
            logs.record("fleet.left_unheard", "debug", error=logs.name_of(error))

    def abandon(self) -> None:
        """End this incarnation at once. Nothing is finished or given back."""
        self._over = True

    def _count(self) -> None:
        counts = {"bot": 0, "pool": 0, "duty": 0}
        for lease in self._held:
            counts[lease.partition(":")[0]] += 1
        for kind, count in counts.items():
            metrics.LEASES.set(count, kind)
