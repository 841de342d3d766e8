"""Figures of a broadcast: the reactions of the canary, and of the readers of its two versions."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.broadcast_rows import in_state
from passerby.adapters.sql.tables import broadcast_targets as targets
from passerby.adapters.sql.tables import users
from passerby.kernel.broadcast import ArmFigures, CanaryFigures, TargetState

_DAY_S: Final = 86_400.0


async def canary_figures(connection: AsyncConnection, broadcast: int, below: int) -> CanaryFigures:
    """Compare the targets with a place below `below` with those who still wait."""
    row = (await connection.execute(_CANARY, {"number": broadcast, "below": below})).one()
    return CanaryFigures(*(value or 0 for value in row))


async def arm_figures(connection: AsyncConnection, broadcast: int) -> list[ArmFigures]:
    rows = await connection.execute(_ARMS, {"number": broadcast, "day": _DAY_S})
    return [ArmFigures(arm, people, back or 0, left or 0) for arm, people, back, left in rows]


_THIS = targets.c.broadcast == sa.bindparam("number", type_=sa.BigInteger)
_WAITING, _SENT = map(in_state, (TargetState.WAITING, TargetState.SENT))

# Their bot is no longer one of those that may write to them.
_HAS_LEFT = sa.or_(
    users.c.id.is_(None), users.c.bots.not_like(sa.literal("%") + sa.cast(targets.c.bot_id, sa.Text) + "%")
)
_IN_CANARY = targets.c.place < sa.bindparam("below", type_=sa.BigInteger)


def _number_of(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0))


_CANARY = (
    sa.select(
        _number_of(_IN_CANARY, _SENT),
        _number_of(_IN_CANARY, _SENT, _HAS_LEFT),
        _number_of(_IN_CANARY, in_state(TargetState.REFUSED)),
        _number_of(sa.not_(_IN_CANARY), _WAITING),
        _number_of(sa.not_(_IN_CANARY), _WAITING, _HAS_LEFT),
    )
    .select_from(targets)
    .outerjoin(users, users.c.id == targets.c.person_id)
    .where(_THIS)
)
_IS_BACK = sa.and_(
    users.c.last_active_date > targets.c.at,
    users.c.last_active_date <= targets.c.at + sa.bindparam("day", type_=sa.Double),
)
_ARMS = (
    sa.select(targets.c.arm, sa.func.count(), _number_of(_IS_BACK), _number_of(_HAS_LEFT))
    .select_from(targets)
    .outerjoin(users, users.c.id == targets.c.person_id)
    .where(_THIS, sa.or_(_SENT, in_state(TargetState.HELD_OUT)))
    .group_by(targets.c.arm)
    .order_by(targets.c.arm)
)
