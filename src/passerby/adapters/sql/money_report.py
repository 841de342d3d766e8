"""Reads what the report about money is made of."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.money_tables import (
    charges,
    grants,
    payment_cases,
    refunds,
    star_calls,
    star_rows,
    star_sweeps,
    subscriptions,
)
from passerby.adapters.sql.past_money import grant_of
from passerby.adapters.sql.tables import users
from passerby.domain.money.report import DAY_S, HOLD_S, NANO, days_left
from passerby.kernel.money import GrantSource, SubscriptionState, VipGrant
from passerby.kernel.money_report import BotBalance, Given, Ledgered, Net, Open, Sold, SoldBySource

_PEOPLE: Final = 500


async def ledgered(connection: AsyncConnection, since: float, until: float, now: float) -> Ledgered:
    """The report for what happened from `since` until before `until`, in Unix seconds."""
    return Ledgered(
        await _sold(connection, since, until),
        [
            Given(source, int(number), seconds / DAY_S)
            for source, number, seconds in await connection.execute(_GIVEN, {"since": since, "until": until})
        ],
        [
            Net(bot, int(stars) * NANO + int(nano), int(affiliate) * NANO + int(affiliate_nano))
            for bot, stars, nano, affiliate, affiliate_nano in await connection.execute(
                _NET, {"since": since, "until": until}
            )
        ],
        await _balances(connection, now),
        await _open(connection, now),
        [(bot, kind, at) for bot, kind, at in await connection.execute(_OWED)],
        [SoldBySource(*row) for row in await connection.execute(_SOURCES, {"since": since, "until": until})],
        list((await connection.scalars(_CASES)).all()),
    )


async def _sold(connection: AsyncConnection, since: float, until: float) -> list[Sold]:
    period = {"since": since, "until": until}
    found: dict[tuple[int, str], list[int]] = {}
    for place, query in ((0, _SOLD), (3, _REFUNDED)):
        for bot, plan, *numbers in await connection.execute(query, period):
            found.setdefault((bot, plan), [0] * 5)[place : place + len(numbers)] = map(int, numbers)
    return [Sold(*key, *numbers) for key, numbers in found.items()]


async def _balances(connection: AsyncConnection, now: float) -> list[BotBalance]:
    found: dict[int, list[float]] = {}
    queries: tuple[tuple[sa.Executable, dict[str, float]], ...] = (
        (_HELD, {"since": now - HOLD_S}),
        (_SUBSCRIBED, {"now": now}),
        (_SWEPT, {}),
        (_UNKNOWN, {}),
    )
    for place, (query, values) in enumerate(queries):
        for bot, value in await connection.execute(query, values):
            found.setdefault(bot, [0.0] * 4)[place] = value
    return [
        BotBalance(bot, int(held), int(subscribed), swept_at, int(unknown))
        for bot, (held, subscribed, swept_at, unknown) in found.items()
    ]


async def _open(connection: AsyncConnection, now: float) -> list[Open]:
    """The charges whose VIP time is not over, read by VIPs in order, some at a time."""
    found: list[Open] = []
    beyond = -(2**63)
    while True:
        people = [row[0] for row in await connection.execute(_VIPS, {"now": now, "beyond": beyond, "most": _PEOPLE})]
        if not people:
            return found
        beyond = people[-1]
        theirs: dict[int, list[VipGrant]] = {}
        paid: dict[tuple[int, str], Any] = {}
        for row in await connection.execute(_GRANTS, {"people": people}):
            theirs.setdefault(row.user_id, []).append(grant_of(row))
        for row in await connection.execute(_CHARGES, {"people": people}):
            paid[row.user_id, row.code] = row
        for person, several in theirs.items():
            for code, days in days_left(several, now).items():
                charge = paid.get((person, code))
                if charge is not None:
                    found.append(Open(code, charge.bot_id, charge.plan, charge.stars, charge.paid_at, days))


def _within(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(column >= sa.bindparam("since", type_=sa.Double), column < sa.bindparam("until", type_=sa.Double))


_IS_REFUND_OF = sa.and_(refunds.c.bot_id == charges.c.bot_id, refunds.c.charge_id == charges.c.id)
_SOLD = (
    sa.select(
        charges.c.bot_id,
        charges.c.plan,
        sa.func.count(),
        sa.func.sum(charges.c.stars),
        sa.func.count(charges.c.gift_grant),
    )
    .where(_within(charges.c.paid_at))
    .group_by(charges.c.bot_id, charges.c.plan)
)
_SOURCE = sa.func.coalesce(charges.c.source, sa.literal_column("''"))
_SOURCES = (
    sa.select(
        _SOURCE,
        sa.func.count(),
        sa.func.sum(charges.c.stars),
        sa.func.count(refunds.c.charge_id),
        sa.func.coalesce(sa.func.sum(refunds.c.stars), 0),
    )
    .outerjoin_from(charges, refunds, _IS_REFUND_OF)
    .where(_within(charges.c.paid_at))
    .group_by(_SOURCE)
)
_GIVEN = (
    sa.select(grants.c.source, sa.func.count(), sa.func.sum(grants.c.lasts_s))
    .where(_within(grants.c.since), grants.c.source != GrantSource.CHARGE.value)
    .group_by(grants.c.source)
)
# A refund whose charge the ledger does not know has no plan.
_PLAN = sa.func.coalesce(charges.c.plan, sa.literal_column("''"))
_REFUNDED = (
    sa.select(refunds.c.bot_id, _PLAN, sa.func.count(), sa.func.sum(refunds.c.stars))
    .outerjoin_from(refunds, charges, _IS_REFUND_OF)
    .where(_within(refunds.c.at))
    .group_by(refunds.c.bot_id, _PLAN)
)


def _signed(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.sum(sa.case((star_rows.c.incoming, column), else_=-column))


_NET = (
    sa.select(
        star_rows.c.bot_id,
        _signed(star_rows.c.stars),
        _signed(star_rows.c.nanostars),
        sa.func.sum(star_rows.c.affiliate),
        sa.func.sum(star_rows.c.affiliate_nano),
    )
    .where(_within(star_rows.c.at), star_rows.c.kind == "user")
    .group_by(star_rows.c.bot_id)
)
_HELD = (
    sa.select(charges.c.bot_id, sa.func.sum(charges.c.stars))
    .outerjoin_from(charges, refunds, _IS_REFUND_OF)
    .where(charges.c.paid_at >= sa.bindparam("since", type_=sa.Double), refunds.c.charge_id.is_(None))
    .group_by(charges.c.bot_id)
)
_SUBSCRIBED = (
    sa.select(subscriptions.c.bot_id, sa.func.count())
    .where(
        subscriptions.c.paid_until > sa.bindparam("now", type_=sa.Double),
        subscriptions.c.state.in_([SubscriptionState.ACTIVE.value, SubscriptionState.FAILED.value]),
    )
    .group_by(subscriptions.c.bot_id)
)
_SWEPT = sa.select(star_sweeps.c.bot_id, star_sweeps.c.swept_at)
_UNKNOWN = (
    sa.select(star_rows.c.bot_id, sa.func.count()).where(star_rows.c.matched_at.is_(None)).group_by(star_rows.c.bot_id)
)
_OWED = sa.select(star_calls.c.bot_id, star_calls.c.kind, star_calls.c.owed_at).where(star_calls.c.done_at.is_(None))
_CASES = (
    sa.select(payment_cases.c.opened_at)
    .where(payment_cases.c.answered_at.is_(None))
    .order_by(payment_cases.c.opened_at)
)
_VIPS = (
    sa.select(users.c.id)
    .where(
        # Written as in the partial index.
        users.c.vip_until > sa.literal_column("0"),
        users.c.vip_until > sa.bindparam("now", type_=sa.Double),
        users.c.id > sa.bindparam("beyond", type_=sa.BigInteger),
    )
    .order_by(users.c.id.asc())
    .limit(sa.bindparam("most"))
)
_THESE = sa.bindparam("people", expanding=True, type_=sa.BigInteger)
_GRANTS = sa.select(grants).where(grants.c.user_id.in_(_THESE))
_CHARGES = sa.select(
    charges.c.user_id, charges.c.code, charges.c.bot_id, charges.c.plan, charges.c.stars, charges.c.paid_at
).where(charges.c.user_id.in_(_THESE))
