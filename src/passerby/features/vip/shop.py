"""`/vip`: what VIP gives, what the person has, and one button for each plan. A press sends an invoice.

The invoice comes from the bot where the person is, because only the bot that sold can refund.
"""

from passerby.dialogue.keyboards import keys_for
from passerby.domain.entitlement import all_free, is_vip, matters
from passerby.domain.money.checkout import checked, place_order, plans_for
from passerby.domain.money.promos import price_of
from passerby.domain.money.wallets import order_for
from passerby.features.vip.gifts import GIFT, can_give
from passerby.features.vip.words import SHOP as SHOP
from passerby.features.vip.words import about, language_of, title, until
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Menu, Priority, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.ids import BotId
from passerby.kernel.money import Bill, NotNow, Plan, PurchaseOrder
from passerby.kernel.money_event import CheckoutAnswered
from passerby.kernel.participant import Participant
from passerby.kernel.text import Text, text

BUY = "vip_buy"
INVITE = "invite"
"""A button of the feature `referrals`."""


def shop(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    return Decision(effects=(_offer(facts.me, event.bot, env),))


def shop_again(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    return Decision(effects=(Answer(event.query), _offer(facts.me, event.bot, env)))


def _offer(me: Participant, bot: BotId, env: Env) -> Say:
    keyboard = keys_for(me.state) if me.profile.complete and not me.sanctions else None
    if env.rules.plans and not me.profile.complete:
        return Say(me.person, _with_status(text("vip.refused_unready"), me, env))
    if not env.rules.plans:
        return Say(me.person, _with_status(text("vip.given" if matters(env.rules) else "vip.free"), me, env), keyboard)
    rows = tuple((_plan_button(plan, me, env),) for plan in plans_for(me, bot, env))
    if rows and can_give(me, bot, env):
        rows = (*rows, (Button(text("vip.gift"), GIFT),))
    if env.rules.referral_days and me.profile.complete:
        rows = (*rows, (Button(text("vip.invite"), INVITE),))
    offer = text("vip.offer_open" if all_free(env.rules) else "vip.offer")
    return Say(me.person, _with_status(offer, me, env), Menu(rows) if rows else keyboard)


def _with_status(page: Text, me: Participant, env: Env) -> Text:
    return text("vip.has", page=page, day=until(me.vip_until)) if is_vip(me, env.now) else page


def _plan_button(plan: Plan, me: Participant, env: Env) -> Button:
    called = title(plan, language_of(me))
    return Button(text("vip.plan", title=called, stars=price_of(plan, me, env.now)), BUY, plan.name)


def buy(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    plan = next((each for each in plans_for(facts.me, event.bot, env) if each.name == event.token), None)
    if plan is None:
        return Decision(effects=(Answer(event.query, text("vip.refused_gone")), _offer(facts.me, event.bot, env)))
    me, order = place_order(facts.me, plan, event.bot, env)
    changes = (me,) if me is not facts.me else ()
    return Decision(changes, (Answer(event.query), _invoice(me, order, env.rules.plans)))


def _invoice(me: Participant, order: PurchaseOrder, plans: tuple[Plan, ...]) -> Say:
    language = language_of(me)
    called, label = title(order, language, plans), text("vip.subscribe", stars=order.stars)
    bill = Bill(order.id, order.stars, called, label, order.renews)
    return Say(me.person, about(order, language, plans), bill=bill)


def answered(event: CheckoutAnswered, facts: Facts, env: Env) -> Decision:
    """After a refusal, Telegram has shown the reason. The person gets a fresh button."""
    me = facts.me
    if not event.refusal:
        if me.wallet is None or order_for(me.wallet, event.payload) is None:
            return NOTHING
        return Decision((checked(me, event.payload, env.now),))
    if me.bot is None or event.refusal in (NotNow.BARRED, NotNow.UNREADY):
        return NOTHING
    said = text("vip.refused", why=text(f"vip.refused_{event.refusal}"))
    rows = tuple((_plan_button(plan, me, env),) for plan in plans_for(me, event.bot, env))
    return Decision(effects=(Say(me.person, said, Menu(rows) if rows else None, priority=Priority.COMMAND),))
