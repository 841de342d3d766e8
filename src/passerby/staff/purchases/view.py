"""The view of a purchase, for staff."""

from passerby.dialogue.staff import answer, refused
from passerby.domain.commands import words_after
from passerby.kernel.decision import Env
from passerby.kernel.drain import KnownBots
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.purchase import Purchase
from passerby.kernel.staff import AuditNote, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import PurchaseAsked
from passerby.kernel.text import Text, day, text


def named(purchase: Purchase) -> str:
    """How the audit names a purchase."""
    return f"purchase {purchase.charge.code}"


def card(purchase: Purchase, fleet: KnownBots) -> Text:
    charge = purchase.charge
    return text(
        "purchases.card",
        code=charge.code,
        plan=charge.plan or "–",
        stars=charge.stars,
        day=day(charge.paid_at),
        bot=fleet.name(charge.bot),
        state=_state(purchase),
    )


def _state(purchase: Purchase) -> Text:
    charge = purchase.charge
    if charge.refunded_at:
        return text(f"purchases.refunded_{charge.refunded_by}", day=day(charge.refunded_at))
    if charge.refund_refused_at:
        return text("purchases.refund_refused")
    if charge.refund_owed_at or purchase.ordered:
        return text("purchases.owed")
    if charge.first:
        return text("purchases.paid_monthly")
    return text("purchases.paid")


def obstacle(purchase: Purchase, facts: StaffFacts) -> str | None:
    """The text key of the reason why it cannot be refunded; None if it can."""
    charge = purchase.charge
    if charge.refunded_at or charge.refund_owed_at or purchase.ordered:
        return "purchases.already"
    if charge.refund_refused_at:
        return "purchases.refund_refused"
    if not purchase.person:
        return "purchases.erased"
    if not facts.can_refund:
        return "purchases.bot_gone"
    return None


def menu(purchase: Purchase, facts: StaffFacts) -> Menu | None:
    if obstacle(purchase, facts) is not None:
        return None
    return Menu(
        ((Button(text("purchases.refund", stars=purchase.charge.stars), "purchase_why", purchase.charge.code),),)
    )


def unknown(event: object) -> StaffDecision:
    return refused(event, text("purchases.unknown_code"))


def looked_up(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/purchase CODE`"""
    if not words_after(event.text):
        return refused(event, text("purchases.how"))
    return _show(event, facts)


def shown_again(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return _show(event, facts)


def _show(event: MessageReceived | ButtonPressed, facts: StaffFacts) -> StaffDecision:
    purchase = facts.purchase
    if purchase is None:
        return unknown(event)
    shows = answer(event, card(purchase, facts.fleet), menu(purchase, facts))
    return StaffDecision(notes=(AuditNote("purchase.looked_at", named(purchase)),), effects=shows)


def purchase_asked(asked: PurchaseAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    purchase = facts.purchase
    if purchase is None:
        return unknown(asked)
    return StaffDecision(notes=(AuditNote("purchase.looked_at", named(purchase)),), reply=card(purchase, facts.fleet))
