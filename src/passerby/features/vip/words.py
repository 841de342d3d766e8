"""Texts and buttons that the parts of this feature share."""

from passerby.kernel.effect import Button, Menu
from passerby.kernel.money import Plan, PurchaseOrder
from passerby.kernel.text import Text, day, text

SHOP = "vip_shop"
GET_VIP = Menu(((Button(text("vip.get"), SHOP),),))


def title(plan: Plan | PurchaseOrder) -> Text:
    """What a plan is called, in at most 32 characters: the invoice's title, too."""
    return text("vip.title_monthly") if plan.renews else text("vip.title_days", n=plan.days)


def until(at: float) -> Text:
    """The day until which VIP lasts."""
    return day(at)
