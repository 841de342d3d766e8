"""Answers of Telegram about Stars: which of them end a refund, and which may change."""

import pytest

from passerby.kernel.ids import PersonId
from passerby.kernel.money import ChargeId
from passerby.ports.telegram import NeverRefunded, RefundStars, Refused
from tests.adapters.botapi.bot_api import A, fleet
from tests.adapters.botapi.stub import refusal
from tests.staged import in_a_loop

REFUND = RefundStars(A, PersonId(7), ChargeId("stx1"))


@pytest.mark.parametrize(
    ("answer", "is_final"),
    [
        ("Bad Request: CHARGE_NOT_FOUND", True),
        ("Bad Request: CHARGE_ID_INVALID", True),
        ("Bad Request: INPUT_USER_DEACTIVATED", True),
        ("Forbidden: user is deactivated", True),
        ("Bad Request: BALANCE_TOO_LOW", False),
        ("Bad Request: user not found", False),
        ("Bad Request: SOMETHING_NEW", False),
    ],
)
@in_a_loop
async def test_only_a_payment_or_a_buyer_that_is_not_there_makes_a_refund_impossible(
    answer: str, is_final: bool
) -> None:
    async with fleet() as (api, stub):
        stub.answer("refundStarPayment", refusal(400, answer))
        with pytest.raises(Refused) as caught:
            await api.send(REFUND)
        assert isinstance(caught.value, NeverRefunded) is is_final


@in_a_loop
async def test_a_refund_that_was_made_already_is_made() -> None:
    async with fleet() as (api, stub):
        stub.answer("refundStarPayment", refusal(400, "Bad Request: CHARGE_ALREADY_REFUNDED"))
        assert await api.send(REFUND) == ()
