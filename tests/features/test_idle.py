"""Idle chats: one reminder for each silence, and then a polite end for both."""

from passerby.domain.lifecycle import together
from passerby.kernel.decision import NOTHING, Decision
from passerby.kernel.effect import Say
from passerby.kernel.event import ChatIdle
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Chatting, Idle
from passerby.kernel.rules import Rules
from passerby.kernel.text import text
from tests.features.playbook import NOW, Person, Playbook, Priority, asks, parted, says

RULES = Rules(idle_nudge_s=600, idle_end_s=3600)


def falls_silent(
    who: Person, *, since: float = NOW, speaker: PersonId | None = None, chat: str | None = None
) -> Decision:
    about = ChatId(chat) if chat is not None else who.chat
    return who.talk.happens(ChatIdle(who.person, who.bot, about, since, speaker))


def couple(rules: Rules = RULES) -> tuple[Playbook, Person, Person]:
    talk = Playbook(rules)
    return talk, *talk.pair(talk.person(), talk.person())


def test_the_person_whose_turn_it_is_gets_one_reminder_for_each_silence() -> None:
    talk, ann, ben = couple()
    was = ben.value
    assert falls_silent(ann, speaker=ben.person) == NOTHING, "not yet"
    talk.later(600)
    reminded = Say(ann.person, text("idle.your_turn"), priority=Priority.SYSTEM)
    assert falls_silent(ann, speaker=ben.person).effects == (reminded,)
    talk.later(600)
    assert falls_silent(ann, speaker=ben.person) == NOTHING
    talk.later(600)
    assert falls_silent(ann, since=NOW + 1200, speaker=ben.person).effects == (reminded,), "a silence of its own"
    assert ben.value == was, "the other hears nothing of it"
    assert together(ann.value, ben.value)


def test_the_reminder_says_if_nobody_has_written_yet() -> None:
    talk, ann, _ = couple()
    talk.later(600)
    assert falls_silent(ann).effects == (Say(ann.person, text("idle.nobody_spoke"), priority=Priority.SYSTEM),)


def test_a_long_silence_ends_the_chat_with_the_same_words_for_both() -> None:
    talk, ann, ben = couple()
    talk.later(3600)
    mine = parted(ann.value, reason="idle", by=ann, at=NOW + 3600)
    theirs = parted(ben.value, reason="idle", by=ann, at=NOW + 3600)
    assert falls_silent(ann, speaker=ben.person) == Decision(
        (mine, theirs),
        (
            *(says(each, "idle.ended", of=Idle(), priority=Priority.MATCH) for each in (ann, ben)),
            asks(mine),
            asks(theirs),
        ),
    )


def test_a_person_who_has_left_the_idle_chat_gets_no_reminder() -> None:
    talk, ann, _ = couple()
    talk.later(3600)
    assert falls_silent(ann, chat="another") == NOTHING
    chat = ann.chat
    ann.writes("/stop")
    assert falls_silent(ann, chat=chat) == NOTHING


def test_operators_can_turn_off_the_reminder_and_the_end() -> None:
    talk, ann, _ = couple(Rules(idle_nudge_s=0, idle_end_s=3600))
    talk.later(3599)
    assert falls_silent(ann) == NOTHING
    talk, ann, _ = couple(Rules(idle_nudge_s=600, idle_end_s=0))
    talk.later(1e6)
    assert falls_silent(ann).effects != ()
    assert isinstance(ann.value.state, Chatting)
