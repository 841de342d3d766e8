"""Bugs with money. Random histories (`tests/simulation/test_money.py`) compare the ledger with Telegram's."""

from typing import Final

from tests.planted.bug import Bug

MONEY: Final = (
    Bug(
        "money",
        "a charge is known by its payload, so a second payment of one invoice disappears",
        "    return next((each for each in charges if each.id == charge and each.bot == bot), None)",
        "    return next((each for each in charges if each.order == charge and each.bot == bot), None)",
    ),
    Bug(
        "money",
        "a payment is known by its order",
        "    if charge_in(wallet, bot, payment.charge) is not None:",
        "    if any(each.order == payment.payload for each in wallet.charges):",
    ),
    Bug(
        "money",
        "an update that comes again after months is another payment",
        "    if _may_be_copy(wallet, payment, env.now):",
        "    if not payment.charge:",
    ),
    Bug(
        "money",
        "a renewal adds thirty days",
        "until=payment.paid_until + GRACE_S)",
        "until=max(me.vip_until, env.now) + 30 * DAY_S)",
    ),
    Bug(
        "money",
        "the sweep is forgotten",
        "        steps = (self.sweep, self.make_calls,",
        "        steps = (self.make_calls,",
    ),
    Bug(
        "money",
        "the sweep finds sales and grants nothing",
        "            if event.person and self._is_time_for(event):",
        "            if not isinstance(event, PaymentSettled) and self._is_time_for(event):",
    ),
    Bug(
        "money",
        "VIP is granted before the charge is written, and the charge comes later or never",
        '            yield ChargeTaken(me.person, charge, now, me.journey.source if me.journey is not None else "")',
        "            pass",
    ),
    Bug(
        "money",
        "a transaction is known by its id alone, so a refund is taken for its sale",
        "        transaction.source is not None,",
        "        True,",
    ),
    Bug(
        "money",
        "a refund does not end the subscription",
        "            wallet = _with_subscription(wallet, _cancelling(each, now))",
        "            pass",
    ),
    Bug(
        "money",
        "somebody who is banned for good is charged on",
        "        sides = (cancel_all(sides[0], env.now), *sides[1:])",
        "        pass",
    ),
    Bug(
        "money",
        "two subscriptions of one invoice count as one",
        "    return (one.bot, one.first) == (other.bot, other.first)",
        "    return (one.bot, one.order) == (other.bot, other.order)",
    ),
    Bug(
        "money",
        "a refund cuts nothing",
        "    wallet = msgspec.structs.replace(wallet, grants=cut(wallet.grants, charge.code, now))",
        "    pass",
    ),
    Bug(
        "money",
        "an erased person is charged on",
        "    if me.wallet is None:\n        for each in was.subscriptions:",
        "    if False:\n        for each in was.subscriptions:",
    ),
    Bug(
        "money",
        "the refund of a gift is owed to the receiver",
        "        return (owe_refund(me, charge, RefundedBy.RULE, env.now),)",
        "        return (me, owe_refund(them or me, charge, RefundedBy.RULE, env.now))",
    ),
    Bug(
        "money",
        "a gift goes on after its Stars went back",
        "                self._put(GrantTakenBack(each.receiver, NO_BOT, each.grant))",
        "                pass",
    ),
    Bug(
        "money",
        "a block does not stop a gift",
        "    return not is_leaving and giver.person not in them.blocked and them.person not in giver.blocked",
        "    return not is_leaving",
    ),
    Bug(
        "money",
        "a promo code counts twice if its answer is lost and it is tried again",
        "    if any(each.code == code for each in wallet.grants):",
        "    if False:",
    ),
    Bug(
        "money",
        "a code whose answer was lost gives nothing any more",
        "    if redemption.days:\n        given = give(",
        "    if redemption.days:\n        given = me if env.rng.random() < 0.5 else give(",
    ),
    Bug(
        "money",
        "everybody gets a trial after each real chat, on each bot",
        "        tries = with_trial(after, env) if after is not before else after",
        "        tries = with_trial(after, env)",
    ),
    Bug(
        "money",
        "what a friend brought who was banned later stays",
        "                if is_over(value, now):",
        "                if not value.vip_until and is_over(value, now):",
    ),
    Bug(
        "money",
        "VIP days for a friend are raised once, and lost with the process",
        "        since = now - MONTH_S if self._has_looked else 0.0",
        "        since = now - EVERY_S",
    ),
    Bug(
        "money",
        "a first payment that is heard of after its renewal is a second subscription",
        "    return all(abs(at - payment.paid_at) > _CLOSE_S for at in paid_at)",
        "    return all(payment.paid_at > at + _CLOSE_S for at in paid_at)",
    ),
    Bug(
        "money",
        "a renewal is one of the first subscription with its payload, although that was paid on the same day",
        "    return all(abs(at - payment.paid_at) > _CLOSE_S for at in paid_at)",
        "    return True",
    ),
    Bug(
        "money",
        "a renewal that was found late lasts until Telegram's date, which may be over",
        "    if payment.recurs and not (payment.found and env.now > payment.paid_at + GRACE_S):",
        "    if payment.recurs:",
    ),
    Bug(
        "money",
        "a subscription that is called by a renewal is never cancelled",
        "            for charge, provider in await self._records.may_cancel(call.bot, call.person, call.charge, now):",
        "            for charge, provider in ():",
    ),
    Bug(
        "money",
        "what is bought on a worker with a slow clock begins before it was paid",
        "    since = max(env.now, payment.paid_at)",
        "    since = env.now",
    ),
    Bug(
        "money",
        "the sweep stops for as long as a clock was set back",
        "        at = self._clock.monotonic()\n        due =",
        "        at = self._clock.now()\n        due =",
    ),
    Bug(
        "money",
        "a renewal that is found in the transactions in time is a number of days",
        "    if payment.recurs and not (payment.found and env.now > payment.paid_at + GRACE_S):",
        "    if payment.recurs and not payment.found:",
    ),
    Bug(
        "money",
        "what a friend brought is taken back for some days only",
        "        given = await self._records.referrals_given(now - TAKEN_BACK_WITHIN_S)",
        "        given = await self._records.referrals_given(now - TAKEN_BACK_WITHIN_S / 8)",
    ),
    Bug(
        "money",
        "a payment whose order nobody knows buys days at the worst rate",
        '    return Bought("", max((each.days / each.stars',
        '    return Bought("", min((each.days / each.stars',
    ),
    Bug(
        "money",
        "half of a gift arrives",
        "    return me, give(them, GrantSource.GIFT, charge.gift, days, max(env.now, charge.paid_at))",
        "    return me, give(them, GrantSource.GIFT, charge.gift, days / 2, max(env.now, charge.paid_at))",
    ),
    Bug(
        "money",
        "a gift for somebody who is banned is kept",
        "not them.profile.complete or bar(them, now) is not None:",
        "not them.profile.complete:",
    ),
    Bug(
        "money",
        "VIP goes on for an hour after a refund",
        "until=min(used[-1].until, now), lasts_s=0.0)",
        "until=min(used[-1].until, now + 3600.0), lasts_s=0.0)",
    ),
    Bug(
        "money",
        "a payment of thirty days gives thirty-one",
        "GrantSource.CHARGE, since, lasts_s=bought.days * DAY_S)",
        "GrantSource.CHARGE, since, lasts_s=(bought.days + bought.days // 30) * DAY_S)",
    ),
)
