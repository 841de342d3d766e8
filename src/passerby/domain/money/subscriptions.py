"""Finds the subscription that a payment belongs to.

Telegram gives a subscription no id. All its payments have the payload of its order, and two subscriptions have the same
payload if one invoice was paid twice. The payments come in any order: after a month in which nobody read the bot, a
renewal may be heard of before the first payment, which only the transactions show. So a payment is told by its time:

    the same subscription       is paid every thirty days, so two of its payments are never close to each other
    the same invoice paid twice is two payments within a day, because an order can be paid for a day

Until its first payment is known, a subscription is called by the earliest one (`Subscription.first`), and keeps that
name. Telegram does not cancel it by that charge. The duty `money` then tries its other charges.
"""

import msgspec

from passerby.kernel.ids import BotId
from passerby.kernel.money import (
    SUBSCRIPTION_S,
    Charge,
    ChargeId,
    Payment,
    Subscription,
    SubscriptionState,
    Wallet,
)

S = SubscriptionState
OVER = (S.CANCELLING, S.ENDED)
_CLOSE_S = SUBSCRIPTION_S / 2

MOST_TRIED = 20
"""The most charges that one look tries, to cancel a subscription."""


def paid(wallet: Wallet, payment: Payment, bot: BotId, plan: str, now: float) -> tuple[Subscription, bool]:
    """The subscription after this payment, and whether the person has one too many: then the payment goes back."""
    others = [each for each in wallet.subscriptions if each.paid_until > now]
    known = [each for each in _with_payload(wallet, payment, bot) if _is_of(payment, each, wallet)]
    if not known:
        first, provider = payment.charge, payment.provider_charge if payment.is_first else ""
        new = Subscription(payment.payload, bot, plan, payment.stars, first, provider, payment.paid_until)
        return new, any(each.state is not S.ENDED for each in others)
    paid_at = payment.paid_at
    due = min(known, key=lambda each: (off_beat_s(paid_at, each.paid_until), abs(each.paid_until - paid_at)))
    # A cancellation that we owe stays owed: the renewal was faster.
    state = due.state if due.state in OVER else S.ACTIVE
    after = msgspec.structs.replace(due, paid_until=max(due.paid_until, payment.paid_until), state=state)
    is_second = due.state in OVER and any(each.state not in OVER for each in others if not is_same(each, due))
    return after, is_second


def is_same(one: Subscription, other: Subscription) -> bool:
    return (one.bot, one.first) == (other.bot, other.first)


def _with_payload(wallet: Wallet, payment: Payment, bot: BotId) -> list[Subscription]:
    """All subscriptions of this payload, with those that the wallet has dropped but still has charges of."""
    known = {each.first: each for each in wallet.subscriptions if (each.order, each.bot) == (payment.payload, bot)}
    for charge in wallet.charges:
        if (charge.order, charge.bot) == (payment.payload, bot) and charge.first and charge.first not in known:
            known[ChargeId(charge.first)] = _remembered(charge, wallet)
    return list(known.values())


def _remembered(charge: Charge, wallet: Wallet) -> Subscription:
    mine = [each for each in wallet.charges if (each.bot, each.first) == (charge.bot, charge.first)]
    provider = next((each.provider_id for each in mine if each.id == each.first), "")
    return Subscription(
        charge.order,
        charge.bot,
        charge.plan,
        charge.stars,
        ChargeId(charge.first),
        provider,
        max(each.paid_at for each in mine) + SUBSCRIPTION_S,
    )


def _is_of(payment: Payment, subscription: Subscription, wallet: Wallet) -> bool:
    theirs = (subscription.bot, subscription.first)
    paid_at = [each.paid_at for each in wallet.charges if (each.bot, each.first) == theirs]
    # A transaction does not say whether it is the first one.
    if not payment.found and payment.is_first:
        return bool(paid_at) and payment.paid_at < min(paid_at) - _CLOSE_S
    if not payment.found and payment.paid_until > subscription.paid_until + _CLOSE_S:
        return True
    return all(abs(at - payment.paid_at) > _CLOSE_S for at in paid_at)


def off_beat_s(one: float, other: float) -> float:
    """How far the time between two payments is from whole periods."""
    late_s = (one - other) % SUBSCRIPTION_S
    return min(late_s, SUBSCRIPTION_S - late_s)


def likeliest(found: list[tuple[ChargeId, str, float, float]]) -> list[tuple[ChargeId, str]]:
    """Sort charges by how likely one of them began the subscription of a charge, at most `MOST_TRIED`.

    Each comes with its provider's id, when it was paid, and when that charge was.
    """
    by_likelihood = sorted(found, key=lambda each: (round(off_beat_s(each[2], each[3]) / 60.0), each[2], each[0]))
    return [(charge, provider) for charge, provider, _, _ in by_likelihood[:MOST_TRIED]]
