"""Reads the ledger, and stores what bots' transactions say."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.money_tables import (
    charges,
    grants,
    orders,
    refunds,
    star_calls,
    star_rows,
    star_sweeps,
    subscriptions,
)
from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.salvage import person_of
from passerby.adapters.sql.tables import users
from passerby.adapters.sql.transactions import Transactions
from passerby.domain.money.subscriptions import likeliest
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import MAY_BE_CHARGED, ChargeId, StarCallKind, StarRow
from passerby.kernel.participant import Participant
from passerby.ports.money import GrantOver, StarCall, Unmatched


class SqlMoney(Transactions):
    """Implements `passerby.ports.money.MoneyRecords`."""

    _put_star_row: sa.Executable
    _put_sweep: sa.Executable

    async def star_calls(self, limit: int) -> Sequence[StarCall]:
        async def query(connection: AsyncConnection) -> list[StarCall]:
            return [
                StarCall(
                    StarCallKind(row.kind),
                    BotId(row.bot_id),
                    PersonId(row.user_id),
                    ChargeId(row.charge_id),
                    row.provider_id,
                    row.owed_at,
                )
                for row in await connection.execute(_OPEN_CALLS, {"most": limit})
            ]

        return await self._read(query)

    async def may_cancel(
        self, bot: BotId, person: PersonId, charge: ChargeId, now: float
    ) -> Sequence[tuple[ChargeId, str]]:
        async def query(connection: AsyncConnection) -> list[tuple[ChargeId, str]]:
            values = {"bot": bot, "who": person, "charge": charge, "now": now}
            found = await connection.execute(_MAY_CANCEL, values)
            return likeliest([(ChargeId(each), provider, at, own) for each, provider, at, own in found])

        return await self._read(query)

    async def subscribers(self, bot: BotId, now: float, beyond: PersonId, limit: int) -> Sequence[PersonId]:
        async def query(connection: AsyncConnection) -> list[PersonId]:
            values = {"bot": bot, "now": now, "beyond": beyond, "most": limit}
            return [PersonId(row.user_id) for row in await connection.execute(_SUBSCRIBERS, values)]

        return await self._read(query)

    async def rows_seen(self, bot: BotId) -> int:
        async def query(connection: AsyncConnection) -> int:
            return await connection.scalar(_ROWS_SEEN, {"bot": bot}) or 0

        return await self._read(query)

    async def note_rows(self, bot: BotId, rows: Sequence[StarRow], seen: int, now: float) -> None:
        async def work(connection: AsyncConnection) -> None:
            if rows:
                await connection.execute(self._put_star_row, [_star_row(bot, row, now) for row in rows])
            await connection.execute(self._put_sweep, {"bot_id": bot, "rows_seen": seen, "swept_at": now})

        await self._write(work)

    async def unmatched(self, before: float, limit: int) -> Sequence[Unmatched]:
        async def work(connection: AsyncConnection) -> list[Unmatched]:
            for match in (_MATCH_SALES, _MATCH_REFUNDS):
                await connection.execute(match, {"now": before})
            found = await connection.execute(_UNMATCHED, {"before": before, "most": limit})
            return [
                Unmatched(
                    BotId(row.bot_id),
                    StarRow(
                        row.id,
                        row.incoming,
                        row.at,
                        row.stars,
                        row.nanostars,
                        row.kind,
                        row.what,
                        row.user_id,
                        row.payload,
                        row.period_s,
                        row.affiliate,
                        row.affiliate_nano,
                    ),
                    row.plan or "",
                    row.days or 0,
                    row.refunded,
                    PersonId(row.gift_to or 0),
                )
                for row in found
            ]

        return await self._write(work)

    async def grants_over(self, after: float, now: float, limit: int) -> Sequence[GrantOver]:
        async def query(connection: AsyncConnection) -> list[GrantOver]:
            found = await connection.execute(_GRANTS_OVER, {"now": now, "after": after, "most": limit})
            return [GrantOver(PersonId(person), grant) for person, grant in found]

        return await self._read(query)

    async def unconfirmed(self, after: float, before: float) -> int:
        async def query(connection: AsyncConnection) -> int:
            return await connection.scalar(_UNCONFIRMED, {"after": after, "before": before}) or 0

        return await self._read(query)

    async def vip_ending(self, after: float, before: float, beyond: PersonId, limit: int) -> Sequence[Participant]:
        async def query(connection: AsyncConnection) -> list[Participant]:
            values = {"after": after, "before": before, "beyond": beyond, "most": limit}
            return [person_of(row) for row in await connection.execute(_ENDING, values)]

        return await self._read(query)


def _star_row(bot: BotId, row: StarRow, now: float) -> dict[str, Any]:
    is_ours = row.kind == "user" and row.what in PAYMENTS
    return {
        "bot_id": bot,
        "id": row.id,
        "incoming": row.incoming,
        "at": row.at,
        "stars": row.stars,
        "nanostars": row.nanostars,
        "kind": row.kind,
        "what": row.what,
        "user_id": row.person,
        "payload": row.payload,
        "period_s": row.period_s,
        "affiliate": row.affiliate,
        "affiliate_nano": row.affiliate_nano,
        "seen_at": now,
        "matched_at": None if is_ours else now,
    }


PAYMENTS: Final = ("invoice_payment",)
"""The kinds of transactions that belong to a charge (source: Bot API 10.3, TransactionPartnerUser)."""

_OPEN_CALLS = (
    sa.select(star_calls)
    # Written as in the partial index.
    .where(star_calls.c.done_at.is_(None))
    .order_by(star_calls.c.owed_at)
    .limit(sa.bindparam("most"))
)
_other = charges.alias("other")
_CALLED_BY = sa.select(subscriptions.c.first_charge).where(
    subscriptions.c.bot_id == sa.bindparam("bot"), subscriptions.c.paid_until > sa.bindparam("now", type_=sa.Double)
)
_THIS_CHARGE = sa.and_(charges.c.bot_id == sa.bindparam("bot"), charges.c.id == sa.bindparam("charge"))
_MAY_CANCEL = sa.union_all(
    sa.select(_other.c.id, _other.c.provider_id, _other.c.paid_at, charges.c.paid_at)
    .join_from(charges, _other, sa.and_(_other.c.bot_id == charges.c.bot_id, _other.c.order_id == charges.c.order_id))
    .where(_THIS_CHARGE, _other.c.id != charges.c.id, _other.c.id.not_in(_CALLED_BY)),
    sa.select(star_rows.c.id, sa.literal(""), star_rows.c.at, charges.c.paid_at)
    .join_from(charges, star_rows, star_rows.c.bot_id == charges.c.bot_id)
    .where(
        _THIS_CHARGE,
        star_rows.c.payload == charges.c.order_id,
        star_rows.c.incoming,
        star_rows.c.user_id == sa.bindparam("who", type_=sa.BigInteger),
        ~sa.exists().where(_other.c.bot_id == star_rows.c.bot_id, _other.c.id == star_rows.c.id),
    ),
)
_SUBSCRIBERS = (
    sa.select(subscriptions.c.user_id)
    .where(
        subscriptions.c.bot_id == sa.bindparam("bot"),
        subscriptions.c.paid_until > sa.bindparam("now", type_=sa.Double),
        subscriptions.c.state.in_([each.value for each in MAY_BE_CHARGED]),
        subscriptions.c.user_id > sa.bindparam("beyond", type_=sa.BigInteger),
    )
    .distinct()
    .order_by(subscriptions.c.user_id)
    .limit(sa.bindparam("most"))
)
_ROWS_SEEN = sa.select(star_sweeps.c.rows_seen).where(star_sweeps.c.bot_id == sa.bindparam("bot"))
_NOT_YET = star_rows.c.matched_at.is_(None)
_MATCH_SALES = (
    sa.update(star_rows)
    .where(
        _NOT_YET,
        star_rows.c.incoming,
        sa.exists().where(charges.c.bot_id == star_rows.c.bot_id, charges.c.id == star_rows.c.id),
    )
    .values(matched_at=sa.bindparam("now", type_=sa.Double))
)
_MATCH_REFUNDS = (
    sa.update(star_rows)
    .where(
        _NOT_YET,
        sa.not_(star_rows.c.incoming),
        sa.exists().where(refunds.c.bot_id == star_rows.c.bot_id, refunds.c.charge_id == star_rows.c.id),
    )
    .values(matched_at=sa.bindparam("now", type_=sa.Double))
)
_refund = star_rows.alias("refund")
_REFUNDED = sa.or_(
    sa.exists().where(
        _refund.c.bot_id == star_rows.c.bot_id,
        _refund.c.id == star_rows.c.id,
        star_rows.c.incoming,
        sa.not_(_refund.c.incoming),
    ),
    # Its update may have come before the row.
    sa.exists().where(
        refunds.c.bot_id == star_rows.c.bot_id, refunds.c.charge_id == star_rows.c.id, star_rows.c.incoming
    ),
)
_UNMATCHED = (
    sa.select(star_rows, orders.c.plan, orders.c.days, orders.c.gift_to, _REFUNDED.label("refunded"))
    .outerjoin_from(star_rows, orders, orders.c.id == star_rows.c.payload)
    .where(_NOT_YET, star_rows.c.at <= sa.bindparam("before", type_=sa.Double))
    # Sales before refunds of the same second.
    .order_by(star_rows.c.at, star_rows.c.incoming.desc())
    .limit(sa.bindparam("most"))
)
_BACK = sa.union(
    sa.select(refunds.c.bot_id, refunds.c.charge_id).where(refunds.c.at > sa.bindparam("after", type_=sa.Double)),
    sa.select(star_calls.c.bot_id, star_calls.c.charge_id).where(
        # Written as in the partial index.
        star_calls.c.done_at.is_(None),
        star_calls.c.kind == "refund",
    ),
).subquery()
_RECEIVER = sa.func.coalesce(charges.c.gift_to, charges.c.user_id)
_GRANT = sa.func.coalesce(charges.c.gift_grant, charges.c.code)
_GRANTS_OVER = (
    sa.select(_RECEIVER, _GRANT)
    .select_from(_BACK)
    .join(charges, sa.and_(charges.c.bot_id == _BACK.c.bot_id, charges.c.id == _BACK.c.charge_id))
    .join(grants, sa.and_(grants.c.user_id == _RECEIVER, grants.c.code == _GRANT))
    # A person who is no VIP now has nothing left to take.
    .join(users, sa.and_(users.c.id == grants.c.user_id, users.c.vip_until > sa.bindparam("now", type_=sa.Double)))
    .where(sa.or_(grants.c.lasts_s > 0, grants.c.until > sa.bindparam("now", type_=sa.Double)))
    .limit(sa.bindparam("most"))
)
_UNCONFIRMED = (
    sa.select(sa.func.count())
    .select_from(charges)
    .join(star_sweeps, star_sweeps.c.bot_id == charges.c.bot_id)
    .where(
        charges.c.paid_at > sa.bindparam("after"),
        charges.c.paid_at < sa.bindparam("before"),
        star_sweeps.c.swept_at > charges.c.paid_at + 3600.0,
        ~sa.exists().where(
            star_rows.c.bot_id == charges.c.bot_id, star_rows.c.id == charges.c.id, star_rows.c.incoming
        ),
    )
)
_ENDING = (
    sa.select(*READ)
    .where(
        # Written as in the partial index.
        users.c.vip_until > sa.literal_column("0"),
        users.c.vip_until > sa.bindparam("after", type_=sa.Double),
        users.c.vip_until <= sa.bindparam("before", type_=sa.Double),
        users.c.id > sa.bindparam("beyond", type_=sa.BigInteger),
    )
    .order_by(users.c.id.asc())
    .limit(sa.bindparam("most"))
)
