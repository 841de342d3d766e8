"""Work that every worker does regularly, with or without leases: it parks late relays and drops idle objects."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from passerby.kernel.ids import BotId, PoolId
from passerby.ports.clock import Clock
from passerby.ports.leases import Members, bot_lease
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.runtime.decide.parking import Parking
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.inbound.admission import Admission
from passerby.runtime.membership.heartbeat import Membership
from passerby.runtime.membership.report import read_report
from passerby.runtime.membership.tokens import Tokens
from passerby.telemetry import metrics

PARK_EVERY_S = 0.25
CROWD_PAUSE_S = 0.02
LAG_S = 0.1
PATIENT_S = 10.0
"""While our event loop lags by more than LAG_S, a relay is parked only when it is late by this much more.

It is late because there is too much to do, and parking it would be three times the work. Meanwhile Telegram holds back
further updates, which helps. After this time the relay is parked anyway: it may be late for another reason."""

FORGET_EVERY_S = 1.0


class Upkeep:
    """`know_pools` is called with the pools that the store has."""

    def __init__(
        self,
        store: LiveStore,
        courier: Courier,
        parking: Parking,
        admission: Admission,
        membership: Membership,
        tokens: Tokens,
        know_pools: Callable[[Iterable[PoolId]], None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._courier = courier
        self._parking = parking
        self._admission = admission
        self._membership = membership
        self._tokens = tokens
        self._know_pools = know_pools
        self._clock = clock
        self._heeded: Members | None = None

    async def park_overdue(self) -> None:
        while True:
            due = self._clock.monotonic() + PARK_EVERY_S
            await self._clock.sleep(PARK_EVERY_S)
            is_lagging = self._clock.monotonic() - due > LAG_S
            with suppress(LiveStoreLost):  # the next read or write reports it
                await self._parking.park_overdue(PATIENT_S if is_lagging else 0.0)

    async def park_crowds(self) -> None:
        while True:
            await self._courier.is_crowded.wait()
            with suppress(LiveStoreLost):
                if not await self._parking.park_crowd():
                    continue
            await self._clock.sleep(CROWD_PAUSE_S)
            self._courier.is_crowded.set()

    async def forget_idle(self) -> None:
        """Once a second, drop idle objects, and check for changes in the store and the fleet."""
        while True:
            due = self._clock.monotonic() + FORGET_EVERY_S
            await self._clock.sleep(FORGET_EVERY_S)
            metrics.LOOP_LAG.set(max(0.0, self._clock.monotonic() - due))
            self._courier.forget_idle()
            self._heed_others()
            with suppress(LiveStoreLost):
                await self._admission.end_spells()
                self._know_pools(await self._store.pools())

    def _heed_others(self) -> None:
        """Learn from the list of members what the other workers know about the bots."""
        members = self._membership.members
        if members is self._heeded:
            return
        self._heeded = members
        others = {
            worker: read_report(blob) for worker, blob in members.workers.items() if worker != self._membership.worker
        }
        held = {(worker, lease) for lease, worker in members.holders.items()}
        self._tokens.heed(
            {worker: report.doubted_bots for worker, report in others.items()},
            {
                worker: tuple(bot for bot in report.idle_bots if (worker, bot_lease(BotId(bot))) in held)
                for worker, report in others.items()
            },
        )
