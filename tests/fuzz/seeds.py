"""Real updates as starting points: one of each kind that the sandbox produces."""

from collections.abc import Callable
from functools import cache, partial
from random import Random
from typing import Any

import msgspec

from botapi_sandbox import Switches, World
from passerby.adapters.botapi.bot_api import ALLOWED_UPDATES
from tests.scenario.kinds import REFUSED, SENT

Json = dict[str, Any]
NOW = 1_800_000_000.0


@cache
def seeds() -> tuple[Json, ...]:
    """Return updates of every kind of content and event. They are always the same."""
    world = World(clock=lambda: NOW, rng=Random(1), seed=1, switches=Switches(limits=False))
    bot, other = world.add_bot(), world.add_bot()
    bot.queue.allowed = list(ALLOWED_UPDATES)
    ann = world.add_person("Ann", "ann_name", last_name="Example").id
    world.phones.start(ann, bot.id)
    world.phones.start(ann, other.id)
    menu = {"inline_keyboard": [[{"text": "yes", "callback_data": "show:0123456789abcdef0123"}]]}
    for content in (*SENT.values(), *(content for content, _ in REFUSED.values())):
        sent = world.phones.send(ann, bot.id, content)
        number = sent["message_id"]
        words = "text" if "text" in sent else "caption" if "caption" in sent else None
        changed: Json = {words: "Changed, here"} if words else {}
        _try(partial(world.phones.edit, ann, bot.id, number, **changed))
        world.phones.react(ann, bot.id, number, "👍")
        world.phones.react(ann, bot.id, number, None)
        if words:
            world.phones.write(ann, bot.id, "that", reply_to=number, quote="Changed")
        asked = world.call(
            bot.token,
            "sendMessage",
            {"chat_id": ann, "text": "sure?", "reply_markup": menu, "reply_parameters": {"message_id": number}},
        )
        world.phones.press(ann, bot.id, msgspec.json.decode(asked.body)["result"]["message_id"], 0, 0)
        elsewhere = world.phones.send(ann, other.id, content)
        _try(partial(world.phones.forward, ann, other.id, elsewhere["message_id"], bot.id))
    world.phones.album(ann, bot.id, [{"photo": {}, "caption": "one"}, {"video": {"duration": 2}}])
    for command in ("/start", "/search", "/next", "/stop", "/delete", "/profile", "/settings", "/help", "/rules"):
        world.phones.write(ann, bot.id, command)
    for data in ("agree:", "age:18", "gender:male", "hide:0123456789abcdef0123.7", "gone:x"):
        world.phones.press_data(ann, bot.id, 1, data)
    world.phones.block(ann, bot.id)
    world.phones.unblock(ann, bot.id)
    return tuple(msgspec.json.decode(item.body) for item in bot.queue.items)


def some(rng: Random) -> Json:
    """Return one of them. Half are messages, because messages can go wrong in the most ways."""
    kinds = _by_kind()
    kind = rng.choices(tuple(kinds), [5 if kind == "message" else 1 for kind in kinds])[0]
    return rng.choice(kinds[kind])


@cache
def _by_kind() -> dict[str, list[Json]]:
    kinds: dict[str, list[Json]] = {}
    for seed in seeds():
        kinds.setdefault(next(name for name in seed if name != "update_id"), []).append(seed)
    return kinds


def _try(act: Callable[[], object]) -> None:
    try:
        act()
    except Exception as error:  # an action that no phone would do is no seed
        if type(error).__name__ != "CannotDo":
            raise
