"""VIP: what it gives, buying it with Telegram Stars, and help with payments.

Without plans on sale, everything is free, and `/vip` says so. The rules are in `domain.money`.
"""

from passerby.domain.entitlement import matters
from passerby.domain.money.gifts import gift_plans
from passerby.features.vip.changes import (
    ending,
    gift_receiver,
    grant_taken_back,
    refund_ordered,
    refund_refused,
    refund_reported,
    refused_receiver,
    seller_closing,
    settled,
    star_call_confirmed,
    subscription_updated,
)
from passerby.features.vip.gifts import GIFT, GIFT_BUY, GIFT_TO, gift, gift_buy, gift_to
from passerby.features.vip.shop import BUY, SHOP, answered, buy, shop, shop_again
from passerby.features.vip.support import ASK_REFUND, REFUND, ask_refund, pay_support, payment_answered, refund
from passerby.kernel.feature import Feature, HelpLine, MenuCommand
from passerby.kernel.money_event import (
    CheckoutAnswered,
    GrantTakenBack,
    PaymentAnswered,
    PaymentRefunded,
    PaymentSettled,
    RefundOrdered,
    RefundRefused,
    SellerClosing,
    StarCallConfirmed,
    SubscriptionUpdated,
    VipEnding,
)

feature = Feature(
    "vip",
    commands={"vip": shop, "gift": gift, "paysupport": pay_support},
    menu=(MenuCommand("vip", "commands.vip", 95, matters), MenuCommand("paysupport", "commands.paysupport", 124)),
    help=(
        HelpLine("vip.help", 10, matters),
        HelpLine("vip.help_gift", 20, lambda rules: bool(gift_plans(rules.plans))),
        HelpLine("vip.help_pay", 50, lambda rules: bool(rules.plans)),
    ),
    presses={
        BUY: buy,
        SHOP: shop_again,
        GIFT: gift,
        GIFT_TO: gift_to,
        GIFT_BUY: gift_buy,
        ASK_REFUND: ask_refund,
        REFUND: refund,
    },
    events={
        CheckoutAnswered: answered,
        PaymentSettled: settled,
        PaymentRefunded: refund_reported,
        RefundOrdered: refund_ordered,
        PaymentAnswered: payment_answered,
        SubscriptionUpdated: subscription_updated,
        SellerClosing: seller_closing,
        StarCallConfirmed: star_call_confirmed,
        RefundRefused: refund_refused,
        VipEnding: ending,
        GrantTakenBack: grant_taken_back,
    },
    also_load={settled: gift_receiver, refund_refused: refused_receiver},
    open_to_barred=(pay_support, ask_refund, refund),
    open_to_all=True,
)
