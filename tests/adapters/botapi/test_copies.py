"""A message is copied only if we know all its members, because an unknown member may reveal who somebody is."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from passerby.adapters.botapi.decode import arrivals
from passerby.kernel.content import Content
from passerby.kernel.event import ButtonPressed, MessageReceived
from tests.adapters.botapi.bot_api import A
from tests.linear.contents import answer, update

SIZE = {"file_id": "x", "file_unique_id": "y", "width": 9, "height": 9, "file_size": 3}
FILE = {**SIZE, "duration": 3, "mime_type": "video/mp4", "thumbnail": SIZE}
BOLD = {"type": "bold", "text": [{"type": "italic", "text": "b"}, "c"]}
BLOCKS = [
    {"type": "heading", "text": BOLD, "size": 1},
    {"type": "pre", "text": "x = 1", "language": "python"},
    {"type": "mathematical_expression", "expression": "x^2"},
    {"type": "details", "summary": "s", "is_open": True, "blocks": [{"type": "paragraph", "text": BOLD}]},
    {"type": "list", "items": [{"label": "1.", "value": 1, "type": "1", "blocks": [{"type": "paragraph",
    "text": "a"}]}]},
    {
        "type": "table", "is_striped": True, "caption": BOLD,
        "cells": [[{"text": BOLD, "align": "left", "valign": "top", "colspan": 1, "is_header": True}]],
    },
    {"type": "photo", "photo": [SIZE], "has_spoiler": True, "caption": {"text": BOLD, "credit": "me"}},
    {"type": "video", "video": FILE},
    {"type": "voice_note", "voice_note": {**FILE, "mime_type": "audio/ogg"}},
]  # fmt: skip
MESSAGE = {"rich_message": {"blocks": BLOCKS, "is_rtl": True}, "effect_id": "5", "has_protected_content": True}
UPDATE = update(1, MESSAGE)
INVENTED: tuple[Any, ...] = ({"id": 777, "name": "Ann"}, "t.me/ann", 777, True, [{"user": 777}], None)


def may_be_copied(body: bytes) -> bool:
    (arrival,) = arrivals(body, A)
    event = arrival.event
    message = event.subject if isinstance(event, ButtonPressed) else event
    if not isinstance(message, MessageReceived):
        return False
    (content,) = message.contents
    assert isinstance(content, Content)
    detail = content.detail or {}
    assert detail.get("rebuilt") is None
    return detail.get("copyable") is True


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        yield path
        for name, inner in value.items():
            yield from objects(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from objects(inner, (*path, place))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


LEVELS = list(objects(UPDATE))


def test_a_message_with_only_known_members_may_be_copied() -> None:
    assert may_be_copied(answer(UPDATE))
    assert len(LEVELS) > 25


@pytest.mark.parametrize("path", LEVELS, ids=lambda path: ".".join(map(str, path)) or "update")
def test_an_unknown_member_forbids_the_copy_wherever_it_is(path: tuple[Any, ...]) -> None:
    for invented in INVENTED:
        strange = copy.deepcopy(UPDATE)
        at(strange, path)["hologram"] = invented
        assert not may_be_copied(answer(strange)), invented


NAMED = [
    (("message", "rich_message", "blocks", 7, "video"), "file_name", "Ann.mp4"),
    (("message", "rich_message", "blocks", 7, "video"), "mime_type", "Ann"),
    (("message", "rich_message", "blocks", 7, "video"), "type", "Ann"),
    (("message", "rich_message", "blocks", 4, "items", 0), "label", "t.me/ann"),
    (("message", "rich_message", "blocks", 4, "items", 0), "type", "t.me/ann"),
    (("message", "rich_message", "blocks", 5, "cells", 0, 0), "align", "t.me/ann"),
    (("message", "rich_message", "blocks", 5, "cells", 0, 0), "type", "t.me/ann"),
    (("message", "rich_message", "blocks", 0), "size", "t.me/ann"),
    (("message", "rich_message", "blocks", 1), "language", "t.me/ann"),
    (("message",), "via_bot", {"id": 5}),
    (("message",), "reply_markup", {"inline_keyboard": []}),
]


@pytest.mark.parametrize(("path", "name", "value"), NAMED)
def test_a_known_member_with_an_unexpected_value_forbids_the_copy(path: tuple[Any, ...], name: str, value: Any) -> None:
    strange = copy.deepcopy(UPDATE)
    at(strange, path)[name] = value
    assert not may_be_copied(answer(strange))


@pytest.mark.parametrize("strange", [False, True])
def test_the_same_rule_holds_for_a_message_that_a_press_brings(strange: bool) -> None:
    mine = copy.deepcopy(UPDATE["message"])
    if strange:
        mine["hologram"] = {"id": 777}
    person = UPDATE["message"]["from"]
    notice = {"message_id": 11, "date": 1, "chat": UPDATE["message"]["chat"], "reply_to_message": mine}
    query = {"id": "q", "from": person, "chat_instance": "c", "message": notice, "data": "show:x"}
    assert may_be_copied(answer({"update_id": 1, "callback_query": query})) is not strange


def test_an_unknown_member_does_not_affect_other_messages() -> None:
    strange = copy.deepcopy(UPDATE)
    strange["message"]["hologram"] = 1
    strange["update_id"] = 2
    first, second, other = arrivals(answer(UPDATE, strange, update(3, {"text": "hi"})), A)
    assert [each.event.contents[0].detail for each in (first, second, other)] == [  # type: ignore[union-attr]
        {"rebuilt": None, "copyable": True},
        {"rebuilt": None, "copyable": False},
        None,
    ]
