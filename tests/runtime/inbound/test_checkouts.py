"""A checkout waits for nothing that others cause: its answer goes out at once, whatever holds everything else up."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from passerby.kernel.event import Refusal
from passerby.kernel.money import Charge, ChargeId, PurchaseId, PurchaseOrder, Wallet
from passerby.kernel.money_event import CheckoutAsked
from passerby.ports.telegram import AnswerCheckout, FloodWait, OutgoingCall, Refused, SendNotice
from tests.runtime.inbound.test_admission import KINDS, POURED, REAL
from tests.runtime.test_worker import House
from tests.runtime.world import ANN, BOT, Answer, somebody, written
from tests.staged import in_virtual_time

WITHIN_S = 2.0
"""The promise: the answer is there within two seconds. Telegram itself waits ten."""


def the_bot_is_held_by_telegram(house: House) -> None:
    """Telegram takes nothing else from the bot for a minute."""

    def answer(outgoing: OutgoingCall) -> Answer:
        return None if isinstance(outgoing, AnswerCheckout) else FloodWait(60.0)

    house.telegram.answer = answer
    for number in range(20):
        house.happens(written(ANN, "hello", 100 + number))


def a_send_of_the_buyer_hangs(house: House) -> None:
    """The buyer's earlier message is under way, and stays so."""

    async def answer(outgoing: OutgoingCall) -> Answer:
        if not isinstance(outgoing, AnswerCheckout):
            await asyncio.sleep(600)
        return None

    house.telegram.answer = answer
    for number in range(20):
        house.happens(written(ANN, "/help", 100 + number))


def the_buyers_queue_is_full(house: House) -> None:
    """The buyer has sent far more than their quota."""
    for number in range(POURED):
        house.happens(KINDS["taps"](2000 + number))


HOLDUPS: tuple[Callable[[House], None], ...] = (
    the_bot_is_held_by_telegram,
    a_send_of_the_buyer_hangs,
    the_buyers_queue_is_full,
)


@pytest.mark.parametrize("holdup", HOLDUPS, ids=lambda each: each.__name__)
@in_virtual_time
async def test_a_checkout_is_answered_within_two_seconds_whatever_else_waits(holdup: Callable[[House], None]) -> None:
    house = House(chat_budget=REAL)
    await house.app.start()
    await house.meet()
    house.telegram.latency_s = 0.02
    holdup(house)
    await asyncio.sleep(1.0)
    asked_at = house.clock.monotonic()
    house.happens(CheckoutAsked(ANN, BOT, "q1", "nothing", 75))
    await asyncio.sleep(WITHIN_S)
    answers = [at - asked_at for at, each in house.telegram.tried if isinstance(each, AnswerCheckout)]
    assert len(answers) == 1, "it is answered once, and in time"
    assert any(isinstance(each, AnswerCheckout) for each in house.telegram.sent)
    await house.app.abandon()


def bought(at: float) -> Wallet:
    order = PurchaseOrder(PurchaseId("o1"), "week", 7, 75, BOT, at, at + 86_400.0)
    return Wallet((order,), (Charge(ChargeId("c1"), BOT, "CODE", "o1", "week", 75, at),))


@pytest.mark.parametrize("is_second", [True, False])
@in_virtual_time
async def test_a_checkout_that_another_process_has_answered_is_no_refusal_when_its_payment_was_faster(
    is_second: bool,
) -> None:
    house = House()
    wallet = bought(house.clock.now())
    house.records.disk.people[ANN] = replace(somebody(ANN), wallet=wallet)
    await house.app.start()
    over = Refused(Refusal.CANNOT_COPY, "query is too old") if is_second else None
    house.telegram.answer = lambda outgoing: over if isinstance(outgoing, AnswerCheckout) else None
    house.happens(CheckoutAsked(ANN, BOT, "q1", "o1", 75))
    await asyncio.sleep(2)
    said = [each for each in house.telegram.sent if isinstance(each, SendNotice)]
    assert bool(said) != is_second, "a refusal is told, with a fresh button"
    assert house.left == 0
    await house.app.stop(10.0)
