"""Seeing an address through its usual disguises, and leaving ordinary talk alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.contacts import Trace, find, plain, traces
from passerby.kernel.content import Content, Entity, Kind

FOUND = {
    Trace.NAME: ["@somebody", "write to @some_body1", "@ somebody", "(@Somebody)", "＠somebody", "@sоmеbоdy"],
    Trace.LINK: [
        "https://example.org",
        "www.example",
        "t.me/somebody",
        "T . me",
        "example.com",
        "see example.co/x",
        "tg://resolve?domain=x",
        "exаmple.com",
        "example\u200b.com",
        "example dot com",
        "example (dot) com",
        "instagram.com",
        "vk.com",
    ],
    Trace.EMAIL: [
        "ann@example.org",
        "ann @ example.org",
        "ann at example dot org",
        "ann (at) example (dot) org",
        "ann [собака] example [точка] ru",
        "ann аt exаmple dоt org",
        "ann.b+c@mail.example.co.uk",
    ],
    Trace.PHONE: [
        "+49 170 1234567",
        "8 (912) 345-67-89",
        "+1-202-555-0123",
        "٠٩١٢٣٤٥٦٧٨٩",
        "my number is 0170.1234.567",
        "491701234567",
    ],
}
INNOCENT = [
    "",
    "hello, how are you?",
    "I am 25.And you?",
    "wait.what",
    "see you at 10.30",
    "I am at work. See you later",
    "we met at uni. dot com was a boom",
    "at home. dot.",
    "born 1999-12-31",
    "that is 1 000 000 000 too many",
    "1,000,000,000",
    "3.14159265358979",
    "me.to",
    "no.it is not",
    "a@b",
    "@me",
    "e-mail me",
    "18:30-19:45",
    "12345678",
    "😀😀😀",
]


@pytest.mark.parametrize(("trace", "text"), [(trace, text) for trace, texts in FOUND.items() for text in texts])
def test_an_address_is_seen_through_its_disguises(trace: Trace, text: str) -> None:
    assert find(text) is trace


@pytest.mark.parametrize("text", INNOCENT)
def test_ordinary_talk_is_left_alone(text: str) -> None:
    assert find(text) is None


@pytest.mark.parametrize(
    ("type_", "trace"),
    [
        ("text_link", Trace.LINK),
        ("url", Trace.LINK),
        ("mention", Trace.NAME),
        ("text_mention", Trace.NAME),
        ("email", Trace.EMAIL),
        ("phone_number", Trace.PHONE),
        ("bold", None),
        ("hashtag", None),
    ],
)
def test_what_stands_behind_the_words_counts_as_well(type_: str, trace: Trace | None) -> None:
    content = Content(Kind.TEXT, "look here", (Entity("bold", 0, 1), Entity(type_, 0, 4)))
    assert traces(content) is trace


def test_words_come_before_what_stands_behind_them() -> None:
    assert traces(Content(Kind.PHOTO, "@somebody", (Entity("url", 0, 9),))) is Trace.NAME
    assert traces(Content(Kind.PHOTO)) is None


@given(st.text(max_size=40))
def test_reading_is_stable_and_finding_never_fails(text: str) -> None:
    assert find(text) in (None, *Trace)
    assert plain(plain(text)) == plain(plain(plain(text)))
