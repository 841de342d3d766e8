"""A bot is closed by its operator: where its people go on, and what they are told."""

import asyncio

from passerby.kernel.participant import Searching
from passerby.kernel.staff import Role
from passerby.kernel.staff_requests import DrainAsked, DrainEndAsked
from tests.scenario.matrix import over_servers
from tests.scenario.staff_stage import StaffStage, play_staff, tap

NOTICED_S = 15.0
"""By then, every process knows, and everybody who is searching or chatting has been told."""


async def close(on: StaffStage) -> None:
    assert not (await on.request(DrainAsked(on.bots[1], on.bots[0], "the_sister_bot"))).refused
    await asyncio.sleep(NOTICED_S)
    await on.quiet()


@over_servers
def test_in_a_bot_that_closes_chats_go_on_and_nobody_else_is_paired(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        ann, bob, cleo = on.ann, on.bob, on.join(on.bots[1])
        await on.introduce(ann, bob)
        cleo.write("/search")
        await on.quiet()
        await close(on)
        assert bob.told()[-1] == "closing.in_chat"
        assert cleo.told()[-1] == "closing.go_on"
        assert not any(told.startswith("closing") for told in ann.told())
        cleo.write("/search")
        ann.write("hello")
        bob.write("hi")
        await on.quiet()
        assert cleo.told()[-1] == "closing.go_on"
        assert bob.got()[-1]["text"] == "hello"
        assert ann.got()[-1]["text"] == "hi"
        cleo.bot = bob.bot = on.bots[0]
        for phone in (bob, cleo):
            phone.write("/start moved")
        await on.quiet()
        ann.write("the same chat")
        await on.quiet()
        assert bob.told()[-1] == "start.welcome_chatting"
        assert bob.got()[-1]["text"] == "the same chat"
        ann.write("/next")
        await on.quiet()
        cleo.write("/search")
        await on.quiet()
        await asyncio.sleep(1.0)
        assert cleo.told()[-1] == ann.told()[-1] == "search.found"

    play_staff(store, scene)


def test_people_are_told_once_also_over_a_restart_and_can_search_when_the_bot_is_open_again() -> None:
    async def scene(on: StaffStage) -> None:
        await on.introduce(on.ann, on.bob)
        await close(on)
        await on.restart()
        await asyncio.sleep(400.0)
        await on.quiet()
        assert on.bob.told().count("closing.in_chat") == 1
        assert not (await on.request(DrainEndAsked(on.bots[1]))).refused
        await asyncio.sleep(NOTICED_S)
        on.bob.write("/next")
        await on.quiet()
        facts = await on.store.load(on.bob.id)  # type: ignore[arg-type]
        assert facts is not None
        assert isinstance(facts.me.state, Searching)

    play_staff("memory", scene)


def test_a_search_goes_on_in_another_bot_that_the_person_has_started() -> None:
    async def scene(on: StaffStage) -> None:
        bob = on.bob
        bob.bot = on.bots[0]
        bob.write("/start")
        await on.quiet()
        bob.bot = on.bots[1]
        bob.write("/search")
        await on.quiet()
        await close(on)
        assert "closing.search_moved" in bob.told(on.bots[0])
        on.ann.write("/search")
        await on.quiet()
        await asyncio.sleep(1.0)
        assert bob.told(on.bots[0])[-1] == "search.found"

    play_staff("memory", scene)


def test_staff_close_and_retire_a_bot_in_the_staff_bot() -> None:
    async def scene(on: StaffStage) -> None:
        boss = await on.hire(Role.ADMIN)
        sister, closing = on.bots
        boss.write("/bots")
        await on.quiet()
        for press in (f"bots_one:{closing}", f"bots_close:{closing}.{sister}"):
            tap(boss, press)
            await on.quiet()
        await asyncio.sleep(NOTICED_S)
        on.bob.write("/search")
        await on.quiet()
        assert on.bob.told()[-1] == "closing.go_on"
        on.cannot_retire = "the disk is full"
        for press in ("bots_list:", f"bots_one:{closing}", f"bots_retire:{closing}", f"bots_sure:{closing}"):
            tap(boss, press)
            await on.quiet()
        assert on.retired == [closing]
        assert boss.told()[-1] == "bots.not_removed"
        assert [each.action for each in await on.staff.newest_audit(2)] == ["bots.draining", "bots.retired"]

    play_staff("memory", scene)
