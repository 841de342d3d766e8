"""Turns facts about money into rows. See `writer`, which is the same for all other facts."""

from collections.abc import Mapping
from typing import Any, assert_never

import sqlalchemy as sa

from passerby.adapters.sql.dialects import insert_into
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
from passerby.kernel.payment_case import SealedWords, packed
from passerby.ports.facts import (
    ChargeTaken,
    GrantChanged,
    OrderPlaced,
    PaymentCaseOpened,
    ReferralLinkMade,
    ReferralReached,
    RefundMade,
    StarCallOwed,
    StarCallSettled,
    SubscriptionChanged,
)

MoneyFact = (
    OrderPlaced
    | ChargeTaken
    | GrantChanged
    | SubscriptionChanged
    | RefundMade
    | StarCallOwed
    | StarCallSettled
    | PaymentCaseOpened
    | ReferralLinkMade
    | ReferralReached
)
Row = dict[str, Any]


class MoneyWriter:
    """The statements of one dialect. They are built once."""

    def __init__(self, dialect: str) -> None:
        def add(table: sa.Table) -> Any:
            return insert_into(table, dialect)

        def newest(table: sa.Table, *changed: str) -> sa.Executable:
            insert = add(table)
            put: sa.Executable = insert.on_conflict_do_update(
                index_elements=list(table.primary_key.columns), set_={name: insert.excluded[name] for name in changed}
            )
            return put

        self.put_order = newest(orders, "checked_at", "gift_to")
        self.add_charge = add(charges).on_conflict_do_nothing()
        self.put_grant = newest(grants, "since", "lasts_s", "until")
        self.put_subscription = newest(subscriptions, "paid_until", "state")
        self.add_refund = add(refunds).on_conflict_do_nothing()
        self.add_call = add(star_calls).on_conflict_do_nothing()
        case = add(payment_cases)
        self.add_case = case.on_conflict_do_update(
            index_elements=[payment_cases.c.code],
            set_={"words": sa.cast(payment_cases.c.words.op("||")(case.excluded.words), sa.LargeBinary)},
            where=payment_cases.c.answered_at.is_(None),
        )
        self.add_link = add(referral_links).on_conflict_do_nothing()
        self.add_referral = add(referrals).on_conflict_do_nothing()

    def statements(self, batch: "MoneyBatch") -> tuple[tuple[sa.Executable, list[Row]], ...]:
        return (
            (self.put_order, _in_order(batch.orders)),
            (self.add_charge, _in_order(batch.charges)),
            (self.put_subscription, _in_order(batch.subscriptions)),
            (self.put_grant, _in_order(batch.grants)),
            (self.add_refund, _in_order(batch.refunds)),
            (self.add_call, _in_order(batch.calls)),
            (SETTLE_CALL, _in_order(batch.settled)),
            (self.add_case, _in_order(batch.cases)),
            (self.add_link, _in_order(batch.links)),
            (self.add_referral, _in_order(batch.referrals)),
        )


class MoneyBatch:
    """The rows of a batch of facts, by their keys."""

    def __init__(self) -> None:
        self.orders: dict[Any, Row] = {}
        self.charges: dict[Any, Row] = {}
        self.grants: dict[Any, Row] = {}
        self.subscriptions: dict[Any, Row] = {}
        self.refunds: dict[Any, Row] = {}
        self.calls: dict[Any, Row] = {}
        self.settled: dict[Any, Row] = {}
        self.cases: dict[Any, Row] = {}
        self.links: dict[Any, Row] = {}
        self.referrals: dict[Any, Row] = {}

    def take(self, fact: MoneyFact) -> None:
        match fact:
            case OrderPlaced():
                self.orders[fact.order.id] = _order(fact)
            case ChargeTaken():
                self.charges.setdefault((fact.charge.bot, fact.charge.id), _charge(fact))
            case GrantChanged():
                self.grants[fact.person, fact.grant.code] = _grant(fact)
            case SubscriptionChanged():
                self.subscriptions[fact.subscription.bot, fact.subscription.first] = _subscription(fact)
            case RefundMade():
                refund = {"bot_id": fact.bot, "charge_id": fact.charge, "stars": fact.stars}
                refund |= {"refunded_by": fact.by, "at": fact.at}
                self.refunds.setdefault((fact.bot, fact.charge), refund)
            case StarCallOwed():
                self.calls.setdefault((fact.bot, fact.charge, fact.kind), _call(fact))
            case StarCallSettled():
                settled = {"bot": fact.bot, "charge": fact.charge, "of": fact.kind, "at": fact.at}
                self.settled.setdefault((fact.bot, fact.charge, fact.kind), settled)
            case PaymentCaseOpened():
                words = packed(SealedWords(fact.at, fact.words))
                case = {"code": fact.case, "user_id": fact.person, "words": b"", "opened_at": fact.at}
                self.cases.setdefault(fact.case, case)["words"] += words
            case ReferralLinkMade():
                link = {"token": fact.token, "user_id": fact.person, "made_at": fact.at}
                self.links.setdefault(fact.token, link)
            case ReferralReached():
                reached = {"user_id": fact.person, "token": fact.token, "reached_at": fact.at}
                self.referrals.setdefault(fact.person, reached)
            case _:
                assert_never(fact)


def _order(fact: OrderPlaced) -> Row:
    order = fact.order
    return {
        "id": order.id,
        "user_id": fact.person,
        "bot_id": order.bot,
        "plan": order.plan,
        "days": order.days,
        "stars": order.stars,
        "renews": order.renews,
        "made_at": order.made_at,
        "expires_at": order.expires_at,
        "checked_at": order.checked_at or None,
        "promo": order.promo or None,
        "gift_to": order.gift_to or None,
    }


def _charge(fact: ChargeTaken) -> Row:
    charge = fact.charge
    return {
        "bot_id": charge.bot,
        "id": charge.id,
        "user_id": fact.person,
        "code": charge.code,
        "order_id": charge.order,
        "plan": charge.plan,
        "stars": charge.stars,
        "paid_at": charge.paid_at,
        "provider_id": charge.provider_id,
        "renews": bool(charge.first),
        "first_charge": charge.first,
        "found": charge.found,
        "gift_to": charge.gift_to if charge.gift else None,
        "gift_grant": charge.gift or None,
        "source": fact.source or None,
    }


def _grant(fact: GrantChanged) -> Row:
    grant = fact.grant
    return {
        "user_id": fact.person,
        "code": grant.code,
        "source": grant.source,
        "since": grant.since,
        "lasts_s": grant.lasts_s,
        "until": grant.until,
    }


def _subscription(fact: SubscriptionChanged) -> Row:
    subscription = fact.subscription
    return {
        "bot_id": subscription.bot,
        "first_charge": subscription.first,
        "first_provider": subscription.first_provider,
        "user_id": fact.person,
        "order_id": subscription.order,
        "plan": subscription.plan,
        "stars": subscription.stars,
        "paid_until": subscription.paid_until,
        "state": subscription.state,
    }


def _call(fact: StarCallOwed) -> Row:
    return {
        "bot_id": fact.bot,
        "charge_id": fact.charge,
        "kind": fact.kind,
        "user_id": fact.person,
        "provider_id": fact.provider_charge,
        "owed_at": fact.at,
        "done_at": None,
    }


def _in_order(rows: Mapping[Any, Row]) -> list[Row]:
    return [row for _, row in sorted(rows.items(), key=lambda each: each[0])]


SETTLE_CALL = (
    sa.update(star_calls)
    .where(
        star_calls.c.bot_id == sa.bindparam("bot"),
        star_calls.c.charge_id == sa.bindparam("charge"),
        star_calls.c.kind == sa.bindparam("of"),
        star_calls.c.done_at.is_(None),
    )
    .values(done_at=sa.bindparam("at"), user_id=0)
)
