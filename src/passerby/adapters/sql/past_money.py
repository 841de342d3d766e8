"""Reads what one person bought."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.money_tables import (
    charges,
    grants,
    orders,
    payment_cases,
    referral_links,
    referrals,
    refunds,
    star_calls,
    subscriptions,
)
from passerby.adapters.sql.promo_tables import promo_uses
from passerby.kernel.history import PastCase, PastMoney, PastRedemption, PastReferral, PastRefund
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import (
    Charge,
    ChargeId,
    GrantSource,
    PurchaseId,
    PurchaseOrder,
    RefundedBy,
    StarCallKind,
    Subscription,
    SubscriptionState,
    VipGrant,
)
from passerby.kernel.payment_case import unpacked
from passerby.kernel.purchase import Purchase


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
        tuple(PastRedemption(row.code, row.grant_code, row.at) for row in await rows(_REDEMPTIONS)),
        tuple(
            PastCase(row.code, row.opened_at, row.answered_at, unpacked(row.words or b"")) for row in await rows(_CASES)
        ),
        (
            *(_referral(row, row.token, row.friend_grant) for row in await rows(_INVITED)),
            *(_referral(row, "", row.grant_code) for row in await rows(_INVITES)),
        ),
    )


def _referral(row: Any, token: str, grant: str | None) -> PastReferral:
    return PastReferral(token, row.reached_at, row.decided_at, row.outcome, grant)


async def purchase_with(connection: AsyncConnection, code: str) -> Purchase | None:
    """The purchase that has this code; None if there is none."""
    row = (await connection.execute(_PURCHASE, {"code": code})).first()
    if row is None:
        return None
    charge = msgspec.structs.replace(
        charge_of(row),
        refund_owed_at=(row.owed_at or 0.0) if row.done_at is None else 0.0,
        # It was done, and no refund came of it.
        refund_refused_at=(row.done_at or 0.0) if row.refunded_at is None else 0.0,
        refunded_at=row.refunded_at or 0.0,
        refunded_by=RefundedBy(row.refunded_by) if row.refunded_by is not None else None,
    )
    return Purchase(PersonId(row.user_id), charge)


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
        row.promo or "",
        PersonId(row.gift_to or 0),
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
        gift_to=PersonId(row.gift_to or 0),
        gift=row.gift_grant or "",
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
_REDEMPTIONS = sa.select(promo_uses).where(promo_uses.c.user_id == _WHO).order_by(promo_uses.c.at)
_CASES = sa.select(payment_cases).where(payment_cases.c.user_id == _WHO).order_by(payment_cases.c.opened_at)
_INVITED = sa.select(referrals).where(referrals.c.user_id == _WHO)
_INVITES = (
    sa.select(referrals)
    .join(referral_links, referral_links.c.token == referrals.c.token)
    .where(referral_links.c.user_id == _WHO)
    .order_by(referrals.c.reached_at)
)
_REFUNDS = (
    sa.select(refunds)
    .join(charges, sa.and_(charges.c.bot_id == refunds.c.bot_id, charges.c.id == refunds.c.charge_id))
    .where(charges.c.user_id == _WHO)
    .order_by(refunds.c.at)
)
_PURCHASE = (
    sa.select(
        charges, star_calls.c.owed_at, star_calls.c.done_at, refunds.c.at.label("refunded_at"), refunds.c.refunded_by
    )
    .select_from(charges)
    .outerjoin(
        star_calls,
        sa.and_(
            star_calls.c.bot_id == charges.c.bot_id,
            star_calls.c.charge_id == charges.c.id,
            star_calls.c.kind == StarCallKind.REFUND.value,
        ),
    )
    .outerjoin(refunds, sa.and_(refunds.c.bot_id == charges.c.bot_id, refunds.c.charge_id == charges.c.id))
    .where(charges.c.code == sa.bindparam("code"))
    .limit(1)
)
