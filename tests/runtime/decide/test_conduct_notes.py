"""Only people's first messages are noted, and nothing after that."""

from typing import Any

import pytest

from passerby.dialogue.keyboards import HELLO
from passerby.domain.farms.conduct import CUT_S, DROPPED_S, LISTENED_TO, LIVELY, Disliked, Ended, Note, Pressed, Wrote
from passerby.domain.journeys import after_real_chat
from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.decision import Decision, Facts
from passerby.kernel.event import Event, MessageEdited, ReactionChanged, WroteEnough
from passerby.kernel.ids import MessageId
from passerby.runtime.decide import conduct_notes
from passerby.runtime.decide.conduct_notes import ConductNotes
from tests.features.playbook import OTHER_BOT, WORDS, Person, Playbook


class Noting(Playbook):
    """A playbook whose decisions are noted."""

    def __init__(self) -> None:
        super().__init__()
        self.wrote: list[WroteEnough] = []
        self.notes = ConductNotes(3, self.wrote.append)
        self.pair_up()

    def pair_up(self) -> None:
        self.ann, self.ben = self.pair(self.person(), self.person(bot=OTHER_BOT))

    def happens(self, event: Event, *more: Any, **how: Any) -> Decision:
        me = self.people[event.person]
        partner = self.people.get(getattr(me.state, "partner", None))  # type: ignore[arg-type]
        decision = super().happens(event, *more, **how)
        self.notes.decided(event, Facts(me, partner), decision, self.env.now)
        return decision

    def noted(self, kind: type[Note]) -> list[Any]:
        return [note for note in self.notes.take() if isinstance(note, kind)]


def test_only_the_first_messages_of_a_side_are_noted() -> None:
    talk = Noting()
    for number in range(LISTENED_TO + 5):
        talk.ann.writes(f"line {number}")
    notes = talk.noted(Wrote)
    assert [(note.person, note.nth, note.text) for note in notes] == [
        (talk.ann.person, nth, f"line {nth}") for nth in range(LISTENED_TO)
    ]
    assert talk.notes.take() == []


def test_delays_count_from_the_notice_and_then_from_the_partners_words() -> None:
    talk = Noting()
    talk.later(3)
    talk.ann.writes("hi")
    talk.later(4)
    talk.ben.writes("hello")
    talk.later(5)
    talk.ann.writes("and how are you today?")
    talk.ann.writes("what do you do all day?")
    assert [note.gap_s for note in talk.noted(Wrote)] == [3, 7, 5, None]


def test_short_plain_replies_are_not_noted_and_short_addresses_are() -> None:
    talk = Noting()
    for words in ("hi", "yes", "no, you?", "ok @ann_99", "t.me/x"):
        talk.ann.writes(words)
    assert [(note.nth, note.text) for note in talk.noted(Wrote)] == [(0, "hi"), (3, "ok @ann_99"), (4, "t.me/x")]


@pytest.mark.parametrize("words", ["/help", "/profile", "/serch"])
def test_commands_are_not_noted(words: str) -> None:
    talk = Noting()
    talk.ann.writes(words)
    assert talk.notes.take() == []


@pytest.mark.parametrize("words", ["write me @ann_99", "see hot-anna.xyz/me", "ann@example.org", "+49 170 1234567"])
def test_words_that_are_held_back_are_noted_too(words: str) -> None:
    talk = Noting()
    talk.ann.writes(words)
    assert [note.text for note in talk.noted(Wrote)] == [words]


@pytest.mark.parametrize("kind", ["sticker", "voice", "video_note", "photo"])
def test_kinds_that_scripts_do_not_send_are_signs_of_life(kind: str) -> None:
    talk = Noting()
    talk.ann.sends(Content(Kind(kind), file=File("f", "u")), reply_to=60)
    (note,) = talk.noted(Wrote)
    assert note.lively == LIVELY[kind] | LIVELY["reply"]


def test_edits_and_reactions_are_signs_of_life() -> None:
    talk = Noting()
    ann = talk.ann
    talk.happens(MessageEdited(ann.person, ann.bot, MessageId(60), Content(Kind.TEXT, "hi!"), talk.env.now))
    talk.happens(ReactionChanged(ann.person, ann.bot, MessageId(61), "👍"))
    assert [note.lively for note in talk.noted(Pressed)] == [LIVELY["edit"], LIVELY["reaction"]]


@pytest.mark.parametrize(("after_s", "cut"), [(CUT_S - 1, True), (CUT_S + 1, False)])
def test_a_chat_that_the_other_side_leaves_soon_is_cut(after_s: float, cut: bool) -> None:
    talk = Noting()
    talk.ann.writes("buy this")
    talk.ben.writes("no")
    talk.later(after_s)
    talk.ben.writes("/stop")
    ended = {note.person: note.cut for note in talk.noted(Ended)}
    assert ended == {talk.ann.person: cut, talk.ben.person: False}


def test_a_side_that_wrote_nothing_has_not_ended_anything() -> None:
    talk = Noting()
    talk.ann.writes("hi")
    talk.ben.writes("/next")
    assert [note.person for note in talk.noted(Ended)] == [talk.ann.person]


@pytest.mark.parametrize("how", ["/block", "/report", "bad"])
def test_a_block_a_report_and_a_bad_rating_are_noted(how: str) -> None:
    talk = Noting()
    if how == "bad":
        talk.ben.writes("/stop")
        talk.ben.looks_back("bad")
    else:
        chat = talk.ben.chat
        talk.ben.writes(how)
        if how == "/report":
            talk.ben.presses("complain", f"{chat}.spam")
    assert talk.ann.person in [note.person for note in talk.noted(Disliked)]


def test_formatted_albums_are_noted_by_their_words() -> None:
    talk = Noting()
    album = Content(Kind.PHOTO, "one", (Entity("bold", 0, 3),), group="g"), Content(Kind.PHOTO, "two", group="g")
    talk.ann.sends(*album)
    assert [note.text for note in talk.noted(Wrote)] == ["one\ntwo"]


def test_the_notes_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conduct_notes, "MOST_SIDES", 1)
    talk = Noting()
    people: list[Person] = [talk.ann, talk.ben]
    for each in people * 2:
        each.writes("hi")
    assert len(talk.notes._sides) == 1


def test_somebody_who_has_written_enough_is_raised_once_and_only_if_it_matters() -> None:
    talk = Noting()
    for _ in range(5):
        talk.ann.writes("hi")
        talk.ben.writes("/help")
    assert talk.wrote == [WroteEnough(talk.ann.person, talk.ann.bot, talk.ann.chat)]
    for each in (talk.ann, talk.ben):
        talk.people[each.person] = after_real_chat(each.value)
    for _ in range(5):
        talk.ben.writes("hi")
    assert len(talk.wrote) == 1


def test_words_that_are_held_back_do_not_make_a_real_chat() -> None:
    talk = Noting()
    for _ in range(2):
        talk.ann.writes("hi")
    for _ in range(3):
        talk.ann.writes("write to me: @somebody_else")
    assert talk.wrote == []


def test_a_greeting_by_the_key_is_a_sign_of_life() -> None:
    talk = Noting()
    talk.ann.writes(WORDS.words(HELLO)["en"])
    (note,) = talk.noted(Wrote)
    assert note.lively == LIVELY["wave"]


@pytest.mark.parametrize(("after_s", "dropped"), [(DROPPED_S - 1, True), (DROPPED_S + 1, False)])
def test_a_chat_that_the_other_side_leaves_right_after_a_message_is_dropped(after_s: float, dropped: bool) -> None:
    talk = Noting()
    talk.ann.writes("hi")
    talk.later(100.0)
    talk.ann.writes("buy this")
    talk.later(after_s)
    talk.ben.writes("/stop")
    assert [note.dropped for note in talk.noted(Ended)] == [dropped]
    talk.pair_up()
    talk.ann.writes("hi")
    talk.ann.writes("/stop")
    assert [note.dropped for note in talk.noted(Ended)] == [False], "whoever leaves is not left"


def test_only_somebody_who_writes_first_opens_the_chat() -> None:
    talk = Noting()
    talk.ann.writes("hi")
    talk.ben.writes("hello")
    talk.ann.writes("how are you today, stranger?")
    assert [(note.person, note.opens) for note in talk.noted(Wrote)] == [
        (talk.ann.person, True),
        (talk.ben.person, False),
        (talk.ann.person, False),
    ]
    talk.ann.writes("/stop")
    talk.notes.take()
    talk.pair_up()
    talk.ben.writes("hi again")
    assert [note.opens for note in talk.noted(Wrote)] == [True], "words of the last chat do not count"
