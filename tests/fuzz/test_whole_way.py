"""A sample of mutated updates through the whole app: each update ends, and the two people can continue to chat."""

import asyncio
import os
from random import Random
from typing import Any

import msgspec
import pytest

from botapi_sandbox import Switches
from botapi_sandbox.world.state import ChatMessage, Queued
from passerby.domain.matching.wishes import WIDEST_S
from tests.fuzz.mutate import broken, mutated
from tests.fuzz.seeds import some
from tests.scenario.matrix import HOMES
from tests.scenario.records_places import MemoryRecordsPlace
from tests.scenario.stage import Stage, staged
from tests.scenario.stores import STORES
from tests.size import size

UPDATES = int(os.environ.get("FUZZ_WHOLE_UPDATES", size(200, 2_000)))
SEED = os.environ.get("FUZZ_SEED", "passerby")
BURST = 20
BUGS = (
    *("runtime.broken", "fleet.task_not_begun", "event.broken", "event.put_aside", "courier.broken"),
    "loop.complained",
)
"""If Telegram refuses a request because of the update's content, that is a normal end."""
ENDING = ('"/', '"my_chat_member"')
"""Parts of updates that usually end the chat. If they were frequent, little would be relayed."""

encode = msgspec.json.Encoder().encode


def addressed(kind: str, value: Any, on: Stage, rng: Random) -> Any:
    """Make the update's object Ann's instead of another person's, about an existing message or a new one."""
    bot = on.world.state.bots[on.ann.bot]
    moved = {who: {**value[who], "id": on.ann.id} for who in ("chat", "from", "user") if who in value}
    value = {**value, **moved}
    if kind == "message":
        value |= {"message_id": bot.next_message_id, "date": int(on.world.now())}
        bot.chats[on.ann.id].messages[bot.next_message_id] = ChatMessage(value, outgoing=True)
        bot.next_message_id += 1
    elif "message_id" in value:
        value["message_id"] = rng.choice(list(on.ann.messages()))
    if "message" in value:
        asked = {**value["message"], "chat": {**value["message"]["chat"], "id": on.ann.id}}
        if "reply_to_message" in asked:
            asked["reply_to_message"] = addressed("", asked["reply_to_message"], on, rng)
        value["message"] = asked
    return value


def feed(on: Stage, rng: Random, update: Any) -> int:
    """Queue a mutation of the update, as Telegram would. Return its id."""
    bot = on.world.state.bots[on.ann.bot]
    kind = next(name for name in update if name != "update_id")
    number = bot.queue.next_id
    bot.queue.next_id += 1
    update = mutated({"update_id": number, kind: addressed(kind, update[kind], on, rng)}, rng)
    try:
        body = broken(encode(update), rng)
    except RecursionError:
        body = b'{"update_id":%d,"%s":{}}' % (number, kind.encode())
    bot.queue.items.append(Queued(number, kind, f"chat:{on.ann.id}", on.world.now() + 86_400, body))
    on.world.announce_updates(bot)
    return number


def seed(rng: Random) -> Any:
    while True:
        found = some(rng)
        written = encode(found).decode()
        if not any(ending in written for ending in ENDING) or rng.random() < 0.02:
            return found


async def together(on: Stage) -> None:
    """Pair the two again, whatever was pressed and blocked before."""
    for phone in (on.ann, on.bob):
        on.world.phones.unblock(phone.id, phone.bot)
        phone.write("/stop")
        await on.quiet()
    for phone in (on.ann, on.bob):
        phone.write("/search")
        await on.quiet()
    await asyncio.sleep(WIDEST_S + 1.0)  # they have met before, so the matcher waits longest
    await on.quiet()


@pytest.mark.sized
@HOMES
def test_each_update_is_delivered_refused_or_put_aside(home: bool) -> None:
    rng = Random(SEED)
    place = STORES["memory"]()

    async def scene() -> None:
        switches = Switches(journal_length=1_000_000, limits=False)
        async with staged(place, MemoryRecordsPlace(), home=home, switches=switches, bugs=BUGS) as on:
            fed: set[int] = set()
            for _ in range(UPDATES // 2 // BURST):
                for _ in range(BURST):
                    fed.add(feed(on, rng, seed(rng)))
                await on.quiet()
                await together(on)
            confirmed = {
                number
                for entry in on.world.journal.after(0)
                if entry["kind"] == "confirmed" and entry["bot"] == on.ann.bot
                for number in entry["update_ids"]
            }
            assert fed <= confirmed, "lost"
            await together(on)
            before = len(on.bob.got())
            on.ann.write("still here")
            await on.quiet()
            assert [message["text"] for message in on.bob.got()[before:]] == ["still here"]

    place.run(scene())
