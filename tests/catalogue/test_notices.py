"""A text is recognised by what a phone shows."""

import pytest

from passerby.catalogue.notices import Notices
from passerby.catalogue.template import Wording, compile_template
from passerby.kernel.text import Arg, text
from tests.wording import catalogue, shown

ENGLISH = catalogue().notices("en")

SAMPLE = Notices(
    {
        key: Wording(tuple(map(compile_template, sources)))
        for key, sources in {
            "wait.fixed": ["<b>Still</b> waiting. 100% sure."],
            "wait.shaped": ["Still waiting. {why} sure."],
            "wait.many": ["{n} message was lost", "{n} messages were lost"],
            "wait.same": ["Still waiting. 100% sure."],
            "wait.anything": ["{word}"],
        }.items()
    }
)


@pytest.mark.parametrize(
    ("words", "key", "args"),
    [
        ("Still waiting. 100% sure.", "wait.fixed", {}),
        ("Still waiting. Not\nso sure.\n", "wait.shaped", {"why": "Not\nso"}),
        ("1 message was lost", "wait.many", {"n": "1"}),
        ("12 messages were lost", "wait.many", {"n": "12"}),
    ],
)
def test_a_text_and_its_values_are_recognised_by_the_words(words: str, key: str, args: dict[str, str]) -> None:
    assert SAMPLE.find(words) == (key, args)
    assert SAMPLE.key(words) == key


@pytest.mark.parametrize("words", ["", "hello", "Still waiting.", "12 messages were lost, or so"])
def test_a_message_that_is_not_ours_is_not_recognised(words: str) -> None:
    assert SAMPLE.key(words) is None
    assert ENGLISH.key(words) is None


@pytest.mark.parametrize("language", catalogue().languages)
def test_notices_about_a_persons_state_are_recognised_in_every_language(language: str) -> None:
    notices = catalogue().notices(language)
    args: dict[str, Arg] = {"question": text("icebreakers.1"), "interests": (text("interests.music"),), "who": "Sunny"}
    for key in ("search.found", "search.found_alike_asking", "friends.together", "chat.partner_left", "search.begun"):
        assert notices.key(shown(key, language, **args)) == key
