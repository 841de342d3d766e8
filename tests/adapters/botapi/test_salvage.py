"""A message that does not follow the Bot API is passed on as far as possible, and none disappears unnoticed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.adapters.botapi.decode import arrivals
from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.event import MessageEdited, MessageReceived, Unusable
from tests.adapters.botapi.bot_api import A
from tests.adapters.botapi.specimens import fields, fullest
from tests.adapters.botapi.test_decode import PERSON, PRIVATE, decoded, message

FILE = {"file_id": "f", "file_unique_id": "u", "width": 90, "height": 60}
VOICE = {"file_id": "f", "file_unique_id": "u", "duration": 3}
BOLD = {"type": "bold", "offset": 0, "length": 2}


def content_of(update: Any) -> Content:
    (event,) = decoded(update)
    assert isinstance(event, MessageReceived | MessageEdited)
    return event.contents[0] if isinstance(event, MessageReceived) else event.content


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"text": "hi", "entities": "bold"}, Content(Kind.TEXT, "hi")),
        ({"text": "hi", "entities": [BOLD, {"type": 7}]}, Content(Kind.TEXT, "hi", (Entity("bold", 0, 2),))),
        ({"text": "hi", "entities": BOLD}, Content(Kind.TEXT, "hi", (Entity("bold", 0, 2),))),
        ({"text": "hi", "entities": [{**BOLD, "offset": "0"}]}, Content(Kind.TEXT, "hi", (Entity("bold", 0, 2),))),
        ({"text": "hi", "reply_to_message": [7], "quote": 3}, Content(Kind.TEXT, "hi")),
        ({"text": "hi", "effect_id": 51}, Content(Kind.TEXT, "hi", effect="51")),
        ({"text": "hi", "effect_id": {}}, Content(Kind.TEXT, "hi")),
        ({"text": "hi", "has_protected_content": "perhaps"}, Content(Kind.TEXT, "hi", protected=True)),
        ({"text": "hi", "edit_date": [], "rich_message": "no"}, Content(Kind.TEXT, "hi")),
        ({"text": 7}, Content(Kind.TEXT, "7")),
        ({"text": {"of": "tomorrow"}}, Content(Kind.UNKNOWN)),
        ({"photo": FILE}, Content(Kind.PHOTO, file=File("f", "u"))),
        ({"photo": [FILE, "x"], "caption": 5}, Content(Kind.PHOTO, "5", file=File("f", "u"))),
        ({"voice": {**VOICE, "duration": "3"}}, Content(Kind.VOICE, file=File("f", "u"), detail={"duration": 3})),
        ({"voice": {**VOICE, "file_size": "big"}}, Content(Kind.VOICE, file=File("f", "u"), detail={"duration": 3})),
        ({"voice": [VOICE]}, Content(Kind.VOICE, file=File("f", "u"), detail={"duration": 3})),
        ({"voice": "what"}, Content(Kind.UNKNOWN)),
        ({"dice": {"emoji": "x", "value": "6"}}, Content(Kind.DICE, detail={"emoji": "x", "value": 6})),
        (
            {"voice": VOICE, "media_group_id": 4},
            Content(Kind.VOICE, file=File("f", "u"), group="4", detail={"duration": 3}),
        ),
    ],
)
def test_a_field_of_the_wrong_type_loses_only_that_field(members: Any, expected: Content) -> None:
    assert content_of({"message": message(**members)}) == expected


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'"so \\ud83d"', "so \ufffd"),
        (b'"\\udc4d\\ud83d so"', "\ufffd\ufffd so"),
        (b'"\\ud83d\\udc4d \\ud800 so"', "👍 \ufffd so"),
        (b'"so \xff\xfe"', "so \ufffd\ufffd"),
        (b'"a\tb\x01c"', "a\tb\x01c"),
    ],
)
def test_invalid_unicode_is_replaced_and_the_text_is_sent(raw: bytes, text: str) -> None:
    body = json.dumps({"update_id": 1, "message": message(text="TEXT")}).encode().replace(b'"TEXT"', raw)
    (arrival,) = arrivals(b'{"ok":true,"result":[' + body + b"]}", A)
    assert isinstance(arrival.event, MessageReceived)
    assert arrival.event.contents[0] == Content(Kind.TEXT, text)
    arrival.event.text.encode()


def test_a_value_nested_too_deeply_loses_only_that_value() -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = {"type": "bold", "text": deep}
    body = json.dumps({"update_id": 1, "message": message(text="hi", entities=deep)})
    (arrival,) = arrivals(b'{"ok":true,"result":[' + body.encode() + b"]}", A)
    assert isinstance(arrival.event, MessageReceived)
    assert arrival.event.text == "hi"


def test_an_unreadable_edit_has_an_unknown_kind() -> None:
    (event,) = decoded({"edited_message": message(voice={"file_id": []}, edit_date=5)})
    assert isinstance(event, MessageEdited)
    assert event.content == Content(Kind.UNKNOWN)


@pytest.mark.parametrize("broken", ["chat", "from", "date", "message_id", "text"])
@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [[]], True, -1.5, {"id": "x"}])
def test_the_sender_of_a_broken_update_is_found_if_any_field_names_them(broken: str, value: Any) -> None:
    (event,) = decoded({"message": message(**{"text": "hi", broken: value})})
    assert isinstance(event, MessageReceived)
    assert event.person == 42


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "text"]), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = sorted(set(fields("Message")) - {"chat", "from"})


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=3), st.booleans())
def test_a_message_with_any_fields_of_any_type_still_has_a_sender(members: Any, full: bool) -> None:
    whole = {name: fullest(fields("Message")[name]["types"][0]) for name in members} if full else {}
    (event,) = decoded({"message": {**message(text="hi"), **whole, **members}})
    if isinstance(event, Unusable):
        assert event.why == "topic"
    else:
        assert isinstance(event, MessageReceived)
        assert event.person == PRIVATE["id"] == PERSON["id"]
