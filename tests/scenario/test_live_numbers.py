"""A broadcast with a number that is true when each copy is sent."""

import asyncio

import msgspec
import pytest

from passerby.kernel.broadcast import BroadcastState
from passerby.kernel.participant import Gender, Preferences
from tests.scenario.staff_stage import StaffStage, play_staff, tap
from tests.scenario.stage import Phone
from tests.scenario.stores import SERVERS
from tests.scenario.test_broadcasts import started, state, until, written

LIVE = "{waiting} people are looking for a chat now."


def shown(phone: Phone) -> list[str]:
    texts = [message.get("text", "") for message in phone.messages().values()]
    return [words for words in texts if words.endswith("people are looking for a chat now.")]


async def searching(on: StaffStage, count: int, age: int = 30) -> None:
    """`count` more people search for a woman, and there is none."""
    people = [on.join(on.bots[0]) for _ in range(count)]
    for phone in people:
        known = on.records_place.person(phone.id)
        profile = msgspec.structs.replace(known.profile, age=age, gender=Gender.MALE)
        wants = Preferences(genders=(Gender.FEMALE,))
        on.records_place.know(msgspec.structs.replace(known, version=2, profile=profile, preferences=wants))
    for phone in people:
        phone.write("/search")
    await on.quiet()


async def have_it(on: StaffStage) -> bool:
    return bool(shown(on.ann) and shown(on.bob))


@pytest.mark.parametrize("store", ["memory", pytest.param(SERVERS, marks=pytest.mark.long)])
def test_each_person_reads_how_many_are_waiting_for_a_chat(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        await searching(on, 12)
        ann = await written(on, LIVE)
        await started(on, ann)
        await until(on, lambda: have_it(on))
        assert shown(on.ann) == shown(on.bob) == ["10 people are looking for a chat now."]

    play_staff(store, scene)


def test_a_message_with_the_number_of_waiting_people_waits_while_too_few_of_them_can_meet_the_reader() -> None:
    async def scene(on: StaffStage) -> None:
        await searching(on, 9)
        await searching(on, 20, age=16)
        ann = await written(on, LIVE)
        await started(on, ann)
        await asyncio.sleep(120.0)
        assert shown(on.ann) == shown(on.bob) == [], "nine are too few, and minors are others whom adults never meet"
        assert await state(on) is BroadcastState.RUNNING
        await searching(on, 4)
        await until(on, lambda: have_it(on))
        assert shown(on.ann) == shown(on.bob) == ["10 people are looking for a chat now."]

    play_staff("memory", scene)


def test_a_preview_shows_the_sign_while_the_number_is_too_small() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await written(on, LIVE)
        there = Phone(on.world, ann.id, on.bots[1])
        there.write("/start")
        await on.quiet()
        await asyncio.sleep(1.0)
        tap(ann, "broadcast_do:1.preview")

        async def has_it() -> bool:
            return bool(shown(there))

        await until(on, has_it)
        assert shown(there) == [LIVE]

    play_staff("memory", scene)
