"""The sponsor's channel with real calls: one bot asks for the whole fleet, hears who joins and leaves, and may fail."""

import asyncio

import pytest

from botapi_sandbox.world.faults import Fault
from passerby.kernel.rules import Rules, Sponsor
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.stores import SERVERS

LINK = "https://t.me/harbour_news"
on_both = pytest.mark.parametrize("store", ["memory", pytest.param(SERVERS, marks=pytest.mark.services)])


class SponsoredStage(StaffStage):
    """The staff bot is an admin of the channel."""

    required = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.channel = self.world.channels.add("Harbour", "harbour_news", (self.staff_bot,)).id
        self.rules = Rules(sponsor=Sponsor("@harbour_news", LINK, self.required))

    def looks(self) -> int:
        """How often Telegram was asked who is a member."""
        return len(self.requests("getChatMember"))


class SuggestingStage(SponsoredStage):
    required = False


@on_both
def test_a_search_waits_until_the_person_has_joined_and_then_one_look_lasts_a_day(store: str) -> None:
    async def scene(on: SponsoredStage) -> None:
        on.ann.write("/search")
        await on.quiet()
        assert on.ann.told() == ["sponsor.required"]
        on.ann.press("joined")
        await on.quiet()
        assert "search.begun" not in on.ann.told()
        on.world.channels.join(on.ann.id, on.channel)
        await on.quiet()
        looked = on.looks()
        on.ann.press("joined")
        on.bob.write("/search")
        await on.quiet()
        await asyncio.sleep(3.0)
        assert on.ann.told()[-1] == "search.begun"
        assert on.bob.told() == ["sponsor.required"], "he uses another bot, and has not joined"
        assert on.looks() == looked + 1, "the bot heard that she joined, and looked at him only"
        on.ann.write("/stop")
        await on.quiet()
        on.world.channels.leave(on.ann.id, on.channel)
        await on.quiet()
        on.ann.write("/search")
        await on.quiet()
        assert on.ann.told()[-1] == "sponsor.required", "she left, and the bot heard of it"

    play_staff(store, scene, SponsoredStage)  # type: ignore[arg-type]


def test_if_telegram_does_not_say_who_is_a_member_everybody_searches() -> None:
    async def scene(on: SponsoredStage) -> None:
        on.world.state.channels[on.channel].admins.clear()
        on.ann.write("/search")
        await on.quiet()
        on.bob.write("/search")
        await on.quiet()
        await asyncio.sleep(3.0)
        assert "sponsor.required" not in (*on.ann.told(), *on.bob.told())
        assert "search.found" in on.ann.told()
        assert on.looks() == 1, "after that, nobody waits for a while"

    play_staff("memory", scene, SponsoredStage)  # type: ignore[arg-type]


def test_an_answer_that_never_comes_holds_a_search_up_for_two_seconds_at_most() -> None:
    async def scene(on: SponsoredStage) -> None:
        on.world.faults = [Fault(kind="stall", method="getChatMember")]
        began = on.place.clock.now()
        on.ann.write("/search")
        await on.until(lambda: bool(on.ann.told()))
        assert on.ann.told() == ["search.begun"]
        assert on.place.clock.now() - began < 5.0

    play_staff("memory", scene, SponsoredStage)  # type: ignore[arg-type]


def test_a_suggested_channel_is_named_once_and_never_to_members() -> None:
    async def scene(on: SuggestingStage) -> None:
        on.world.channels.join(on.bob.id, on.channel)
        on.bob.write("/search")
        for _ in range(3):
            on.ann.write("/search")
            await on.quiet()
            on.ann.write("/stop")
            await on.quiet()
        assert on.ann.told().count("sponsor.suggested") == 1
        assert "sponsor.suggested" not in on.bob.told()

    play_staff("memory", scene, SuggestingStage)  # type: ignore[arg-type]
