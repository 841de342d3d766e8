"""Applies payments, refunds and news about subscriptions to a wallet. Nothing here happens twice.

A payment is known by its charge id and its bot. Telegram may report it more than once: by an update, by the same update
again, and by the bot's transactions.
"""

from typing import NamedTuple

import msgspec

from passerby.domain.money.grants import BACK, give_back
from passerby.domain.money.subscriptions import is_same, paid
from passerby.domain.money.timeline import cut
from passerby.domain.money.wallets import (
    CHARGES_KEPT_S,
    DAY_S,
    GRACE_S,
    new_code,
    order_for,
    subscription_for,
    wallet_of,
    with_wallet,
)
from passerby.domain.sanctions import bar
from passerby.kernel.decision import Env
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import (
    ERASED_RECEIVER,
    Charge,
    ChargeId,
    EarlyRefund,
    GrantSource,
    Payment,
    RefundedBy,
    Subscription,
    SubscriptionState,
    VipGrant,
    Wallet,
)
from passerby.kernel.participant import Participant

S = SubscriptionState

UPDATES_S = 26 * 3600.0
"""Telegram keeps an update for a day, and both live stores note a little longer that it is done."""


class Bought(NamedTuple):
    """The purpose of a payment. Without days, it is unknown, and nothing can be given for it. `gift_to`: who gets it;
    0: the buyer."""

    plan: str
    days: float
    gift_to: PersonId = PersonId(0)


def charge_in(wallet: Wallet | None, bot: BotId, charge: ChargeId) -> Charge | None:
    charges = wallet.charges if wallet is not None else ()
    return next((each for each in charges if each.id == charge and each.bot == bot), None)


class Taken(NamedTuple):
    """A person who paid, and the charge. With `gift_days`, it is a gift, and still has to be delivered."""

    me: Participant
    charge: Charge
    gift_days: float = 0.0


def take(me: Participant, payment: Payment, bot: BotId, env: Env) -> Taken | None:
    """The person after they paid, and the charge. None if it is known already, or if only the ledger can tell.

    If nothing can be given for it, the charge is recorded, and its refund is owed at once: nobody knows what it is for,
    the person is banned for good or was erased, a subscription runs already, or its discount is used up. If Telegram
    has refunded it, it is only recorded.
    """
    wallet = wallet_of(me, env.now)
    if charge_in(wallet, bot, payment.charge) is not None:
        return None
    if _may_be_copy(wallet, payment, env.now):
        return None
    bought = _bought(wallet, payment, env)
    charge = Charge(
        id=payment.charge,
        bot=bot,
        code=new_code(env.rng),
        order=payment.payload,
        plan=bought.plan,
        stars=payment.stars,
        paid_at=payment.paid_at,
        provider_id=payment.provider_charge,
        found=payment.found,
        gift_to=bought.gift_to if bought.gift_to != ERASED_RECEIVER else PersonId(0),
        gift=new_code(env.rng) if bought.gift_to else "",
    )
    is_second = False
    if payment.recurs:
        subscription, is_second = paid(wallet, payment, bot, bought.plan, env.now)
        charge = msgspec.structs.replace(charge, first=subscription.first)
        wallet = _with_subscription(wallet, subscription)
    # Two checkouts of discounted invoices may be approved before either is paid. The discount is for one purchase.
    order = order_for(wallet, payment.payload)
    is_used_discount = order is not None and order.promo != "" and bool(wallet.charges)
    wallet = msgspec.structs.replace(wallet, charges=(*wallet.charges, charge), discount=None)
    early = tuple(each for each in wallet.early_refunds if (each.bot, each.charge) == (bot, charge.id))
    if payment.refunded or early:
        others = tuple(each for each in wallet.early_refunds if each not in early)
        wallet = msgspec.structs.replace(wallet, early_refunds=others)
        returned = msgspec.structs.replace(charge, refunded_at=env.now, refunded_by=RefundedBy.TELEGRAM)
        return Taken(with_wallet(me, _without(_with_charge(wallet, returned), returned, env.now), env.now), returned)
    is_over = _is_over(me, payment, env.now)
    if is_second or is_used_discount or is_over or not bought.days:
        owed = owe_refund(with_wallet(me, wallet, env.now), charge, RefundedBy.RULE, env.now)
        if is_over:
            owed = cancel_all(owed, env.now)  # the payment may be of another subscription with its payload
        return Taken(owed, charge_in(owed.wallet, bot, charge.id) or charge)
    if charge.gift:
        return Taken(with_wallet(me, wallet, env.now), charge, bought.days)
    since = max(env.now, payment.paid_at)  # a clock that is slow must not begin it before it was paid
    if not payment.found:
        since = min(since, payment.paid_at + GRACE_S)  # updates live a day; a clock that says more is fast
    grant = VipGrant(charge.code, GrantSource.CHARGE, since, lasts_s=bought.days * DAY_S)
    # One that was found later than the grace lost days to us. So it is a length, and ends later than Telegram's date.
    if payment.recurs and not (payment.found and env.now > payment.paid_at + GRACE_S):
        grant = VipGrant(charge.code, GrantSource.CHARGE, since, until=payment.paid_until + GRACE_S)
    wallet = msgspec.structs.replace(wallet, grants=(*wallet.grants, grant))
    return Taken(with_wallet(me, wallet, env.now), charge)


def _may_be_copy(wallet: Wallet, payment: Payment, now: float) -> bool:
    """Whether only the ledger can tell an update about a payment from a copy of it, because the wallet may have dropped
    the charge, or an erasure the wallet. If it is no copy, the sweep finds the sale: it asks the ledger.

    For a subscription, the sweep is the second choice: Telegram's transactions do not name the id that may cancel it.
    """
    if payment.found or order_for(wallet, payment.payload) is not None:
        return False
    if not payment.recurs:
        return True
    is_known = subscription_for(wallet, payment.payload) is not None
    # By half of the time, because the clock may be weeks wrong.
    return now >= payment.paid_at + (CHARGES_KEPT_S / 2 if is_known else UPDATES_S)


def gift_for(me: Participant, payment: Payment) -> PersonId | None:
    """Return the receiver of a payment, if it is somebody else."""
    order = order_for(me.wallet or Wallet(), payment.payload)
    whom = order.gift_to if order is not None else payment.gift_to
    return whom if whom and whom != ERASED_RECEIVER else None


def _bought(wallet: Wallet, payment: Payment, env: Env) -> Bought:
    """From the order; else from the records; else from the subscription; else from the price.

    If no plan has this price, it buys days at the best rate of all plans."""
    order = order_for(wallet, payment.payload)
    if order is not None:
        return Bought(order.plan, order.days, order.gift_to)
    if payment.days:
        return Bought(payment.plan, payment.days, payment.gift_to)
    if payment.recurs:
        known = subscription_for(wallet, payment.payload)
        return Bought(known.plan if known is not None else payment.plan, 30)
    plans = env.rules.plans
    same = next((each for each in plans if each.stars == payment.stars and not each.renews), None)
    if same is not None:
        return Bought(same.name, same.days)
    return Bought("", max((each.days / each.stars for each in plans), default=0.0) * payment.stars)


def _is_over(me: Participant, payment: Payment, now: float) -> bool:
    """Whether nothing is sold to this person any more: they are banned for good, or were erased."""
    barred = bar(me, now)
    # A buyer has the order in the wallet, even before the first questions are answered.
    is_known = order_for(me.wallet or Wallet(), payment.payload) is not None
    is_gone = payment.recurs and me.profile.consented_at is None and not is_known
    return (barred is not None and barred.until is None) or is_gone


def _with_subscription(wallet: Wallet, subscription: Subscription) -> Wallet:
    """The wallet with this subscription: it replaces the one with the same first charge, or is the newest."""
    if not any(is_same(each, subscription) for each in wallet.subscriptions):
        return msgspec.structs.replace(wallet, subscriptions=(*wallet.subscriptions, subscription))
    subscriptions = tuple(subscription if is_same(each, subscription) else each for each in wallet.subscriptions)
    return msgspec.structs.replace(wallet, subscriptions=subscriptions)


def _with_charge(wallet: Wallet, charge: Charge) -> Wallet:
    charges = tuple(charge if each.id == charge.id and each.bot == charge.bot else each for each in wallet.charges)
    return msgspec.structs.replace(wallet, charges=charges)


def owe_refund(me: Participant, charge: Charge, by: RefundedBy, now: float) -> Participant:
    """The person after it was decided to refund a charge. Its VIP time ends at once; a subscription is cancelled, too.

    `charge` may be older than what the wallet keeps. Returns `me` unchanged if the refund is owed or made
    already.
    """
    wallet = wallet_of(me, now)
    known = charge_in(wallet, charge.bot, charge.id)
    if known is None:
        known = charge
        wallet = msgspec.structs.replace(wallet, charges=(charge, *wallet.charges))
    if known.refund_owed_at or known.refunded_at or known.refund_refused_at:
        return me
    wallet = _with_charge(wallet, msgspec.structs.replace(known, refund_owed_at=now, refunded_by=by))
    if by is RefundedBy.BUYER:
        wallet = msgspec.structs.replace(wallet, refunded_at=now)
    return with_wallet(me, _without(wallet, known, now), now)


def refunded(me: Participant, bot: BotId, charge_id: ChargeId, now: float) -> tuple[Participant, Charge] | None:
    """The person after Telegram reported or confirmed a refund, and the charge. None if the refund is
    known already, or the charge is unknown."""
    known = charge_in(me.wallet, bot, charge_id)
    if known is None or known.refunded_at:
        return None
    assert me.wallet is not None, "the charge is in it"
    charge = msgspec.structs.replace(known, refunded_at=now, refunded_by=known.refunded_by or RefundedBy.TELEGRAM)
    wallet = _with_charge(me.wallet, charge)
    if not known.refund_owed_at:
        wallet = _without(wallet, charge, now)
    return with_wallet(me, wallet, now), charge


def not_refunded(me: Participant, bot: BotId, charge_id: ChargeId, now: float) -> tuple[Participant, Charge] | None:
    """The person after Telegram refused for good to give a charge back, and the charge. Nobody owes it any more, and
    they have the rest of its VIP time again. Its subscription stays cancelled. None: no such refund is owed.
    """
    known = charge_in(me.wallet, bot, charge_id)
    if known is None or known.refunded_at or not known.refund_owed_at:
        return None
    assert me.wallet is not None, "the charge is in it"
    charge = msgspec.structs.replace(known, refund_owed_at=0.0, refunded_by=None, refund_refused_at=now)
    wallet = _with_charge(me.wallet, charge)
    if known.refunded_by is RefundedBy.BUYER:
        # They had none, so they may take another one.
        wallet = msgspec.structs.replace(wallet, refunded_at=0.0)
    return give_back(with_wallet(me, wallet, now), charge.code, now), charge


def refunded_early(me: Participant, bot: BotId, charge: ChargeId, now: float) -> Participant:
    """The person after Telegram reported a refund of a charge that their wallet does not have.

    Its payment may still come: its update was lost, and the sweep found it only now. Somebody without a wallet has
    bought nothing, or was erased: nothing is noted about them.
    """
    if me.wallet is None:
        return me
    noted = EarlyRefund(bot, charge, now)
    return with_wallet(me, msgspec.structs.replace(me.wallet, early_refunds=(*me.wallet.early_refunds, noted)), now)


def _without(wallet: Wallet, charge: Charge, now: float) -> Wallet:
    """The wallet without what a charge still had, and without the subscription that it belongs to."""
    wallet = msgspec.structs.replace(wallet, grants=cut(wallet.grants, charge.code, now))
    wallet = msgspec.structs.replace(wallet, grants=cut(wallet.grants, f"{BACK}{charge.code}", now))
    for each in wallet.subscriptions:
        if charge.first and (each.bot, each.first) == (charge.bot, charge.first):
            wallet = _with_subscription(wallet, _cancelling(each, now))
    return wallet


def _cancelling(subscription: Subscription, now: float, others: tuple[Subscription, ...] = ()) -> Subscription:
    """The subscription, to be cancelled, if Telegram may be charging for it.

    One invoice that was paid twice began two. A renewal does not say whose it is, so while one of them runs, each of
    them may.
    """
    same = [each.paid_until for each in others if (each.bot, each.order) == (subscription.bot, subscription.order)]
    if subscription.state in (S.CANCELLING, S.ENDED) or max((subscription.paid_until, *same)) + GRACE_S <= now:
        return subscription
    return msgspec.structs.replace(subscription, state=S.CANCELLING)


def cancel_all(me: Participant, now: float, bot: BotId | None = None) -> Participant:
    """The person after it was decided that Telegram charges them no more, or no more for this bot. It is `me` itself if
    nothing runs."""
    if me.wallet is None:
        return me
    subscriptions = tuple(
        _cancelling(each, now, me.wallet.subscriptions) if bot in (None, each.bot) else each
        for each in me.wallet.subscriptions
    )
    if subscriptions == me.wallet.subscriptions:
        return me
    return with_wallet(me, msgspec.structs.replace(me.wallet, subscriptions=subscriptions), now)


def updated(me: Participant, payload: str, state: SubscriptionState, now: float) -> Participant:
    """The person after Telegram reported a change of their subscription. Returns `me` unchanged if that is no news."""
    wallet = me.wallet or Wallet()
    # The update does not say which one it is, if one invoice was paid twice. `cancelled` ends the ones that we cancel.
    known = [each for each in wallet.subscriptions if each.order == payload]
    theirs = next((each for each in known if each.state not in (S.CANCELLING, S.ENDED, state)), None)
    if theirs is None:
        return me
    return with_wallet(me, _with_subscription(wallet, msgspec.structs.replace(theirs, state=state)), now)


def cancelled(me: Participant, bot: BotId, first: ChargeId, now: float) -> Participant:
    """The person after Telegram confirmed a cancellation of ours. Returns `me` unchanged if that is no news."""
    wallet = me.wallet or Wallet()
    ours = next((each for each in wallet.subscriptions if (each.bot, each.first) == (bot, first)), None)
    if ours is None or ours.state is S.ENDED:
        return me
    return with_wallet(me, _with_subscription(wallet, msgspec.structs.replace(ours, state=S.ENDED)), now)
