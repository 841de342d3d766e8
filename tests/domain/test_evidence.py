"""Which chats a person may mean when they choose a message as evidence."""

import msgspec

from passerby.domain.evidence import may_concern, original_of
from passerby.kernel.content import Content, Kind
from passerby.kernel.event import BotBlocked, ButtonPressed, MessageReceived, Original
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef
from passerby.kernel.participant import Chatting, Commenting, LastChat, Met
from tests.domain.test_sanctions import BOT, NOW, person

ORIGINAL = Original(MessageId(7), raw=b"{}")
OTHER = person(2).person
ME = person(
    state=Chatting(ChatId("now"), OTHER, NOW),
    last=LastChat(ChatId("last"), OTHER, NOW, "next", left=True),
    recent=(Met(OTHER, NOW, chat=ChatId("last")), Met(OTHER, NOW - 90_000, chat=ChatId("old")), Met(OTHER, NOW)),
)


def wrote(words: str, original: Original | None = ORIGINAL) -> MessageReceived:
    contents = (Content(Kind.TEXT, words),)
    return MessageReceived(ME.person, BOT, (MessageId(9),), contents, NOW, MessageId(7), original=original)


def pressed(action: str, token: str, original: Original | None = ORIGINAL) -> ButtonPressed:
    return ButtonPressed(ME.person, BOT, "q", MessageId(8), action, token, original=original)


def test_only_a_reply_to_one_of_the_bots_messages_can_choose_one() -> None:
    assert original_of(wrote("x")) == MessageRef(BotId(BOT), MessageId(7))
    assert original_of(wrote("x", None)) is None
    assert original_of(BotBlocked(ME.person, BOT)) is None
    assert may_concern(wrote("/report", None), ME, NOW) == ()


def test_a_command_may_mean_any_chat_of_the_last_day_and_a_button_only_its_own() -> None:
    assert may_concern(wrote("/report"), ME, NOW) == ("now", "last")
    assert may_concern(pressed("complain", "last.rude"), ME, NOW) == ("last",)
    assert may_concern(pressed("complain", "old.rude"), ME, NOW) == ()
    assert may_concern(pressed("unreport", "last"), ME, NOW) == ()
    assert may_concern(wrote("/report"), person(), NOW) == ()


def test_another_reply_may_only_mean_the_chat_that_was_just_reported() -> None:
    assert may_concern(wrote("this"), ME, NOW) == ()
    asked = msgspec.structs.replace(ME, commenting=Commenting(ChatId("last"), NOW, MessageRef(BOT, MessageId(1))))
    assert may_concern(wrote("this"), asked, NOW) == ("last",)
    assert may_concern(wrote("this"), asked, NOW + 86_401) == ()
