"""Reads what one person bought."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.money_tables import charges, grants, orders, refunds, subscriptions
from passerby.kernel.history import PastMoney, PastRefund
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import (
    Charge,
    ChargeId,
    GrantSource,
    PurchaseId,
    PurchaseOrder,
    Subscription,
    SubscriptionState,
    VipGrant,
)


async def past_money(connection: AsyncConnection, person: PersonId) -> PastMoney:
    who = {"who": person}

    async def rows(statement: sa.Select[Any]) -> Any:
        return await connection.execute(statement, who)

    return PastMoney(
        tuple(order_of(row) for row in await rows(_ORDERS)),
        tuple(charge_of(row) for row in await rows(_CHARGES)),
        tuple(grant_of(row) for row in await rows(_GRANTS)),
        tuple(subscription_of(row) for row in await rows(_SUBSCRIPTIONS)),
        tuple(PastRefund(row.charge_id, row.stars, row.refunded_by, row.at) for row in await rows(_REFUNDS)),
    )


def order_of(row: Any) -> PurchaseOrder:
    return PurchaseOrder(
        PurchaseId(row.id),
        row.plan,
        row.days,
        row.stars,
        BotId(row.bot_id),
        row.made_at,
        row.expires_at,
        row.renews,
        row.checked_at or 0.0,
    )


def charge_of(row: Any) -> Charge:
    return Charge(
        ChargeId(row.id),
        BotId(row.bot_id),
        row.code,
        row.order_id,
        row.plan,
        row.stars,
        row.paid_at,
        row.provider_id,
        row.first_charge,
        row.found,
    )


def grant_of(row: Any) -> VipGrant:
    return VipGrant(row.code, GrantSource(row.source), row.since, row.lasts_s, row.until)


def subscription_of(row: Any) -> Subscription:
    return Subscription(
        row.order_id,
        BotId(row.bot_id),
        row.plan,
        row.stars,
        ChargeId(row.first_charge),
        row.first_provider,
        row.paid_until,
        SubscriptionState(row.state),
    )


_WHO = sa.bindparam("who", type_=sa.BigInteger)
_ORDERS = sa.select(orders).where(orders.c.user_id == _WHO).order_by(orders.c.made_at)
_CHARGES = sa.select(charges).where(charges.c.user_id == _WHO).order_by(charges.c.paid_at)
_GRANTS = sa.select(grants).where(grants.c.user_id == _WHO).order_by(grants.c.since)
_SUBSCRIPTIONS = sa.select(subscriptions).where(subscriptions.c.user_id == _WHO).order_by(subscriptions.c.paid_until)
_REFUNDS = (
    sa.select(refunds)
    .join(charges, sa.and_(charges.c.bot_id == refunds.c.bot_id, charges.c.id == refunds.c.charge_id))
    .where(charges.c.user_id == _WHO)
    .order_by(refunds.c.at)
)
