"""Handles what Telegram reports about money (paid, refunded, renewed, cancelled), and the end of VIP time."""

import msgspec

from passerby.domain.lifecycle import refresh_ticket
from passerby.domain.money.endings import is_due, told_of_end
from passerby.domain.money.gifts import delivered
from passerby.domain.money.grants import give_back, take_back
from passerby.domain.money.payments import (
    cancel_all,
    cancelled,
    charge_in,
    gift_for,
    not_refunded,
    owe_refund,
    refunded,
    refunded_early,
    take,
    updated,
)
from passerby.domain.money.trials import ends_with_trial
from passerby.domain.money.wallets import wallet_of, with_wallet
from passerby.features.vip.words import GET_VIP, until
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Priority, Say
from passerby.kernel.ids import PersonId
from passerby.kernel.money import (
    Charge,
    GrantSource,
    RefundedBy,
    RefundSeen,
    StarCallDone,
    StarCallKind,
    SubscriptionState,
    Wallet,
)
from passerby.kernel.money_event import (
    GrantTakenBack,
    PaymentRefunded,
    PaymentSettled,
    RefundOrdered,
    RefundRefused,
    SellerClosing,
    StarCallConfirmed,
    SubscriptionUpdated,
    VipEnding,
)
from passerby.kernel.participant import Participant
from passerby.kernel.text import text


def settled(event: PaymentSettled, facts: Facts, env: Env) -> Decision:
    """The charge, what it grants, the notice and the update's done mark are one commit."""
    before = facts.me
    if before.bot is None:
        # They paid in this bot, so it reaches them.
        before = msgspec.structs.replace(before, bot=event.bot, bots=(event.bot, *before.bots))
    taken = take(before, event.payment, event.bot, env)
    if taken is None:
        return NOTHING
    me, charge, gift_days = taken
    if gift_days:
        return _deliver(me, charge, gift_days, facts, env)
    if charge.refunded_at:
        said = text("vip.refunded", n=charge.stars)
    elif charge.refund_owed_at:
        said = text("vip.sent_back", n=charge.stars)
    elif event.payment.recurs and not event.payment.is_first:
        said = text("vip.renewed", day=until(me.vip_until))
    else:
        said = text("vip.found" if event.payment.found else "vip.thanks", day=until(me.vip_until))
    return Decision((_searches_on(me, env),), (Say(me.person, said, priority=Priority.MATCH),))


def gift_receiver(event: PaymentSettled, facts: Facts) -> tuple[PersonId, ...]:
    whom = gift_for(facts.me, event.payment)
    return (whom,) if whom is not None else ()


def _deliver(me: Participant, charge: Charge, days: float, facts: Facts, env: Env) -> Decision:
    """The payment, the receiver's VIP time and both notices are one commit. Or else the refund is owed."""
    known = (*facts.others, *((facts.partner,) if facts.partner is not None else ()))
    them = next((each for each in known if each.person == charge.gift_to), None)
    giver, *receivers = delivered(me, charge, them, days, env)
    if not receivers:
        said = Say(me.person, text("vip.gift_back", n=charge.stars), priority=Priority.MATCH)
        return Decision((giver,), (said,))
    (happy,) = receivers
    told = Say(happy.person, text("vip.gift_got", day=until(happy.vip_until)), priority=Priority.SYSTEM)
    sent = Say(me.person, text("vip.gift_sent"), priority=Priority.MATCH)
    return Decision((giver, _searches_on(happy, env)), (sent, told))


_OVER = {GrantSource.GIFT: "vip.gift_over", GrantSource.REFERRAL: "vip.referral_over"}


def grant_taken_back(event: GrantTakenBack, facts: Facts, env: Env) -> Decision:
    """The Stars went back, so what was left of the VIP time ends: that of a gift, or of a sale that was found late."""
    me = take_back(facts.me, event.grant, env.now)
    if me is facts.me:
        return NOTHING
    wallet = wallet_of(me, env.now)
    source = next((each.source for each in wallet.grants if each.code == event.grant), GrantSource.CHARGE)
    said = text(_OVER.get(source, "vip.ended"))
    me = told_of_end(me, env.now)  # this is the news about its end, too
    return Decision((_searches_on(me, env),), (Say(me.person, said, priority=Priority.SYSTEM),))


def _searches_on(me: Participant, env: Env) -> Participant:
    """A search that is under way counts with what the person may wish now."""
    return refresh_ticket(me, env)


def refund_reported(event: PaymentRefunded, facts: Facts, env: Env) -> Decision:
    """Telegram gave Stars back: because we asked it to, or without us."""
    found = refunded(facts.me, event.bot, event.charge, env.now)
    if found is None:
        wallet = facts.me.wallet or Wallet()
        if any((each.bot, each.id) == (event.bot, event.charge) for each in wallet.charges):
            return NOTHING
        if any((each.bot, each.charge) == (event.bot, event.charge) for each in wallet.early_refunds):
            return NOTHING
        me = refunded_early(facts.me, event.bot, event.charge, env.now)
        changed = (me,) if me is not facts.me else ()
        return Decision(changed, ledger=(RefundSeen(event.bot, event.charge, event.stars),))
    me, charge = found
    return Decision((_searches_on(me, env),), (Say(me.person, text("vip.refunded", n=charge.stars)),))


def refund_ordered(event: RefundOrdered, facts: Facts, env: Env) -> Decision:
    """Staff give a charge back. The wallet may not have it any more."""
    me = owe_refund(facts.me, event.charge, RefundedBy.STAFF, env.now)
    if me is facts.me:
        return NOTHING
    return Decision((_searches_on(me, env),), (Say(me.person, text("vip.refund_owed", n=event.charge.stars)),))


def star_call_confirmed(event: StarCallConfirmed, facts: Facts, env: Env) -> Decision:
    """A refund or a cancellation is through. It is closed even if the person was erased in the meantime."""
    done = (StarCallDone(event.kind, event.bot, event.charge),)
    if event.kind is StarCallKind.CANCEL:
        changed = cancelled(facts.me, event.bot, event.charge, env.now)
        return Decision((changed,) if changed is not facts.me else (), ledger=done)
    found = refunded(facts.me, event.bot, event.charge, env.now)
    if found is None:
        return Decision(ledger=done)
    me, charge = found
    return Decision((me,), (Say(me.person, text("vip.refunded", n=charge.stars)),), ledger=done)


def refund_refused(event: RefundRefused, facts: Facts, env: Env) -> Decision:
    """Nobody owes the refund any more. The VIP time that ended by it counts again, a gift's too."""
    done = (StarCallDone(StarCallKind.REFUND, event.bot, event.charge),)
    found = not_refunded(facts.me, event.bot, event.charge, env.now)
    if found is None:
        return Decision(ledger=done)
    me, charge = found
    said = Say(me.person, text("vip.refund_refused", code=charge.code, stars=charge.stars))
    others = (*facts.others, *((facts.partner,) if facts.partner is not None else ()))
    them = next((each for each in others if charge.gift and each.person == charge.gift_to), None)
    glad = give_back(them, charge.gift, env.now) if them is not None else None
    if glad is None or glad is them:
        return Decision((_searches_on(me, env),), (said,), ledger=done)
    told = Say(glad.person, text("vip.gift_got", day=until(glad.vip_until)), priority=Priority.SYSTEM)
    return Decision((_searches_on(me, env), _searches_on(glad, env)), (said, told), ledger=done)


def refused_receiver(event: RefundRefused, facts: Facts) -> tuple[PersonId, ...]:
    charge = charge_in(facts.me.wallet, event.bot, event.charge)
    return (charge.gift_to,) if charge is not None and charge.gift and charge.gift_to else ()


_NEWS = {
    SubscriptionState.CANCELED: "vip.sub_canceled",
    SubscriptionState.FAILED: "vip.sub_failed",
    SubscriptionState.ACTIVE: "vip.sub_active",
}


def subscription_updated(event: SubscriptionUpdated, facts: Facts, env: Env) -> Decision:
    """One message for each change that the person or Telegram made. Our own cancellation needs none."""
    me = updated(facts.me, event.payload, event.state, env.now)
    if me is facts.me:
        return NOTHING
    before, after = facts.me.wallet or Wallet(), me.wallet or Wallet()
    # The wallet drops what is long over: others, or this one.
    changed = next((each for each in after.subscriptions if each not in before.subscriptions), None)
    if changed is None:
        return Decision((me,))
    # Until when they are a VIP is said as `/vip` says it: with the day's grace, and with what else they have.
    day = changed.paid_until if event.state is SubscriptionState.ACTIVE else me.vip_until
    return Decision((me,), (Say(me.person, text(_NEWS[event.state], day=until(day))),))


def seller_closing(event: SellerClosing, facts: Facts, env: Env) -> Decision:
    """Nobody could cancel the subscription after the bot is gone. Paid time stays, in every other bot."""
    me = cancel_all(facts.me, env.now, event.bot)
    if me is facts.me:
        return NOTHING
    return Decision((me,), (Say(me.person, text("vip.sub_bot_closes", day=until(me.vip_until))),))


def ending(event: VipEnding, facts: Facts, env: Env) -> Decision:
    me = facts.me
    if not is_due(me, env.now):
        return NOTHING
    wallet = wallet_of(me, env.now)
    if me.vip_until <= env.now:
        wallet = msgspec.structs.replace(wallet, told_until=me.vip_until, told_end=me.vip_until)
        said = text("vip.trial_ended" if ends_with_trial(wallet) else "vip.ended")
    else:
        wallet = msgspec.structs.replace(wallet, told_until=me.vip_until)
        said = text("vip.ends_soon", day=until(me.vip_until))
    changed = with_wallet(me, wallet, env.now)
    keyboard = GET_VIP if env.rules.plans else None
    return Decision((_searches_on(changed, env),), (Say(me.person, said, keyboard, priority=Priority.SYSTEM),))
