"""Turns Telegram's news about payments into events."""

from passerby.adapters.botapi import wire
from passerby.kernel.event import Event, Unusable
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import ChargeId, Payment, SubscriptionState
from passerby.kernel.money_event import CheckoutAsked, PaymentRefunded, PaymentSettled, SubscriptionUpdated

STARS = "XTR"


def in_message(message: wire.UsualMessage, bot: BotId) -> Event | None:
    """The payment or refund that a service message tells of; None if it tells of none. It comes from Telegram, whoever
    sent it."""
    person, paid, refunded = PersonId(message.chat.id), message.successful_payment, message.refunded_payment
    if paid is not None:
        payment = Payment(
            ChargeId(paid.telegram_payment_charge_id),
            paid.invoice_payload,
            paid.total_amount,
            float(message.date),
            paid.provider_payment_charge_id,
            paid.is_recurring,
            paid.is_first_recurring,
            float(paid.subscription_expiration_date),
        )
        return PaymentSettled(person, bot, payment)
    if refunded is not None:
        return PaymentRefunded(person, bot, ChargeId(refunded.telegram_payment_charge_id), refunded.total_amount)
    return None


def checkout(query: wire.PreCheckoutQuery, bot: BotId) -> Event:
    # No price of ours is negative, so a checkout in another currency is refused.
    stars = query.total_amount if query.currency == STARS else -1
    return CheckoutAsked(
        PersonId(query.from_.id), bot, query.id, query.invoice_payload, stars, query.from_.language_code
    )


def updated(subscription: wire.BotSubscription, bot: BotId) -> Event:
    person = PersonId(subscription.user.id)
    if subscription.state not in (SubscriptionState.ACTIVE, SubscriptionState.CANCELED, SubscriptionState.FAILED):
        return Unusable(person, bot)
    return SubscriptionUpdated(person, bot, subscription.invoice_payload, SubscriptionState(subscription.state))
