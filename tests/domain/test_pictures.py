"""A photo that nobody looked at arrives blurred."""

import msgspec
import pytest

from passerby.domain.pictures import covered
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.effect import Relay
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId

FIRST = Content(Kind.PHOTO, file=File("a", "a"))
SECOND = Content(Kind.PHOTO, file=File("b", "b"))
WORDS = Content(Kind.TEXT, "hello")


def blurred(content: Content) -> Content:
    return msgspec.structs.replace(content, spoiler=True)


def relay(*contents: Content) -> Relay:
    sources = tuple(MessageId(1 + place) for place in range(len(contents)))
    return Relay(ChatId("c"), PersonId(1), BotId(5), sources, PersonId(2), contents, copyable=True, look=True)


@pytest.mark.parametrize(
    ("contents", "seen", "shown", "copyable"),
    [
        ((FIRST,), (FIRST,), (FIRST,), True),
        ((FIRST,), (blurred(FIRST),), (blurred(FIRST),), False),
        ((FIRST, SECOND), (FIRST,), (FIRST, blurred(SECOND)), False),
        ((FIRST, SECOND), (), (blurred(FIRST), blurred(SECOND)), False),
        ((WORDS,), (), (WORDS,), True),
    ],
)
def test_a_photo_that_nobody_looked_at_arrives_blurred_and_never_as_a_copy(
    contents: tuple[Content, ...], seen: tuple[Content, ...], shown: tuple[Content, ...], copyable: bool
) -> None:
    after = covered(relay(*contents), seen)

    assert (after.contents, after.copyable, after.look) == (shown, copyable, False)
