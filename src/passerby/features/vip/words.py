"""Texts and buttons that the parts of this feature share."""

from passerby.kernel.effect import Button, Menu
from passerby.kernel.money import Plan, PurchaseOrder
from passerby.kernel.participant import Participant
from passerby.kernel.text import Text, day, text

SHOP = "vip_shop"
GET_VIP = Menu(((Button(text("vip.get"), SHOP),),))


def title(plan: Plan | PurchaseOrder, language: str, plans: tuple[Plan, ...] = ()) -> Text:
    """Return a plan's name, in at most 32 characters. It is the invoice's title, too. `plans` have an order's plan."""
    said = _own(plan, language, plans, "titles")
    if said is not None:
        return text("vip.own", said=said)
    return text("vip.title_monthly") if plan.renews else text("vip.title_days", n=plan.days)


def about(order: PurchaseOrder, language: str, plans: tuple[Plan, ...]) -> Text:
    """Return the invoice's text about the plan."""
    said = _own(order, language, plans, "abouts")
    if said is not None:
        return text("vip.own", said=said)
    return text("vip.about_monthly") if order.renews else text("vip.about_days", n=order.days)


def _own(plan: Plan | PurchaseOrder, language: str, plans: tuple[Plan, ...], part: str) -> str | None:
    """The operator's words in this language; or else in English."""
    sold = plan if isinstance(plan, Plan) else next((each for each in plans if each.name == plan.plan), None)
    said: dict[str, str] = dict(getattr(sold, part, ()))
    return said.get(language.partition("-")[0]) or said.get("en")


def language_of(me: Participant) -> str:
    return me.profile.language or "en"


def until(at: float) -> Text:
    """The day until which VIP lasts."""
    return day(at)
