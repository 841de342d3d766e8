"""Evidence for a report: what may be chosen, by whom, and until when."""

import msgspec
import pytest

from passerby.domain.after_chat import EARLIER_S, retaliates
from passerby.domain.evidence import MOST
from passerby.kernel.content import Content, Kind
from passerby.kernel.effect import Answer, Attach, Say
from passerby.kernel.event import Original
from passerby.kernel.ids import ChatId, MessageId, MessageRef
from passerby.kernel.opinion import Complain
from passerby.kernel.participant import Complaint, Rating
from passerby.kernel.text import text
from tests.features.playbook import Person, Playbook

RUDE = Content(Kind.TEXT, "go away")


def received(person: Person, number: int, chat: str | None = None) -> MessageRef:
    """The partner's message with this number is proved to be theirs."""
    at = MessageRef(person.bot, MessageId(number))
    person.talk.received[at] = ChatId(chat or person.chat)
    return at


def reporter(talk: Playbook) -> tuple[Person, Person, str]:
    """Somebody who has just filed a report, the accused, and their chat."""
    ann, ben = talk.pair(talk.person(), talk.person())
    chat = ann.chat
    ann.presses("complain", f"{chat}.rude")
    return ann, ben, chat


def attached(person: Person) -> int:
    return len(person.value.commenting.attached) if person.value.commenting is not None else 0


def test_a_reply_with_report_asks_about_that_message_and_the_answer_attaches_it() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    chat = ann.chat
    at = received(ann, 700)
    (asked,) = ann.writes("/report", reply_to=700, original=RUDE).effects
    assert isinstance(asked, Say)
    assert asked.reply_to == 700, "so Telegram brings the message with the press"
    assert asked.text == text("safety.what_for_here")
    filed = ann.presses("complain", f"{chat}.threat", original=Original(MessageId(700), RUDE))
    assert Attach(ChatId(chat), ann.person, ben.person, 1, at.bot, RUDE) in filed.effects
    (complaint,) = (each for each in filed.opinions if isinstance(each, Complain))
    assert complaint.reason is Complaint.THREAT
    assert attached(ann) == 1


def test_replies_to_the_partners_messages_are_attached_up_to_five_and_each_once() -> None:
    talk = Playbook()
    ann, ben, chat = reporter(talk)
    for number in range(1, MOST + 1):
        received(ann, 700 + number, chat)
        kept, said = ann.writes("this", reply_to=700 + number, original=RUDE).effects
        assert kept == Attach(ChatId(chat), ann.person, ben.person, number, ann.bot, RUDE)
        assert isinstance(said, Say)
        assert said.text == text("safety.attached", n=number, most=MOST)
    again = ann.writes("/report", reply_to=701, original=RUDE)
    assert [each.text.key for each in again.effects if isinstance(each, Say)] == ["safety.attached_already"]
    received(ann, 799, chat)
    more = ann.writes("and this", reply_to=799, original=RUDE)
    assert [each.text.key for each in more.effects if isinstance(each, Say)] == ["safety.attached_most"]
    assert attached(ann) == MOST


def test_evidence_can_be_added_in_a_new_chat_and_reaches_nobody_there() -> None:
    talk = Playbook()
    ann, _, chat = reporter(talk)
    received(ann, 700, chat)
    talk.pair(ann, talk.person())
    kept, said = ann.writes("look", reply_to=700, original=RUDE).effects
    assert isinstance(kept, Attach)
    assert isinstance(said, Say)


def test_a_message_that_is_not_the_partners_is_no_evidence() -> None:
    talk = Playbook()
    ann, _, chat = reporter(talk)
    ann.writes("a notice of the bot's", reply_to=700, original=RUDE)
    assert attached(ann) == 0
    received(ann, 701, "another chat")
    ann.writes("of another chat", reply_to=701, original=RUDE)
    received(ann, 702, chat)
    ann.writes("no reply at all")
    assert attached(ann) == 0


def test_after_a_day_nothing_can_be_added() -> None:
    talk = Playbook()
    ann, _, chat = reporter(talk)
    received(ann, 700, chat)
    talk.later(EARLIER_S + 1)
    ann.writes("late", reply_to=700, original=RUDE)
    assert attached(ann) == 0


def test_a_person_forgotten_meanwhile_is_accused_of_nothing_more() -> None:
    talk = Playbook()
    ann, _, chat = reporter(talk)
    received(ann, 700, chat)
    talk.people[ann.person] = msgspec.structs.replace(ann.value, last=None, recent=())
    (said,) = ann.writes("this", reply_to=700, original=RUDE).effects
    assert isinstance(said, Say)
    assert said.text == text("safety.comment_over")


def test_a_report_of_an_earlier_chat_takes_its_evidence_too() -> None:
    talk = Playbook()
    ann, ben, chat = reporter(talk)
    received(ann, 700, chat)
    ann, eve = talk.pair(ann, talk.person())
    eve.writes("/stop")
    kept, _ = ann.writes("this", reply_to=700, original=RUDE).effects
    assert isinstance(kept, Attach)
    assert kept.whom == ben.person


def test_a_plain_report_about_the_last_chat_asks_nothing_else() -> None:
    talk = Playbook()
    ann, _, _ = reporter(talk)
    pressed = ann.presses("wordless", ann.value.last.chat)  # type: ignore[union-attr]
    assert isinstance(pressed.effects[0], Answer)


@pytest.mark.parametrize(
    ("did", "after_s", "is_revenge"),
    [("report", 10, True), ("dislike", 10, True), ("report", 90, False), ("nothing", 10, False)],
)
def test_a_report_right_after_being_reported_or_disliked_is_marked(did: str, after_s: float, is_revenge: bool) -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    chat = ann.chat
    ben.writes("/stop")
    if did == "report":
        ben.presses("complain", f"{chat}.rude")
    if did == "dislike":
        ben.looks_back("bad")
        assert ben.value.last is not None
        assert ben.value.last.rating is Rating.BAD
    talk.later(after_s)
    filed = ann.presses("complain", f"{chat}.rude")
    (complaint,) = (each for each in filed.opinions if isinstance(each, Complain))
    assert complaint.retaliates is is_revenge
    assert not retaliates(ann.value, talk.person().value, chat, talk.env.now)
