"""Alerts about money: each fires by its real cause, and names what is wrong."""

import asyncio

import pytest

from passerby.kernel.event import Refusal
from passerby.kernel.ids import PersonId
from passerby.kernel.money import Charge, ChargeId, StarCallKind, StarRow
from passerby.kernel.money_event import CheckoutAsked
from passerby.ports.facts import ChargeTaken, StarCallOwed
from passerby.ports.telegram import AnswerCheckout, NeverRefunded, OutgoingCall, RefundStars, Refused, Unavailable
from tests.runtime.alerting.stage import WatchedHouse, at_watch
from tests.runtime.world import ANN, BOT, OTHER_BOT, Answer
from tests.staged import staged

HOUR_S = 3600.0


@staged(at_watch)
async def test_a_payment_that_only_the_transactions_show_is_an_alert_for_an_hour(house: WatchedHouse, /) -> None:
    at = house.clock.now()
    house.telegram.rows[BOT] = [StarRow("stx1", True, at, 75, what="invoice_payment", person=ANN, payload="lost")]
    await asyncio.sleep(800)
    assert "A payment was missed" in house.heard.firing()
    house.clock.offset_s += HOUR_S
    await asyncio.sleep(100)
    assert "A payment was missed" in house.heard.over()


@pytest.mark.long
@staged(at_watch)
async def test_a_charge_that_telegram_does_not_know_is_an_alert_until_it_does(house: WatchedHouse, /) -> None:
    at = house.clock.now() - 3400.0
    forged = Charge(ChargeId("stx2"), BOT, "CODE", "order", "week", 75, at)
    await house.records.apply("test", [(1, ChargeTaken(ANN, forged, at))])
    await asyncio.sleep(150)
    assert house.heard.firing() == []
    await asyncio.sleep(700)
    assert house.heard.firing() == ["Telegram does not know a charge"]
    house.telegram.rows[BOT] = [StarRow("stx2", True, at, 75, what="invoice_payment", person=ANN)]
    await asyncio.sleep(750)
    assert house.heard.firing() == []


@pytest.mark.long
@staged(at_watch)
async def test_a_bot_whose_transactions_cannot_be_read_for_half_an_hour_is_an_alert(house: WatchedHouse, /) -> None:
    house.telegram.unread.add(OTHER_BOT)
    await asyncio.sleep(1700)
    assert house.heard.firing() == []
    await asyncio.sleep(300)
    assert house.heard.firing() == ["Payments are not compared"]
    assert f"bot {OTHER_BOT}" in "".join(house.heard.said)
    assert f"bot {BOT}" not in "".join(house.heard.said)
    house.telegram.unread.clear()
    await asyncio.sleep(300)
    assert house.heard.firing() == []


@staged(at_watch)
async def test_a_refund_that_telegram_does_not_confirm_for_a_day_is_an_alert_until_it_does(
    house: WatchedHouse, /
) -> None:
    confirms = False

    def answer(outgoing: OutgoingCall) -> Answer:
        refuses = isinstance(outgoing, RefundStars) and not confirms
        return Unavailable("no balance", uncertain=False) if refuses else None

    house.telegram.answer = answer
    owed_at = house.clock.now() - 23.9 * HOUR_S
    owed = StarCallOwed(ANN, StarCallKind.REFUND, BOT, ChargeId("stx3"), "", owed_at)
    await house.records.apply("test", [(1, owed)])
    await asyncio.sleep(120)
    assert house.heard.firing() == []
    await asyncio.sleep(600)
    assert house.heard.firing() == ["A refund is not confirmed"]
    confirms = True
    await asyncio.sleep(300)
    assert house.heard.firing() == []


@staged(at_watch)
async def test_a_refund_that_telegram_refuses_for_good_is_alarmed_once_and_tried_no_more(
    house: WatchedHouse, /
) -> None:
    asked = []

    def answer(outgoing: OutgoingCall) -> Answer:
        if not isinstance(outgoing, RefundStars):
            return None
        asked.append(outgoing.charge)
        if outgoing.charge == "stx4":
            return NeverRefunded(Refusal.BROKEN, "400 CHARGE_NOT_FOUND")
        return Refused(Refusal.BROKEN, "400 BALANCE_TOO_LOW")

    house.telegram.answer = answer
    owed_at = house.clock.now()
    debts = [StarCallOwed(ANN, StarCallKind.REFUND, BOT, ChargeId(each), "", owed_at) for each in ("stx4", "stx5")]
    await house.records.apply("test", list(enumerate(debts, 1)))
    await asyncio.sleep(500)
    assert house.heard.firing() == [], "a payment that is seconds old may not be known yet"
    await asyncio.sleep(400)
    assert house.heard.firing() == ["Telegram refuses a refund"]
    known, poor = asked.count("stx4"), asked.count("stx5")
    await asyncio.sleep(3500)
    assert asked.count("stx4") == known, "it is owed no more"
    assert poor < asked.count("stx5") < poor + 20, "a bot may get Stars, so this one is tried, but less often"
    assert "Telegram refuses a refund" in house.heard.over()
    assert sum("Telegram refuses a refund" in each for each in house.heard.said) == 1, "one message"


@staged(at_watch)
async def test_a_checkout_whose_answer_takes_more_than_five_seconds_is_an_alert(house: WatchedHouse, /) -> None:
    await asyncio.sleep(30)
    house.happens(CheckoutAsked(PersonId(9), BOT, "q1", "nothing", 75))
    await asyncio.sleep(60)
    assert house.heard.firing() == []

    async def slowly(outgoing: OutgoingCall) -> Answer:
        if isinstance(outgoing, AnswerCheckout):
            await asyncio.sleep(6)
        return None

    house.telegram.answer = slowly
    house.happens(CheckoutAsked(PersonId(9), BOT, "q2", "nothing", 75))
    await asyncio.sleep(60)
    assert house.heard.firing() == ["Checkouts are answered late"]
    await asyncio.sleep(900)
    assert house.heard.firing() == []
