"""Orders, the charges that Telegram took for them, and the VIP time that follows.

Stars are whole numbers. Times are in Unix seconds, UTC. `domain.money` has the rules.
"""

from enum import StrEnum
from typing import Final, NewType

import msgspec

from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.promo import Discount
from passerby.kernel.text import Text

PurchaseId = NewType("PurchaseId", str)
"""The id of a purchase order, and the payload of its invoice. Random, so it says nothing about anybody."""

ChargeId = NewType("ChargeId", str)
"""Telegram's `telegram_payment_charge_id`. Unique together with the bot."""

SUBSCRIPTION_S = 2_592_000
"""The only period that Telegram allows (source: Bot API, createInvoiceLink)."""


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something on sale. `renews`: a subscription that Telegram charges again every 30 days. `bots`: only these sell
    it; empty means all. `titles`, `abouts`: the operator's words, by language."""

    name: str
    days: int
    stars: int
    renews: bool = False
    bots: tuple[BotId, ...] = ()
    titles: tuple[tuple[str, str], ...] = ()
    abouts: tuple[tuple[str, str], ...] = ()


ERASED_RECEIVER: Final = PersonId(-1)
"""Stands for a gift's receiver who was erased before it was paid. Nobody gets it, and the giver's Stars go back."""


class PurchaseOrder(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A purchase that a person wants to make, at the price of that time. After `expires_at` it cannot be paid any more.

    `checked_at`: when a checkout for it was last approved. 0: never. `promo` is the promo code that lowered the price.
    `gift_to`: who gets the VIP time; 0: the buyer; ERASED_RECEIVER: somebody who was erased.
    """

    id: PurchaseId
    plan: str
    days: int
    stars: int
    bot: BotId
    made_at: float
    expires_at: float
    renews: bool = False
    checked_at: float = 0.0
    promo: str = ""
    gift_to: PersonId = PersonId(0)


class Payment(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A payment as Telegram reports it. `paid_until` is the end of a subscription's period; 0 for a single payment.

    `found`: an update never brought it; the bot's transactions show it. Then `plan` and `days` are what the records
    know about its order, if they know it. `refunded`: they also show its refund.
    """

    charge: ChargeId
    payload: str
    stars: int
    paid_at: float
    provider_charge: str = ""
    recurs: bool = False
    is_first: bool = False
    paid_until: float = 0.0
    found: bool = False
    plan: str = ""
    days: int = 0
    refunded: bool = False
    gift_to: PersonId = PersonId(0)


class RefundedBy(StrEnum):
    """The side that wanted a refund."""

    BUYER = "buyer"
    STAFF = "staff"
    RULE = "rule"
    """Ours: what was paid for could not be given."""
    TELEGRAM = "telegram"
    """It came without our call."""


class Charge(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Stars that Telegram took. `code` is what the buyer and the staff call it.

    `first` is the first charge of the subscription that it belongs to; empty: none.

    `gift`: it is for somebody else, whose VIP grant has this code. `gift_to` is who; 0: they were erased.

    `refund_owed_at`: a refund was decided, and `refunded_by` says by whom. `refunded_at`: Telegram has confirmed it.
    `refund_refused_at`: Telegram will never make that refund, so it is owed no more. 0 means never.
    """

    id: ChargeId
    bot: BotId
    code: str
    order: str
    plan: str
    stars: int
    paid_at: float
    provider_id: str = ""
    first: str = ""
    found: bool = False
    refund_owed_at: float = 0.0
    refunded_by: RefundedBy | None = None
    refunded_at: float = 0.0
    gift_to: PersonId = PersonId(0)
    gift: str = ""
    refund_refused_at: float = 0.0


class GrantSource(StrEnum):
    CHARGE = "charge"
    EARLIER = "earlier"
    """VIP time from before this ledger, for example from an import."""
    STAFF = "staff"
    TRIAL = "trial"
    PROMO = "promo"
    GIFT = "gift"
    REFERRAL = "referral"


class VipGrant(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """VIP time. `code` is that of its charge, or a random one.

    With `until`, it lasts exactly from `since` until then (a subscription). Otherwise it is `lasts_s` long, and fills
    the time from `since` on that no other grant covers. `lost_s`: how much of it was taken back.
    """

    code: str
    source: GrantSource
    since: float
    lasts_s: float = 0.0
    until: float = 0.0
    lost_s: float = 0.0


class SubscriptionState(StrEnum):
    """Telegram's words, and two of our own.

    A person can take up a subscription again that they cancelled themselves. After a cancellation of ours, they cannot.
    """

    ACTIVE = "active"
    CANCELED = "canceled"
    FAILED = "failed"
    CANCELLING = "cancelling"
    """We owe them a cancellation."""
    ENDED = "ended"
    """We cancelled it."""


MAY_BE_CHARGED = (SubscriptionState.ACTIVE, SubscriptionState.CANCELED, SubscriptionState.FAILED)
"""Until we cancel it: the person could take it up again."""


class Subscription(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A subscription that Telegram renews. `order` is its payload, which every renewal repeats.

    `first` and `first_provider` are the ids of its first charge: one of them cancels it.
    """

    order: str
    bot: BotId
    plan: str
    stars: int
    first: ChargeId
    first_provider: str
    paid_until: float
    state: SubscriptionState = SubscriptionState.ACTIVE


class EarlyRefund(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A refund that was reported before its payment, at `at`. The payment will give nothing."""

    bot: BotId
    charge: ChargeId
    at: float


class OpenCase(msgspec.Struct, frozen=True, gc=False):
    """A question of the person's about payments that staff have not answered. `code` is what both call it. `parts`:
    how many messages it has; `length`: how many characters in all."""

    code: str
    at: float
    parts: int = 1
    length: int = 0


class Wallet(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything about money that decisions about one person look at. The newest entries are last.

    - `filtered_at`: when a filter that needs VIP was last used. `refunded_at`: the last refund of the buyer's own.
    - `discount` is for their first purchase. `tries`: when they lately tried promo codes that do not exist.
    - `case`: the payment case that is open. `invite`: the referral token of their own link.
    - `codes` are the promo codes that they used and that still run, each with its end. 0: it has none.
    - `told_until`: for which end of VIP the person has been told that it is near (`told`: that it has come, too).
    """

    orders: tuple[PurchaseOrder, ...] = ()
    charges: tuple[Charge, ...] = ()
    grants: tuple[VipGrant, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    filtered_at: float = 0.0
    refunded_at: float = 0.0
    told_until: float = 0.0
    told_end: float = 0.0
    discount: Discount | None = None
    tries: tuple[float, ...] = ()
    early_refunds: tuple[EarlyRefund, ...] = ()
    case: OpenCase | None = None
    invite: str = ""
    codes: tuple[tuple[str, float], ...] = ()


class NotNow(StrEnum):
    """Why an invoice cannot be paid. There is a text for each (`vip.refused_...`)."""

    UNKNOWN = "unknown"
    """It is somebody else's, or too old to be known."""
    PAID = "paid"
    EXPIRED = "expired"
    PRICE = "price"
    GONE = "gone"
    """The plan is not sold any more, or not here."""
    SUBSCRIBED = "subscribed"
    BARRED = "barred"
    UNREADY = "unready"
    """They have not answered the first questions, or said that they are too young."""
    LATER = "later"
    """We could not look."""


class Bill(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Makes a notice an invoice: its text is the description. `renews`: for a subscription.

    `label` is on the button of a subscription, which is a link.
    """

    payload: PurchaseId
    stars: int
    title: Text
    label: Text
    renews: bool = False


class StarCallKind(StrEnum):
    """A debt to a person: we owe them their Stars back, or the end of further charges."""

    REFUND = "refund"
    CANCEL = "cancel"


class StarCallDone(msgspec.Struct, frozen=True, gc=False):
    """A Stars call that Telegram has confirmed. `charge` is its charge: the first one of a subscription."""

    kind: StarCallKind
    bot: BotId
    charge: ChargeId


class RefundSeen(msgspec.Struct, frozen=True, gc=False):
    """Telegram refunded a charge that the person's wallet no longer has."""

    bot: BotId
    charge: ChargeId
    stars: int


class StarRow(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One row of a bot's Star transactions. The bot gets (`incoming`) or gives `stars` and `nanostars`.

    `kind` is Telegram's type of the other side ("user", "fragment" …). A refund has the id of its sale, and the other
    direction. `person` and `payload` are set for payments. `affiliate` is what an affiliate got, in whole Stars.
    """

    id: str
    incoming: bool
    at: float
    stars: int
    nanostars: int = 0
    kind: str = "user"
    what: str = ""
    person: int = 0
    payload: str = ""
    period_s: int = 0
    affiliate: int = 0
    affiliate_nano: int = 0
