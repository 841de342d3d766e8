"""Subscriptions in Stars: Telegram renews them by itself, and the bot hears of it afterwards.

A renewal is a payment with a charge id of its own and the old payload. There is no checkout for it. If the person has
too few Stars, the bot gets a `subscription` update with the state "failed", and the subscription ends.
"""

from __future__ import annotations

from botapi_sandbox.world.answers import bad_request
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.payments import provider_id, settle
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.state import Payment, Subscription


@method("editUserStarSubscription")
def edit_user_star_subscription(request: Request) -> bool:
    """Cancel a renewal, or allow the person to take it up again."""
    backend, wanted = request.backend, request.params["telegram_payment_charge_id"]
    by_provider = backend.switches.cancels_by_provider_charge
    for found in backend.state.subscriptions.values():
        name = provider_id(found.first_charge) if by_provider else found.first_charge
        if name == wanted and found.bot_id == request.bot.id and found.person_id == request.params["user_id"]:
            break
    else:
        raise bad_request("CHARGE_NOT_FOUND")
    found.by_bot = request.params["is_canceled"]
    if found.by_bot and not found.cancelled:
        found.cancelled = True
        tell(backend, found, "canceled")
    return True


def tell(backend: Backend, subscription: Subscription, state: str) -> None:
    """Send the bot a `subscription` update."""
    user = backend.state.people[subscription.person_id].user()
    update = {"user": user, "invoice_payload": subscription.payload, "state": state}
    bot = backend.state.bots[subscription.bot_id]
    backend.queue_update(bot, "subscription", update, update_queue=f"payment:{subscription.person_id}")
    backend.changes += 1


def set_cancelled(backend: Backend, subscription: Subscription, *, cancelled: bool) -> bool:
    """The person cancels it in their settings, or takes it up again. Returns whether they could."""
    if subscription.cancelled == cancelled or subscription.by_bot or subscription.until <= backend.now():
        return False
    subscription.cancelled = cancelled
    tell(backend, subscription, "canceled" if cancelled else "active")
    return True


def renew(backend: Backend, subscription: Subscription) -> bool:
    """Charge the next period now. Returns whether that worked."""
    person = backend.state.people[subscription.person_id]
    bot = backend.state.bots[subscription.bot_id]
    if person.stars < subscription.amount or (bot.revoked and not backend.switches.renews_deleted_bots):
        subscription.failed = True
        tell(backend, subscription, "failed")
        return False
    subscription.failed = False
    payment = Payment(
        query_id=str(backend.rng.getrandbits(62)),
        bot_id=bot.id,
        person_id=person.id,
        at=backend.now(),
        title=subscription.title,
        payload=subscription.payload,
        currency="XTR",
        amount=subscription.amount,
        subscription_period=subscription.period,
    )
    backend.state.payments[payment.query_id] = payment
    settle(backend, bot, payment, renews=subscription)
    return True


def _is_due(subscription: Subscription) -> bool:
    return not subscription.cancelled and not subscription.failed


def renew_due(backend: Backend) -> None:
    """Renew what is due by now."""
    if not backend.switches.renews:
        return
    for subscription in list(backend.state.subscriptions.values()):
        while _is_due(subscription) and subscription.until <= backend.now():
            if not renew(backend, subscription):
                break


def next_due(backend: Backend) -> float | None:
    """When the next subscription is due, in Unix seconds; None if none is."""
    due = [each.until for each in backend.state.subscriptions.values() if _is_due(each)]
    return min(due, default=None) if backend.switches.renews else None
