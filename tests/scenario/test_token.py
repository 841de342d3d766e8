"""A token is refused for a moment, for a minute, or for good: what two people in a chat notice."""

import asyncio

import pytest

from botapi_sandbox.world.faults import Fault
from tests.scenario.matrix import HOMES, over_stores
from tests.scenario.stage import Phone, Stage, play

METHODS = (
    "sendMessage",
    "sendPhoto",
    "getFile",
    "download",
    "getUpdates",
    "editMessageText",
    "answerCallbackQuery",
    "setMessageReaction",
    "setMyCommands",
    None,
)
LEFT = "chat.left"


def words(phone: Phone) -> list[str]:
    return [message["text"] for message in phone.got() if "text" in message]


async def talk(on: Stage, number: int = 0) -> None:
    """Send a text each way, a photo, and an edit."""
    first = on.ann.write(f"hello {number}")
    on.bob.write(f"hi {number}")
    await on.quiet()
    on.ann.edit(first, text=f"hello again {number}")
    on.ann.send({"photo": {}})
    on.ann.write(f"bye {number}")
    await on.quiet()


def still_chats(on: Stage) -> bool:
    return not any("left" in told or "failed" in told for told in (*on.ann.told(), *on.bob.told()))


@over_stores
@HOMES
@pytest.mark.parametrize("method", METHODS)
def test_nobody_notices_a_single_refusal_of_a_token(method: str | None, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.world.faults = [Fault(kind="401", method=method, count=1, skip=1 if method is None else 0)]
        await talk(on)
        assert words(on.bob)[-2:] == ["hello again 0", "bye 0"]
        assert words(on.ann)[-1:] == ["hi 0"]
        assert still_chats(on)
        assert on.app.refused_bots == ()

    play(store, scene, home=home)


@HOMES
@pytest.mark.parametrize("for_s", [10, 60, 100])
def test_a_token_refused_for_a_while_only_delays_messages(for_s: int, home: bool) -> None:
    async def scene(on: Stage) -> None:
        on.world.faults = [Fault(kind="401", bot=on.bots[-1 if not home else 0])]
        on.ann.write("one")
        on.bob.write("two")
        await asyncio.sleep(for_s)
        on.world.faults = []
        on.ann.write("three")
        await on.quiet()
        assert words(on.bob) == ["one", "three"]
        assert words(on.ann) == ["two"]
        assert still_chats(on)

    play("memory", scene, home=home)


@HOMES
def test_a_token_refused_at_random_loses_no_message(home: bool) -> None:
    async def scene(on: Stage) -> None:
        on.world.faults = [Fault(kind="401", probability=0.5)]
        for number in range(5):
            on.ann.write(f"a{number}")
            on.bob.write(f"b{number}")
            await asyncio.sleep(3)
        await asyncio.sleep(120)
        on.world.faults = []
        await on.quiet()
        assert words(on.bob) == [f"a{number}" for number in range(5)]
        assert words(on.ann) == [f"b{number}" for number in range(5)]
        assert still_chats(on)

    play("memory", scene, home=home)


def test_partners_are_told_when_a_bot_is_lost_and_it_serves_again_when_it_is_back() -> None:
    async def scene(on: Stage) -> None:
        on.world.faults = [Fault(kind="401", bot=on.bots[1])]
        on.ann.write("are you there?")
        await asyncio.sleep(300)
        assert any("left" in told for told in on.ann.told()), on.ann.told()
        assert on.app.report().idle_bots == (on.bots[1],)
        on.bob.write("/search")
        await asyncio.sleep(300)
        on.world.faults = []
        await asyncio.sleep(600)
        assert on.app.report().idle_bots == ()
        on.ann.write("/search")
        await on.quiet()
        await asyncio.sleep(30)
        on.ann.write("there you are")
        await on.quiet()
        assert words(on.bob)[-1] == "there you are"

    play("memory", scene, home=False)
