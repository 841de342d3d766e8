"""The Bot API's methods about Stars: invoices, checkouts, refunds, subscriptions, transactions."""

from typing import Any

import msgspec
from msgspec import Struct

from passerby.adapters.botapi.answers import NO_REFUND
from passerby.adapters.botapi.client import DONE, SENT, Answer, Client, encode
from passerby.adapters.botapi.errors import Meaning, Rejected
from passerby.adapters.botapi.parts import with_less
from passerby.kernel.content import Whole
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, MessageId
from passerby.kernel.money import SUBSCRIPTION_S, StarRow
from passerby.ports.telegram import AnswerCheckout, CancelSubscription, NeverRefunded, RefundStars, SendInvoice

_LINK: msgspec.json.Decoder[Answer[str]] = msgspec.json.Decoder(Answer[str])


class _User(Struct, gc=False):
    id: Whole


class _Affiliate(Struct, gc=False):
    amount: Whole = 0
    nanostar_amount: Whole = 0


class _Partner(Struct, gc=False):
    type: str
    transaction_type: str = ""
    user: _User | None = None
    invoice_payload: str = ""
    subscription_period: Whole = 0
    affiliate: _Affiliate | None = None


class _Transaction(Struct, gc=False):
    id: str
    amount: Whole
    date: Whole
    nanostar_amount: Whole = 0
    source: _Partner | None = None
    receiver: _Partner | None = None


class _Transactions(Struct, gc=False):
    transactions: tuple[_Transaction, ...]


_TRANSACTIONS: msgspec.json.Decoder[Answer[_Transactions]] = msgspec.json.Decoder(Answer[_Transactions])


class StarCalls:
    """Raises, from every method: TelegramError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def invoice(self, invoice: SendInvoice) -> tuple[MessageId, ...]:
        """Send an invoice; for a subscription, a message with a link to it. Both are one visible message."""
        bill: dict[str, Any] = {
            "title": invoice.title,
            "description": invoice.description,
            "payload": invoice.payload,
            "provider_token": "",
            "currency": "XTR",
            # Whole Stars, and exactly one price (source: Bot API, sendInvoice).
            "prices": [{"label": invoice.title, "amount": invoice.stars}],
        }
        message: dict[str, Any] = {"chat_id": invoice.person}
        if invoice.thread is not None:
            message["message_thread_id"] = invoice.thread
        if not invoice.renews:
            return await self._send(invoice.bot, "sendInvoice", message | bill)
        bill["subscription_period"] = SUBSCRIPTION_S
        link = await self._client.call(invoice.bot, "createInvoiceLink", encode(bill), _LINK)
        message |= {
            "text": f"{invoice.title}\n\n{invoice.description}",
            "reply_markup": {"inline_keyboard": [[{"text": invoice.label, "url": link}]]},
        }
        return await self._send(invoice.bot, "sendMessage", message)

    async def _send(self, bot: BotId, method: str, members: dict[str, Any]) -> tuple[MessageId, ...]:
        async def attempt(members: Any) -> tuple[MessageId, ...]:
            sent = await self._client.call(bot, method, encode(members), SENT, sends=True)
            return (MessageId(sent.message_id),)

        return await with_less(attempt, members)

    async def answer_checkout(self, answer: AnswerCheckout) -> tuple[MessageId, ...]:
        members: dict[str, Any] = {"pre_checkout_query_id": answer.query, "ok": not answer.refusal}
        if answer.refusal:
            members["error_message"] = answer.refusal
        await self._unless_so(answer.bot, "answerPreCheckoutQuery", members)
        return ()

    async def refund(self, refund: RefundStars) -> tuple[MessageId, ...]:
        members = {"user_id": refund.person, "telegram_payment_charge_id": refund.charge}
        try:
            await self._unless_so(refund.bot, "refundStarPayment", members)
        except Rejected as rejected:
            if any(each in rejected.detail.lower() for each in NO_REFUND):
                raise NeverRefunded(rejected.refusal, rejected.detail) from None
            raise
        return ()

    async def cancel(self, cancel: CancelSubscription) -> tuple[MessageId, ...]:
        members = {"user_id": cancel.person, "telegram_payment_charge_id": cancel.charge, "is_canceled": True}
        try:
            await self._unless_so(cancel.bot, "editUserStarSubscription", members)
        except Rejected as rejected:
            if rejected.refusal is not Refusal.BROKEN or not cancel.provider_charge:
                raise
            members["telegram_payment_charge_id"] = cancel.provider_charge
            await self._unless_so(cancel.bot, "editUserStarSubscription", members)
        return ()

    async def rows(self, bot: BotId, offset: int, limit: int) -> list[StarRow]:
        answer = await self._client.call(
            bot, "getStarTransactions", encode({"offset": offset, "limit": limit}), _TRANSACTIONS
        )
        return [_row(each) for each in answer.transactions]

    async def _unless_so(self, bot: BotId, method: str, members: dict[str, Any]) -> None:
        try:
            await self._client.call(bot, method, encode(members), DONE)
        except Rejected as rejected:
            if rejected.meaning is not Meaning.ALREADY_SO:
                raise


def _row(transaction: _Transaction) -> StarRow:
    partner = transaction.source or transaction.receiver or _Partner("other")
    affiliate = partner.affiliate or _Affiliate()
    return StarRow(
        transaction.id,
        transaction.source is not None,
        float(transaction.date),
        transaction.amount,
        transaction.nanostar_amount,
        partner.type,
        partner.transaction_type,
        partner.user.id if partner.user is not None else 0,
        partner.invoice_payload,
        partner.subscription_period,
        affiliate.amount,
        affiliate.nanostar_amount,
    )
