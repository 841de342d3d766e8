"""Any field of any message may have any type: the app relays what it can, and otherwise tells the sender."""

import json
import os
from random import Random
from typing import Any

import msgspec
import pytest

from botapi_sandbox import Switches
from botapi_sandbox.world.state import Queued
from passerby.adapters.botapi.decode import arrivals
from passerby.kernel.event import MessageEdited, MessageReceived, Unusable
from passerby.kernel.ids import BotId
from tests.fuzz.mutate import HALF, broken, places
from tests.fuzz.seeds import seeds
from tests.scenario.matrix import HOMES
from tests.scenario.records_places import MemoryRecordsPlace
from tests.scenario.stage import Stage, staged
from tests.scenario.stores import STORES
from tests.size import size

MESSAGES = int(os.environ.get("FUZZ_CONFUSED_MESSAGES", size(100, 400)))
SEED = os.environ.get("FUZZ_SEED", "passerby")
BOT = BotId(1000001)
CONFUSING: tuple[Any, ...] = (
    None, True, 7, -1.5, 2**70, "7", "x", "", [], {}, [[]], [{}], {"id": "x"}, [None], ["x", 7], HALF,
)  # fmt: skip
NOT_OURS = ("is_bot",)
"""A field that marks the sender as a bot. The app ignores bots."""


def messages() -> list[Any]:
    return [seed for seed in seeds() if "message" in seed or "edited_message" in seed]


def confused(update: Any, path: list[Any], value: Any) -> Any:
    update = json.loads(json.dumps(update))
    at = update
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return update


def decoded(update: Any, rng: Random) -> Any:
    body = broken(msgspec.json.encode(update), rng)
    (arrival,) = arrivals(b'{"ok":true,"result":[' + body + b"]}", BOT)
    return arrival.event


@pytest.mark.sized
@pytest.mark.parametrize("value", CONFUSING, ids=repr)
def test_no_message_vanishes_whatever_one_of_its_fields_contains(value: Any) -> None:
    rng = Random(SEED)
    for update in messages()[:: size(3, 1)]:
        (kind,) = update.keys() - {"update_id"}
        person = update[kind]["from"]["id"]
        for path in places(update, [], []):
            if len(path) < 2 or path[-1] in NOT_OURS or path[1] in ("chat", "from"):
                continue
            event = decoded(confused(update, path, value), rng)
            assert not isinstance(event, Unusable), (path, event)
            assert isinstance(event, MessageReceived | MessageEdited), path
            assert event.person == person, path
            msgspec.json.encode(event)


@pytest.mark.sized
@HOMES
def test_each_malformed_message_is_delivered_or_its_sender_is_told(home: bool) -> None:
    rng = Random(SEED)
    place = STORES["memory"]()
    usual = [seed["message"] for seed in messages() if "message" in seed and "/" not in seed["message"].get("text", "")]

    async def scene() -> None:
        switches = Switches(journal_length=1_000_000, limits=False)
        async with staged(place, MemoryRecordsPlace(), home=home, switches=switches, bugs=()) as on:
            for _ in range(MESSAGES // 2):
                content = {**rng.choice(usual)}
                content.pop("media_group_id", None)
                fields = [name for name in content if name not in ("chat", "from", "message_id", "date")]
                every = [p for p in places(content, [], []) if p and p[0] in fields and p[-1] not in NOT_OURS]
                confused_one = confused(content, rng.choice(every), rng.choice(CONFUSING))
                heard, told = len(on.bob.got()), len(on.ann.messages())
                feed(on, confused_one, rng)
                await on.quiet()
                assert len(on.bob.got()) > heard or len(on.ann.messages()) > told, confused_one

    place.run(scene())


def feed(on: Stage, content: Any, rng: Random) -> None:
    """Queue a message as Ann's next one."""
    bot = on.world.state.bots[on.ann.bot]
    person = {"id": on.ann.id, "is_bot": False, "first_name": "Ann"}
    message = {**content, "from": person, "chat": {"id": on.ann.id, "type": "private"}}
    message |= {"message_id": bot.next_message_id, "date": int(on.world.now())}
    bot.next_message_id += 1
    number = bot.queue.next_id
    bot.queue.next_id += 1
    body = broken(msgspec.json.encode({"update_id": number, "message": message}), rng)
    bot.queue.items.append(Queued(number, "message", f"chat:{on.ann.id}", on.world.now() + 86_400, body))
    on.world.announce_updates(bot)
