"""An unknown command never reaches the partner, unless its writer confirms that it is for them."""

import msgspec
import pytest

from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Counterpart, Decision
from passerby.kernel.effect import Answer, Button, Menu, Relay, Revise, Say
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.participant import Chatting, Held, Idle, Participant, Profile
from passerby.kernel.rules import ContactPolicy, Rules
from passerby.kernel.text import text
from tests.features.playbook import NOW, OTHER_BOT, Person, Playbook, becomes, says

SLIPS = [
    ("/serach", "/search"),
    ("/nxt", "/next"),
    ("/stop.", "/stop"),
    ("/STOPP@some_bot", "/stop"),
    ("/sotp now, please", "/stop"),
    ("／ｎｅｘｔ！", "/next"),
    ("/стоп", "/stop"),
    ("/ыещз", "/stop"),
    ("/शिकायत", "/report"),
    ("/ stop", "/stop"),
    ("\\stop", "/stop"),
    ("//next", "/next"),
]
STRANGE = ["/xyzzy", "/42", "/photos/of/mine", "/привет", "/" + "x" * 4095, "/r/funny is fun"]


def couple(rules: Rules | None = None) -> tuple[Playbook, Person, Person]:
    talk = Playbook(rules or Rules())
    return talk, *talk.pair(talk.person(), talk.person(bot=OTHER_BOT))


def choice(token: str) -> Menu:
    return Menu(((Button(text("chat.send_as_message"), "show", token), Button(text("chat.keep_it"), "hide", token)),))


def waiting(ann: Person, was: Participant, *, reply_to: int | None = None) -> Participant:
    """Ann, whose last message is held."""
    assert isinstance(was.state, Chatting)
    answers = MessageId(reply_to) if reply_to is not None else None
    held = Held(MessageRef(ann.bot, ann.last_message), reply_to=answers)
    return becomes(was, msgspec.structs.replace(was.state, held=(held,)))


def closed(ann: Person, key: str) -> Revise:
    return Revise(ann.person, MessageId(50), text(key))


@pytest.mark.parametrize(("words", "meant"), SLIPS)
def test_a_mistyped_command_is_held_and_the_likely_one_is_named(words: str, meant: str) -> None:
    _, ann, _ = couple()
    was = ann.value
    decision = ann.writes(words)
    asked = says(ann, "chat.meant_here", choice(ann.chat), command=meant, reply_to=ann.last_message)
    assert decision == Decision((waiting(ann, was),), (asked,))


@pytest.mark.parametrize("words", STRANGE)
def test_a_command_that_resembles_no_other_is_held_too(words: str) -> None:
    _, ann, _ = couple()
    was = ann.value
    decision = ann.writes(words, reply_to=7)
    asked = says(ann, "chat.no_such_command_here", choice(f"{ann.chat}.7"), reply_to=ann.last_message)
    assert decision == Decision((waiting(ann, was, reply_to=7),), (asked,))


@pytest.mark.parametrize("words", ["\u2068/stop\u2069", "\u200f/stop", "/STOP@some-bot", " /stop"])
def test_a_command_with_invisible_characters_from_copying_works(words: str) -> None:
    _, ann, _ = couple()
    ann.writes(words)
    assert ann.value.state == Idle()


@pytest.mark.parametrize("words", ["yes/no", ":/ hm", "/", "/ that is it", "1/2", "\\o/", "stop", "...stop"])
def test_text_that_does_not_begin_like_a_command_goes_to_the_partner(words: str) -> None:
    _, ann, _ = couple()
    assert isinstance(ann.writes(words).effects[0], Relay)


@pytest.mark.parametrize("kind", [Kind.PHOTO, Kind.DOCUMENT])
def test_a_caption_is_never_a_command(kind: Kind) -> None:
    _, ann, _ = couple()
    assert any(isinstance(effect, Relay) for effect in ann.sends(Content(kind, "/serach")).effects)


def test_after_a_yes_it_reaches_the_partner_once_with_its_reply() -> None:
    talk, ann, ben = couple()
    written = ann.message(Content(Kind.TEXT, "/serach"), reply_to=7)
    talk.happens(written)
    about = MessageRef(ann.bot, MessageId(7))
    token = f"{ann.chat}.7"
    relay = Relay(
        ann.chat, ann.person, ann.bot, written.messages, ben.person, written.contents, copyable=True, reply_to=about
    )
    released = ann.presses("show", token, subject=written)
    assert released.effects == (Answer("query"), closed(ann, "chat.shown"), relay)
    assert isinstance(ann.value.state, Chatting)
    assert ann.value.state.held == ()
    talk.map[MessageRef(ann.bot, written.messages[0])] = Counterpart(MessageRef(OTHER_BOT, MessageId(900)), mine=True)
    again = Decision(effects=(Answer("query"), closed(ann, "chat.shown")))
    assert ann.presses("show", token, subject=written) == again


def test_after_a_no_it_reaches_nobody() -> None:
    talk, ann, _ = couple()
    written = ann.message(Content(Kind.TEXT, "/serach"))
    talk.happens(written)
    kept = ann.presses("hide", ann.chat, subject=written)
    assert kept.effects == (Answer("query"), closed(ann, "chat.not_shown"))


def test_the_button_works_only_in_its_own_chat() -> None:
    talk, ann, _ = couple()
    chat = ann.chat
    written = ann.message(Content(Kind.TEXT, "/serach"))
    talk.happens(written)
    ann.writes("/stop")
    talk.pair(ann, talk.person())
    too_old = Answer("query", text("chat.button_too_old"), alert=True)
    pressed = ann.presses("show", chat, subject=written)
    assert pressed == Decision(effects=(too_old, closed(ann, "chat.not_shown")))


def test_an_unknown_command_with_a_user_name_needs_confirmation() -> None:
    talk, ann, _ = couple()
    written = ann.message(Content(Kind.TEXT, "/write to @ann_smith_77"))
    talk.happens(written)
    pressed = ann.presses("show", ann.chat, subject=written)
    question = pressed.effects[-1]
    assert isinstance(question, Say)
    assert (question.text, question.reply_to) == (text("chat.confirm_name"), written.messages[0])
    assert isinstance(question.keyboard, Menu)
    again = question.keyboard.rows[0][0]
    assert isinstance(ann.presses(again.action, again.token, subject=written).effects[-1], Relay)


@pytest.mark.parametrize("words", ["/search", "/stop", "/ stop", "\u2068/xyzzy\u2069"])
def test_a_held_command_edited_into_another_command_stays_held(words: str) -> None:
    _, ann, _ = couple()
    ann.writes("/serach")
    assert ann.edits(ann.last_message, words).effects == ()


def test_a_held_command_edited_into_a_sentence_is_sent() -> None:
    _, ann, ben = couple()
    ann.writes("/serach")
    (sent,) = ann.edits(ann.last_message, "searching for words").effects
    assert isinstance(sent, Relay)
    assert (sent.to, sent.contents[0].text) == (ben.person, "searching for words")


def test_an_unknown_command_that_could_not_be_sent_is_refused_at_once() -> None:
    _, ann, _ = couple(Rules(contact_policy=ContactPolicy.HOLD))
    decision = ann.writes("/write to @ann_smith_77")
    assert decision == Decision(effects=(says(ann, "chat.held", None, reply_to=ann.last_message),))
    early = ann.writes("/serach", message=1, sent_at=NOW - 60)
    assert early == Decision(effects=(says(ann, "chat.before_this_chat", None, reply_to=ann.last_message),))


def test_outside_a_chat_the_likely_command_is_named() -> None:
    talk = Playbook()
    for person in (talk.person(), talk.searching()):
        named = person.writes("/serach")
        assert named == Decision(effects=(says(person, "chat.meant", command="/search", reply_to=person.last_message),))
        strange = person.writes("/xyzzy")
        assert strange == Decision(effects=(says(person, "chat.no_such_command", reply_to=person.last_message),))


def test_a_newcomer_who_mistypes_is_asked_the_open_question() -> None:
    ann = Playbook().person(msgspec.structs.replace(Profile(language="en")))
    (asked,) = ann.writes("/strat").effects
    assert getattr(asked, "text", None) == text("start.consent", minimum=18)
