"""Chatting again: only if both want it, under their own names for each other. Nobody learns about a one-sided wish."""

import msgspec
import pytest

from passerby.dialogue.after_chat import menu
from passerby.domain.lifecycle import together
from passerby.features.friends import ASK_S, MOST, NAME_LENGTH
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Discard, Menu, Say
from passerby.kernel.ids import MessageId, PersonId
from passerby.kernel.participant import Idle, Participant, Saved, Searching
from passerby.kernel.rules import Rules
from passerby.kernel.text import text
from tests.features.playbook import Person, Playbook, Priority, grown_up, revises, says

SAVED = Answer("query", text("friends.saved"), alert=True)
ASKED = Answer("query", text("friends.asked"), alert=True)
GONE = Answer("query", text("friends.gone"))
NOT_NOW = Answer("query", text("friends.not_now"), alert=True)
IN_A_CHAT = Answer("query", text("friends.in_a_chat"), alert=True)


def parted_pair(talk: Playbook) -> tuple[Person, Person]:
    ann, ben = talk.pair(talk.person(), talk.person())
    ann.writes("/stop")
    return ann, ben


def friends(talk: Playbook) -> tuple[Person, Person]:
    ann, ben = parted_pair(talk)
    ann.looks_back("save")
    ben.looks_back("save")
    return ann, ben


def entry(of: Person, other: Person) -> Saved:
    return next(each for each in of.value.saved if each.person == other.person)


def friend(number: int) -> object:
    return text("friends.friend", number=number)


def listed(of: Person) -> Menu:
    rows = []
    for number, each in enumerate((each for each in of.value.saved if each.mutual), start=1):
        who = each.nickname or text("friends.friend", number=number)
        label = text("friends.label", who=who)
        rows.append((Button(label, "ask", each.token), Button(text("friends.forget"), "forget", each.token)))
    return Menu(tuple(rows))


def change(who: Person, **fields: object) -> None:
    who.talk.people[who.person] = msgspec.structs.replace(who.value, **fields)


def test_nobody_learns_that_they_were_saved_by_one_side() -> None:
    ann, ben = parted_pair(Playbook())
    decision = ann.looks_back("save")
    assert decision.effects == (SAVED, revises(ann, "after_chat.ask", menu(ann.value, ann.talk.env.now)))
    assert "save" not in {button.action for row in menu(ann.value, ann.talk.env.now).rows for button in row}
    for each in (ann, ben):
        assert each.writes("/friends") == Decision(effects=(says(each, "friends.none"),))


def test_when_both_save_each_other_both_are_told_and_listed() -> None:
    ann, ben = parted_pair(Playbook())
    ann.looks_back("good")
    ann.looks_back("save")
    decision = ben.looks_back("save")
    assert decision.effects[0] == SAVED, "the answer to the press is the one that everybody gets"
    assert decision.effects[2:] == tuple(
        Say(each.person, text("friends.mutual"), priority=Priority.SYSTEM) for each in (ben, ann)
    )
    for each in (ann, ben):
        shown = Say(each.person, text("friends.list", n=1), listed(each))
        assert each.writes("/friends") == each.writes("/saved") == Decision(effects=(shown,))
    assert entry(ann, ben).token != entry(ben, ann).token


def test_saving_again_tells_nobody_anything_new() -> None:
    ann, ben = parted_pair(Playbook())
    ann.looks_back("save")
    ann.looks_back("save")
    assert len(ann.value.saved) == 1
    ben.looks_back("save")
    for each in (ann, ben):
        saved = each.value.saved
        assert each.looks_back("save").effects[0] == SAVED
        assert len(each.looks_back("save").effects) == 2
        assert each.value.saved == saved


def test_the_question_keeps_its_unanswered_buttons() -> None:
    ann, _ = parted_pair(Playbook())
    ann.looks_back("good")
    assert ann.looks_back("save").effects[1] == revises(ann, "after_chat.thanks", menu(ann.value, ann.talk.env.now))


@pytest.mark.parametrize("by", [0, 1])
def test_blocks_override_saves_and_do_not_show(by: int) -> None:
    people = parted_pair(Playbook())
    ann, ben = people
    ann.looks_back("save")
    people[by].looks_back("block")
    decision = ben.looks_back("save")
    assert [type(effect) for effect in decision.effects] == [Answer, type(revises(ben, "x"))]
    assert decision.effects[0] == SAVED
    assert not any(each.mutual for each in (*ann.value.saved, *ben.value.saved))


def test_a_partner_who_is_no_longer_known_can_be_saved() -> None:
    talk = Playbook()
    ann, ben = parted_pair(talk)
    del talk.people[ben.person]
    assert ann.looks_back("save").effects[0] == SAVED
    assert [each.person for each in ann.value.saved] == [ben.person]


def test_a_full_list_drops_the_oldest_one_sided_save_but_no_friend() -> None:
    ann, ben = parted_pair(Playbook(Rules(free_filters=())))
    full = tuple(Saved(f"t{number}", PersonId(1000 + number), "", True) for number in range(MOST))
    change(ann, saved=full)
    assert ann.looks_back("save") == Decision(effects=(Answer("query", text("friends.full"), alert=True),))
    wishes = (*full[:3], *(msgspec.structs.replace(each, mutual=False) for each in full[3:]))
    change(ann, saved=wishes)
    ann.looks_back("save")
    kept = [each.person for each in ann.value.saved]
    assert len(kept) == MOST
    assert PersonId(1003) not in kept
    assert kept[-1] == ben.person


def test_two_people_who_save_at_the_same_moment_find_each_other() -> None:
    """Each commit includes the other person unchanged. So only one of the two is stored, and the other is decided
    again."""
    ann, ben = parted_pair(Playbook())
    decision = ann.looks_back("save")
    assert {each.person for each in decision.changes} == {ann.person, ben.person}


def test_a_name_for_a_friend_is_stored_for_the_chooser_only() -> None:
    ann, ben = friends(Playbook())
    decision = ann.writes("/name 1  Sunny \n <b>Boy</b>")
    assert entry(ann, ben).nickname == "Sunny <b>Boy</b>"
    assert decision.effects == (Say(ann.person, text("friends.is_named", name="Sunny <b>Boy</b>"), listed(ann)),)
    assert entry(ben, ann).nickname == ""
    ann.writes("/name 1 " + "x" * 100)
    assert entry(ann, ben).nickname == "x" * NAME_LENGTH


@pytest.mark.parametrize("words", ["/name", "/name 1", "/name Sunny", "/name 2 Sunny", "/name 0 Sunny", "/name 111 S"])
def test_naming_nobody_explains_how_it_works(words: str) -> None:
    ann, _ = friends(Playbook())
    saved = ann.value.saved
    assert ann.writes(words) == Decision(effects=(says(ann, "friends.how_to_name"),))
    assert ann.value.saved == saved


def test_forgetting_is_silent_and_asks_of_a_forgotten_friend_reach_nobody() -> None:
    ann, ben = friends(Playbook())
    was = ben.value
    decision = ann.presses("forget", entry(ann, ben).token)
    assert decision.effects == (Answer("query"), revises(ann, "friends.none"))
    assert ann.value.saved == ()
    assert ben.value == was
    assert ben.presses("ask", entry(ben, ann).token).effects == (ASKED,)


def test_forgetting_one_of_several_shows_the_rest() -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    change(ann, saved=(*ann.value.saved, Saved("t2", PersonId(77), "Eve", True), Saved("t3", PersonId(78))))
    decision = ann.presses("forget", entry(ann, ben).token)
    assert decision.effects[1:] == (revises(ann, "friends.list", listed(ann), n=1),)
    assert ann.presses("forget", "t2", message=None).effects == (Answer("query"),)
    assert [each.token for each in ann.value.saved] == ["t3"]


def test_a_friend_who_is_saved_again_does_not_learn_that_they_were_forgotten() -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    ann.presses("forget", entry(ann, ben).token)
    talk.pair(ann, ben)
    ann.writes("/stop")
    decision = ann.looks_back("save")
    assert [effect.to for effect in decision.effects if isinstance(effect, Say)] == [ann.person]
    assert entry(ann, ben).mutual


@pytest.mark.parametrize("action", ["ask", "talk", "forget"])
def test_a_button_for_somebody_who_is_not_in_the_list_does_nothing(action: str) -> None:
    ann, _ = parted_pair(Playbook())
    ann.looks_back("save")
    assert ann.presses(action, ann.value.saved[0].token) == Decision(effects=(GONE,)), "a wish is no friend"
    assert ann.presses(action, "no such") == Decision(effects=(GONE,))


def test_an_ask_shows_the_friends_own_name_for_the_person_who_asks() -> None:
    ann, ben = friends(Playbook())
    ben.writes("/name 1 Moon")
    decision = ann.presses("ask", entry(ann, ben).token)
    offer = Menu(((Button(text("friends.talk"), "talk", entry(ben, ann).token),),))
    invited = Say(ben.person, text("friends.asks", who="Moon"), offer, priority=Priority.SYSTEM)
    assert decision.effects == (ASKED, invited)


def test_accepting_an_ask_starts_a_chat_under_each_sides_own_names() -> None:
    ann, ben = friends(Playbook())
    ben.writes("/name 1 Moon")
    ann.presses("ask", entry(ann, ben).token)
    decision = ben.presses("talk", entry(ben, ann).token)
    assert together(ann.value, ben.value)
    assert decision.effects == (
        Answer("query"),
        says(ben, "friends.together", who="Moon", priority=Priority.MATCH, anchors=ben.chat),
        says(ann, "friends.together", who=friend(1), priority=Priority.MATCH, anchors=ben.chat),
        Discard(ben.person, (MessageId(50),)),
    )
    assert entry(ann, ben).asked_at is None
    assert ben.presses("talk", entry(ben, ann).token).effects == (IN_A_CHAT,), "twice is once"


def test_an_invitation_whose_message_is_unknown_can_be_accepted() -> None:
    ann, ben = friends(Playbook())
    ann.presses("ask", entry(ann, ben).token)
    assert len(ben.presses("talk", entry(ben, ann).token, message=None).effects) == 3
    assert together(ann.value, ben.value)


@pytest.mark.parametrize("searching", [False, True])
def test_when_both_ask_they_are_in_a_chat(searching: bool) -> None:
    ann, ben = friends(Playbook())
    if searching:
        ben.writes("/search")
    ann.presses("ask", entry(ann, ben).token)
    ben.presses("ask", entry(ben, ann).token)
    assert together(ann.value, ben.value)


def test_asking_again_soon_sends_no_second_notice() -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    token = entry(ann, ben).token
    ann.presses("ask", token)
    assert ann.presses("ask", token).effects == (ASKED,)
    talk.later(ASK_S)
    assert len(ann.presses("ask", token).effects) == 2


def test_a_person_in_a_chat_can_neither_ask_nor_accept() -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    ann.presses("ask", entry(ann, ben).token)
    talk.pair(ben, talk.person())
    for action in ("ask", "talk"):
        assert ben.presses(action, entry(ben, ann).token) == Decision(effects=(IN_A_CHAT,))


def _blocks(ben: Person, ann: Person) -> Participant:
    return msgspec.structs.replace(ben.value, blocked=(ann.person,), saved=())


def _forgets(ben: Person, ann: Person) -> Participant:
    return msgspec.structs.replace(ben.value, saved=())


def _takes_back(ben: Person, ann: Person) -> Participant:
    return msgspec.structs.replace(ben.value, saved=(msgspec.structs.replace(entry(ben, ann), mutual=False),))


def _searches(ben: Person, ann: Person) -> Participant:
    ben.writes("/search")
    return ben.value


@pytest.mark.parametrize("how", [_blocks, _forgets, _takes_back], ids=lambda each: each.__name__)
def test_the_person_who_asks_reads_the_same_whatever_the_other_did(how: object) -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    talk.people[ben.person] = how(ben, ann)  # type: ignore[operator]
    was = ben.value
    decision = ann.presses("ask", entry(ann, ben).token)
    assert decision.effects == (ASKED,)
    assert ben.value == was
    assert entry(ann, ben).asked_at is not None, "and the next one comes no sooner"


def test_asking_somebody_who_is_no_longer_known_reads_the_same() -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    del talk.people[ben.person]
    assert ann.presses("ask", entry(ann, ben).token).effects == (ASKED,)


def test_a_friend_in_a_chat_is_asked_and_may_accept_after_it() -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    talk.pair(ben, talk.person())
    assert len(ann.presses("ask", entry(ann, ben).token).effects) == 2
    ben.writes("/stop")
    ben.presses("talk", entry(ben, ann).token)
    assert together(ann.value, ben.value)


def test_an_ask_that_crosses_another_is_kept_while_the_friend_is_in_a_chat() -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    ann.presses("ask", entry(ann, ben).token)
    talk.pair(ann, talk.person())
    assert len(ben.presses("ask", entry(ben, ann).token).effects) == 2
    ann.writes("/stop")
    ann.presses("talk", entry(ann, ben).token)
    assert together(ann.value, ben.value)


@pytest.mark.parametrize("why", ["late", "in a chat", "blocked", "forgotten", "gone", "another pool", "never asked"])
def test_an_ask_that_cannot_be_accepted_looks_expired(why: str) -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    if why != "never asked":
        ann.presses("ask", entry(ann, ben).token)
    match why:
        case "late":
            talk.later(ASK_S)
        case "in a chat":
            talk.pair(ann, talk.person())
        case "blocked":
            talk.people[ann.person] = _blocks(ann, ben)
        case "forgotten":
            talk.people[ann.person] = _forgets(ann, ben)
        case "gone":
            del talk.people[ann.person]
        case "another pool":
            change(ann, profile=grown_up(16))
    assert ben.presses("talk", entry(ben, ann).token) == Decision(effects=(NOT_NOW,))
    assert isinstance(ben.value.state, Idle | Searching)


def test_adults_and_minors_do_not_meet_even_if_both_ask() -> None:
    talk = Playbook()
    ann, ben = friends(talk)
    change(ben, profile=grown_up(16))
    ann.presses("ask", entry(ann, ben).token)
    ben.presses("ask", entry(ben, ann).token)
    assert ann.value.state == ben.value.state == Idle()
