"""A flood of one person stands before everybody else's updates in Telegram's queue: how soon it is out of the way."""

import asyncio
from typing import Any

import pytest

from tests.runtime.inbound.test_admission import BOUND, KINDS, POURED, REAL
from tests.runtime.test_worker import House
from tests.runtime.world import ANN, BEN, BOT, EVE, somebody, written
from tests.size import in_full
from tests.staged import in_virtual_time

POLL_S = 0.02
"""How long a poll takes, and a send."""

POLLS = POURED // 100
WITHIN_S = 2.0


def has_notice(house: House, person: Any) -> bool:
    return any(getattr(each, "person", None) == person for each in house.telegram.sent)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", in_full(["chatting", "searching", "newcomer"], 1))
@in_virtual_time
async def test_people_behind_a_flood_do_not_wait_for_it(kind: str, state: str) -> None:
    house = House(chat_budget=REAL)
    await house.app.start()
    if state == "chatting":
        await house.meet()
    elif state == "searching":
        house.records.disk.people[ANN] = somebody(ANN)
        house.happens(written(ANN, "/search"))
        await asyncio.sleep(5)
    house.telegram.latency_s = POLL_S
    for number in range(POURED):
        house.happens(KINDS[kind](2000 + number))
    house.happens(written(EVE, "/start", 10))
    polled, began = len(house.telegram.polls), house.clock.monotonic()
    while not has_notice(house, EVE):
        await asyncio.sleep(0.01)
        assert house.clock.monotonic() - began < WITHIN_S, f"{house.left} are left"
    polls = sum(bot == BOT for _, bot, _, _ in house.telegram.polls[polled:])
    assert polls <= 3 * POLLS, "hardly any poll brings nothing new"
    await asyncio.sleep(1.0)
    assert house.left == 0, "everything is confirmed"
    assert house.app.courier.pending <= BOUND + 5
    assert (await house.store.figures()).outbox <= BOUND + 5
    await house.app.abandon()


@in_virtual_time
async def test_the_partner_gets_exactly_the_accepted_messages_in_order() -> None:
    house = House(chat_budget=REAL)
    await house.app.start()
    await house.meet()
    house.telegram.sent.clear()
    for number in range(POURED):
        house.happens(KINDS["texts"](2000 + number))
    await asyncio.sleep(400)
    words = [each.contents[0].text for each in house.telegram.sent if getattr(each, "contents", None)]
    assert words == [f"text {2000 + each}" for each in range(len(words))]
    ended = [each.html for each in house.telegram.sent if getattr(each, "person", None) == ANN][-1]
    assert f"<b>{POURED - len(words)}</b>" in ended
    assert has_notice(house, BEN)
    await house.app.stop(10.0)
