"""Contacts and places tell who or where somebody is. They are passed on only after the sender confirms it."""

import pytest

from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Counterpart, Decision
from passerby.kernel.effect import Answer, Button, Menu, Relay, Revise
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.text import text
from tests.features.playbook import NOW, OTHER_BOT, Person, Playbook, says

PLACES = [
    (Kind.CONTACT, "chat.confirm_contact"),
    (Kind.LOCATION, "chat.confirm_place"),
    (Kind.VENUE, "chat.confirm_place"),
]
TOO_OLD = Answer("query", text("chat.button_too_old"), alert=True)


def asked(ann: Person, kind: Kind) -> MessageReceived:
    """Ann has sent this and was asked. Returns what the button brings back."""
    message = ann.message(Content(kind, detail={"phone_number": "1"}), reply_to=7, quote="where?")
    ann.talk.happens(message)
    return message


def closed(ann: Person, key: str) -> Revise:
    return Revise(ann.person, MessageId(50), text(key))


def couple() -> tuple[Playbook, Person, Person]:
    talk = Playbook()
    return talk, *talk.pair(talk.person(), talk.person(bot=OTHER_BOT))


@pytest.mark.parametrize(("kind", "question"), PLACES)
def test_the_sender_is_asked_before_it_is_sent(kind: Kind, question: str) -> None:
    _, ann, _ = couple()
    decision = ann.sends(Content(kind))
    menu = Menu(((Button(text("chat.show_it"), "show", ann.chat), Button(text("chat.keep_it"), "hide", ann.chat)),))
    assert decision == Decision(effects=(says(ann, question, menu, reply_to=ann.last_message),))


@pytest.mark.parametrize("kind", [kind for kind, _ in PLACES])
def test_after_confirmation_it_is_sent_and_the_question_closes(kind: Kind) -> None:
    _, ann, ben = couple()
    subject = asked(ann, kind)
    about = MessageRef(ann.bot, MessageId(7))
    passed = Relay(ann.chat, ann.person, ann.bot, subject.messages, ben.person, subject.contents, True, about, "where?")
    assert ann.presses("show", ann.chat, subject=subject) == Decision(
        effects=(Answer("query"), closed(ann, "chat.shown"), passed)
    )


def test_a_second_press_does_not_send_it_again() -> None:
    talk, ann, _ = couple()
    subject = asked(ann, Kind.CONTACT)
    ann.presses("show", ann.chat, subject=subject)
    arrived = Counterpart(MessageRef(OTHER_BOT, MessageId(900)), mine=True)
    talk.map[MessageRef(ann.bot, subject.messages[0])] = arrived
    assert ann.presses("show", ann.chat, subject=subject) == Decision(
        effects=(Answer("query"), closed(ann, "chat.shown"))
    )


def test_after_a_no_it_goes_to_nobody_and_the_question_closes() -> None:
    _, ann, _ = couple()
    subject = asked(ann, Kind.CONTACT)
    assert ann.presses("hide", ann.chat, subject=subject) == Decision(
        effects=(Answer("query"), closed(ann, "chat.not_shown"))
    )


def test_a_button_of_an_old_chat_sends_nothing_to_the_new_partner() -> None:
    talk, ann, _ = couple()
    subject, old = asked(ann, Kind.CONTACT), ann.chat
    ann.writes("/next")
    talk.pair(ann, talk.person())
    assert ann.presses("show", old, subject=subject) == Decision(effects=(TOO_OLD, closed(ann, "chat.not_shown")))
    assert ann.presses("hide", old, subject=subject) == Decision(
        effects=(Answer("query"), closed(ann, "chat.not_shown"))
    )


@pytest.mark.parametrize("state", ["idle", "searching"])
def test_a_button_of_a_chat_that_has_ended_does_nothing(state: str) -> None:
    _, ann, _ = couple()
    subject, old = asked(ann, Kind.LOCATION), ann.chat
    ann.writes("/stop" if state == "idle" else "/next")
    assert ann.presses("show", old, subject=subject) == Decision(effects=(TOO_OLD, closed(ann, "chat.not_shown")))


def test_a_button_without_its_message_does_nothing() -> None:
    _, ann, _ = couple()
    assert ann.presses("show", ann.chat) == Decision(effects=(TOO_OLD, closed(ann, "chat.not_shown")))


def test_a_button_sends_nothing_if_the_partner_is_elsewhere() -> None:
    talk, ann, ben = couple()
    subject = asked(ann, Kind.CONTACT)
    del talk.people[ben.person]
    nobody_there = Answer("query", text("chat.not_connected"), alert=True)
    decision = ann.presses("show", ann.chat, subject=subject)
    assert decision == Decision(effects=(nobody_there, closed(ann, "chat.not_shown")))


def test_a_question_that_is_gone_is_not_edited() -> None:
    _, ann, _ = couple()
    assert ann.presses("hide", ann.chat, message=None) == Decision(effects=(Answer("query"),))
    assert ann.presses("show", "another", message=None) == Decision(effects=(TOO_OLD,))


def test_a_place_sent_before_the_chat_is_refused_without_a_question() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person(), anchored=False)
    decision = ann.sends(Content(Kind.LOCATION), sent_at=NOW)
    assert decision == Decision(effects=(says(ann, "chat.before_this_chat", None, reply_to=ann.last_message),))


def test_a_confirmed_message_keeps_what_it_replies_to() -> None:
    """In a press, Telegram leaves out the reply of a reply."""
    _, ann, ben = couple()
    question = ann.sends(Content(Kind.CONTACT), reply_to=7).effects[0]
    token = f"{ann.chat}.7"
    menu = Menu(((Button(text("chat.show_it"), "show", token), Button(text("chat.keep_it"), "hide", token)),))
    assert question == says(ann, "chat.confirm_contact", menu, reply_to=ann.last_message)
    subject = ann.message(Content(Kind.CONTACT))
    passed = ann.presses("show", token, subject=subject).effects[-1]
    about = MessageRef(ann.bot, MessageId(7))
    assert passed == Relay(
        ann.chat, ann.person, ann.bot, subject.messages, ben.person, subject.contents, True, reply_to=about
    )


@pytest.mark.parametrize("forged", [".", ".x", ".-7", ".7.8", "." + "9" * 30])
def test_a_forged_reply_is_ignored(forged: str) -> None:
    _, ann, _ = couple()
    subject = ann.message(Content(Kind.CONTACT))
    passed = ann.presses("show", ann.chat + forged, subject=subject).effects[-1]
    assert isinstance(passed, Relay)
    assert passed.reply_to is None


@pytest.mark.parametrize("kind", [Kind.STORY, Kind.GAME, Kind.SERVICE])
def test_a_forged_press_does_not_send_a_refused_kind(kind: Kind) -> None:
    _, ann, _ = couple()
    subject = ann.message(Content(kind))
    answer, revised = ann.presses("show", ann.chat, subject=subject).effects
    assert isinstance(answer, Answer)
    assert answer.alert
    assert revised == closed(ann, "chat.not_shown")


def test_a_forged_press_does_not_send_a_message_from_before_the_chat() -> None:
    _, ann, _ = couple()
    subject = ann.message(Content(Kind.TEXT, "for the last one"), message=1)
    assert ann.presses("show", ann.chat, subject=subject) == Decision(
        effects=(Answer("query", text("chat.before_this_chat"), alert=True), closed(ann, "chat.not_shown"))
    )
