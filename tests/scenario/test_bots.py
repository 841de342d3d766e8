"""Bots are not people: the app never answers a bot and stores nothing about it."""

from typing import Any

import msgspec
import pytest

from botapi_sandbox.world.state import Queued
from passerby.telemetry import metrics
from tests.scenario.matrix import HOMES, over_stores
from tests.scenario.stage import Stage, play
from tests.staged import staged

ECHO = {"id": 999001, "is_bot": True, "first_name": "Echo", "username": "echo_bot"}
CHAT = {"id": 999001, "type": "private", "first_name": "Echo"}
MESSAGE = {"message_id": 1, "from": ECHO, "chat": CHAT, "date": 1}
UPDATES: dict[str, Any] = {
    "start": {"message": {**MESSAGE, "text": "/start"}},
    "text": {"message": {**MESSAGE, "text": "Find"}},
    "what nobody can read": {"message": {**MESSAGE, "text": [7]}},
    "edit": {"edited_message": {**MESSAGE, "text": "/search"}},
    "press": {"callback_query": {"id": "1", "from": ECHO, "chat_instance": "1", "data": "age:18"}},
    "unblock": {
        "my_chat_member": {
            "chat": CHAT, "from": ECHO, "date": 1, "old_chat_member": {"status": "kicked", "user": ECHO},
            "new_chat_member": {"status": "member", "user": ECHO},
        }
    },
}  # fmt: skip


def bring(on: Stage, bot: int, update: Any) -> None:
    """Queue an update that no phone sends."""
    of = on.world.state.bots[bot]
    number = of.queue.next_id
    of.queue.next_id += 1
    body = msgspec.json.encode({"update_id": number, **update})
    of.queue.items.append(Queued(number, next(iter(update)), "", on.world.now() + 86_400, body))
    on.world.announce_updates(of)


@over_stores
@HOMES
@pytest.mark.parametrize("what", UPDATES)
def test_a_bot_is_never_answered_and_never_remembered(what: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        before = len([each for each in on.world.journal.after(0) if each["kind"] == "request"])
        counted = metrics.UNUSED.total()
        for _ in range(3):
            bring(on, on.ann.bot, UPDATES[what])
        await on.quiet()
        asked = [each for each in on.world.journal.after(0) if each["kind"] == "request"][before:]
        # Requests that the app makes at its start may still be under way.
        assert not [each["method"] for each in asked if not each["method"].startswith(("get", "setMy"))]
        assert await on.store.load(ECHO["id"]) is None  # type: ignore[arg-type]
        assert metrics.UNUSED.total() == counted + 3
        on.ann.write("still there?")
        await on.quiet()
        assert on.bob.got()[-1]["text"] == "still there?"

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("update", [{"telepathy": {}}, {"business_message": {}}], ids=["unknown", "business"])
def test_an_update_of_an_unknown_kind_stops_nothing(update: Any, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        bring(on, on.ann.bot, update)
        on.ann.write("still there?")
        await on.quiet()
        assert on.bob.got()[-1]["text"] == "still there?"
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@staged(play, "store", home=True)
async def test_the_sender_of_a_message_in_an_unknown_kind_of_update_is_told(on: Stage, /) -> None:
    number = on.world.state.bots[on.ann.bot].next_message_id
    on.world.state.bots[on.ann.bot].next_message_id += 1
    person = {"id": on.ann.id, "is_bot": False, "first_name": "Ann"}
    chat = {"id": on.ann.id, "type": "private"}
    message = {"message_id": number, "from": person, "chat": chat, "date": int(on.world.now()), "text": "hi"}
    bring(on, on.ann.bot, {"telepathic_message": message})
    await on.quiet()
    assert on.ann.complaints() == ["chat.refused_unknown"]
