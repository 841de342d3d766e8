"""Every string in a message that the Bot API's schema allows is either checked for addresses or never relayed.

The tests walk through the schema. So they also cover a string that a new version adds, or that the relay starts to pass
on.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from passerby.adapters.botapi.decode import arrivals
from passerby.adapters.botapi.kinds import beside, way
from passerby.domain.contacts import Trace, traces
from passerby.domain.sanitise import FOUND_ANEW, KEPT, REFUSED, refusal, sanitise
from passerby.kernel.content import Kind
from passerby.kernel.event import MessageReceived
from passerby.ports.telegram import Refused
from tests.adapters.botapi.bot_api import TOKENS, A, B, content_call, fleet
from tests.adapters.botapi.specimens import fields, schema, smallest
from tests.linear.contents import answer, update
from tests.size import size

ADDRESS = "t.me/somebody_here"
"""Put into one string at a time."""
SIZE = {"file_id": "x", "file_unique_id": "y", "width": 9, "height": 9}
BESIDE: dict[str, dict[str, Any]] = {
    "entities": {"text": "hello"},
    "caption": {"photo": [SIZE]},
    "caption_entities": {"photo": [SIZE], "caption": "hello"},
    "quote": {"text": "hello", "reply_to_message": {"message_id": 3, "date": 1, "chat": {"id": 7, "type": "private"}}},
    "effect_id": {"text": "hello"},
    "media_group_id": {"photo": [SIZE]},
}
"""Other fields that a type needs to be meaningful."""
TELEGRAMS_OWN = frozenset({"file_id", "file_unique_id"})
"""Made by Telegram; nobody can write into them."""
PASSED_ON = sorted(
    {field for kind in Kind if kind not in REFUSED for field in way(kind).fields} | set(BESIDE) & beside()
)

Make = Callable[[str], Any]


def strings(type_name: str, trail: tuple[str, ...] = ()) -> Iterator[tuple[str, Make]]:
    """Yield each place for a string in a type, with a function that makes the smallest value with a given string
    there."""
    if type_name == "String":
        yield "", lambda words: words
    elif type_name.startswith("Array of "):
        for path, make in strings(type_name.removeprefix("Array of "), trail):
            yield f"{path}[]", lambda words, make=make: [make(words)]
    elif type_name == "MessageEntity":
        for kind in sorted({*KEPT, *FOUND_ANEW, "text_mention", "hologram"}):
            for name in ("url", "language", "custom_emoji_id", "date_time_format"):
                whole = {"type": kind, "offset": 0, "length": 1, "unix_time": 5}
                yield f"({kind}).{name}", lambda words, whole=whole, name=name: {**whole, name: words}
    elif type_name in trail:
        if type_name == "RichText":
            yield "", lambda words: words
    elif type_name in schema()["types"]:
        inner = (*trail, type_name)
        for each in schema()["types"][type_name].get("one_of", ()):
            for path, make in strings(each, inner):
                yield f"({each}){path}", make
        for name, field in fields(type_name).items():
            if "const" in field or name in TELEGRAMS_OWN:
                continue
            for each in field["types"]:
                for path, make in strings(each, inner):
                    yield (
                        f".{name}{path}",
                        lambda words, make=make, name=name: smallest(type_name) | {name: make(words)},
                    )


@cache
def places() -> dict[str, dict[str, Any]]:
    """Return messages by the place of the address in them."""
    found = {}
    for field in PASSED_ON:
        for each in fields("Message")[field]["types"]:
            for path, make in strings(each):
                found[f"{field}{path}"] = {**BESIDE.get(field, {}), field: make(ADDRESS)}
    return found


def left(carried: dict[str, Any]) -> list[str]:
    """Return the parts of a message that go to the partner without a question, however short they have known each
    other."""
    (arrival,) = arrivals(answer(update(1, carried)), A)
    event = arrival.event
    if not isinstance(event, MessageReceived):
        return []
    (content,) = event.contents
    if refusal(content) is not None or traces(content) is not None or ADDRESS in (event.quote or ""):
        return []
    clean = sanitise(content)

    async def scenario() -> list[str]:
        requests = []
        for tokens, to in ((TOKENS, A), (TOKENS, B), ({A: TOKENS[A]}, A)):
            async with fleet(tokens=tokens) as (api, stub):
                stub.files |= {"x": b"x"}
                try:
                    await api.send(content_call(clean.content, to=to, copyable=clean.intact, quote=event.quote))
                except Refused:
                    continue
                requests += [f"{request.method}: {request!r}" for request in stub.requests]
        return requests

    return asyncio.run(scenario())


@pytest.mark.sized
@pytest.mark.parametrize("field", PASSED_ON)
def test_every_string_of_a_relayed_message_is_checked_for_addresses(field: str) -> None:
    own = [each for each in places() if each == field or each.startswith((f"{field}.", f"{field}(", f"{field}["))]
    for place in own[:: size(1 + len(own) // 50, 1)]:
        told = [request for request in left(places()[place]) if "somebody_here" in request or "copyMessage" in request]
        assert told == [], place


def test_the_walk_through_the_schema_finds_its_strings() -> None:
    """Strings that once passed unchecked, and some that are easy to overlook."""
    for name in ("language", "expression", "date_time_format", "explanation", "address", "title", "emoji", "label"):
        assert any(name in place for place in places()), name
    assert len(places()) > 500


@pytest.mark.parametrize(
    "carried",
    [
        {"text": "x=1", "entities": [{"type": "pre", "offset": 0, "length": 3, "language": "t.me/somebody_here"}]},
        {
            "rich_message": {
                "blocks": [
                    {"type": "paragraph", "text": "look"},
                    {"type": "mathematical_expression", "expression": "\\text{t.me/somebody_here}"},
                ]
            }
        },
        {"rich_message": {"blocks": [{"type": "mathematical_expression", "expression": "\\text{t}.m\\text{e/some}"}]}},
        {"rich_message": {"blocks": [{"type": "pre", "text": "x", "language": "insta: annsmith_1"}]}},
    ],
)
def test_an_address_outside_the_text_is_asked_about(carried: dict[str, Any]) -> None:
    (arrival,) = arrivals(answer(update(1, carried)), A)
    assert isinstance(arrival.event, MessageReceived)
    assert traces(arrival.event.contents[0]) in (Trace.LINK, Trace.NAME)
