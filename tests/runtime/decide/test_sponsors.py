"""The people who should see the sponsor's channel: how long an answer lasts, and when nobody is asked."""

import pytest

from passerby.kernel.event import ChannelJoined, ChannelLeft, Refusal
from passerby.kernel.participant import Participant
from passerby.kernel.rules import Sponsor
from passerby.ports.telegram import FloodWait, Refused, TelegramError
from passerby.runtime.decide.sponsors import MEMBER_S, REST_S, SUGGESTED_S, Sponsors
from tests.adapters.botapi.bot_api import Memory
from tests.runtime.virtual import VirtualClock, run
from tests.runtime.world import ANN, BEN, BOT, OTHER_BOT, ScriptedTelegram

LINK = "https://t.me/harbour"
ANNA, BENN = Participant(ANN), Participant(BEN)


class Asked:
    def __init__(self, *, required: bool = True, channel: str = "@harbour") -> None:
        self.clock = VirtualClock()
        self.telegram = ScriptedTelegram(self.clock)
        self.sponsor: Sponsor | None = Sponsor(channel, LINK, required)
        self.sponsors = Sponsors(self.telegram, Memory(), BOT, lambda: self.sponsor, self.clock)


def test_a_member_is_looked_at_once_a_day_and_others_at_each_search() -> None:
    async def scene() -> None:
        on = Asked()
        on.telegram.members = {ANN}
        for _ in range(3):
            assert not await on.sponsors.is_shown(ANNA)
            assert await on.sponsors.is_shown(BENN)
        assert on.telegram.asked == [ANN, BEN, BEN, BEN]
        await on.clock.sleep(MEMBER_S + 1)
        on.telegram.members.clear()
        assert await on.sponsors.is_shown(ANNA)

    run(scene())


def test_a_suggestion_comes_once_a_week() -> None:
    async def scene() -> None:
        on = Asked(required=False)
        assert [await on.sponsors.is_shown(ANNA) for _ in range(3)] == [True, False, False]
        await on.clock.sleep(SUGGESTED_S + 1)
        assert await on.sponsors.is_shown(ANNA)
        on.telegram.members = {BEN}
        assert not await on.sponsors.is_shown(BENN)

    run(scene())


@pytest.mark.parametrize("channel", ["@Harbour", "-1001"])
def test_the_channels_word_counts_until_it_says_otherwise(channel: str) -> None:
    async def scene() -> None:
        on = Asked(channel=channel)
        await on.sponsors.note(ChannelJoined(ANN, BOT, -1002, "elsewhere"))
        await on.sponsors.note(ChannelJoined(ANN, OTHER_BOT, -1001, "harbour"))
        assert await on.sponsors.is_shown(ANNA), "another channel, or another bot, says nothing about this one"
        await on.sponsors.note(ChannelJoined(ANN, BOT, -1001, "harbour"))
        assert not await on.sponsors.is_shown(ANNA)
        await on.sponsors.note(ChannelLeft(ANN, BOT, -1001, "harbour"))
        assert await on.sponsors.is_shown(ANNA)
        on.sponsor = None
        await on.sponsors.note(ChannelJoined(ANN, BOT, -1001, "harbour"))
        assert not await on.sponsors.is_shown(ANNA), "there is no sponsor any more"

    run(scene())


@pytest.mark.parametrize(
    ("error", "rest_s"), [(Refused(Refusal.BROKEN, "member list is inaccessible"), REST_S), (FloodWait(7.0), 7.0)]
)
def test_if_it_cannot_be_known_nobody_is_held_up_and_the_next_look_comes_later(
    error: TelegramError, rest_s: float
) -> None:
    async def scene() -> None:
        on = Asked()
        on.telegram.unknown_members = error
        for _ in range(5):
            assert not await on.sponsors.is_shown(ANNA)
        assert on.telegram.asked == [ANN]
        await on.clock.sleep(rest_s + 0.1)
        on.telegram.unknown_members = None
        assert await on.sponsors.is_shown(ANNA)

    run(scene())


def test_vips_are_not_asked_to_join() -> None:
    async def scene() -> None:
        on = Asked()
        vip = Participant(ANN, vip_until=on.clock.now() + 60)
        assert not await on.sponsors.is_shown(vip)
        assert on.telegram.asked == []
        without = Sponsors(on.telegram, Memory(), None, lambda: on.sponsor, on.clock)
        assert not await without.is_shown(BENN), "without a staff bot, nobody can ask"

    run(scene())
