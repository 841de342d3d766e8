"""Searching, cancelling, and messages that are written meanwhile."""

from typing import Any

import msgspec
import pytest

from passerby.domain.farms.wordings import named, wording_of
from passerby.features.search import introduce
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Menu, Priority, Revise, Say
from passerby.kernel.event import SearchDelayed
from passerby.kernel.ids import NOWHERE, ChatId, MessageId, MessageRef, search_of
from passerby.kernel.participant import Chatting, Gender, Idle, Met, Preferences, Searching
from passerby.kernel.rules import Rules
from passerby.kernel.text import text
from tests.features.playbook import BOT, NOW, OTHER_BOT, Person, Playbook, becomes, grown_up, says, ticket


def told_of(decision: Decision) -> list[Say]:
    return [effect for effect in decision.effects if isinstance(effect, Say)]


FIND = ["/search", "/find", "/chat", "/SEARCH", "/search@some_bot", "/search now", "/find\nme", "🔎 Find a partner"]
CANCEL = "✖️ Cancel"
RUSSIAN_FIND = "🔎 Найти собеседника"


@pytest.mark.parametrize("words", FIND)
def test_an_idle_person_who_searches_begins_to_wait(words: str) -> None:
    ann = Playbook().person(grown_up(41, Gender.FEMALE))
    waits = Searching(ticket(ann.value))
    assert ann.writes(words) == Decision(
        (becomes(ann.value, waits, version=1),), (says(ann, "search.begun", of=waits, search=NOW),)
    )


@pytest.mark.parametrize("words", FIND)
def test_searching_again_keeps_the_place_in_the_queue(words: str) -> None:
    ann = (talk := Playbook()).searching()
    talk.later(100)
    assert ann.writes(words) == Decision(effects=(says(ann, "search.already", search=NOW),))


@pytest.mark.parametrize("words", FIND)
def test_searching_in_a_chat_keeps_the_chat(words: str) -> None:
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


def test_a_key_works_in_every_language() -> None:
    ann = Playbook().person()
    assert ann.writes(RUSSIAN_FIND).changes[0].state == Searching(ticket(ann.value))


@pytest.mark.parametrize("words", ["Cancel", "✖️ cancel", " ✖️ Cancel!", "✖️ Cancel please", "I said /stop", "stop"])
def test_words_that_only_resemble_a_key_or_a_command_do_nothing(words: str) -> None:
    ann = Playbook().searching()
    assert ann.writes(words) == Decision(effects=(says(ann, "search.nobody_yet", reply_to=ann.last_message),))


@pytest.mark.parametrize("kind", [Kind.PHOTO, Kind.STICKER, Kind.VOICE, Kind.CONTACT, Kind.STORY, Kind.UNKNOWN])
def test_a_message_outside_a_chat_goes_to_nobody_and_the_sender_is_told(kind: Kind) -> None:
    talk = Playbook()
    idle, searching = talk.person(), talk.searching()
    assert idle.sends(Content(kind, "/search")) == Decision(
        effects=(says(idle, "search.idle", reply_to=idle.last_message),)
    )
    assert searching.sends(Content(kind)) == Decision(
        effects=(says(searching, "search.nobody_yet", reply_to=searching.last_message),)
    )


@pytest.mark.parametrize("words", ["hello", "/", "/ somewhere", ":/ hm", "search", "at /search"])
def test_an_idle_person_who_writes_is_told_how_to_search(words: str) -> None:
    ann = Playbook().person()
    assert ann.writes(words) == Decision(effects=(says(ann, "search.idle", reply_to=ann.last_message),))


def test_a_message_that_came_after_the_chats_end_is_explained() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.later(60)
    ben.writes("/stop")
    late = talk.env.now - 1
    talk.later(5)
    assert ann.writes("wait!", sent_at=late) == Decision(
        effects=(says(ann, "search.came_too_late", reply_to=ann.last_message),)
    )
    assert ann.writes("hm", sent_at=talk.env.now) == Decision(
        effects=(says(ann, "search.idle", reply_to=ann.last_message),)
    )


def test_a_ticket_has_the_facts_for_pairing_and_the_people_to_avoid() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(grown_up(19, Gender.OTHER)), talk.person())
    ben.writes("/stop")
    talk.later(10)
    waits = Searching(ticket(ann.value, since=NOW + 10, recent=(Met(ben.person, NOW),)))
    was = ann.value
    begun = says(ann, "search.begun", of=waits, search=NOW + 10)
    assert ann.writes("/search") == Decision((becomes(was, waits),), (begun,))


def test_minors_wait_in_their_own_pool() -> None:
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
    how: dict[str, Any] = {"priority": Priority.MATCH, "anchors": one.chat}
    question = dict(told_of(decision)[0].text.args)["question"]
    found = named("search.found_asking", wording_of(one.chat))
    ann_now, ben_now = Chatting(one.chat, ben.person, NOW + 3), Chatting(one.chat, ann.person, NOW + 3)
    assert decision == Decision(
        (becomes(ann.value, ann_now), becomes(ben.value, ben_now)),
        (
            says(ann, found, of=ann_now, question=question, **how),
            says(ben, found, of=ben_now, question=question, **how),
        ),
    )


def test_a_chat_id_tells_nothing_and_fits_a_button() -> None:
    talk = Playbook()
    names = set[ChatId]()
    for _ in range(50):
        ann, _ = talk.pair(talk.person(), talk.person())
        names.add(ann.chat)
        assert len(f"set_gender:{ann.chat}".encode()) <= 64
        ann.writes("/stop")
    assert len(names) == 50


@pytest.mark.parametrize(
    ("mine", "theirs", "shared", "asking", "key"),
    [
        ((), (), (), True, "search.found_asking"),
        ((), (), (), False, "search.found"),
        (("music", "tea"), ("tea",), ("tea",), True, "search.found_alike_asking"),
        (("music", "tea"), ("tea", "music"), ("music", "tea"), False, "search.found_alike"),
    ],
)
def test_shared_interests_are_named_and_a_question_is_asked_if_both_like_it(
    mine: tuple[str, ...], theirs: tuple[str, ...], shared: tuple[str, ...], asking: bool, key: str
) -> None:
    talk = Playbook()
    ann, ben = (talk.person(msgspec.structs.replace(grown_up(), interests=each)) for each in (mine, theirs))
    if not asking:
        talk.people[ben.person] = msgspec.structs.replace(ben.value, preferences=Preferences(icebreakers=False))
    for each in (ann, ben):
        each.writes("/search")
    introduced = introduce(ann.value, ben.value, talk.env)
    told = told_of(introduced)
    assert {each.text for each in told} == {told[0].text}, "the same for both"
    assert isinstance(ann_now := introduced.changes[0].state, Chatting)
    assert told[0].text.key == named(key, wording_of(ann_now.chat))
    args = dict(told[0].text.args)
    assert [dict(each.args).get("word", each.key) for each in args.get("interests", ())] == [  # type: ignore[union-attr]
        each if each == "tea" else f"interests.{each}" for each in shared
    ]
    assert ("question" in args) is asking


WISHES = Preferences(("female",), 20, 30, other_languages=False)  # type: ignore[arg-type]
WIDER = {"gender": "search.any_gender", "age": "search.any_age", "language": "search.any_language"}


def wishing(wants: Preferences = WISHES) -> Person:
    talk = Playbook()
    ann = talk.person()
    talk.people[ann.person] = msgspec.structs.replace(ann.value, preferences=wants, vip_until=NOW + 1e6)
    ann.writes("/search")
    return ann


def drag(ann: Person, *, since: float = NOW, fitting: int = 0, expected_s: float | None = None) -> Decision:
    return ann.talk.happens(SearchDelayed(ann.person, BOT, since, fitting, expected_s))


def wider(*wishes: str) -> Menu | None:
    rows = tuple((Button(text(WIDER[wish]), "widen", wish),) for wish in wishes)
    return Menu(rows) if rows else None


@pytest.mark.parametrize(
    ("fitting", "chance"), [(0, "few"), (5, "few"), (6, "some"), (19, "some"), (20, "many"), (10_000, "many")]
)
@pytest.mark.parametrize(
    ("expected_s", "wait"),
    [
        (None, text("search.wait_unknown")),
        (1.0, text("search.wait_seconds", n=10)),
        (44.0, text("search.wait_seconds", n=40)),
        (56.0, text("search.wait_minutes", n=1)),
        (400.0, text("search.wait_minutes", n=7)),
    ],
)
def test_a_long_search_tells_how_it_stands_without_exact_counts(
    fitting: int, chance: str, expected_s: float | None, wait: Any
) -> None:
    ann = Playbook().searching()
    said = text("search.delayed", chance=text(f"search.chance_{chance}"), wait=wait)
    assert drag(ann, fitting=fitting, expected_s=expected_s) == Decision(
        effects=(Say(ann.person, said, None, priority=Priority.SYSTEM, anchors=search_of(ann.person), search=NOW),)
    )


def test_the_same_notice_is_edited_the_next_time_if_it_is_there() -> None:
    ann = wishing()
    said = told_of(drag(ann))[0].text
    for at, expected in (
        (MessageRef(BOT, MessageId(7)), (Revise(ann.person, MessageId(7), said, wider(*WIDER), search=NOW),)),
        (NOWHERE, None),
        (MessageRef(OTHER_BOT, MessageId(7)), None),
    ):
        ann.talk.anchors[search_of(ann.person), ann.person] = at
        effects = drag(ann).effects
        assert effects == expected if expected else isinstance(effects[0], Say)


def test_news_about_a_finished_search_is_ignored() -> None:
    ann = Playbook().searching()
    assert drag(ann, since=NOW - 1) == Decision()
    ann.writes("/stop")
    assert drag(ann) == Decision()


@pytest.mark.parametrize("wish", WIDER)
def test_a_wish_can_be_dropped_and_the_place_stays(wish: str) -> None:
    ann = wishing()
    ann.talk.later(30)
    left = [each for each in WIDER if each != wish]
    decision = ann.presses("widen", wish)
    state = ann.value.state
    assert isinstance(state, Searching)
    assert state.ticket.since == NOW
    assert state.ticket.wants == ann.value.preferences
    assert decision.effects == (
        Answer("query"),
        Revise(ann.person, MessageId(50), text("search.widened"), wider(*left)),
    )
    for each in left:
        ann.presses("widen", each)
    assert ann.value.preferences == Preferences()
    assert ann.presses("widen", wish).changes == (), "pressed again, it changes nothing"


def test_a_wish_dropped_after_the_search_counts_for_the_next() -> None:
    ann = wishing()
    ann.writes("/stop")
    assert ann.presses("widen", "age").effects[-1] == Revise(
        ann.person, MessageId(50), text("search.widened_later"), None
    )
    assert ann.presses("widen", "age", message=None).effects == (Answer("query"),)
    assert ann.presses("widen", "everything") == Decision(effects=(Answer("query"),))
