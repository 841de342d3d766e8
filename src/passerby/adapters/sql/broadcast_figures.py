"""Figures of a broadcast: the reactions of the canary, and of the readers of its two versions.

Of a large broadcast, a sample is counted: the targets whose place is below a number. Places are random, so they tell
nothing about a person. A partial index holds the places that may be in a sample.
"""

from math import ceil
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.broadcast_rows import in_state
from passerby.adapters.sql.broadcast_tables import SAMPLED_PLACES, is_sampled
from passerby.adapters.sql.tables import broadcast_targets as targets
from passerby.adapters.sql.tables import users
from passerby.domain.broadcasts.canary import PLACES
from passerby.kernel.broadcast import ArmFigures, CanaryFigures, TargetState

_DAY_S: Final = 86_400.0
COUNTED_WHOLE: Final = 100_000
"""Of a broadcast to more people, a sample is counted."""
SAMPLE: Final = 15_000
"""People of each group that are compared."""


async def canary_figures(connection: AsyncConnection, broadcast: int, below: int, people: int) -> CanaryFigures:
    """Compare the targets with a place below `below` with those who still wait, or with a sample of them."""
    values = {"number": broadcast, "below": below}
    upto = below + _span(people, SAMPLE)
    if upto <= SAMPLED_PLACES:
        row = (await connection.execute(_SAMPLED_CANARY, values | {"upto": upto})).one()
    else:
        row = (await connection.execute(_CANARY, values)).one()
    return CanaryFigures(*(value or 0 for value in row))


async def arm_figures(connection: AsyncConnection, broadcast: int, people: int) -> list[ArmFigures]:
    values = {"number": broadcast, "day": _DAY_S}
    upto = min(_span(people, 2 * SAMPLE), SAMPLED_PLACES if people > COUNTED_WHOLE else PLACES)
    if upto < PLACES:
        rows = await connection.execute(_SAMPLED_ARMS, values | {"upto": upto})
    else:
        rows = await connection.execute(_ARMS, values)
    return [ArmFigures(arm, people, back or 0, left or 0, upto / PLACES) for arm, people, back, left in rows]


def _span(people: int, sample: int) -> int:
    """How many places hold so many of the people. All, if they are few."""
    return PLACES if people <= COUNTED_WHOLE else ceil(PLACES * sample / people)


_THIS = targets.c.broadcast == sa.bindparam("number", type_=sa.BigInteger)
_WAITING, _SENT = map(in_state, (TargetState.WAITING, TargetState.SENT))

# Their bot is no longer one of those that may write to them.
_HAS_LEFT = sa.or_(
    users.c.id.is_(None), users.c.bots.not_like(sa.literal("%") + sa.cast(targets.c.bot_id, sa.Text) + "%")
)
_IN_CANARY = targets.c.place < sa.bindparam("below", type_=sa.BigInteger)


def _number_of(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0))


_SAMPLE = (is_sampled(targets.c.place), targets.c.place < sa.bindparam("upto", type_=sa.BigInteger))
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
_SAMPLED_CANARY = _CANARY.where(*_SAMPLE)
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
_SAMPLED_ARMS = _ARMS.where(*_SAMPLE)
