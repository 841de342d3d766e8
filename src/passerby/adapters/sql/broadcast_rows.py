"""Broadcasts as rows, and how many targets are in each state."""

from collections.abc import Iterable
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.failures import losses
from passerby.adapters.sql.tables import broadcast_targets as targets
from passerby.adapters.sql.tables import broadcasts
from passerby.adapters.sql.unreadable import readable
from passerby.domain.broadcasts.canary import PLACES
from passerby.kernel.broadcast import Broadcast, BroadcastState, Progress, TargetState

COUNT_S: Final = 200 * 86_400.0
"""Broadcasts that a person got earlier than this do not count for anything."""
GOT: Final = (TargetState.SENT, TargetState.SENDING, TargetState.UNKNOWN, TargetState.RECALLED)
"""Targets in these states have got it, as far as anybody can tell."""
_SHOWN: Final = 20
"""How many of the latest broadcasts staff see."""

_read = msgspec.json.Decoder(Broadcast)
_encoder = msgspec.json.Encoder()


def read_broadcast(body: str) -> Broadcast:
    return _read.decode(body)


def read_broadcasts(bodies: Iterable[str]) -> list[Broadcast]:
    return readable("broadcasts", bodies, read_broadcast, lambda _: "a broadcast")


async def store_broadcasts(connection: AsyncConnection, changed: Iterable[Broadcast]) -> None:
    """Add or change broadcasts. The transaction must hold the lock of the audit."""
    for each in changed:
        row = {
            "is_open": each.is_open,
            "category": each.category.value,
            "is_test": each.is_test,
            "made_at": each.made_at,
            "body": _encoder.encode(each).decode(),
        }
        if not (await connection.execute(_CHANGE, row | {"of": each.number})).rowcount:
            await connection.execute(_ADD, row | {"number": each.number})


async def seen_broadcasts(connection: AsyncConnection, named: int = 0) -> tuple[tuple[Broadcast, ...], int]:
    """Those that staff see, by number, and the next free number. The one with the number `named` is among them."""
    newest = await connection.scalar(_HIGHEST) or 0
    found = await connection.scalars(_SEEN, {"after": newest - _SHOWN, "named": named})
    return tuple(read_broadcasts(found)), newest + 1


async def submitted_now(engine: AsyncEngine) -> list[Broadcast]:
    """Those that wait for a second member, for lists. Raises: RecordsLost."""
    with losses():
        async with engine.connect() as connection:
            return read_broadcasts(await connection.scalars(_SUBMITTED))


async def count_targets(connection: AsyncConnection, number: int) -> Progress:
    rows = await connection.execute(_COUNTS, {"of": number})
    return Progress({TargetState(state): count for state, count in rows})


def in_state(state: TargetState) -> sa.ColumnElement[bool]:
    """The condition for a target in this state, written as in the partial indexes."""
    return targets.c.state == sa.literal_column(f"'{state.value}'")


def random_place(dialect: str) -> sa.ColumnElement[int]:
    """A random place for each row."""
    if dialect == "postgresql":
        return sa.cast(sa.func.floor(sa.func.random() * PLACES), sa.Integer)
    return sa.func.abs(sa.func.random() % PLACES)


_ADD = sa.insert(broadcasts)
_CHANGE = sa.update(broadcasts).where(broadcasts.c.number == sa.bindparam("of"))
_HIGHEST = sa.select(sa.func.max(broadcasts.c.number))
# No text can contain this: its quotation marks are escaped.
_IS_SUBMITTED = broadcasts.c.body.contains(f'"state":"{BroadcastState.SUBMITTED}"', autoescape=True)
_SUBMITTED = sa.select(broadcasts.c.body).where(_IS_SUBMITTED).order_by(broadcasts.c.number)
_SEEN = (
    sa.select(broadcasts.c.body)
    .where(
        sa.or_(
            broadcasts.c.is_open,
            broadcasts.c.number > sa.bindparam("after", type_=sa.BigInteger),
            broadcasts.c.number == sa.bindparam("named", type_=sa.BigInteger),
            _IS_SUBMITTED,
        )
    )
    .order_by(broadcasts.c.number)
)
_COUNTS = (
    sa.select(targets.c.state, sa.func.count())
    .where(targets.c.broadcast == sa.bindparam("of"))
    .group_by(targets.c.state)
)
