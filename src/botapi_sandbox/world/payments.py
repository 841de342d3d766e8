"""Telegram Stars: invoices, checkouts, payments, refunds, transactions.

Anyone who sees an invoice may pay it, any number of times; each payment has its own charge id. If the bot does not
answer `pre_checkout_query` within `Switches.checkout_answer_s`, the payment fails and no Stars are moved. If the person
has too few Stars, the bot hears nothing at all.
"""

from __future__ import annotations

from botapi_sandbox.world.answers import Json, bad_request, unsupported
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.callbacks import TOO_OLD
from botapi_sandbox.world.delivery import deliver
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.state import Bot, Invoice, Payment, Subscription

MOST_STARS = 25_000
MOST_SUBSCRIPTION_STARS = 10_000
SUBSCRIPTION_S = 2_592_000
_CASH_ONLY = (
    "max_tip_amount", "suggested_tip_amounts", "need_name", "need_phone_number", "need_email", "need_shipping_address",
    "send_phone_number_to_provider", "send_email_to_provider", "is_flexible",
)  # fmt: skip


def _invoice(request: Request) -> Invoice:
    params = request.params
    if params["currency"] != "XTR":
        raise unsupported("currencies other than XTR")
    if params.get("provider_token"):
        raise bad_request("PAYMENT_PROVIDER_INVALID")
    if len(params["prices"]) != 1:
        raise bad_request("STARS_INVOICE_INVALID")
    if any(params.get(name) for name in _CASH_ONLY):
        raise bad_request("STARS_INVOICE_INVALID")
    amount = params["prices"][0]["amount"]
    period = params.get("subscription_period")
    if period is not None and period != SUBSCRIPTION_S:
        raise bad_request("SUBSCRIPTION_PERIOD_INVALID")
    if not 1 <= amount <= (MOST_STARS if period is None else MOST_SUBSCRIPTION_STARS):
        raise bad_request("CURRENCY_TOTAL_AMOUNT_INVALID")
    return Invoice(
        bot_id=request.bot.id,
        title=params["title"],
        payload=params["payload"],
        currency="XTR",
        amount=amount,
        subscription_period=period,
    )


@method("sendInvoice")
def send_invoice(request: Request) -> Json:
    """Send an invoice. If the request has no keyboard, a Pay button is added."""
    invoice = _invoice(request)
    params = request.params
    shown = {
        "title": invoice.title,
        "description": params["description"],
        "start_parameter": params.get("start_parameter", ""),
        "currency": invoice.currency,
        "total_amount": invoice.amount,
    }
    content: Json = {"invoice": shown}
    if params.get("reply_markup") is None:
        button = {"text": f"Pay ⭐️{invoice.amount}", "pay": True}
        content["reply_markup"] = {"inline_keyboard": [[button]]}
    else:
        rows = [row for row in params["reply_markup"]["inline_keyboard"] if row]
        if rows and not rows[0][0].get("pay"):
            raise bad_request("REPLY_MARKUP_BUY_EMPTY")
    message = deliver(request, content)
    request.bot.invoices[str(message["message_id"])] = invoice
    return message


@method("createInvoiceLink")
def create_invoice_link(request: Request) -> str:
    """Return a link that anyone may pay."""
    invoice = _invoice(request)
    request.refuse_unsupported("business_connection_id")
    slug = f"{request.backend.rng.getrandbits(96):024x}"
    request.bot.invoices[slug] = invoice
    return f"https://t.me/${slug}"


def begin(backend: Backend, bot: Bot, person_id: int, invoice: Invoice) -> Payment:
    """A person presses Pay: send the bot a `pre_checkout_query`."""
    payment = Payment(
        query_id=str(backend.rng.getrandbits(62)),
        bot_id=bot.id,
        person_id=person_id,
        at=backend.now(),
        title=invoice.title,
        payload=invoice.payload,
        currency=invoice.currency,
        amount=invoice.amount,
        subscription_period=invoice.subscription_period,
    )
    backend.state.payments[payment.query_id] = payment
    if backend.state.people[person_id].stars < payment.amount:
        payment.status, payment.error = "short", "BALANCE_TOO_LOW"
        return payment
    query = {
        "id": payment.query_id,
        "from": backend.state.people[person_id].user(),
        "currency": payment.currency,
        "total_amount": payment.amount,
        "invoice_payload": payment.payload,
    }
    backend.queue_update(bot, "pre_checkout_query", query, update_queue=f"payment:{person_id}", person=person_id)
    backend.changes += 1
    return payment


@method("answerPreCheckoutQuery")
def answer_pre_checkout_query(request: Request) -> bool:
    """`ok` moves the Stars and sends `successful_payment`. Otherwise the payment ends."""
    backend, params = request.backend, request.params
    payment = backend.state.payments.get(params["pre_checkout_query_id"])
    expire(backend)
    if payment is None or payment.bot_id != request.bot.id or payment.status != "pending":
        raise bad_request(TOO_OLD)
    if not params["ok"]:
        if not params.get("error_message"):
            raise bad_request("error message must be non-empty")
        payment.status, payment.error = "refused", params["error_message"]
        _tell(backend, payment)
        return True
    if backend.state.people[payment.person_id].stars < payment.amount:
        payment.status, payment.error = "short", "BALANCE_TOO_LOW"
        _tell(backend, payment)
        return True
    settle(backend, request.bot, payment)
    return True


def settle(backend: Backend, bot: Bot, payment: Payment, *, renews: Subscription | None = None) -> None:
    """Move the Stars, and tell the bot. `renews`: it is a further payment of this subscription."""
    payment.status = "paid"
    backend.state.people[payment.person_id].stars -= payment.amount
    payment.charge_id = f"stx{backend.rng.getrandbits(128):032x}"
    payment.paid_at = backend.now()
    bot.stars += payment.amount
    paid: Json = {
        "currency": payment.currency,
        "total_amount": payment.amount,
        "invoice_payload": payment.payload,
        "telegram_payment_charge_id": payment.charge_id,
        "provider_payment_charge_id": provider_id(payment.charge_id),
    }
    if payment.subscription_period is not None:
        subscription = renews or Subscription(
            first_charge=payment.charge_id,
            bot_id=bot.id,
            person_id=payment.person_id,
            title=payment.title,
            payload=payment.payload,
            amount=payment.amount,
            period=payment.subscription_period,
            until=payment.paid_at,
        )
        backend.state.subscriptions[subscription.first_charge] = subscription
        subscription.until = int(max(subscription.until, payment.paid_at)) + payment.subscription_period
        payment.subscription = subscription.first_charge
        paid["subscription_expiration_date"] = int(subscription.until)
        paid["is_recurring"] = True
        if renews is None:
            paid["is_first_recurring"] = True
    chat = backend.chat(bot, payment.person_id)
    message = backend.post(bot, chat, {"successful_payment": paid}, outgoing=True)
    backend.queue_update(
        bot,
        "message",
        message,
        update_queue=f"chat:{payment.person_id}",
        person=payment.person_id,
        message_id=message["message_id"],
    )
    _tell(backend, payment)


def provider_id(charge: str) -> str:
    """The other id of a charge."""
    return f"{charge[3:19]}_{charge[19:25]}"


def _tell(backend: Backend, payment: Payment) -> None:
    bot = backend.state.bots[payment.bot_id]
    event = {"type": "payment", "query_id": payment.query_id, "status": payment.status, "error": payment.error}
    backend.show(backend.chat(bot, payment.person_id), bot, event)
    backend.changes += 1


def expire(backend: Backend) -> None:
    """End the checkouts that the bot did not answer in time."""
    latest = backend.now() - backend.switches.checkout_answer_s
    for payment in backend.state.payments.values():
        if payment.status == "pending" and payment.at < latest:
            payment.status, payment.error = "timeout", "BOT_PRECHECKOUT_TIMEOUT"
            _tell(backend, payment)


def next_due(backend: Backend) -> float | None:
    """When the next unanswered checkout ends, in Unix seconds; None if there is none."""
    pending = [payment.at for payment in backend.state.payments.values() if payment.status == "pending"]
    return min(pending) + backend.switches.checkout_answer_s + 0.001 if pending else None


@method("refundStarPayment")
def refund_star_payment(request: Request) -> bool:
    """Refund a payment; possible once."""
    backend, params = request.backend, request.params
    charge = params["telegram_payment_charge_id"]
    payment = next((each for each in backend.state.payments.values() if each.charge_id == charge), None)
    if payment is None or payment.bot_id != request.bot.id or payment.person_id != params["user_id"]:
        raise bad_request("CHARGE_NOT_FOUND")
    if payment.refunded_at is not None:
        raise bad_request("CHARGE_ALREADY_REFUNDED")
    refund(backend, request.bot, payment)
    return True


def refund(backend: Backend, bot: Bot, payment: Payment) -> None:
    """Give the Stars back, and tell the bot. Telegram sometimes does this without being asked."""
    payment.refunded_at = backend.now()
    bot.stars -= payment.amount
    backend.state.people[payment.person_id].stars += payment.amount
    if backend.switches.refund_cancels and payment.subscription is not None:
        backend.state.subscriptions[payment.subscription].cancelled = True
    told = {
        "currency": payment.currency,
        "total_amount": payment.amount,
        "invoice_payload": payment.payload,
        "telegram_payment_charge_id": payment.charge_id,
    }
    chat = backend.chat(bot, payment.person_id)
    message = backend.post(bot, chat, {"refunded_payment": told}, outgoing=True)
    backend.queue_update(
        bot,
        "message",
        message,
        update_queue=f"chat:{payment.person_id}",
        person=payment.person_id,
        message_id=message["message_id"],
    )
    backend.changes += 1


@method("getStarTransactions")
def get_star_transactions(request: Request) -> Json:
    """Return transactions, oldest first. A refund has the id of its payment, and a receiver instead of a source."""
    backend = request.backend
    entries: list[Json] = []
    for payment in backend.state.payments.values():
        if payment.bot_id != request.bot.id or payment.charge_id is None or payment.paid_at is None:
            continue
        partner: Json = {
            "type": "user",
            "transaction_type": "invoice_payment",
            "user": backend.state.people[payment.person_id].user(),
            "invoice_payload": payment.payload,
        }
        if payment.subscription_period is not None:
            partner["subscription_period"] = payment.subscription_period
        entry: Json = {"id": payment.charge_id, "amount": payment.amount}
        entries.append({**entry, "date": payment.paid_at, "source": partner})
        if payment.refunded_at is not None:
            entries.append({**entry, "date": payment.refunded_at, "receiver": partner})
    entries.sort(key=lambda each: each["date"])
    for each in entries:
        each["date"] = int(each["date"])
    offset = max(0, request.params.get("offset", 0))
    return {"transactions": entries[offset : offset + min(100, request.params.get("limit", 100))]}


@method("getMyStarBalance")
def get_my_star_balance(request: Request) -> Json:
    """Return all payments minus all refunds."""
    return {"amount": request.bot.stars}
