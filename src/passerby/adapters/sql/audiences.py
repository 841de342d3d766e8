"""Finds the people of an audience, and counts them.

A few people are looked at one by one. Of many, a sample is counted: those whose id leaves a small remainder when it is
divided by a prime number. Partial indexes hold samples of three sizes, so a count of millions costs as much as one of
tens of thousands. If it finds few, the audience is small, and is counted exactly after all.
"""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.broadcast_rows import COUNT_S, GOT, in_state, read_broadcasts
from passerby.adapters.sql.samples import SAMPLES, in_sample
from passerby.adapters.sql.tables import broadcast_targets as targets
from passerby.adapters.sql.tables import broadcasts, users
from passerby.domain.ages import YEAR_S
from passerby.domain.broadcasts.actions import LASTS_S
from passerby.domain.broadcasts.estimates import estimate, rounded
from passerby.domain.broadcasts.fates import A_WEEK, COMEBACK_A_SPELL, PROMO_A_WEEK, WEEK_S, languages_of
from passerby.kernel.broadcast import Broadcast, Category, Reach
from passerby.kernel.ids import BotId

EXACT_BELOW: Final = 25_000
"""The most people who are looked at one by one."""
SAMPLED: Final = 10_000
"""The largest sample that has at most so many people is taken."""
ENOUGH: Final = 100
"""If fewer are found in the sample, it says too little."""
_DAY_S: Final = 86_400.0

Conditions = list[sa.ColumnElement[bool]]


async def reach_of(connection: AsyncConnection, broadcast: Broadcast, now: float) -> Reach:
    """The people for whom it would be frozen now."""
    conditions = await audience_of(connection, broadcast, now)
    sample = None if broadcast.audience.people else await _sample(connection)
    if sample is not None:
        found = await _by_bot(connection, [*conditions, in_sample(sample)])
        if (people := sum(found.values())) >= ENOUGH:
            whole = estimate(people, SAMPLES[sample])
            parts = {bot: rounded(each, SAMPLES[sample]) for bot, each in found.items()}
            return Reach(whole.people, _most_first(parts), whole.spread)
    found = await _by_bot(connection, conditions)
    return Reach(sum(found.values()), _most_first(found))


async def audience_of(connection: AsyncConnection, broadcast: Broadcast, now: float) -> Conditions:
    """The conditions for a row of `users`: who fits, and has not had enough."""
    fit = _fits(broadcast, now)
    if broadcast.audience.people or broadcast.category is Category.SYSTEM:
        return fit
    return [*fit, *_not_capped(broadcast.category, await _begun(connection, now), now)]


async def _sample(connection: AsyncConnection) -> int | None:
    """The sample to count. None: there are so few people that all of them can be counted."""
    people = (await connection.scalar(_IN_SMALLEST) or 0) / SAMPLES[_SMALLEST]
    if people < EXACT_BELOW:
        return None
    return max((each for each, share in SAMPLES.items() if people * share <= SAMPLED), default=_SMALLEST)


async def _by_bot(connection: AsyncConnection, conditions: Conditions) -> dict[int, int]:
    counted = sa.select(users.c.bot_id, sa.func.count()).where(*conditions).group_by(users.c.bot_id)
    return {row[0]: row[1] for row in await connection.execute(counted)}


def _most_first(by_bot: dict[int, int]) -> tuple[tuple[BotId, int], ...]:
    return tuple((BotId(bot), by_bot[bot]) for bot in sorted(by_bot, key=lambda bot: (-by_bot[bot], bot)))


async def _begun(connection: AsyncConnection, now: float) -> list[Broadcast]:
    """The broadcasts that may count for somebody."""
    past = read_broadcasts(await connection.scalars(_COUNTING))
    return [each for each in past if each.started_at is not None and each.started_at > now - COUNT_S]


def _not_capped(category: Category, past: Iterable[Broadcast], now: float) -> Conditions:
    """As `domain.broadcasts.fates.is_capped`, for all people at once."""
    past, since = list(past), now - WEEK_S
    lately = [each for each in past if each.started_at is not None and each.started_at > since - LASTS_S]
    found = _fewer(A_WEEK, lately, targets.c.at > since)
    if category is Category.PROMO:
        promos = [each for each in lately if each.category is Category.PROMO]
        found += _fewer(PROMO_A_WEEK, promos, targets.c.at > since)
    if category is Category.COMEBACK:
        comebacks = [each for each in past if each.category is Category.COMEBACK]
        found += _fewer(COMEBACK_A_SPELL, comebacks, targets.c.at > users.c.last_active_date)
    return found


def _fewer(most: int, of: list[Broadcast], when: sa.ColumnElement[bool]) -> Conditions:
    """The condition that somebody got fewer than `most` of these. Nobody gets one of them twice.

    It is looked up for each person who fits. That is an index scan of a few rows, and it costs nothing for people who
    do not fit: grouping all copies of a week takes ten times as long as all the rest.
    """
    if len(of) < most:
        return []
    got = sa.select(sa.func.count()).where(
        targets.c.person_id == users.c.id,
        targets.c.broadcast.in_([each.number for each in of]),
        sa.or_(*map(in_state, GOT)),
        when,
    )
    return [got.correlate(users).scalar_subquery() < most]


def _fits(broadcast: Broadcast, now: float) -> Conditions:
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


_SMALLEST: Final = min(SAMPLES)
_IN_SMALLEST = sa.select(sa.func.count()).select_from(users).where(in_sample(_SMALLEST))
_COUNTING = sa.select(broadcasts.c.body).where(
    sa.not_(broadcasts.c.is_test), broadcasts.c.category != sa.literal_column(f"'{Category.SYSTEM.value}'")
)
