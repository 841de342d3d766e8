"""Carries staff orders from the records to the people whom they are about.

It is the journal's way in the other direction. An order is an event in its person's queue, under a number of its own in
place of an update's: its done mark is stored with the decision, so it is carried out once, even if this process dies
before the records know. A fleet that was down carries out its orders when it is back.
"""

from collections.abc import Callable, Iterable
from typing import assert_never

from passerby.kernel.event import Event
from passerby.kernel.ids import BotId, UpdateRef
from passerby.kernel.money_event import PaymentAnswered, RefundOrdered
from passerby.kernel.payment_case import AnswerOrder
from passerby.kernel.purchase import RefundOrder
from passerby.kernel.staff import (
    DataOrder,
    LiftOrder,
    OverturnOrder,
    SanctionOrder,
    StaffOrder,
    ThankOrder,
    UpholdOrder,
)
from passerby.kernel.staff_event import (
    AppealRefused,
    DataOrdered,
    LiftOrdered,
    ReportDecided,
    SanctionOrdered,
    SanctionOverturned,
)
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence, duty_lease
from passerby.ports.records import RecordsLost
from passerby.ports.staff import StaffRecords
from passerby.runtime.inbound.person_queues import Work
from passerby.telemetry import logs

ORDERS = duty_lease("orders")
FROM_STAFF = BotId(0)
"""Stands for the bot in the names of orders."""

EVERY_S = 0.5
AWAY_S = 2.0
AT_ONCE = 100


class StaffOrders:
    """`put` gets each order as work. `finished` must be called with the updates that are done."""

    def __init__(self, records: StaffRecords, put: Callable[[Work], None], clock: Clock) -> None:
        self._records = records
        self._put = put
        self._clock = clock
        self._in_hand: set[int] = set()
        self._done: list[int] = []
        self._faults = logs.Faults()

    async def run(self, fence: Fence) -> None:
        """Run until cancelled, as the holder of the lease."""
        self._in_hand.clear()
        while True:
            try:
                await self._look(fence)
            except RecordsLost as error:
                self._faults.began("records", "orders.waiting", reason=str(error))
                await self._clock.sleep(AWAY_S)
            else:
                self._faults.over("records", "orders.resumed")
                await self._clock.sleep(EVERY_S)

    def finished(self, refs: Iterable[UpdateRef]) -> None:
        for ref in refs:
            if ref.bot == FROM_STAFF:
                self._done.append(ref.update)

    async def _look(self, fence: Fence) -> None:
        done = self._done[:]
        if done:
            await self._records.orders_done(done, self._clock.now())
            del self._done[: len(done)]
            self._in_hand.difference_update(done)
        for number, order in await self._records.orders(AT_ONCE):
            if number not in self._in_hand:
                self._in_hand.add(number)
                self._put(Work(_event(order), (UpdateRef(FROM_STAFF, number),), fences=(fence,)))


def _event(order: StaffOrder) -> Event:
    match order:
        case SanctionOrder():
            return SanctionOrdered(order.person, FROM_STAFF, order.sanction)
        case LiftOrder():
            return LiftOrdered(order.person, FROM_STAFF, order.sanction)
        case OverturnOrder():
            return SanctionOverturned(order.person, FROM_STAFF, order.sanction, order.costs)
        case UpholdOrder():
            return AppealRefused(order.person, FROM_STAFF, order.sanction)
        case ThankOrder():
            return ReportDecided(order.person, FROM_STAFF, order.acted)
        case RefundOrder():
            return RefundOrdered(order.person, FROM_STAFF, order.charge)
        case AnswerOrder():
            return PaymentAnswered(order.person, FROM_STAFF, order.case, order.words)
        case DataOrder():
            return DataOrdered(order.person, FROM_STAFF, order.erases)
        case _:
            assert_never(order)
