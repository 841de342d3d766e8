"""Decides which plans a person is offered, and whether an invoice may be paid now.

Anybody who sees an invoice can pay it, at any time and more than once. So everything is checked at the checkout.
"""

import msgspec

from passerby.domain.money.promos import discount_of, price_of
from passerby.domain.money.wallets import ORDER_S, new_order_id, order_for, runs, wallet_of, with_wallet
from passerby.domain.sanctions import bar
from passerby.kernel.decision import Env
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import NotNow, Plan, PurchaseOrder
from passerby.kernel.participant import Participant


def plans_for(me: Participant, bot: BotId, env: Env) -> tuple[Plan, ...]:
    """Return the plans that this person can buy in this bot. A bot that closes sells nothing: nobody could refund it
    later. Nothing is sold to people who may not chat yet either, for example because they have said that they are too
    young."""
    if bot in env.draining or not me.profile.complete:
        return ()
    subscribed = is_subscribed(me, env.now)
    return tuple(
        each for each in env.rules.plans if (not each.bots or bot in each.bots) and not (each.renews and subscribed)
    )


def is_subscribed(me: Participant, now: float) -> bool:
    """Whether a subscription runs, on any bot. Telegram would allow several at once."""
    return me.wallet is not None and any(runs(each, now) for each in me.wallet.subscriptions)


def place_order(
    me: Participant, plan: Plan, bot: BotId, env: Env, gift_to: PersonId | None = None
) -> tuple[Participant, PurchaseOrder]:
    """The person and their order for a plan. An order for the same that can still be paid is used again."""
    wallet = wallet_of(me, env.now)
    paid = {each.order for each in wallet.charges}
    discount = discount_of(me, env.now) if not gift_to else None
    stars = price_of(plan, me, env.now) if discount is not None else plan.stars
    for order in wallet.orders:
        same = order.plan == plan.name and order.bot == bot and (order.stars, order.days) == (stars, plan.days)
        same = same and order.renews == plan.renews and order.gift_to == (gift_to or 0)
        if same and env.now < order.expires_at - ORDER_S / 2 and order.id not in paid:
            return me, order
    order = PurchaseOrder(
        new_order_id(env.rng),
        plan.name,
        plan.days,
        stars,
        bot,
        env.now,
        env.now + ORDER_S,
        plan.renews,
        promo=discount.code if discount is not None and stars != plan.stars else "",
        gift_to=gift_to or PersonId(0),
    )
    return with_wallet(me, msgspec.structs.replace(wallet, orders=(*wallet.orders, order)), env.now), order


def refusal_at_checkout(me: Participant, bot: BotId, payload: str, stars: int, env: Env) -> NotNow | None:
    """Why the person cannot pay this invoice now; None if they can."""
    order = order_for(wallet_of(me, env.now), payload)
    if bar(me, env.now) is not None:
        return NotNow.BARRED
    if not me.profile.complete:
        return NotNow.UNREADY
    if order is None or order.bot != bot:
        return NotNow.UNKNOWN
    if any(each.order == order.id for each in wallet_of(me, env.now).charges):
        return NotNow.PAID
    if env.now >= order.expires_at:
        return NotNow.EXPIRED
    is_first = discount_of(me, env.now) is not None
    if stars != order.stars or (order.promo and not is_first):
        return NotNow.PRICE
    if order.renews and is_subscribed(me, env.now):
        return NotNow.SUBSCRIBED
    if bot in env.draining or not any(_is_sold(each, order) for each in env.rules.plans):
        return NotNow.GONE
    return None


def _is_sold(plan: Plan, order: PurchaseOrder) -> bool:
    """Whether this is the order's plan, and its bot still sells it. An order keeps its own price and days."""
    return plan.name == order.plan and plan.renews == order.renews and (not plan.bots or order.bot in plan.bots)


def checked(me: Participant, payload: str, now: float) -> Participant:
    """The person after a checkout was approved."""
    wallet = wallet_of(me, now)
    orders = tuple(
        msgspec.structs.replace(each, checked_at=now) if each.id == payload else each for each in wallet.orders
    )
    return with_wallet(me, msgspec.structs.replace(wallet, orders=orders), now)
