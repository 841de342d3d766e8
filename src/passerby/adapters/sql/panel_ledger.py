"""The panel's reads about cases and money. No row names a person."""

from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql.failures import losses, to_the_end
from passerby.adapters.sql.money_tables import charges, refunds, star_calls, star_rows, star_sweeps, subscriptions
from passerby.adapters.sql.payment_cases import payment_desk
from passerby.adapters.sql.tables import cases
from passerby.kernel.payment_case import PaymentCase

HOLD_S: Final = 21 * 86_400.0
"""Stars younger than this cannot be withdrawn: they go with a bot that is deleted."""
_DAY_S: Final = 86_400


class OpenCases(NamedTuple):
    lane: int
    about: str
    state: str
    cases: int
    oldest: float


class Exposure(NamedTuple):
    """`held`: Stars that are younger than 21 days. `swept_at`: when its transactions were compared last; 0: never.
    `unknown`: transactions that our ledger does not know."""

    bot: int
    sold: int
    held: int
    subscriptions: int
    swept_at: float
    unknown: int


class ShownCharge(NamedTuple):
    code: str
    plan: str
    stars: int
    paid_at: float
    bot: int
    found: bool
    is_gift: bool
    refunded_at: float | None
    refunded_by: str | None
    refused_at: float | None
    """Telegram will never refund it."""


class PanelLedger:
    """Raises: RecordsLost from every method."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        days = charges.c.paid_at / float(_DAY_S)
        self._is_postgres = engine.dialect.name == "postgresql"
        self._sold_on = self._day(days)
        self._refunded_on = self._day(refunds.c.at / float(_DAY_S))

    def _day(self, days: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.cast(sa.func.floor(days) if self._is_postgres else days, sa.Integer)

    async def open_cases(self) -> list[OpenCases]:
        return [OpenCases(*row) for row in await self._rows(_OPEN_CASES, {})]

    async def case_of(self, member: int, now: float) -> int | None:
        """The number of the case that a member has taken; None if there is none."""
        rows = await self._rows(_TAKEN, {"member": member, "now": now})
        return rows[0][0] if rows else None

    async def decided_cases(self, since: float) -> list[tuple[str, int]]:
        """(outcome, how many)"""
        return [(outcome or "", number) for outcome, number in await self._rows(_DECIDED, {"since": since})]

    async def by_day(self, first: int) -> tuple[dict[int, int], dict[int, int]]:
        """Stars sold and refunded, by day since 1970."""
        since = first * float(_DAY_S)
        sold = (
            sa.select(self._sold_on, sa.func.sum(charges.c.stars))
            .where(charges.c.paid_at >= since)
            .group_by(self._sold_on)
        )
        back = (
            sa.select(self._refunded_on, sa.func.sum(refunds.c.stars))
            .where(refunds.c.at >= since)
            .group_by(self._refunded_on)
        )
        return (
            {int(day): int(stars) for day, stars in await self._rows(sold, {})},
            {int(day): int(stars) for day, stars in await self._rows(back, {})},
        )

    async def subscriptions(self, now: float) -> int:
        return int((await self._rows(_SUBSCRIBED, {"now": now}))[0][0])

    async def owed(self) -> tuple[int, float | None]:
        """How many calls we owe Telegram, and since when the oldest."""
        number, oldest = (await self._rows(_OWED, {}))[0]
        return number, oldest

    async def exposure(self, now: float) -> list[Exposure]:
        """Return the loss that each bot which has sold something would cause if it were lost, the largest first."""
        found: dict[int, list[float]] = {}
        for place, (query, values) in enumerate(
            (
                (_SOLD_BY_BOT, {"since": 0.0}),
                (_SOLD_BY_BOT, {"since": now - HOLD_S}),
                (_BACK_BY_BOT, {"since": now - HOLD_S}),
                (_SUBSCRIBED_BY_BOT, {"now": now}),
                (_SWEPT, {}),
                (_UNKNOWN, {}),
            )
        ):
            for bot, value in await self._rows(query, values):
                found.setdefault(bot, [0.0] * 6)[place] = value
        rows = [
            Exposure(bot, int(sold), int(held - back), int(subscribed), swept_at, int(unknown))
            for bot, (sold, held, back, subscribed, swept_at, unknown) in found.items()
        ]
        return sorted(rows, key=lambda each: -each.held)

    async def charges(self, limit: int) -> list[ShownCharge]:
        """The newest first."""
        return [ShownCharge(*row) for row in await self._rows(_CHARGES, {"most": limit})]

    async def payment_cases(self) -> list[PaymentCase]:
        """Those that are open, the oldest first."""

        async def read() -> tuple[PaymentCase, ...]:
            async with self._engine.connect() as connection:
                return (await payment_desk(connection, "")).waiting

        with losses():
            return list(await to_the_end(read()))

    async def _rows(self, query: sa.Executable, values: dict[str, Any]) -> list[Any]:
        async def read() -> list[Any]:
            async with self._engine.connect() as connection:
                return list(await connection.execute(query, values))

        with losses():
            return await to_the_end(read())


_OPEN_CASES = (
    sa.select(cases.c.lane, cases.c.about, cases.c.state, sa.func.count(), sa.func.min(cases.c.opened_at))
    .where(cases.c.decided_at.is_(None))
    .group_by(cases.c.lane, cases.c.about, cases.c.state)
    .order_by(cases.c.lane, cases.c.about, cases.c.state)
)
_TAKEN = sa.select(cases.c.number).where(
    cases.c.claimed_by == sa.bindparam("member"),
    cases.c.claimed_until > sa.bindparam("now"),
    cases.c.decided_at.is_(None),
)
_DECIDED = (
    sa.select(cases.c.outcome, sa.func.count())
    .where(cases.c.decided_at >= sa.bindparam("since"))
    .group_by(cases.c.outcome)
    .order_by(sa.func.count().desc())
)
_SUBSCRIBED = sa.select(sa.func.count()).where(subscriptions.c.paid_until > sa.bindparam("now"))
_OWED = sa.select(sa.func.count(), sa.func.min(star_calls.c.owed_at)).where(star_calls.c.done_at.is_(None))
_SOLD_BY_BOT = (
    sa.select(charges.c.bot_id, sa.func.sum(charges.c.stars))
    .where(charges.c.paid_at >= sa.bindparam("since"))
    .group_by(charges.c.bot_id)
)
_IS_REFUND_OF = sa.and_(refunds.c.bot_id == charges.c.bot_id, refunds.c.charge_id == charges.c.id)
_BACK_BY_BOT = (
    sa.select(charges.c.bot_id, sa.func.sum(refunds.c.stars))
    .join_from(charges, refunds, _IS_REFUND_OF)
    .where(charges.c.paid_at >= sa.bindparam("since"))
    .group_by(charges.c.bot_id)
)
_SUBSCRIBED_BY_BOT = (
    sa.select(subscriptions.c.bot_id, sa.func.count())
    .where(subscriptions.c.paid_until > sa.bindparam("now"))
    .group_by(subscriptions.c.bot_id)
)
_SWEPT = sa.select(star_sweeps.c.bot_id, star_sweeps.c.swept_at)
_UNKNOWN = (
    sa.select(star_rows.c.bot_id, sa.func.count()).where(star_rows.c.matched_at.is_(None)).group_by(star_rows.c.bot_id)
)
_CHARGES = (
    sa.select(
        charges.c.code,
        charges.c.plan,
        charges.c.stars,
        charges.c.paid_at,
        charges.c.bot_id,
        charges.c.found,
        charges.c.gift_grant.is_not(None),
        refunds.c.at,
        refunds.c.refunded_by,
        star_calls.c.done_at,
    )
    .outerjoin_from(charges, refunds, _IS_REFUND_OF)
    .outerjoin(
        star_calls,
        sa.and_(
            star_calls.c.bot_id == charges.c.bot_id,
            star_calls.c.charge_id == charges.c.id,
            star_calls.c.kind == "refund",
        ),
    )
    .order_by(charges.c.paid_at.desc())
    .limit(sa.bindparam("most"))
)
