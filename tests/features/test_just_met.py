"""User names, links and numbers between people who have just met are sent only after the sender confirms it."""

import pytest

from passerby.kernel.content import Content, Entity, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Menu, Relay, Revise
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.participant import Chatting, Held
from passerby.kernel.rules import ContactPolicy, Rules
from passerby.kernel.text import text
from tests.features.playbook import NOW, OTHER_BOT, Person, Playbook, says

TRACES = {
    "write to @somebody": "name",
    "see https://example.org/x": "link",
    "ann@example.org": "email",
    "call +49 170 1234567": "phone",
}


def couple(policy: ContactPolicy = ContactPolicy.WARN) -> tuple[Playbook, Person, Person]:
    talk = Playbook(Rules(contact_policy=policy))
    return talk, *talk.pair(talk.person(), talk.person(bot=OTHER_BOT))


def menu(chat: str) -> Menu:
    return Menu(((Button(text("chat.show_it"), "show", chat), Button(text("chat.keep_it"), "hide", chat)),))


def relayed(ann: Person, ben: Person, *contents: Content, copyable: bool = True) -> Relay:
    sources = tuple(MessageId(ann.last_message + index) for index in range(len(contents)))
    return Relay(ann.chat, ann.person, ann.bot, sources, ben.person, contents, copyable)


def waiting(ann: Person) -> list[Held]:
    assert isinstance(ann.value.state, Chatting)
    return list(ann.value.state.held)


@pytest.mark.parametrize(("words", "trace"), TRACES.items())
def test_the_sender_is_asked_before_it_is_sent(words: str, trace: str) -> None:
    _, ann, _ = couple()
    decision = ann.writes(words)
    asked = says(ann, f"chat.confirm_{trace}", menu(f"{ann.chat}~{trace[0]}"), reply_to=ann.last_message)
    assert decision.effects == (asked,)
    assert waiting(ann) == [Held(MessageRef(ann.bot, ann.last_message))]


@pytest.mark.parametrize("words", TRACES)
def test_after_confirmation_it_is_sent(words: str) -> None:
    _, ann, ben = couple()
    message = ann.message(Content(Kind.TEXT, words))
    closed = Revise(ann.person, MessageId(50), text("chat.shown"))
    assert ann.presses("show", ann.chat, subject=message) == Decision(
        effects=(Answer("query"), closed, relayed(ann, ben, *message.contents))
    )


@pytest.mark.parametrize("words", TRACES)
def test_with_the_policy_hold_it_is_not_sent(words: str) -> None:
    _, ann, _ = couple(ContactPolicy.HOLD)
    decision = ann.writes(words)
    assert decision == Decision(effects=(says(ann, "chat.held", None, reply_to=ann.last_message),))


@pytest.mark.parametrize("words", TRACES)
def test_with_the_policy_off_it_is_sent(words: str) -> None:
    _, ann, ben = couple(ContactPolicy.OFF)
    assert ann.writes(words) == Decision(effects=(relayed(ann, ben, Content(Kind.TEXT, words)),))


@pytest.mark.parametrize("policy", ContactPolicy)
def test_people_who_have_chatted_for_a_while_are_not_asked(policy: ContactPolicy) -> None:
    talk, ann, ben = couple(policy)
    talk.later(talk.env.rules.just_met_s - 1)
    asked = policy is not ContactPolicy.OFF
    passed = ann.writes("@somebody")
    assert (passed != Decision(effects=(relayed(ann, ben, Content(Kind.TEXT, "@somebody")),))) is asked
    talk.later(1)
    passed = ann.writes("@somebody")
    assert passed == Decision(effects=(relayed(ann, ben, Content(Kind.TEXT, "@somebody")),))


def test_a_hidden_link_is_found_before_it_is_removed() -> None:
    _, ann, _ = couple()
    hidden = Content(Kind.TEXT, "my page", (Entity("text_link", 0, 7, url="https://t.me/ann"),))
    decision = ann.sends(hidden)
    asked = says(ann, "chat.confirm_link", menu(f"{ann.chat}~l"), reply_to=ann.last_message)
    assert decision.effects == (asked,)


def test_an_album_goes_at_once_without_its_words() -> None:
    talk, ann, ben = couple()
    talk.unblurred(ben)
    album = Content(Kind.PHOTO, "@somebody", (Entity("bold", 0, 3),), group="g"), Content(Kind.PHOTO, "hi", group="g")
    decision = ann.sends(*album)
    bare = Content(Kind.PHOTO, group="g")
    assert decision == Decision(
        effects=(
            relayed(ann, ben, bare, bare, copyable=False),
            says(ann, "chat.album_words_held", None, reply_to=ann.last_message),
        )
    )


def test_a_caption_follows_the_policy_too() -> None:
    _, ann, _ = couple()
    decision = ann.sends(Content(Kind.PHOTO, "@somebody"))
    asked = says(ann, "chat.confirm_name", menu(f"{ann.chat}~n"), reply_to=ann.last_message)
    assert decision.effects == (asked,)


def test_a_message_from_before_the_chat_is_refused_without_a_question() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person(), anchored=False)
    decision = ann.writes("@somebody", sent_at=NOW)
    assert decision == Decision(effects=(says(ann, "chat.before_this_chat", None, reply_to=ann.last_message),))
