"""Routes for a person's Stars: the balance, the payments and the subscriptions; and what Telegram or the person does
about them without the bot."""

from __future__ import annotations

from botapi_sandbox.control.request import ControlError, ControlRequest, Routes
from botapi_sandbox.world import payments, subscriptions
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.state import Payment, Subscription

MOST = 1_000_000_000


class Stars(Routes):
    def stars(self, request: ControlRequest) -> Json:
        """`{"stars", "payments": [...], "subscriptions": [...]}`: the balance, and what was paid, the newest last."""
        person = self._person(request.ids["person"])
        state = self._world.state
        return {
            "stars": person.stars,
            "payments": [_payment(each) for each in state.payments.values() if _is_paid_by(each, person.id)],
            "subscriptions": [
                _subscription(each, self._world.now())
                for each in state.subscriptions.values()
                if each.person_id == person.id
            ],
        }

    def set_stars(self, request: ControlRequest) -> Json:
        """`{"stars"}`: changes the balance."""
        person, stars = self._person(request.ids["person"]), request.need("stars", int)
        if not 0 <= stars <= MOST:
            raise ControlError(f"stars must be 0 to {MOST}")
        person.stars = stars
        self._world.changes += 1
        return {"stars": stars}

    def renew(self, request: ControlRequest) -> Json:
        """`{"subscription"}`: Telegram charges the next period now. `{"done"}`; false: there were too few Stars."""
        return {"done": subscriptions.renew(self._world, self._subscription(request))}

    def cancel(self, request: ControlRequest) -> Json:
        """`{"subscription"}`: the person cancels it in Telegram's settings. `{"done"}`."""
        return {"done": subscriptions.set_cancelled(self._world, self._subscription(request), cancelled=True)}

    def resume(self, request: ControlRequest) -> Json:
        """`{"subscription"}`: the person takes it up again. `{"done"}`; false: the bot cancelled it, or it is over."""
        return {"done": subscriptions.set_cancelled(self._world, self._subscription(request), cancelled=False)}

    def refund(self, request: ControlRequest) -> Json:
        """`{"charge"}`: Telegram gives the Stars back, and the bot did not ask for it."""
        person, charge = self._person(request.ids["person"]), request.need("charge", str)
        for each in self._world.state.payments.values():
            if each.charge_id == charge and _is_paid_by(each, person.id) and each.refunded_at is None:
                payments.refund(self._world, self._world.state.bots[each.bot_id], each)
                return {}
        raise ControlError("there is no such charge, or it is refunded", 404)

    def _subscription(self, request: ControlRequest) -> Subscription:
        person = self._person(request.ids["person"])
        found = self._world.state.subscriptions.get(request.need("subscription", str))
        if found is None or found.person_id != person.id:
            raise ControlError("there is no such subscription", 404)
        return found


def _is_paid_by(payment: Payment, person: int) -> bool:
    return payment.person_id == person and payment.charge_id is not None


def _payment(payment: Payment) -> Json:
    return {
        "charge": payment.charge_id,
        "bot": payment.bot_id,
        "title": payment.title,
        "stars": payment.amount,
        "paid_at": payment.paid_at,
        "refunded": payment.refunded_at is not None,
        "subscription": payment.subscription,
    }


def _subscription(subscription: Subscription, now: float) -> Json:
    state = "active"
    if subscription.until <= now:
        state = "over"
    elif subscription.cancelled:
        state = "cancelled by the bot" if subscription.by_bot else "cancelled"
    elif subscription.failed:
        state = "failed"
    return {
        "subscription": subscription.first_charge,
        "bot": subscription.bot_id,
        "title": subscription.title,
        "stars": subscription.amount,
        "until": subscription.until,
        "state": state,
    }
