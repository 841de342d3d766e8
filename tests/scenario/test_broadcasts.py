"""Broadcasts, played by phones: written to the staff bot, previewed, sent to everybody once; kills in between."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from passerby.kernel.broadcast import BroadcastState, TargetState
from passerby.kernel.staff import Role
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.stage import Phone
from tests.scenario.stores import SERVERS
from tests.scenario.test_staff import buttons, shown, tap

on_both = pytest.mark.parametrize("store", ["memory", SERVERS])

TEXT = "The service moves on Friday."


def got(phone: Phone) -> list[str]:
    """The copies that a person got."""
    return [message["text"] for message in phone.messages().values() if message.get("text", "").startswith(TEXT)]


async def written(on: StaffStage, words: str = TEXT) -> Phone:
    """An owner who has written a broadcast, and uses a public bot, too."""
    ann = await on.hire(Role.OWNER, "Ann")
    ann.write("/broadcast")
    await on.quiet()
    tap(ann, "broadcast_new:")
    await on.quiet()
    ann.write(words)
    await on.quiet()
    return ann


async def state(on: StaffStage, number: int = 1) -> BroadcastState:
    broadcast = await on.broadcasts.broadcast(number)
    assert broadcast is not None
    return broadcast.state


async def counts(on: StaffStage, number: int = 1) -> dict[TargetState, int]:
    return (await on.broadcasts.progress(number)).counts


async def until(on: StaffStage, condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async def waiting() -> None:
        while not await condition():
            await asyncio.sleep(0.5)

    await asyncio.wait_for(waiting(), 3600.0)


async def is_ended(on: StaffStage, number: int = 1) -> None:
    async def ended() -> bool:
        return await state(on, number) is BroadcastState.ENDED

    await until(on, ended)
    await on.quiet()


@on_both
def test_a_message_to_the_staff_bot_reaches_everybody_once_and_the_end_is_reported(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        assert shown(ann)[-1].startswith("📣 Broadcast #1 · draft\nMessages: */A\n")
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        assert shown(ann)[-1].endswith("People who would get it now: 2")
        assert buttons(ann) == ["👁 Preview", "🧪 To the team", "▶️ Start", "⏹ Stop for good", "🔄 Refresh"]
        tap(ann, "broadcast_do:1.start")
        await is_ended(on)
        assert (got(on.ann), got(on.bob)) == ([TEXT], [TEXT])
        assert await counts(on) == {TargetState.SENT: 2}
        report = shown(ann)[-1].splitlines()
        assert report[:4] == ["📣 Broadcast #1 is done.", "People: 2", "Sent: 2", "Unknown (never sent again): 0"]
        calls = [each["params"] for each in on.requests("sendMessage") if each["params"].get("text") == TEXT]
        assert all(each["disable_notification"] for each in calls), "it makes no sound"

    play_staff(store, scene)


def test_a_preview_comes_through_the_bot_that_the_staff_member_uses() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        bot = on.bots[1]
        ann_there = Phone(on.world, ann.id, bot)
        ann_there.write("/start")
        await on.quiet()
        await asyncio.sleep(1.0)
        tap(ann, "broadcast_do:1.preview")
        await on.quiet()
        await is_ended(on, 2)
        assert got(ann_there) == [TEXT]
        assert (got(on.ann), got(on.bob)) == ([], [])
        assert await state(on) is BroadcastState.DRAFT

    play_staff("memory", scene)


@on_both
def test_after_a_kill_each_person_has_at_most_one_copy_and_nobody_is_forgotten(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        people = [on.join(on.bots[number % 2]) for number in range(80)]
        ann = await written(on)
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        tap(ann, "broadcast_do:1.start")

        async def some_have_it() -> bool:
            return TargetState.SENT in await counts(on)

        await until(on, some_have_it)
        await on.kill_and_start()
        await is_ended(on)
        copies = [len(got(each)) for each in (*people, on.ann, on.bob)]
        assert max(copies) == 1
        found = await counts(on)
        assert sum(found.values()) == 82
        assert set(found) <= {TargetState.SENT, TargetState.UNKNOWN}
        assert found[TargetState.SENT] <= sum(copies)

    play_staff(store, scene)


def test_people_in_a_chat_get_it_afterwards() -> None:
    async def scene(on: StaffStage) -> None:
        await on.introduce(on.ann, on.bob)
        cleo = on.join(on.bots[0])
        ann = await written(on)
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        tap(ann, "broadcast_do:1.start")
        await asyncio.sleep(300.0)
        assert (got(on.ann), got(on.bob), got(cleo)) == ([], [], [TEXT])
        on.ann.write("/stop")
        await is_ended(on)
        assert (got(on.ann), got(on.bob)) == ([TEXT], [TEXT])

    play_staff("memory", scene)


def test_whoever_turns_the_category_off_gets_the_next_one_no_more_until_they_turn_it_on() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        tap(ann, "broadcast_do:1.start")
        await is_ended(on)
        on.bob.press("mute")
        await on.quiet()
        assert on.bob.told()[-1] == "mute.done"
        ann.write("/broadcast")
        await on.quiet()
        tap(ann, "broadcast_new:")
        await on.quiet()
        ann.write(f"{TEXT} Really.")
        await on.quiet()
        tap(ann, "broadcast_do:2.show")
        await on.quiet()
        assert shown(ann)[-1].endswith("People who would get it now: 1")
        tap(ann, "broadcast_do:2.start")
        await is_ended(on, 2)
        assert (got(on.ann), got(on.bob)) == ([TEXT, f"{TEXT} Really."], [TEXT])
        on.bob.press("unmute")
        await on.quiet()
        assert on.bob.told()[-1] == "mute.undone"

    play_staff("memory", scene)


def test_a_blocked_bot_is_noted_for_that_bot_and_is_no_ban() -> None:
    async def scene(on: StaffStage) -> None:
        on.world.phones.block(on.bob.id, on.bob.bot)
        await on.quiet()
        await asyncio.sleep(1.0)
        ann = await written(on)
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        assert shown(ann)[-1].endswith("People who would get it now: 1")
        tap(ann, "broadcast_do:1.start")
        await is_ended(on)
        assert on.records_place.person(on.bob.id).sanctions == ()

    play_staff("memory", scene)


def test_a_broadcast_is_paused_resumed_and_stopped() -> None:
    async def scene(on: StaffStage) -> None:
        people = [on.join(on.bots[0]) for _ in range(400)]
        ann = await written(on)
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        tap(ann, "broadcast_do:1.start")
        await on.quiet()
        ann.write("/broadcast 1 pause")
        await on.quiet()
        await asyncio.sleep(60.0)
        before = sum(len(got(each)) for each in people)
        assert await state(on) is BroadcastState.PAUSED
        await asyncio.sleep(600.0)
        assert sum(len(got(each)) for each in people) == before < 400
        ann.write("/broadcast 1 resume")
        await on.quiet()
        assert await state(on) is BroadcastState.RUNNING
        await asyncio.sleep(2.0)
        ann.write("/broadcast 1 stop")
        await on.quiet()
        await asyncio.sleep(60.0)
        after = sum(len(got(each)) for each in people)
        assert await state(on) is BroadcastState.STOPPED
        await asyncio.sleep(600.0)
        assert before <= after == sum(len(got(each)) for each in people) < 400

    play_staff("memory", scene)


def test_a_recall_deletes_every_copy_and_a_correction_changes_it() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        tap(ann, "broadcast_do:1.start")
        await is_ended(on)
        ann.write("/broadcast 1 correct")
        await on.quiet()
        ann.write(f"{TEXT} At noon.")
        await on.quiet()
        await asyncio.sleep(30.0)
        assert got(on.ann) == got(on.bob) == [f"{TEXT} At noon."]
        ann.write("/broadcast 1 recall")
        await on.quiet()
        await asyncio.sleep(30.0)
        assert got(on.ann) == got(on.bob) == []
        assert await counts(on) == {TargetState.RECALLED: 2}

    play_staff("memory", scene)
