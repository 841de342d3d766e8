"""Telegram Stars: invoices, checkouts, payments, refunds, transactions."""

from typing import Any

import pytest

from botapi_sandbox.world.people import CannotDo
from tests.botapi_sandbox.small_world import SmallWorld, small_world

VIP = {
    "title": "VIP", "description": "A month", "payload": "order", "currency": "XTR",
    "prices": [{"label": "VIP", "amount": 50}],
}  # fmt: skip


def sell(made: SmallWorld) -> int:
    message_id: int = made.ask("sendInvoice", chat_id=made.ann, **VIP)["message_id"]
    return message_id


def asked(made: SmallWorld) -> dict[str, Any]:
    (update,) = made.updates()
    query: dict[str, Any] = update["pre_checkout_query"]
    return query


def test_a_payment_is_confirmed_by_the_bot_and_reported() -> None:
    made = small_world()
    payment = made.world.phones.pay(made.ann, made.bot.id, sell(made))
    query = asked(made)
    assert (query["invoice_payload"], query["total_amount"], query["from"]["id"]) == ("order", 50, made.ann)
    assert payment.status == "pending"
    made.ask("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    (update,) = made.updates()
    paid = update["message"]["successful_payment"]
    assert (paid["telegram_payment_charge_id"], payment.status) == (payment.charge_id, "paid")
    assert made.ask("getMyStarBalance") == {"amount": 50}


def test_a_checkout_fails_if_the_bot_does_not_answer_in_ten_seconds() -> None:
    made = small_world()
    payment = made.world.phones.pay(made.ann, made.bot.id, sell(made))
    query = payment.query_id
    made.clock.pass_by(10)
    made.world.tick()
    assert payment.status == "pending"
    due = made.world.next_due()
    assert due is not None
    made.clock.now = due
    made.world.tick()
    assert (payment.status, made.world.next_due()) == ("timeout", None)
    assert made.refusal("answerPreCheckoutQuery", pre_checkout_query_id=query, ok=True)[0] == 400
    assert made.ask("getMyStarBalance") == {"amount": 0}


def test_a_refused_checkout_needs_a_reason_and_moves_no_stars() -> None:
    made = small_world()
    payment = made.world.phones.pay(made.ann, made.bot.id, sell(made))
    query = asked(made)["id"]
    assert made.refusal("answerPreCheckoutQuery", pre_checkout_query_id=query, ok=False)[0] == 400
    made.ask("answerPreCheckoutQuery", pre_checkout_query_id=query, ok=False, error_message="sold out")
    assert (payment.status, payment.error) == ("refused", "sold out")
    assert made.updates() == []


def pay(made: SmallWorld, message_id: int) -> str:
    made.world.phones.pay(made.ann, made.bot.id, message_id)
    made.ask("answerPreCheckoutQuery", pre_checkout_query_id=asked(made)["id"], ok=True)
    (update,) = made.updates()
    charge: str = update["message"]["successful_payment"]["telegram_payment_charge_id"]
    return charge


def test_an_invoice_can_be_paid_twice_with_different_charges() -> None:
    made = small_world()
    invoice = sell(made)
    assert len({pay(made, invoice), pay(made, invoice)}) == 2


def test_only_the_same_bot_can_refund_a_charge_and_only_once() -> None:
    made = small_world()
    other = made.world.add_bot()
    charge = pay(made, sell(made))
    refund = {"user_id": made.ann, "telegram_payment_charge_id": charge}
    assert made.refusal("refundStarPayment", bot=other, **refund)[1] == "Bad Request: CHARGE_NOT_FOUND"
    made.clock.pass_by(60)
    assert made.ask("refundStarPayment", **refund)
    assert made.refusal("refundStarPayment", **refund)[1] == "Bad Request: CHARGE_ALREADY_REFUNDED"
    (update,) = made.updates()
    assert update["message"]["refunded_payment"]["telegram_payment_charge_id"] == charge
    payment, refunded = made.ask("getStarTransactions")["transactions"]
    assert payment["id"] == refunded["id"] == charge
    assert ("source" in payment, "receiver" in refunded) == (True, True)
    assert made.ask("getStarTransactions", offset=1, limit=1)["transactions"] == [refunded]


def test_a_subscription_can_be_sold_by_link() -> None:
    made = small_world()
    link = made.ask("createInvoiceLink", **VIP, subscription_period=2592000)
    made.world.phones.pay_link(made.ann, link)
    made.ask("answerPreCheckoutQuery", pre_checkout_query_id=asked(made)["id"], ok=True)
    (update,) = made.updates()
    paid = update["message"]["successful_payment"]
    assert (paid["is_recurring"], paid["is_first_recurring"]) == (True, True)
    assert paid["subscription_expiration_date"] == update["message"]["date"] + 2592000
    charge = {"user_id": made.ann, "telegram_payment_charge_id": paid["telegram_payment_charge_id"]}
    made.ask("editUserStarSubscription", **charge, is_canceled=True)
    (told,) = made.updates()
    assert told["subscription"]["state"] == "canceled"


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "EUR"},
        {"provider_token": "x"},
        {"prices": []},
        {"prices": [{"label": "a", "amount": 1}] * 2},
        {"prices": [{"label": "a", "amount": 0}]},
        {"prices": [{"label": "a", "amount": 25_001}]},
        {"payload": "ü" * 65},
        {"title": "x" * 33},
        {"need_name": True},
        {"reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "y"}]]}},
    ],
)
def test_a_wrong_invoice_is_refused(change: dict[str, Any]) -> None:
    made = small_world()
    assert made.refusal("sendInvoice", chat_id=made.ann, **{**VIP, **change})[0] == 400


def test_only_invoices_can_be_paid() -> None:
    made = small_world()
    sent = made.ask("sendMessage", chat_id=made.ann, text="x")
    with pytest.raises(CannotDo):
        made.world.phones.pay(made.ann, made.bot.id, sent["message_id"])
    with pytest.raises(CannotDo):
        made.world.phones.pay_link(made.ann, "https://t.me/$none")


def subscribed(made: SmallWorld) -> dict[str, Any]:
    """Ann subscribes. Returns the first payment."""
    made.world.phones.pay_link(made.ann, made.ask("createInvoiceLink", **VIP, subscription_period=2592000))
    made.ask("answerPreCheckoutQuery", pre_checkout_query_id=asked(made)["id"], ok=True)
    (update,) = made.updates()
    paid: dict[str, Any] = update["message"]["successful_payment"]
    return paid


def test_if_the_balance_is_too_low_the_bot_hears_nothing() -> None:
    made = small_world()
    invoice = sell(made)
    made.world.state.people[made.ann].stars = 49
    payment = made.world.phones.pay(made.ann, made.bot.id, invoice)
    assert (payment.status, made.updates()) == ("short", [])


def test_a_renewal_has_a_charge_of_its_own_and_the_old_payload_and_no_checkout() -> None:
    made = small_world()
    first = subscribed(made)
    due = made.world.next_due()
    assert due == first["subscription_expiration_date"]
    made.clock.now = float(due)
    made.world.tick()
    (update,) = made.updates()
    renewed = update["message"]["successful_payment"]
    assert renewed["telegram_payment_charge_id"] != first["telegram_payment_charge_id"]
    assert (renewed["invoice_payload"], renewed["is_recurring"]) == ("order", True)
    assert "is_first_recurring" not in renewed
    assert renewed["subscription_expiration_date"] == first["subscription_expiration_date"] + 2592000
    assert made.ask("getMyStarBalance") == {"amount": 100}
    made.world.state.people[made.ann].stars = 0
    made.clock.now = float(renewed["subscription_expiration_date"])
    made.world.tick()
    (told,) = made.updates()
    assert (told["subscription"]["state"], made.world.next_due()) == ("failed", None)


def test_a_person_can_take_up_again_what_they_cancelled_but_not_what_the_bot_cancelled() -> None:
    made = small_world()
    charge = subscribed(made)["telegram_payment_charge_id"]
    for cancelled, state in ((True, "canceled"), (False, "active")):
        made.world.phones.turn_subscription(made.ann, charge, cancelled=cancelled)
        (told,) = made.updates()
        assert told["subscription"]["state"] == state
    made.ask("editUserStarSubscription", user_id=made.ann, telegram_payment_charge_id=charge, is_canceled=True)
    with pytest.raises(CannotDo):
        made.world.phones.turn_subscription(made.ann, charge, cancelled=False)
    assert made.refusal(
        "editUserStarSubscription", user_id=made.bob, telegram_payment_charge_id=charge, is_canceled=True
    ) == (400, "Bad Request: CHARGE_NOT_FOUND")
