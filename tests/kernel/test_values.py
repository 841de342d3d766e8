"""The few promises that the plain values make."""

import pytest

from passerby.kernel.content import Content, Kind
from passerby.kernel.effect import Priority
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.participant import Gender, Profile
from passerby.kernel.text import text


def received(*contents: Content) -> MessageReceived:
    return MessageReceived(PersonId(1), BotId(2), (MessageId(3),), contents, 0.0)


def test_only_a_text_message_has_words() -> None:
    assert received(Content(Kind.TEXT, "/stop")).text == "/stop"
    assert received(Content(Kind.PHOTO, "/stop")).text == "", "a caption is no command"
    assert received(Content(Kind.PHOTO, "/stop"), Content(Kind.TEXT, "/stop")).text == ""


@pytest.mark.parametrize(
    ("profile", "complete"),
    [
        (Profile(), False),
        (Profile(age=20, gender=Gender.OTHER), False),
        (Profile(consented_at=1.0, gender=Gender.OTHER), False),
        (Profile(consented_at=1.0, age=20), False),
        (Profile(consented_at=0.0, age=0, gender=Gender.UNSAID), True),
    ],
)
def test_a_profile_is_complete_with_consent_age_and_gender(profile: Profile, complete: bool) -> None:
    assert profile.complete is complete


def test_the_order_of_a_texts_arguments_does_not_matter() -> None:
    assert text("key", b=1, a=2) == text("key", a=2, b=1)
    assert text("key", a=1) != text("key", a=2)


def test_chat_goes_before_match_before_reply_before_the_rest() -> None:
    assert sorted(Priority) == [
        Priority.CHAT,
        Priority.MATCH,
        Priority.COMMAND,
        Priority.SYSTEM,
        Priority.BROADCAST,
    ]
