"""Events about payments, VIP time and referrals. They are part of `passerby.kernel.event.Event`."""

import msgspec

from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import Charge, ChargeId, Payment, StarCallKind, SubscriptionState


class CheckoutAsked(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person wants to pay an invoice, and waits. It is answered outside the queues, within ten seconds."""

    person: PersonId
    bot: BotId
    query: str
    payload: str
    stars: int
    language: str = ""


class CheckoutAnswered(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A checkout was answered. `refusal` is one of `domain.money.checkout.NotNow`; empty: approved."""

    person: PersonId
    bot: BotId
    payload: str
    refusal: str = ""


class PaymentSettled(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Telegram took Stars from a person, for this bot."""

    person: PersonId
    bot: BotId
    payment: Payment


class PaymentRefunded(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Telegram gave the Stars of a charge back, whoever asked for it."""

    person: PersonId
    bot: BotId
    charge: ChargeId
    stars: int


class RefundOrdered(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Staff decided to give a charge back."""

    person: PersonId
    bot: BotId
    charge: Charge


class PaymentAnswered(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Staff answered a payment case."""

    person: PersonId
    bot: BotId
    case: str
    words: str


class ReferralGiven(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Somebody gets VIP days for a referral. `for_friend`: because they were invited."""

    person: PersonId
    bot: BotId
    grant: str
    for_friend: bool


class SubscriptionUpdated(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A subscription was cancelled or taken up again by the person, or its renewal failed."""

    person: PersonId
    bot: BotId
    payload: str
    state: SubscriptionState


class SellerClosing(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The bot that a person subscribed in closes. Only that bot can cancel the subscription."""

    person: PersonId
    bot: BotId


class StarCallConfirmed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Telegram confirmed a refund or a cancellation that we owed. `charge` is its charge: the first of a
    subscription."""

    person: PersonId
    bot: BotId
    kind: StarCallKind
    charge: ChargeId


class RefundRefused(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Telegram will never make a refund that we owed."""

    person: PersonId
    bot: BotId
    charge: ChargeId


class VipEnding(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The VIP time of a person ends within a day, or has ended."""

    person: PersonId
    bot: BotId


class GrantTakenBack(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The Stars for somebody's VIP time went back, but they still have the time: it was a gift, or the refund was known
    before the sale. `grant` is the code of the VIP grant."""

    person: PersonId
    bot: BotId
    grant: str
