"""A held message is passed on as its sender sees it when they press, not as it was before."""

import msgspec
import pytest

from passerby.features.chat.held import MOST
from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.decision import NOTHING, Counterpart, Decision
from passerby.kernel.effect import Answer, Menu, Relay, RelayEdit, Revise, Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.participant import Chatting
from passerby.kernel.rules import Rules
from passerby.kernel.text import text
from tests.features.playbook import NOW, OTHER_BOT, Person, Playbook, says

ASKED = "write to @ann_99"


def couple() -> tuple[Playbook, Person, Person]:
    talk = Playbook(Rules())
    return talk, *talk.pair(talk.person(), talk.person(bot=OTHER_BOT))


def token_of(decision: Decision) -> str:
    """The data of a question's button."""
    question = decision.effects[-1]
    assert isinstance(question, Say)
    assert isinstance(question.keyboard, Menu)
    return question.keyboard.rows[0][0].token


def held(ann: Person) -> list[tuple[int, float, bool]]:
    state = ann.value.state
    assert isinstance(state, Chatting)
    return [(each.at.message, each.edited_at, each.goes) for each in state.held]


def now(ann: Person, words: str, edited_at: float = 0.0) -> MessageReceived:
    """Ann's last message, as Telegram brings it with a press."""
    message = ann.message(Content(Kind.TEXT, words), message=ann.last_message)
    return msgspec.structs.replace(message, edited_at=edited_at)


def passed(decision: Decision) -> list[str]:
    return [each.contents[0].text for each in decision.effects if isinstance(each, Relay)]


def closed(ann: Person, key: str) -> Revise:
    return Revise(ann.person, MessageId(50), text(key))


def test_an_edit_that_removes_the_trace_sends_it_at_once() -> None:
    _, ann, ben = couple()
    token = token_of(ann.writes(ASKED, reply_to=7))
    about = MessageRef(ann.bot, MessageId(7))
    expected = Relay(
        ann.chat, ann.person, ann.bot, (ann.last_message,), ben.person, (Content(Kind.TEXT, "hello"),), True, about
    )
    assert ann.edits(ann.last_message, "hello").effects == (expected,)
    for action in ("show", "hide"):
        decision = ann.presses(action, token, subject=now(ann, ASKED))
        assert decision == Decision(effects=(Answer("query"), closed(ann, "chat.shown")))


def test_a_message_that_an_edit_let_through_can_be_edited_again() -> None:
    _, ann, ben = couple()
    ann.writes(ASKED)
    ann.edits(ann.last_message, "hello")
    source = MessageRef(ann.bot, ann.last_message)
    expected = RelayEdit(ann.chat, ann.person, source, ben.person, Content(Kind.TEXT, "hello there"))
    assert ann.edits(ann.last_message, "hello there", at=NOW + 1) == Decision(effects=(expected,))
    assert ann.edits(ann.last_message, ASKED, at=NOW + 2) == NOTHING


def test_an_edit_that_comes_twice_after_a_crash_still_sends_it() -> None:
    _, ann, _ = couple()
    ann.writes(ASKED)
    for _ in range(2):
        assert passed(ann.edits(ann.last_message, "hello")) == ["hello"]


@pytest.mark.parametrize("edited", ["write to @ann_98", "hi, write to @ann_99", "@ann_99"])
def test_after_an_edit_without_new_traces_a_press_sends_the_newest_text(edited: str) -> None:
    _, ann, _ = couple()
    token = token_of(ann.writes(ASKED))
    assert ann.edits(ann.last_message, edited).effects == ()
    assert held(ann) == [(ann.last_message, NOW, False)]
    decision = ann.presses("show", token, subject=now(ann, edited, NOW))
    assert passed(decision) == [edited]
    assert closed(ann, "chat.shown") in decision.effects
    assert held(ann) == []


@pytest.mark.parametrize(
    ("edited", "trace"),
    [
        (f"{ASKED} or ann@example.org", "email"),
        (f"{ASKED}, call +49 170 1234567", "name"),
        (f"{ASKED} or @ann_too", "name"),
        ("see https://example.org/x", "link"),
    ],
)
def test_after_an_edit_with_more_traces_the_sender_is_asked_again(edited: str, trace: str) -> None:
    _, ann, _ = couple()
    token = token_of(ann.writes(ASKED))
    ann.edits(ann.last_message, edited)
    again = ann.presses("show", token, subject=now(ann, edited, NOW))
    answer, close, question = again.effects
    assert (answer, close) == (Answer("query"), closed(ann, "chat.not_shown"))
    assert isinstance(question, Say)
    assert (question.text, question.reply_to) == (text(f"chat.confirm_{trace}"), ann.last_message)
    assert passed(ann.presses("show", token_of(again), subject=now(ann, edited, NOW))) == [edited]


def test_if_telegram_brings_an_older_text_the_sender_is_asked_again() -> None:
    _, ann, _ = couple()
    token = token_of(ann.writes(ASKED))
    ann.edits(ann.last_message, f"{ASKED} or ann@example.org")
    again = ann.presses("show", token, subject=now(ann, ASKED))
    assert passed(again) == []
    question = again.effects[-1]
    assert isinstance(question, Say)
    assert (question.text, question.reply_to) == (text("chat.confirm_edited"), ann.last_message)
    edited = now(ann, f"{ASKED} or ann@example.org", NOW)
    assert passed(ann.presses("show", token_of(again), subject=edited)) == [edited.text]


def test_the_newest_text_is_sanitised() -> None:
    _, ann, _ = couple()
    token = token_of(ann.writes(ASKED))
    hidden = Content(Kind.TEXT, "@ann_99", (Entity("text_link", 0, 7, url="https://t.me/ann_99"), Entity("bold", 0, 2)))
    ann.edits(ann.last_message, "", content=hidden)
    subject = msgspec.structs.replace(now(ann, ""), contents=(hidden,), edited_at=NOW)
    again = ann.presses("show", token, subject=subject)
    assert passed(again) == [], "a link was not asked about"
    decision = ann.presses("show", token_of(again), subject=subject)
    (relay,) = [each for each in decision.effects if isinstance(each, Relay)]
    assert relay.contents == (Content(Kind.TEXT, "@ann_99", (Entity("bold", 0, 2),)),)
    assert not relay.copyable


def test_after_a_no_no_edit_sends_it() -> None:
    _, ann, _ = couple()
    token = token_of(ann.writes(ASKED))
    ann.presses("hide", token, subject=now(ann, ASKED))
    assert held(ann) == []
    assert passed(ann.edits(ann.last_message, "hello")) == []


def test_a_confirmed_message_can_be_edited() -> None:
    talk, ann, ben = couple()
    token = token_of(ann.writes(ASKED))
    ann.presses("show", token, subject=now(ann, ASKED))
    source = MessageRef(ann.bot, ann.last_message)
    talk.map[source] = Counterpart(MessageRef(OTHER_BOT, MessageId(70)), mine=True)
    expected = RelayEdit(ann.chat, ann.person, source, ben.person, Content(Kind.TEXT, "hello"))
    assert ann.edits(ann.last_message, "hello") == Decision(effects=(expected,))


def test_an_edit_does_not_send_an_arrived_message_again() -> None:
    talk, ann, _ = couple()
    ann.writes(ASKED)
    ann.edits(ann.last_message, "hello")
    talk.map[MessageRef(ann.bot, ann.last_message)] = Counterpart(MessageRef(OTHER_BOT, MessageId(70)), mine=True)
    assert passed(ann.edits(ann.last_message, "hello")) == []


def test_a_held_message_edited_into_a_refused_kind_is_refused_when_pressed() -> None:
    _, ann, _ = couple()
    token = token_of(ann.writes(ASKED))
    story = Content(Kind.STORY)
    assert ann.edits(ann.last_message, "", content=story).effects == ()
    subject = msgspec.structs.replace(now(ann, ""), contents=(story,), edited_at=NOW)
    answer, _ = ann.presses("show", token, subject=subject).effects
    assert answer == Answer("query", text("chat.refused_story"), alert=True)


def test_an_edit_sends_nothing_if_the_partner_is_elsewhere() -> None:
    talk, ann, ben = couple()
    ann.writes(ASKED)
    del talk.people[ben.person]
    assert ann.edits(ann.last_message, "hello") == NOTHING


def test_a_file_that_an_edit_lets_through_gets_the_usual_warning() -> None:
    _, ann, _ = couple()
    song = Content(Kind.AUDIO, "@ann_99", file=File("a", "u", 3))
    ann.sends(song)
    decision = ann.edits(ann.last_message, "", content=msgspec.structs.replace(song, text="mine"))
    assert decision.effects[1:] == (says(ann, "chat.inside_sound", None, reply_to=ann.last_message),)


def test_only_the_latest_held_messages_are_remembered_but_older_buttons_work() -> None:
    _, ann, _ = couple()
    first = token_of(ann.writes(ASKED))
    message = ann.last_message
    for _ in range(MOST):
        ann.writes(ASKED)
    assert len(held(ann)) == MOST
    subject = msgspec.structs.replace(ann.message(Content(Kind.TEXT, ASKED)), messages=(message,))
    assert passed(ann.presses("show", first, subject=subject)) == [ASKED]


def test_a_new_chat_has_no_held_messages() -> None:
    talk, ann, _ = couple()
    ann.writes(ASKED)
    ann.writes("/next")
    talk.pair(ann, talk.person())
    assert held(ann) == []
