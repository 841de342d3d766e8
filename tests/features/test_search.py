"""Looking for somebody, giving up, and what is written meanwhile."""

import pytest

from passerby.features.search import introduce
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision, Rules
from passerby.kernel.effect import Priority
from passerby.kernel.ids import ChatId
from passerby.kernel.participant import Chatting, Gender, Idle, Searching
from tests.features.playbook import NOW, OTHER_BOT, Playbook, becomes, grown_up, says, ticket

FIND = ["/search", "/find", "/chat", "/SEARCH", "/search@some_bot", "/search now", "/find\nme", "🔎 Find a partner"]
CANCEL = "✖️ Cancel"
RUSSIAN_FIND = "🔎 Найти собеседника"


@pytest.mark.parametrize("words", FIND)
def test_an_idle_person_who_asks_begins_to_wait(words: str) -> None:
    ann = Playbook().person(grown_up(41, Gender.FEMALE))
    waits = Searching(ticket(ann.value))
    assert ann.writes(words) == Decision(
        (becomes(ann.value, waits, version=1),), (says(ann, "search.begun", of=waits),)
    )


@pytest.mark.parametrize("words", FIND)
def test_asking_again_keeps_the_place_in_the_queue(words: str) -> None:
    ann = (talk := Playbook()).searching()
    talk.later(100)
    assert ann.writes(words) == Decision(effects=(says(ann, "search.already"),))


@pytest.mark.parametrize("words", FIND)
def test_asking_in_a_chat_keeps_the_chat(words: str) -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    assert ann.writes(words) == Decision(effects=(says(ann, "search.in_chat"),))


def test_the_cancel_key_ends_the_search() -> None:
    ann = Playbook().searching()
    was = ann.value
    assert ann.writes(CANCEL) == Decision((becomes(was, Idle()),), (says(ann, "search.cancelled", of=Idle()),))


def test_the_cancel_key_pressed_late_changes_nothing() -> None:
    talk = Playbook()
    idle = talk.person()
    assert idle.writes(CANCEL) == Decision(effects=(says(idle, "search.not_searching"),))
    ann, _ = talk.pair(talk.person(), talk.person())
    assert ann.writes(CANCEL) == Decision(effects=(says(ann, "search.found_meanwhile"),))


def test_a_key_is_understood_in_every_language_whatever_the_persons_own() -> None:
    ann = Playbook().person()
    assert ann.writes(RUSSIAN_FIND).changes[0].state == Searching(ticket(ann.value))


@pytest.mark.parametrize("words", ["Cancel", "✖️ cancel", " ✖️ Cancel!", "✖️ Cancel please", "I said /stop", "stop"])
def test_words_that_only_resemble_a_key_or_a_command_do_nothing(words: str) -> None:
    ann = Playbook().searching()
    assert ann.writes(words) == Decision(effects=(says(ann, "search.nobody_yet"),))


@pytest.mark.parametrize("kind", [Kind.PHOTO, Kind.STICKER, Kind.VOICE, Kind.CONTACT, Kind.STORY, Kind.UNKNOWN])
def test_what_is_sent_without_a_chat_goes_to_nobody_and_says_so(kind: Kind) -> None:
    talk = Playbook()
    idle, searching = talk.person(), talk.searching()
    assert idle.sends(Content(kind, "/search")) == Decision(effects=(says(idle, "search.idle"),))
    assert searching.sends(Content(kind)) == Decision(effects=(says(searching, "search.nobody_yet"),))


@pytest.mark.parametrize(
    "words", ["hello", "/unknown", "/", "/ stop", "/search_for_me", "search", "//search", "/поиск"]
)
def test_an_idle_person_is_shown_the_way_on(words: str) -> None:
    ann = Playbook().person()
    assert ann.writes(words) == Decision(effects=(says(ann, "search.idle"),))


def test_what_was_written_before_the_chat_ended_and_read_after_says_so() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.later(60)
    ben.writes("/stop")
    late = talk.env.now - 1
    talk.later(5)
    assert ann.writes("wait!", sent_at=late) == Decision(effects=(says(ann, "search.came_too_late"),))
    assert ann.writes("hm", sent_at=talk.env.now) == Decision(effects=(says(ann, "search.idle"),))


def test_a_ticket_says_what_pairing_may_know_and_whom_to_avoid() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(grown_up(19, Gender.OTHER)), talk.person())
    ben.writes("/stop")
    talk.later(10)
    waits = Searching(ticket(ann.value, since=NOW + 10, recent=(ben.person,)))
    was = ann.value
    assert ann.writes("/search") == Decision((becomes(was, waits),), (says(ann, "search.begun", of=waits),))


def test_minors_wait_in_a_pool_of_their_own() -> None:
    talk = Playbook(Rules(minimum_age=16))
    young, grown = talk.searching(grown_up(17)), talk.searching(grown_up(18))
    assert young.value.state == Searching(ticket(young.value, pool="minors"))
    assert grown.value.state == Searching(ticket(grown.value, pool="adults"))


def test_two_people_who_are_introduced_are_in_one_chat_and_both_are_told() -> None:
    talk = Playbook()
    ann, ben = talk.searching(), talk.searching(bot=OTHER_BOT)
    talk.later(3)
    decision = introduce(ann.value, ben.value, talk.env)
    one = decision.changes[0].state
    assert isinstance(one, Chatting)
    ann_now, ben_now = Chatting(one.chat, ben.person, NOW + 3), Chatting(one.chat, ann.person, NOW + 3)
    assert decision == Decision(
        (becomes(ann.value, ann_now), becomes(ben.value, ben_now)),
        (
            says(ann, "search.found", of=ann_now, priority=Priority.MATCH, anchors=one.chat),
            says(ben, "search.found", of=ben_now, priority=Priority.MATCH, anchors=one.chat),
        ),
    )


def test_a_chats_name_tells_nothing_and_fits_a_button() -> None:
    talk = Playbook()
    names = set[ChatId]()
    for _ in range(50):
        ann, _ = talk.pair(talk.person(), talk.person())
        names.add(ann.chat)
        assert len(f"set_gender:{ann.chat}".encode()) <= 64
        ann.writes("/stop")
    assert len(names) == 50
