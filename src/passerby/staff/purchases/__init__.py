"""Purchases by their code: what staff see of one, and its refund.

The buyer reads the code in /paysupport, and tells it to the team. Every look is in the audit. A refund is an order: the
fleet takes the VIP time back, tells the buyer, and asks Telegram until it confirms.
"""

from passerby.kernel.staff import Agreed, Allowed, Permission, StaffFeature
from passerby.kernel.staff_requests import PurchaseAsked, RefundAsked, RefundPlanned
from passerby.staff.purchases.refunding import (
    agreed,
    choose_reason,
    planned,
    refund_asked,
    refund_pressed,
    sure_pressed,
)
from passerby.staff.purchases.view import looked_up, purchase_asked, shown_again

feature = StaffFeature(
    "purchases",
    commands={"purchase": Allowed(looked_up, Permission.MONEY)},
    presses={
        "purchase_show": Allowed(shown_again, Permission.MONEY),
        "purchase_why": Allowed(choose_reason, Permission.MONEY),
        "purchase_sure": Allowed(sure_pressed, Permission.MONEY),
        "purchase_do": Allowed(refund_pressed, Permission.MONEY),
    },
    requests={
        PurchaseAsked: Allowed(purchase_asked, Permission.MONEY),
        RefundPlanned: Allowed(planned, Permission.MONEY),
        RefundAsked: Allowed(refund_asked, Permission.MONEY),
    },
    agreed={RefundAsked: Agreed(agreed)},
)
