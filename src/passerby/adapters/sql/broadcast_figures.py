"""Figures of a broadcast: the reactions of the canary, and of the readers of its two versions.

Of a large broadcast, a sample is counted: the targets whose place is below a number. Places are random, so they tell
nothing about a person. A partial index holds the places that may be in a sample.
"""

from math import ceil
from typing import Any, Final

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
SAMPLE: Final = 10_000
"""People of each group that are compared."""


async def canary_figures(connection: AsyncConnection, broadcast: int, below: int, people: int) -> CanaryFigures:
    """Compare the targets with a place below `below` with those who still wait, or with a sample of them."""
    values = {"number": broadcast, "below": below}
    upto = below + _span(people, SAMPLE)
    if upto <= SAMPLED_PLACES:
        sampled = _POSTGRES_CANARY if connection.dialect.name == "postgresql" else _SAMPLED_CANARY
        row = (await connection.execute(sampled, values | {"upto": upto})).one()
    else:
        row = (await connection.execute(_CANARY, values)).one()
    return CanaryFigures(*(value or 0 for value in row))


async def arm_figures(connection: AsyncConnection, broadcast: int, people: int) -> list[ArmFigures]:
    values = {"number": broadcast, "day": _DAY_S}
    upto = min(_span(people, 2 * SAMPLE), SAMPLED_PLACES if people > COUNTED_WHOLE else PLACES)
    if upto < PLACES:
        sampled = _POSTGRES_ARMS if connection.dialect.name == "postgresql" else _SAMPLED_ARMS
        rows = await connection.execute(sampled, values | {"upto": upto})
    else:
        rows = await connection.execute(_ARMS, values)
    return [ArmFigures(arm, people, back or 0, left or 0, upto / PLACES) for arm, people, back, left in rows]


def _span(people: int, sample: int) -> int:
    """How many places hold so many of the people. All, if they are few."""
    return PLACES if people <= COUNTED_WHOLE else ceil(PLACES * sample / people)


_THIS = targets.c.broadcast == sa.bindparam("number", type_=sa.BigInteger)
_WAITING, _SENT = map(in_state, (TargetState.WAITING, TargetState.SENT))
_IN_CANARY = targets.c.place < sa.bindparam("below", type_=sa.BigInteger)


def _number_of(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0))


def _has_left(people: sa.FromClause) -> sa.ColumnElement[bool]:
    """Their bot is no longer one of those that may write to them."""
    bots = sa.literal("%") + sa.cast(targets.c.bot_id, sa.Text) + "%"
    return sa.or_(people.c.id.is_(None), people.c.bots.not_like(bots))


def _canary(people: sa.FromClause, of_target: sa.ColumnElement[bool]) -> sa.Select[int, int, int, int, int]:
    left = _has_left(people)
    return (
        sa.select(
            _number_of(_IN_CANARY, _SENT),
            _number_of(_IN_CANARY, _SENT, left),
            _number_of(_IN_CANARY, in_state(TargetState.REFUSED)),
            _number_of(sa.not_(_IN_CANARY), _WAITING),
            _number_of(sa.not_(_IN_CANARY), _WAITING, left),
        )
        .select_from(targets)
        .outerjoin(people, of_target)
        .where(_THIS)
    )


def _arms(people: sa.FromClause, of_target: sa.ColumnElement[bool]) -> sa.Select[Any]:
    seen = people.c.last_active_date
    is_back = sa.and_(seen > targets.c.at, seen <= targets.c.at + sa.bindparam("day", type_=sa.Double))
    return (
        sa.select(targets.c.arm, sa.func.count(), _number_of(is_back), _number_of(_has_left(people)))
        .select_from(targets)
        .outerjoin(people, of_target)
        .where(_THIS, sa.or_(_SENT, in_state(TargetState.HELD_OUT)))
        .group_by(targets.c.arm)
        .order_by(targets.c.arm)
    )


_SAMPLE = (is_sampled(targets.c.place), targets.c.place < sa.bindparam("upto", type_=sa.BigInteger))
_OF_TARGET = users.c.id == targets.c.person_id
_CANARY = _canary(users, _OF_TARGET)
_ARMS = _arms(users, _OF_TARGET)
_SAMPLED_CANARY = _CANARY.where(*_SAMPLE)
_SAMPLED_ARMS = _ARMS.where(*_SAMPLE)

# PostgreSQL would read the whole table of people for a join. The offset makes it look them up one by one.
_ONE_BY_ONE = (
    sa.select(users.c.id, users.c.bots, users.c.last_active_date).where(_OF_TARGET).offset(0).lateral("one_by_one")
)
_POSTGRES_CANARY = _canary(_ONE_BY_ONE, sa.true()).where(*_SAMPLE)
_POSTGRES_ARMS = _arms(_ONE_BY_ONE, sa.true()).where(*_SAMPLE)
