"""Alerts in a running worker: each fires by its real cause, is told once, and is over when the cause is gone."""

import asyncio
from functools import partial

import pytest

from passerby.features import ALL
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.event import MessageReceived
from passerby.kernel.feature import Feature
from passerby.kernel.ids import PersonId
from passerby.ports.telegram import FloodWait, Unavailable
from passerby.runtime.alerting.channels import NotTold
from passerby.runtime.membership.tokens import REFUSED_AFTER_S
from tests.contract.live_places import Disk
from tests.runtime.alerting.stage import Heard, WatchedHouse, at_watch, clean_metrics
from tests.runtime.virtual import run
from tests.runtime.world import ANN, BEN, BOT, OTHER_BOT, somebody, written
from tests.staged import staged

DOWN = Unavailable("500", uncertain=False)


@staged(at_watch)
async def test_a_healthy_worker_says_nothing(house: WatchedHouse, /) -> None:
    house.happens(written(ANN, "/start"))
    await asyncio.sleep(600)
    assert house.heard.said == []


@staged(at_watch)
async def test_polls_that_fail_are_an_alert_until_they_work(house: WatchedHouse, /) -> None:
    await asyncio.sleep(30)
    for bot in house.telegram.bots:
        house.telegram.faults[bot].extend([DOWN] * 10)
    await asyncio.sleep(120)
    assert "Polling fails" in [*house.heard.firing(), *house.heard.over()]
    await asyncio.sleep(500)
    assert sorted(house.heard.over()) == ["A bot is not polled", "Polling fails"]
    assert house.heard.firing() == []


@staged(at_watch)
async def test_a_bot_that_nobody_can_poll_is_an_alert_after_ninety_seconds(house: WatchedHouse, /) -> None:
    await asyncio.sleep(30)
    house.telegram.faults[BOT].extend([DOWN] * 10)
    await asyncio.sleep(80)
    assert "A bot is not polled" not in house.heard.firing()
    await asyncio.sleep(60)
    assert "A bot is not polled" in house.heard.firing()
    assert f"Bot {BOT} was not polled" in "".join(house.heard.said)
    assert f"Bot {OTHER_BOT}" not in "".join(house.heard.said)
    await asyncio.sleep(300)
    assert "A bot is not polled" in house.heard.over()


@staged(at_watch)
async def test_a_lost_bot_is_an_alert_until_its_token_works_again(house: WatchedHouse, /) -> None:
    house.telegram.refuse(OTHER_BOT)
    await asyncio.sleep(REFUSED_AFTER_S + 60)
    assert "A bot is lost" in house.heard.firing()
    house.telegram.accept(OTHER_BOT)
    await asyncio.sleep(600)
    assert "A bot is lost" in house.heard.over()
    assert house.heard.firing() == []


@staged(at_watch)
async def test_messages_that_nobody_gets_are_an_alert_until_they_are_sent(house: WatchedHouse, /) -> None:
    house.telegram.answer = lambda outgoing: DOWN
    house.happens(written(ANN, "/start"))
    await asyncio.sleep(120)
    assert house.heard.firing() == ["Messages are not sent"]
    house.telegram.answer = lambda outgoing: None
    await asyncio.sleep(300)
    assert house.heard.over() == ["Messages are not sent"]


@staged(at_watch)
async def test_a_bot_that_telegram_holds_back_for_minutes_is_an_alert_until_it_ends(house: WatchedHouse, /) -> None:
    house.telegram.answer = lambda outgoing: FloodWait(400.0) if house.clock.monotonic() < 10 else None
    for person in (ANN, BEN):
        house.happens(written(person, "/start"))
    await asyncio.sleep(200)
    assert "Telegram holds a bot back" not in house.heard.firing()
    await asyncio.sleep(180)
    assert "Telegram holds a bot back" in house.heard.firing()
    await asyncio.sleep(600)
    assert "Telegram holds a bot back" in house.heard.over()


def _break(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    raise ZeroDivisionError


BROKEN = Feature("broken", commands={"broken": _break})


@staged(at_watch, house=partial(WatchedHouse, features=(*ALL, BROKEN)))
async def test_an_update_that_cannot_be_handled_is_an_alert_for_an_hour(house: WatchedHouse, /) -> None:
    house.records.disk.people[ANN] = somebody(ANN)
    house.happens(written(ANN, "/broken"))
    await asyncio.sleep(60)
    assert house.heard.firing() == ["Updates were set aside"]
    house.clock.offset_s += 3700
    await asyncio.sleep(100)
    assert "Updates were set aside" in house.heard.over()


@pytest.mark.long
@staged(at_watch)
async def test_people_who_wait_three_times_as_long_as_a_week_ago_are_an_alert(house: WatchedHouse, /) -> None:
    async def pairs(wait_s: float, first: int) -> None:
        for pair in range(11):
            people = [PersonId(first + 2 * pair + side) for side in (0, 1)]
            for person in people:
                house.records.disk.people[person] = somebody(person, bot=BOT)
                house.happens(written(person, "/search"))
                await asyncio.sleep(wait_s)
            for person in people:
                house.happens(written(person, "/stop"))
            await asyncio.sleep(5)

    await pairs(2.0, 50_000)
    house.clock.offset_s += 7 * 86_400 - 600.0  # nothing happens for most of a week
    await asyncio.sleep(600)
    await pairs(30.0, 60_000)
    await asyncio.sleep(700)
    assert "People wait long for a partner" in house.heard.firing()
    house.clock.offset_s += 2 * 3600
    await asyncio.sleep(200)
    assert "People wait long for a partner" in house.heard.over()


@staged(at_watch)
async def test_records_that_do_not_answer_are_an_alert_until_they_do(house: WatchedHouse, /) -> None:
    await asyncio.sleep(10)
    house.records.lost = True
    await asyncio.sleep(120)
    assert house.heard.firing() == ["A store does not answer"]
    assert "The records store has not answered" in house.heard.said[0]
    house.records.lost = False
    await asyncio.sleep(120)
    assert house.heard.over() == ["A store does not answer"]
    assert len(house.heard.said) == 1


def test_a_worker_that_takes_over_says_nothing_twice_and_ends_what_another_began() -> None:
    async def main() -> None:
        heard = Heard()
        first = WatchedHouse(heard)
        await first.app.start()
        first.telegram.refuse(OTHER_BOT)
        await asyncio.sleep(REFUSED_AFTER_S + 60)
        assert heard.firing().count("A bot is lost") == 1
        await asyncio.sleep(120)
        await first.app.abandon()
        second = WatchedHouse(heard, first.disk)
        second.telegram.refuse(OTHER_BOT)
        await second.app.start()
        await asyncio.sleep(REFUSED_AFTER_S + 60)
        assert heard.firing().count("A bot is lost") == 1
        second.telegram.accept(OTHER_BOT)
        await asyncio.sleep(600)
        assert heard.over().count("A bot is lost") == 1
        assert heard.firing() == []
        await second.app.stop(10.0)

    with clean_metrics():
        run(main())


def test_a_restart_of_bots_that_are_polled_is_no_alert() -> None:
    async def main() -> None:
        heard, disk = Heard(), Disk()
        for lives_s, pause_s in ((90, 1), (140, 1), (47, 1), (47, 3600), (300, 0)):
            house = WatchedHouse(heard, disk)
            await house.app.start()
            await asyncio.sleep(lives_s)
            await house.app.stop(10.0)
            await asyncio.sleep(pause_s)
        assert heard.said == []

    with clean_metrics():
        run(main())


@staged(at_watch)
async def test_a_channel_that_was_away_hears_of_the_alert_later(house: WatchedHouse, /) -> None:
    house.heard.is_away = True
    house.telegram.refuse(OTHER_BOT)
    await asyncio.sleep(REFUSED_AFTER_S + 120)
    assert house.heard.said == []
    house.heard.is_away = False
    await asyncio.sleep(60)
    assert house.heard.firing() == ["A bot is lost"]


@pytest.mark.parametrize("fault", [NotTold("it dislikes this one"), ValueError("a bug")])
@staged(at_watch)
async def test_a_channel_that_does_not_take_one_alert_hears_of_the_others(
    house: WatchedHouse, /, fault: Exception
) -> None:
    house.heard.dislikes = {"A bot is lost": fault}
    house.telegram.refuse(OTHER_BOT)
    await asyncio.sleep(REFUSED_AFTER_S + 120)
    house.telegram.faults[BOT].extend([DOWN] * 40)
    await asyncio.sleep(200)
    assert "A bot is not polled" in house.heard.firing()
    assert "A bot is lost" not in house.heard.firing()
    house.heard.dislikes = {}
    await asyncio.sleep(60)
    assert "A bot is lost" in house.heard.firing()
