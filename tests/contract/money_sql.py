"""Reads the whole ledger of a database, as the fake of the records has it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql import money_tables as tables
from passerby.adapters.sql.past_money import charge_of, grant_of, order_of, subscription_of
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import ChargeId, RefundedBy, StarCallKind, StarRow
from passerby.kernel.payment_case import PaymentCase
from passerby.ports.facts import RefundMade
from passerby.ports.money import StarCall
from tests.contract.money_memory import Ledger, ReferralRow


class _Row:
    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


async def ledger_in(engine: AsyncEngine) -> Ledger:
    async with engine.connect() as connection:
        read = {
            table: [_Row(dict(each)) for each in (await connection.execute(sa.select(table))).mappings()]
            for table in _TABLES
        }
    return _ledger(read)


def _ledger(read: dict[sa.Table, list[_Row]]) -> Ledger:
    return Ledger(
        {row.id: (PersonId(row.user_id), order_of(row)) for row in read[tables.orders]},
        {
            (BotId(row.bot_id), ChargeId(row.id)): (PersonId(row.user_id), charge_of(row))
            for row in read[tables.charges]
        },
        {(PersonId(row.user_id), row.code): grant_of(row) for row in read[tables.grants]},
        {
            (BotId(row.bot_id), ChargeId(row.first_charge)): (PersonId(row.user_id), subscription_of(row))
            for row in read[tables.subscriptions]
        },
        {
            (BotId(row.bot_id), ChargeId(row.charge_id)): RefundMade(
                BotId(row.bot_id), ChargeId(row.charge_id), row.stars, RefundedBy(row.refunded_by), row.at
            )
            for row in read[tables.refunds]
        },
        {
            (BotId(row.bot_id), ChargeId(row.charge_id), StarCallKind(row.kind)): (
                StarCall(
                    StarCallKind(row.kind),
                    BotId(row.bot_id),
                    PersonId(row.user_id),
                    ChargeId(row.charge_id),
                    row.provider_id,
                    row.owed_at,
                ),
                row.done_at is not None,
            )
            for row in read[tables.star_calls]
        },
        {
            (BotId(row.bot_id), row.id, bool(row.incoming)): (
                StarRow(row.id, bool(row.incoming), row.at, row.stars, person=row.user_id),
                row.matched_at is not None,
            )
            for row in read[tables.star_rows]
        },
        {BotId(row.bot_id): (row.rows_seen, row.swept_at) for row in read[tables.star_sweeps]},
        {
            row.code: (
                PaymentCase(
                    row.code, PersonId(row.user_id), row.opened_at, row.answered_at or 0.0, row.answered_by or 0
                ),
                row.words,
            )
            for row in read[tables.payment_cases]
        },
        {row.token: PersonId(row.user_id) for row in read[tables.referral_links]},
        {
            PersonId(row.user_id): ReferralRow(
                row.token, row.reached_at, row.decided_at, row.outcome, row.grant_code or "", row.friend_grant or ""
            )
            for row in read[tables.referrals]
        },
    )


_TABLES = (
    tables.orders,
    tables.charges,
    tables.grants,
    tables.subscriptions,
    tables.refunds,
    tables.star_calls,
    tables.star_rows,
    tables.star_sweeps,
    tables.payment_cases,
    tables.referral_links,
    tables.referrals,
)
