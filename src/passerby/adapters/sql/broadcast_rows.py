"""Broadcasts as rows, who is in an audience, and how many targets are in each state."""

from collections.abc import Iterable
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.tables import broadcast_targets as targets
from passerby.adapters.sql.tables import broadcasts, users
from passerby.adapters.sql.unreadable import readable
from passerby.domain.ages import YEAR_S
from passerby.domain.broadcasts.canary import PLACES
from passerby.kernel.broadcast import Audience, Broadcast, Category, Progress, TargetState

_DAY_S: Final = 86_400.0
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


async def seen_broadcasts(connection: AsyncConnection) -> tuple[tuple[Broadcast, ...], int]:
    """Those that staff see, by number, and the next free number."""
    newest = await connection.scalar(_HIGHEST) or 0
    found = await connection.scalars(_SEEN, {"after": newest - _SHOWN})
    return tuple(read_broadcasts(found)), newest + 1


async def count_audience(connection: AsyncConnection, audience: Audience, category: Category, now: float) -> int:
    counted = sa.select(sa.func.count()).select_from(users).where(*fits(audience, category, now))
    return await connection.scalar(counted) or 0


async def count_targets(connection: AsyncConnection, number: int) -> Progress:
    rows = await connection.execute(_COUNTS, {"of": number})
    return Progress({TargetState(state): count for state, count in rows})


def in_state(state: TargetState) -> sa.ColumnElement[bool]:
    """The condition for a target in this state, written as in the partial indexes."""
    return targets.c.state == sa.literal_column(f"'{state.value}'")


def fits(audience: Audience, category: Category, now: float) -> list[sa.ColumnElement[bool]]:
    """The conditions for a row of `users`."""
    reached = [users.c.has_started, users.c.bot_id.is_not(None)]
    if audience.people:
        return [*reached, users.c.id.in_(audience.people)]
    found = [
        *reached,
        users.c.consented_at.is_not(None),
        users.c.erase_at.is_(None),
        sa.or_(users.c.barred_until.is_(None), users.c.barred_until < now),
    ]
    if category is not Category.SYSTEM:
        found.append(sa.or_(users.c.muted.is_(None), users.c.muted.not_like(f"%{category.value}%")))
    if audience.bots:
        found.append(users.c.bot_id.in_(audience.bots))
    if audience.languages:
        of = users.c.language
        found.append(sa.or_(*(sa.or_(of == each, of.like(f"{each}-%")) for each in audience.languages)))
    if audience.genders:
        found.append(users.c.gender.in_([each.value for each in audience.genders]))
    if audience.age_min is not None or audience.age_max is not None:
        age = users.c.age + sa.cast((now - users.c.age_given_at - YEAR_S / 2) / YEAR_S, sa.Integer)
        found += [age >= audience.age_min] if audience.age_min is not None else []
        found += [age <= audience.age_max] if audience.age_max is not None else []
    if audience.active_days is not None:
        found.append(users.c.last_active_date >= now - audience.active_days * _DAY_S)
    if audience.idle_days is not None:
        found.append(users.c.last_active_date < now - audience.idle_days * _DAY_S)
    if audience.vip is not None:
        found.append(users.c.vip_until > now if audience.vip else users.c.vip_until <= now)
    if audience.sources:
        begun = (f'"journey":["{each}"' for each in audience.sources)
        found.append(sa.or_(*(users.c.details.contains(each, autoescape=True) for each in begun)))
    return found


def random_place(dialect: str) -> sa.ColumnElement[int]:
    """A random place for each row."""
    if dialect == "postgresql":
        return sa.cast(sa.func.floor(sa.func.random() * PLACES), sa.Integer)
    return sa.func.abs(sa.func.random() % PLACES)


_ADD = sa.insert(broadcasts)
_CHANGE = sa.update(broadcasts).where(broadcasts.c.number == sa.bindparam("of"))
_HIGHEST = sa.select(sa.func.max(broadcasts.c.number))
_SEEN = (
    sa.select(broadcasts.c.body)
    .where(sa.or_(broadcasts.c.is_open, broadcasts.c.number > sa.bindparam("after")))
    .order_by(broadcasts.c.number)
)
_COUNTS = (
    sa.select(targets.c.state, sa.func.count())
    .where(targets.c.broadcast == sa.bindparam("of"))
    .group_by(targets.c.state)
)
