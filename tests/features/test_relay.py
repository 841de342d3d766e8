"""A message goes to the partner of the chat it was written in, without its sender's identity, or to nobody."""

from typing import Any

import msgspec
import pytest

from passerby.domain.sanitise import REFUSED, REVEALS_SENDER
from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Relay
from passerby.kernel.ids import NOWHERE, BotId, MessageId, MessageRef
from passerby.kernel.participant import Idle
from passerby.kernel.rules import ContactPolicy, Rules
from tests.features.playbook import BOT, NOW, OTHER_BOT, Person, Playbook, becomes, says

PASSED = [kind for kind in Kind if kind not in REFUSED and kind not in REVEALS_SENDER]


def relay(by: Person, to: Person, *contents: Content, **rest: Any) -> Relay:
    bot: BotId = rest.pop("bot", by.bot)
    sources = tuple(MessageId(by.last_message + each) for each in range(len(contents)))
    rest.setdefault("copyable", True)
    return Relay(by.chat, by.person, bot, sources, to.person, contents, **rest)


def couple(talk: Playbook, **how: Any) -> tuple[Person, Person]:
    ann, ben = talk.pair(talk.person(), talk.person(bot=OTHER_BOT), **how)
    talk.unblurred(ann, ben)
    return ann, ben


@pytest.mark.parametrize(
    "words",
    [
        "hello",
        "I typed /stop to see",
        "/",
        "Next",
        "⏭ Next!",
        "👍",
    ],
)
def test_words_go_to_the_partner(words: str) -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    assert ann.writes(words) == Decision(effects=(relay(ann, ben, Content(Kind.TEXT, words)),))
    assert ben.writes(words) == Decision(effects=(relay(ben, ann, Content(Kind.TEXT, words)),))


@pytest.mark.parametrize("kind", PASSED)
def test_every_kind_that_can_be_passed_on_is(kind: Kind) -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    content = Content(kind, "/stop", file=File("id", "unique"))
    decision = ann.sends(content)
    if kind is Kind.TEXT:
        assert decision.changes, "the one kind in which a command is a command"
    else:
        warned = [says(ann, "chat.inside_sound", None, reply_to=ann.last_message)] if kind is Kind.AUDIO else []
        assert decision == Decision(effects=(relay(ann, ben, content), *warned))


INSIDE = {
    "image/jpeg": "picture",
    "IMAGE/HEIC": "picture",
    "video/quicktime": "picture",
    "audio/flac": "sound",
    "application/pdf": "paper",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "paper",
}


def document(mime: str | None) -> Content:
    return Content(Kind.DOCUMENT, file=File("id", "unique", mime=mime), group="g")


@pytest.mark.parametrize(("mime", "what"), INSIDE.items())
def test_the_sender_of_a_file_with_hidden_data_is_warned(mime: str, what: str) -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    decision = ann.sends(document(mime))
    told = says(ann, f"chat.inside_{what}", None, reply_to=ann.last_message)
    assert decision == Decision(effects=(relay(ann, ben, document(mime)), told))


def test_an_album_with_hidden_data_brings_one_warning() -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    album = document("text/plain"), document("image/png"), document("application/pdf")
    decision = ann.sends(*album)
    told = says(ann, "chat.inside_picture", None, reply_to=ann.last_message)
    assert decision == Decision(effects=(relay(ann, ben, *album), told))


@pytest.mark.parametrize(
    "content", [*map(document, ("text/plain", "", None)), Content(Kind.PHOTO, file=File("i", "u"))]
)
def test_the_sender_of_any_other_file_gets_no_warning(content: Content) -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    assert ann.sends(content) == Decision(effects=(relay(ann, ben, content),))


def test_a_poll_with_pictures_is_refused_and_one_without_is_not() -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    words = Content(Kind.POLL, detail={"question": "?", "options": []})
    pictures = Content(Kind.POLL, detail={"question": "?", "options": [], "has_media": True})
    assert ann.sends(words) == Decision(effects=(relay(ann, ben, words),))
    decision = ann.sends(pictures)
    assert decision == Decision(effects=(says(ann, "chat.refused_poll_media", None, reply_to=ann.last_message),))


@pytest.mark.parametrize("kind", REFUSED)
def test_every_kind_that_cannot_be_passed_on_says_why(kind: Kind) -> None:
    talk = Playbook()
    ann, _ = couple(talk)
    decision = ann.sends(Content(kind))
    assert decision == Decision(effects=(says(ann, REFUSED[kind], None, reply_to=ann.last_message),))


def test_every_kind_is_passed_on_refused_or_needs_confirmation() -> None:
    assert set(PASSED) | set(REFUSED) | set(REVEALS_SENDER) == set(Kind)
    assert not set(REFUSED) & set(REVEALS_SENDER)


def test_an_album_is_passed_on_as_one() -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    items = tuple(Content(Kind.PHOTO, file=File(str(each), str(each)), group="g") for each in range(3))
    assert ann.sends(*items) == Decision(effects=(relay(ann, ben, *items),))


@pytest.mark.parametrize(
    "revealing",
    [
        Entity("text_mention", 0, 5),
        Entity("text_link", 0, 5, url="tg://user?id=5000000001"),
        Entity("text_link", 0, 5, url="https://t.me/ann"),
        Entity("text_link", 0, 5, url="ann.t.me"),
    ],
)
def test_hidden_mentions_are_removed_and_the_original_is_not_copied(revealing: Entity) -> None:
    talk = Playbook(Rules(contact_policy=ContactPolicy.OFF))
    ann, ben = couple(talk)
    bold = Entity("bold", 6, 3)
    clean = Content(Kind.TEXT, "hello you", (bold,))
    decision = ann.sends(Content(Kind.TEXT, "hello you", (revealing, bold)))
    assert decision == Decision(effects=(relay(ann, ben, clean, copyable=False),))


def test_one_revealing_item_keeps_a_whole_album_from_being_copied() -> None:
    talk = Playbook(Rules(contact_policy=ContactPolicy.OFF))
    ann, ben = couple(talk)
    plain = Content(Kind.PHOTO, "you", group="g")
    mention = msgspec.structs.replace(plain, entities=(Entity("text_mention", 0, 3),))
    assert ann.sends(plain, mention) == Decision(effects=(relay(ann, ben, plain, plain, copyable=False),))


def test_a_reply_names_its_message_as_its_sender_sees_it() -> None:
    """The partner's side of that message is looked up at the time of sending, because it may still be on its way."""
    talk = Playbook()
    ann, ben = couple(talk)
    decision = ann.writes("yes", reply_to=7, quote="a word")
    about = MessageRef(BOT, MessageId(7))
    expected = relay(ann, ben, Content(Kind.TEXT, "yes"), reply_to=about, quote="a word")
    assert decision == Decision(effects=(expected,))


def test_a_quote_keeps_only_plain_formatting() -> None:
    talk = Playbook()
    ann, _ = couple(talk)
    event = msgspec.structs.replace(
        ann.message(Content(Kind.TEXT, "yes"), reply_to=7, quote="a word"),
        quote_entities=(
            Entity("bold", 0, 1, url="t.me/ann"),
            Entity("text_mention", 2, 4),
            Entity("custom_emoji", 2, 4, custom_emoji_id="@ann"),
        ),
    )
    (effect,) = talk.happens(event, MessageRef(BOT, MessageId(7))).effects
    assert isinstance(effect, Relay)
    assert effect.quote_entities == (Entity("bold", 0, 1),)


def not_meant(ann: Person) -> Decision:
    return Decision(effects=(says(ann, "chat.before_this_chat", None, reply_to=ann.last_message),))


def test_a_message_from_before_the_chats_notice_goes_to_nobody() -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    anchor = talk.anchors[ann.chat, ann.person].message
    late_date = NOW + 100
    assert ann.writes("hi", message=anchor - 1, sent_at=late_date) == not_meant(ann), "the number decides, not the date"
    decision = ann.writes("hi", message=anchor + 1, sent_at=NOW - 100)
    assert decision == Decision(effects=(relay(ann, ben, Content(Kind.TEXT, "hi")),))


@pytest.mark.parametrize("sent_at", [NOW - 60, NOW, NOW + 60])
def test_until_the_notice_has_arrived_no_message_goes_to_the_partner(sent_at: float) -> None:
    talk = Playbook()
    ann, _ = couple(talk, anchored=False)
    assert ann.writes("hi", sent_at=sent_at) == not_meant(ann)


@pytest.mark.parametrize("sent_at", [NOW - 60, NOW - 1, NOW, NOW + 0.9])
def test_if_the_notice_never_arrives_dates_decide(sent_at: float) -> None:
    talk = Playbook()
    ann, ben = couple(talk, anchored=False)
    talk.anchors[ann.chat, ann.person] = NOWHERE
    talk.anchors[ben.chat, ben.person] = NOWHERE
    assert ann.writes("hi", sent_at=sent_at) == not_meant(ann)
    decision = ann.writes("hi", sent_at=NOW + 1)
    assert decision == Decision(effects=(relay(ann, ben, Content(Kind.TEXT, "hi")),))


def test_on_another_bot_dates_decide() -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    was = ann.value
    moved = becomes(was, was.state, bot=OTHER_BOT, bots=(OTHER_BOT, BOT))
    early = ann.writes("hi", message=9999, sent_at=NOW, bot=OTHER_BOT)
    assert early == Decision((moved,), not_meant(ann).effects)
    later = ann.writes("hi", message=3, sent_at=NOW + 1, bot=OTHER_BOT)
    assert later == Decision(effects=(relay(ann, ben, Content(Kind.TEXT, "hi"), bot=OTHER_BOT),))


def test_an_album_is_judged_by_its_first_item() -> None:
    talk = Playbook()
    ann, _ = couple(talk)
    anchor = talk.anchors[ann.chat, ann.person].message
    items = Content(Kind.PHOTO, group="g"), Content(Kind.PHOTO, group="g")
    assert ann.sends(*items, message=anchor - 1) == not_meant(ann)


@pytest.mark.parametrize("partner", ["gone", "idle"])
def test_nothing_is_sent_if_the_partner_is_elsewhere(partner: str) -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    if partner == "gone":
        del talk.people[ben.person]
    else:
        talk.people[ben.person] = msgspec.structs.replace(ben.value, state=Idle())
    decision = ann.writes("hi")
    assert decision == Decision(effects=(says(ann, "chat.not_connected", None, reply_to=ann.last_message),))


def test_after_a_new_pairing_messages_go_only_to_the_new_partner() -> None:
    talk = Playbook()
    ann, ben = couple(talk)
    ann.writes("/next")
    eve = talk.person()
    talk.pair(ann, eve)
    assert ann.writes("hi") == Decision(effects=(relay(ann, eve, Content(Kind.TEXT, "hi")),))
    told = ben.writes("hi", sent_at=NOW + 1)
    assert told == Decision(effects=(says(ben, "search.idle", reply_to=ben.last_message),))
