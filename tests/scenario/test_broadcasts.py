"""Broadcasts, played by phones: written to the staff bot, previewed, sent to everybody once; kills in between."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from botapi_sandbox.world.faults import Fault
from passerby.domain import moments
from passerby.kernel.broadcast import BroadcastState, TargetState
from passerby.kernel.rules import Rules
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
    await asyncio.sleep(1.0)  # The report is written after the state has changed.
    await on.quiet()


@on_both
def test_a_message_to_the_staff_bot_reaches_everybody_once_and_the_end_is_reported(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        assert shown(ann)[-1].startswith("📣 Broadcast #1 · draft\nMessages: all languages\n")
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        assert shown(ann)[-1].endswith("People who would get it now: < 10")
        assert buttons(ann) == ["👁 Preview", "🧪 To the team", "▶️ Start", "⏹ Stop for good", "🔄 Refresh"]
        await start(on, ann)
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
        await start(on, ann)

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
        await start(on, ann)
        await asyncio.sleep(300.0)
        assert (got(on.ann), got(on.bob), got(cleo)) == ([], [], [TEXT])
        on.ann.write("/stop")
        await is_ended(on)
        assert (got(on.ann), got(on.bob)) == ([TEXT], [TEXT])

    play_staff("memory", scene)


def test_a_person_who_turns_a_category_off_gets_no_more_of_it_until_they_turn_it_on() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        await start(on, ann)
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
        assert shown(ann)[-1].endswith("People who would get it now: < 10")
        await start(on, ann, 2)
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
        assert shown(ann)[-1].endswith("People who would get it now: < 10")
        await start(on, ann)
        await is_ended(on)
        assert on.records_place.person(on.bob.id).sanctions == ()

    play_staff("memory", scene)


def test_a_broadcast_is_paused_resumed_and_stopped() -> None:
    async def scene(on: StaffStage) -> None:
        people = [on.join(on.bots[0]) for _ in range(400)]
        ann = await written(on)
        tap(ann, "broadcast_do:1.show")
        await on.quiet()
        await start(on, ann)

        async def some_have_it() -> bool:
            return any(map(got, people))

        await until(on, some_have_it)
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
        await start(on, ann)
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


class CarefulStage(StaffStage):
    """More than one person needs two members of the team."""

    def __post_init__(self) -> None:
        self.rules = Rules(approval_above=1)
        super().__post_init__()


async def start(on: StaffStage, ann: Phone, number: int = 1) -> None:
    """Press Start, and then again below what it says."""
    tap(ann, f"broadcast_do:{number}.plan")
    await on.quiet()
    tap(ann, f"broadcast_do:{number}.start.")


async def started(on: StaffStage, ann: Phone, options: str = "") -> None:
    if options:
        ann.write(f"/broadcast 1 {options}")
        await on.quiet()
    ann.write("/broadcast 1 start")
    await on.quiet()
    tap(ann, "broadcast_do:1.start.")
    await on.quiet()


def test_a_broadcast_to_many_starts_only_when_another_member_approves_it() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        bob = await on.hire(Role.ADMIN, "Bob")
        await started(on, ann)
        assert await state(on) is BroadcastState.SUBMITTED
        assert shown(bob)[-1] == "Broadcast #1 needs your approval. Look at the preview first."
        ann.write("/broadcast 1 approve")
        await on.quiet()
        assert shown(ann)[-1] == "Someone else on the team must approve it."
        tap(bob, "broadcast_do:1.approve")
        await is_ended(on)
        assert (got(on.ann), got(on.bob)) == ([TEXT], [TEXT])

    play_staff("memory", scene, CarefulStage)


def test_if_many_of_the_first_ones_leave_nobody_else_gets_it_until_staff_resume_it() -> None:
    async def scene(on: StaffStage) -> None:
        people = [on.join(on.bots[number % 2]) for number in range(448)]
        ann = await written(on)
        await started(on, ann)

        async def is_watched() -> bool:
            broadcast = await on.broadcasts.broadcast(1)
            return broadcast is not None and broadcast.watched_until is not None

        await until(on, is_watched)
        first = [each for each in people if got(each)]
        assert 150 < len(first) < 250
        for each in first[:5]:
            on.world.phones.block(each.id, each.bot)
        await asyncio.sleep(700.0)
        assert await state(on) is BroadcastState.PAUSED
        assert shown(ann)[-1].startswith("⏸ Broadcast #1 has paused itself. Of those who got it first")
        assert sum(map(len, map(got, people))) == len(first)
        ann.write("/broadcast 1 resume")
        await is_ended(on)
        assert sum(map(len, map(got, people))) == len(people)

    play_staff("memory", scene)


def test_everybody_gets_the_message_in_their_language_with_its_buttons() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        cleo = on.join(on.bots[0])
        known = on.records_place.person(cleo.id)
        profile = msgspec.structs.replace(known.profile, language="de")
        on.records_place.know(msgspec.structs.replace(known, version=2, profile=profile))
        for words in (
            "/broadcast 1 message de",
            "Der Dienst zieht um.",
            "/broadcast 1 buttons de",
            "Mehr | https://example.org",
        ):
            ann.write(words)
            await on.quiet()
        await started(on, ann)
        await is_ended(on)
        assert (got(on.ann), got(cleo)) == ([TEXT], [])
        (copy,) = [each for each in cleo.messages().values() if each.get("text") == "Der Dienst zieht um."]
        rows = copy["reply_markup"]["inline_keyboard"]
        assert rows == [
            [{"text": "Mehr", "url": "https://example.org"}],
            [{"text": "🔕 Abbestellen", "callback_data": "mute:news"}],
        ]

    play_staff("memory", scene)


def test_a_picture_is_uploaded_once_for_each_bot_however_many_get_it() -> None:
    async def scene(on: StaffStage) -> None:
        people = [on.join(on.bots[number % 2]) for number in range(40)]
        ann = await on.hire(Role.OWNER)
        ann.write("/broadcast")
        await on.quiet()
        tap(ann, "broadcast_new:")
        await on.quiet()
        ann.send({"photo": {"width": 64, "height": 64}, "caption": TEXT})
        await on.quiet()
        await started(on, ann)
        await is_ended(on)
        pictures = [[each for each in phone.messages().values() if "photo" in each] for phone in people]
        assert {len(each) for each in pictures} == {1}
        assert len(on.requests("getFile")) <= len(on.bots)

    play_staff("memory", scene)


def test_a_schedule_waits_for_its_time_and_one_that_is_too_late_asks() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        now = on.place.clock.now()
        await started(on, ann, f"at={moments.shown(now + 700)}")
        assert await state(on) is BroadcastState.SCHEDULED
        await asyncio.sleep(600.0)
        assert got(on.ann) == []
        await is_ended(on)
        assert got(on.ann) == [TEXT]
        ann.write("/broadcast")
        await on.quiet()
        tap(ann, "broadcast_new:")
        await on.quiet()
        ann.write(f"{TEXT} Again.")
        await on.quiet()
        for words in (f"at={moments.shown(on.place.clock.now() + 3600)} category=promo", "start"):
            ann.write(f"/broadcast 2 {words}")
            await on.quiet()
        tap(ann, "broadcast_do:2.start.")
        await on.quiet()
        await on.elapse(4 * 3600.0)
        assert await state(on, 2) is BroadcastState.PAUSED
        assert shown(ann)[-1].startswith("⏸ Broadcast #2 has paused itself. Its time passed")
        assert got(on.ann) == [TEXT]

    play_staff("memory", scene)


def test_a_weekly_broadcast_has_a_turn_each_week() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        await started(on, ann, f"weekly=on at={moments.shown(on.place.clock.now() + 600)}")
        await asyncio.sleep(700.0)
        assert got(on.ann) == [TEXT]
        await on.elapse(7 * 86_400.0 - 60.0)
        assert got(on.ann) == [TEXT, TEXT]
        assert await state(on) is BroadcastState.SCHEDULED
        assert [await state(on, number) for number in (2, 3)] == [BroadcastState.ENDED] * 2

    play_staff("memory", scene)


def test_an_answer_that_never_came_is_not_followed_by_a_second_copy() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on)
        cleo, dan = on.join(on.bots[0]), on.join(on.bots[1])
        on.world.faults = [
            Fault(kind="reset_after", method="sendMessage", chat=on.ann.id),
            Fault(kind="502", method="sendMessage", chat=cleo.id),
            Fault(kind="429", method="sendMessage", chat=dan.id, count=1, retry_after=30),
        ]
        await started(on, ann)
        await is_ended(on)
        assert got(on.ann) == got(on.bob) == got(dan) == [TEXT]
        assert len(got(cleo)) <= 1
        assert await counts(on) == {TargetState.SENT: 2, TargetState.UNKNOWN: 2}

    play_staff("memory", scene)


def test_a_message_that_telegram_refuses_stops_after_a_few() -> None:
    async def scene(on: StaffStage) -> None:
        people = [on.join(on.bots[number % 2]) for number in range(100)]
        ann = await written(on)
        on.world.faults = [Fault(kind="400", method="sendMessage", having=TEXT, description="MESSAGE_REFUSED")]
        await started(on, ann)
        await asyncio.sleep(30.0)
        assert await state(on) is BroadcastState.PAUSED
        assert shown(ann)[-1] == "⏸ Broadcast #1 has paused itself. Telegram refuses the message."
        assert (await counts(on))[TargetState.REFUSED] < len(people)
        on.bugs = tuple(bug for bug in on.bugs if bug != "courier.rejected")

    play_staff("memory", scene)


def test_a_worker_that_stops_in_good_order_leaves_nothing_unknown() -> None:
    async def scene(on: StaffStage) -> None:
        people = [on.join(on.bots[number % 2]) for number in range(100)]
        ann = await written(on)
        await started(on, ann)

        async def some_have_it() -> bool:
            return any(map(got, people))

        await until(on, some_have_it)
        await on.restart()
        await is_ended(on)
        assert await counts(on) == {TargetState.SENT: 102}
        assert {len(got(each)) for each in people} == {1}

    play_staff("memory", scene)
