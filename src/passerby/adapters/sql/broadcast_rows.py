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
from passerby.domain.broadcasts.actions import LASTS_S
from passerby.domain.broadcasts.canary import PLACES
from passerby.domain.broadcasts.fates import (
    A_WEEK,
    COMEBACK_A_SPELL,
    PROMO_A_WEEK,
    WEEK_S,
    languages_of,
)
from passerby.kernel.broadcast import Broadcast, Category, Progress, Reach, TargetState
from passerby.kernel.ids import BotId

_DAY_S: Final = 86_400.0
COUNT_S: Final = 200 * _DAY_S
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


async def seen_broadcasts(connection: AsyncConnection) -> tuple[tuple[Broadcast, ...], int]:
    """Those that staff see, by number, and the next free number."""
    newest = await connection.scalar(_HIGHEST) or 0
    found = await connection.scalars(_SEEN, {"after": newest - _SHOWN})
    return tuple(read_broadcasts(found)), newest + 1


async def reach_of(connection: AsyncConnection, broadcast: Broadcast, now: float) -> Reach:
    """The people for whom it would be frozen now."""
    conditions = await audience_of(connection, broadcast, now)
    counted = sa.select(users.c.bot_id, sa.func.count()).where(*conditions).group_by(users.c.bot_id)
    rows = sorted(await connection.execute(counted), key=lambda row: (-row[1], row[0]))
    return Reach(tuple((BotId(bot), people) for bot, people in rows))


async def audience_of(connection: AsyncConnection, broadcast: Broadcast, now: float) -> list[sa.ColumnElement[bool]]:
    """The conditions for a row of `users`: who fits, and has not had enough."""
    fit = fits(broadcast, now)
    if broadcast.audience.people or broadcast.category is Category.SYSTEM:
        return fit
    return [*fit, *_not_capped(broadcast.category, await _begun(connection, now), now)]


async def _begun(connection: AsyncConnection, now: float) -> list[Broadcast]:
    """The broadcasts that may count for somebody."""
    past = read_broadcasts(await connection.scalars(_COUNTING))
    return [each for each in past if each.started_at is not None and each.started_at > now - COUNT_S]


def _not_capped(category: Category, past: Iterable[Broadcast], now: float) -> list[sa.ColumnElement[bool]]:
    """As `domain.broadcasts.fates.is_capped`, for all people at once."""
    past, since = list(past), now - WEEK_S
    lately = [each for each in past if each.started_at is not None and each.started_at > since - LASTS_S]
    found = _fewer(A_WEEK, lately, targets.c.at > since)
    if category is Category.PROMO:
        promos = [each for each in lately if each.category is Category.PROMO]
        found += _fewer(PROMO_A_WEEK, promos, targets.c.at > since)
    if category is Category.COMEBACK:
        spell = sa.select(_them.c.last_active_date).where(_them.c.id == targets.c.person_id).scalar_subquery()
        comebacks = [each for each in past if each.category is Category.COMEBACK]
        found += _fewer(COMEBACK_A_SPELL, comebacks, targets.c.at > spell)
    return found


def _fewer(most: int, of: list[Broadcast], when: sa.ColumnElement[bool]) -> list[sa.ColumnElement[bool]]:
    """The condition that somebody got fewer than `most` of these. Nobody gets one of them twice."""
    if len(of) < most:
        return []
    got = sa.or_(*map(in_state, GOT))
    enough = (
        sa.select(targets.c.person_id)
        .where(targets.c.broadcast.in_([each.number for each in of]), got, when)
        .group_by(targets.c.person_id)
        .having(sa.func.count() >= most)
        .subquery()
    )
    return [sa.not_(sa.exists().where(enough.c.person_id == users.c.id))]


async def count_targets(connection: AsyncConnection, number: int) -> Progress:
    rows = await connection.execute(_COUNTS, {"of": number})
    return Progress({TargetState(state): count for state, count in rows})


def in_state(state: TargetState) -> sa.ColumnElement[bool]:
    """The condition for a target in this state, written as in the partial indexes."""
    return targets.c.state == sa.literal_column(f"'{state.value}'")


def fits(broadcast: Broadcast, now: float) -> list[sa.ColumnElement[bool]]:
    """The conditions for a row of `users`, without what they got before."""
    audience, category = broadcast.audience, broadcast.category
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
    if category is Category.PROMO:
        found.append(users.c.vip_until <= now)  # VIP is sold with the words that there are no offers
    if languages := languages_of(broadcast.variants):
        found.append(_reads(languages))
    if audience.bots:
        found.append(users.c.bot_id.in_(audience.bots))
    if audience.languages:
        found.append(_reads(audience.languages))
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


def _reads(languages: Iterable[str]) -> sa.ColumnElement[bool]:
    of = users.c.language
    return sa.or_(*(sa.or_(of == each, of.like(f"{each}-%")) for each in languages))


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
_them = users.alias("them")
_COUNTING = sa.select(broadcasts.c.body).where(
    sa.not_(broadcasts.c.is_test), broadcasts.c.category != sa.literal_column(f"'{Category.SYSTEM.value}'")
)
_COUNTS = (
    sa.select(targets.c.state, sa.func.count())
    .where(targets.c.broadcast == sa.bindparam("of"))
    .group_by(targets.c.state)
)
