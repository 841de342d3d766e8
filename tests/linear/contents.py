"""Messages that grow with one number, each in another way."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.linear.inputs import ALONE, PAIRS, repeated, text

Json = dict[str, Any]
Shape = Callable[[int], Json]
"""Makes the content of a message, as Telegram writes it, from a length."""

LINK = "https://example.org/"


def _entities(length: int, each: Callable[[int], Json]) -> list[Json]:
    return [{"type": "bold", "offset": at, "length": 1, **each(at)} for at in range(length)]


def _paragraph(words: Any) -> Json:
    return {"type": "paragraph", "text": words}


def _rich(blocks: list[Any], **more: Any) -> Json:
    return {"rich_message": {"blocks": blocks, **more}}


def _nested(depth: int, inner: Any, wrap: Callable[[Any], Any]) -> Any:
    for _ in range(depth):
        inner = wrap(inner)
    return inner


def _poll(question: str, options: list[str], **more: Any) -> Json:
    return {
        "poll": {
            "question": question, "type": "regular", "id": "1", "total_voter_count": 0, "is_closed": False,
            "options": [{"text": each, "voter_count": 0, "persistent_id": "1"} for each in options], **more,
        }
    }  # fmt: skip


SHAPES: dict[str, Shape] = {
    "many entities": lambda n: {"text": "a" * n, "entities": _entities(n, lambda at: {})},
    "entities over emoji": lambda n: {"text": "😀" * n, "entities": _entities(n, lambda at: {"offset": 2 * at})},
    "entities over everything": lambda n: {
        "text": "😀" * n,
        "entities": _entities(n, lambda at: {"offset": 0, "length": 2 * n}),
    },
    "links": lambda n: {"text": "a" * n, "entities": _entities(n, lambda at: {"type": "text_link", "url": LINK})},
    "mentions": lambda n: {"text": "a" * n, "entities": _entities(n, lambda at: {"type": "text_mention"})},
    "unknown entities": lambda n: {"text": "a" * n, "entities": _entities(n, lambda at: {"type": f"of_{at}"})},
    "languages": lambda n: {"text": "a" * n, "entities": _entities(n, lambda at: {"type": "pre", "language": "a.b-c"})},
    "one long language": lambda n: {
        "text": "a",
        "entities": [{"type": "pre", "offset": 0, "length": 1, "language": "a. " * n}],
    },
    "one long link": lambda n: {
        "text": "a",
        "entities": [{"type": "text_link", "offset": 0, "length": 1, "url": "%25" * n}],
    },
    "a link of marks": lambda n: {
        "text": "a",
        "entities": [{"type": "text_link", "offset": 0, "length": 1, "url": LINK + "\u0323\u0301" * n}],
    },
    "a long caption": lambda n: {
        "photo": [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}],
        "caption": "я \u00a0" * (n // 3) + " dot",
        "caption_entities": _entities(n, lambda at: {}),
    },
    "sizes of a photo": lambda n: {
        "photo": [{"file_id": "f", "file_unique_id": "u", "width": at, "height": 1} for at in range(1, n)]
    },
    "a long file name": lambda n: {
        "document": {"file_id": "f", "file_unique_id": "u", "file_name": "a." * n, "mime_type": "a/" * n}
    },
    "quote lines": lambda n: {
        "text": "> a\n" * (n // 4),
        "entities": _entities(n // 4, lambda at: {"type": "blockquote", "offset": 4 * at, "length": 3}),
    },
    "blocks": lambda n: _rich([_paragraph("a b. ")] * n),
    "runs of a paragraph": lambda n: _rich([_paragraph(["a", {"type": "bold", "text": "b"}] * n)]),
    "rich links": lambda n: _rich([_paragraph([{"type": "url", "text": "x", "url": LINK}] * n)]),
    "a rich text of marks": lambda n: _rich([_paragraph("a\u0323\u0301" * n)]),
    "a formula": lambda n: _rich([{"type": "mathematical_expression", "expression": "\\text{a}" * (n // 8)}]),
    "formulas": lambda n: _rich([{"type": "mathematical_expression", "expression": "x^2"}] * n),
    "nested quotes": lambda n: _rich(
        [_nested(n // 40, _paragraph("a"), lambda of: {"type": "blockquote", "blocks": [of]})]
    ),
    "nested bold": lambda n: _rich([_paragraph(_nested(n // 40, "a", lambda of: {"type": "bold", "text": of}))]),
    "nested lists": lambda n: _rich(
        [_nested(n // 40, _paragraph("a"), lambda of: {"type": "list", "items": [{"label": "1", "blocks": [of]}]})]
    ),
    "nested arrays": lambda n: _rich([_paragraph(_nested(n // 40, "a", lambda of: [of]))]),
    "a table": lambda n: _rich(
        [{"type": "table", "cells": [[{"text": "a", "align": "left", "valign": "top"}] * 10] * (n // 10)}]
    ),
    "a list": lambda n: _rich([{"type": "list", "items": [{"label": "•", "blocks": [_paragraph("a")]}] * n}]),
    "pictures": lambda n: _rich(
        [{"type": "photo", "photo": [{"file_id": "x", "file_unique_id": "y", "width": 9, "height": 9}]}] * n
    ),
    "unknown blocks": lambda n: _rich([{"type": "hologram", "text": "a"}] * n),
    "unknown members": lambda n: _rich([_paragraph("a")], **{f"m{at}": at for at in range(n)}),
    "poll options": lambda n: _poll("well?", ["a b. "] * n),
    "a poll of emoji": lambda n: _poll(
        "😀" * n, ["a"], question_entities=_entities(n, lambda at: {"type": "custom_emoji", "custom_emoji_id": "1"})
    ),
    "tasks": lambda n: {"checklist": {"title": "t", "tasks": [{"id": at, "text": "a. b"} for at in range(n)]}},
    "a venue": lambda n: {
        "venue": {"location": {"latitude": 1, "longitude": 2}, "title": "a. " * n, "address": "1-2 " * n}
    },
    "a contact": lambda n: {"contact": {"phone_number": "1 " * n, "first_name": "a." * n}},
    "a die": lambda n: {"dice": {"emoji": "1 " * n, "value": 1}},
    "commas": lambda n: {"text": "/interests " + "ab," * n},
    "unknown": lambda n: {"hologram": {"a": [{"b": "c"}] * n}},
}


def _said(prefix: str, unit: str, suffix: str) -> Shape:
    return lambda n: {"text": text(prefix, unit, suffix, n)}


RNG = Random("contents")
for _unit in (*ALONE, *PAIRS):
    SHAPES[f"text: {_unit!r}"] = _said(RNG.choice(("", "a", "@", "я")), _unit, RNG.choice(("", " dot", "!", "a")))
SHAPES["text: case 02"] = lambda n: {"text": "я" + repeated("\u00a0", n) + " dot"}


def update(number: int, carried: Json) -> Json:
    person = {"id": 7, "is_bot": False, "first_name": "Ann"}
    chat = {"id": 7, "type": "private"}
    return {
        "update_id": number,
        "message": {"message_id": 9, "date": 1_800_000_000, "chat": chat, "from": person, **carried},
    }


def answer(*updates: Json) -> bytes:
    return json.dumps({"ok": True, "result": updates}).encode()
