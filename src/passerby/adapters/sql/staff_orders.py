"""Orders of the staff: what the fleet has still to carry out."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.tables import staff_orders
from passerby.adapters.sql.unreadable import readable
from passerby.kernel.staff import StaffOrder

_MOST: Final = 1000
_read: Final[msgspec.json.Decoder[StaffOrder]] = msgspec.json.Decoder(StaffOrder)


async def add_orders(connection: AsyncConnection, orders: Sequence[StaffOrder], now: float) -> None:
    """Add orders for the fleet. The transaction must hold the lock of `lock_audit`."""
    if orders:
        highest = await connection.scalar(_HIGHEST_ORDER) or 0
        rows = [
            {
                "number": number,
                "body": msgspec.json.encode(order, order="sorted").decode(),
                "made_at": now,
                "done_at": None,
            }
            for number, order in enumerate(orders, highest + 1)
        ]
        await connection.execute(_ADD_ORDER, rows)


async def open_orders(connection: AsyncConnection, most: int = _MOST) -> list[tuple[int, StaffOrder]]:
    """The numbers and the orders that are not carried out yet, the oldest first."""
    found = await connection.execute(_OPEN_ORDERS, {"most": most})
    return readable("staff_orders", found, lambda row: (row[0], _read.decode(row[1])), lambda row: row[0])


async def close_orders(connection: AsyncConnection, numbers: Iterable[int], now: float) -> None:
    """Note that these orders are carried out."""
    await connection.execute(_ORDER_DONE, [{"of": number, "at": now} for number in numbers])


_ADD_ORDER = sa.insert(staff_orders)
_HIGHEST_ORDER = sa.select(sa.func.max(staff_orders.c.number))
_OPEN_ORDERS = (
    sa.select(staff_orders.c.number, staff_orders.c.body)
    # Written as in the partial index.
    .where(staff_orders.c.done_at.is_(None))
    .order_by(staff_orders.c.number)
    .limit(sa.bindparam("most"))
)
# Its text names a person, and would outlive the erasure of their data.
_ORDER_DONE = (
    sa.update(staff_orders)
    .where(staff_orders.c.number == sa.bindparam("of"))
    .values(done_at=sa.bindparam("at"), body="")
)
