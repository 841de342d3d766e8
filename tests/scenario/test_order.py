"""Messages arrive in their order through every kind of fault, and actions on a message wait for it."""

import asyncio
from typing import Any

import pytest

from botapi_sandbox.world.faults import Fault
from tests.scenario.kinds import SENT
from tests.scenario.matrix import HOMES, over_stores
from tests.scenario.stage import Json, Stage, play

TROUBLES: dict[str, dict[str, Any]] = {
    "429": {"kind": "429", "retry_after": 3, "count": 2},
    "long 429": {"kind": "429", "retry_after": 40, "count": 1},
    "500": {"kind": "500", "count": 2},
    "502": {"kind": "502", "count": 3},
    "reset before": {"kind": "reset_before", "count": 2},
    "slow": {"kind": "slow", "delay_s": 5.0, "count": 2},
    "stall": {"kind": "stall", "count": 1},
}
"""With all of these faults a lost response means that nothing was sent, so each message arrives exactly once."""

HOLDING = ("429", "long 429", "502", "reset before", "slow", "stall")


def trouble(on: Stage, what: str, skip: int = 0, method: str | None = None) -> None:
    """Set faults for messages to Bob."""
    on.world.faults = [Fault(**TROUBLES[what], chat=on.bob.id, skip=skip, method=method)]


def words(messages: list[Json]) -> list[str]:
    return [
        each.get("text") or each.get("caption") or next(k for k in ("sticker", "voice") if k in each)
        for each in messages
    ]


@over_stores
@HOMES
@pytest.mark.parametrize("skip", [0, 1, 3])
@pytest.mark.parametrize("what", TROUBLES)
def test_messages_arrive_in_the_order_they_were_sent(what: str, skip: int, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        trouble(on, what, skip)
        on.ann.write("1")
        on.ann.send({"photo": {}, "caption": "2"})
        on.ann.album({"photo": {}, "caption": "3"}, {"video": {"duration": 2}, "caption": "4"})
        on.ann.send(SENT["dice"])
        on.ann.send({"sticker": {}})
        first = next(number for number, each in on.ann.messages().items() if each.get("text") == "1")
        on.ann.write("5", reply_to=first)
        on.ann.edit(first, text="1, I mean")
        on.ann.write("6")
        await on.quiet()
        assert words(on.bob.got()) == ["1, I mean", "2", "3", "4", "🎯 6", "sticker", "5", "6"]
        answered = next(each for each in on.bob.got() if each.get("text") == "5")["reply_to_message"]["message_id"]
        assert on.bob.messages()[answered]["text"] == "1, I mean"
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("what", TROUBLES)
def test_trouble_in_one_direction_keeps_the_order_in_both(what: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.world.faults = [Fault(**TROUBLES[what], method="send*")]
        for n in range(5):
            on.ann.write(f"a{n}")
            on.bob.write(f"b{n}")
            await asyncio.sleep(0.05)
        await on.quiet()
        assert words(on.bob.got()) == [f"a{n}" for n in range(5)]
        assert words(on.ann.got()) == [f"b{n}" for n in range(5)]

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("kind", ["text", "voice"])
@pytest.mark.parametrize("what", HOLDING)
@pytest.mark.parametrize("history", ["fresh", "killed"])
def test_an_edit_waits_for_its_message_to_arrive(history: str, what: str, kind: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        trouble(on, what)
        original = on.ann.send(SENT[kind])
        await asyncio.sleep(0.3)
        on.ann.edit(original, **{"text" if kind == "text" else "caption": "Better so"})
        on.ann.write("after")
        if history == "killed":
            await asyncio.sleep(2.5)  # by now it is parked, or under way
            await on.kill_and_start()
        await on.quiet()
        got = on.bob.got()
        if history == "killed" and len(got) > 2:  # it was under way, so one duplicate is allowed
            del got[1 if words(got)[0] == words(got)[1] else 0]
        assert words(got) == ["Better so", "after"]
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("what", HOLDING)
def test_a_reaction_and_a_reply_wait_for_their_message_to_arrive(what: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        trouble(on, what)
        original = on.ann.write("slow to come")
        await asyncio.sleep(0.2)
        on.ann.react(original, "🔥")
        on.ann.write("you see", reply_to=original)
        await on.quiet()
        first, second = on.bob.got()
        assert on.bob.reaction(first["message_id"]) == "🔥"
        assert second["reply_to_message"]["message_id"] == first["message_id"]

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("what", HOLDING)
def test_a_message_still_on_its_way_can_be_deleted(what: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        trouble(on, what)
        original = on.ann.write("regretted at once")
        await asyncio.sleep(0.2)
        on.ann.write("/delete", reply_to=original)
        on.ann.write("never mind")
        await on.quiet()
        await asyncio.sleep(1.0)
        assert words(on.bob.got()) == ["never mind"]
        assert original not in on.ann.messages()
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("what", ["reset_after", "500"])
def test_a_lost_response_causes_at_most_one_duplicate_and_keeps_the_order(what: Any, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.world.faults = [Fault(kind=what, effect=True, chat=on.bob.id, count=1, skip=1)]
        for n in "123":
            on.ann.write(n)
        await on.quiet()
        assert words(on.bob.got()) == ["1", "2", "2", "3"]

    play(store, scene, home=home)
