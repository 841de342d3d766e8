"""`/gift`: VIP for the present partner, the last one or a friend. The rules are in `domain.money.gifts`."""

from passerby.domain.money.checkout import place_order, plans_for
from passerby.domain.money.gifts import gift_plans, receiver
from passerby.features.vip.words import language_of, title
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.digits import whole
from passerby.kernel.effect import Answer, Button, Effect, Menu, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.ids import BotId
from passerby.kernel.money import Bill, Plan
from passerby.kernel.participant import Chatting, Participant
from passerby.kernel.text import Text, text

GIFT = "vip_gift"
GIFT_TO = "vip_gift_to"
GIFT_BUY = "vip_gift_buy"

SHOWN_FRIENDS = 10


def _receivers(me: Participant) -> tuple[tuple[Text, str], ...]:
    """Labels and tokens of the people to whom `me` can give something."""
    found: list[tuple[Text, str]] = []
    if isinstance(me.state, Chatting):
        found.append((text("vip.gift_partner"), me.state.chat))
    elif me.last is not None:
        found.append((text("vip.gift_last"), me.last.chat))
    friends = [each for each in me.saved if each.mutual]
    for number, each in enumerate(friends[-SHOWN_FRIENDS:], 1):
        found.append((text("vip.gift_friend", who=each.nickname or str(number)), each.token))
    return tuple((label, token) for label, token in found if receiver(me, token) is not None)


def _plans(me: Participant, bot: BotId, env: Env) -> tuple[Plan, ...]:
    return gift_plans(plans_for(me, bot, env))


def can_give(me: Participant, bot: BotId, env: Env) -> bool:
    """Whether there is something to give, and somebody who may get it."""
    return bool(_plans(me, bot, env) and _receivers(me))


def gift(event: MessageReceived | ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Ask for whom."""
    me = facts.me
    answer: tuple[Effect, ...] = (Answer(event.query),) if isinstance(event, ButtonPressed) else ()
    people = _receivers(me)
    if not _plans(me, event.bot, env):
        return Decision(effects=(*answer, Say(me.person, text("vip.gift_nothing"))))
    if not people:
        return Decision(effects=(*answer, Say(me.person, text("vip.gift_nobody"))))
    rows = tuple((Button(label, GIFT_TO, token),) for label, token in people)
    return Decision(effects=(*answer, Say(me.person, text("vip.gift_whom"), Menu(rows))))


def gift_to(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Ask for how long."""
    me = facts.me
    if receiver(me, event.token) is None:
        return Decision(effects=(Answer(event.query, text("vip.gift_gone")),))
    plans = _plans(me, event.bot, env)
    rows = tuple(
        (
            Button(
                text("vip.plan", title=title(plan, language_of(me)), stars=plan.stars),
                GIFT_BUY,
                f"{event.token}.{place}",
            ),
        )
        for place, plan in enumerate(plans)
    )
    return Decision(effects=(Answer(event.query), Say(me.person, text("vip.gift_plan"), Menu(rows) if rows else None)))


def gift_buy(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Send the invoice. It says the same whatever the receiver thinks of the giver."""
    token, _, place = event.token.rpartition(".")
    whom, plans = receiver(facts.me, token), _plans(facts.me, event.bot, env)
    chosen = whole(place)
    plan = plans[chosen] if chosen is not None and chosen < len(plans) else None
    if whom is None or plan is None:
        return Decision(effects=(Answer(event.query, text("vip.gift_gone")),))
    me, order = place_order(facts.me, plan, event.bot, env, whom)
    said = text("vip.about_gift")
    bill = Bill(
        order.id, order.stars, title(order, language_of(me), env.rules.plans), text("vip.subscribe", stars=order.stars)
    )
    return Decision((me,) if me is not facts.me else (), (Answer(event.query), Say(me.person, said, bill=bill)))
