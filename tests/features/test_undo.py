"""Returning to a chat that was left by mistake: only if both want it, and nobody learns about a refusal."""

from collections.abc import Callable
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerby.dialogue.after_chat import menu
from passerby.domain.after_chat import RETURN_S, never_again
from passerby.domain.lifecycle import together
from passerby.features.search import introduce
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Discard, Menu, Say
from passerby.kernel.event import ButtonPressed, ChatIdle, Event
from passerby.kernel.ids import MessageId
from passerby.kernel.participant import Chatting, Idle, Rating, Searching
from passerby.kernel.rules import Rules
from passerby.kernel.text import text
from tests.features.playbook import NOW, Person, Playbook, Priority, grown_up, revises, says


def parted_pair(how: str = "/stop", rules: Rules | None = None) -> tuple[Playbook, Person, Person]:
    talk = Playbook(rules) if rules is not None else Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.later(60)
    ann.writes(how)
    return talk, ann, ben


def asked(who: Person) -> tuple[object, object]:
    """The message to a person who asks to return, whatever happens then."""
    return Answer("query"), revises(who, "after_chat.asked_back", menu(who.value, who.talk.env.now))


def invited(who: Person, chat: str) -> Say:
    offer = Menu(((Button(text("after_chat.return"), "return", chat),),))
    return Say(who.person, text("after_chat.invited_back"), offer, priority=Priority.SYSTEM)


def test_the_person_who_asks_is_told_and_the_other_is_invited() -> None:
    _, ann, ben = parted_pair()
    assert ann.value.last is not None
    was, chat = ben.value, ann.value.last.chat
    decision = ann.looks_back("return")
    assert decision.effects == (*asked(ann), invited(ben, chat))
    assert ben.value == msgspec.structs.replace(was, version=was.version + 1)
    assert "return" not in {button.action for row in menu(ann.value, NOW + 60).rows for button in row}


@pytest.mark.parametrize("first", [0, 1])
def test_when_both_ask_they_are_together_in_a_new_chat(first: int) -> None:
    talk, *people = parted_pair()
    one, other = people[first], people[1 - first]
    one.looks_back("return")
    assert other.value.last is not None
    old = other.value.last.chat
    talk.later(5)
    decision = other.looks_back("return")
    assert together(one.value, other.value)
    assert one.chat != old
    told = [
        says(each, "after_chat.together_again", priority=Priority.MATCH, anchors=each.chat) for each in (other, one)
    ]
    assert decision.effects == (Answer("query"), Discard(other.person, (MessageId(50),)), *told)


def test_an_invitation_whose_message_is_unknown_is_not_deleted() -> None:
    _, ann, ben = parted_pair()
    ann.looks_back("return")
    assert not any(isinstance(effect, Discard) for effect in ben.looks_back("return", message=None).effects)


def test_after_every_other_button_block_report_and_skip_remain() -> None:
    _, ann, _ = parted_pair()
    for action in ("good", "save", "return"):
        ann.looks_back(action)
    assert [[button.action for button in row] for row in menu(ann.value, NOW + 60).rows] == [
        ["seek"],
        ["block", "report", "done"],
    ]


def test_asking_to_return_stops_the_search() -> None:
    _, ann, ben = parted_pair("/next")
    decision = ann.looks_back("return")
    assert ann.value.state == Idle()
    assert decision.effects[:3] == (*asked(ann), says(ann, "after_chat.search_rests"))
    ben.looks_back("return")
    assert together(ann.value, ben.value)


def test_two_people_who_both_moved_on_by_mistake_can_return() -> None:
    talk, ann, ben = parted_pair("/next")
    ben.writes("/search")
    ann.looks_back("return")
    assert isinstance(ben.value.state, Searching)
    ben.looks_back("return")
    assert together(ann.value, ben.value)
    assert talk.people[ann.person].state != talk.people[ben.person].state


def test_asking_twice_invites_once() -> None:
    _, ann, ben = parted_pair()
    ann.looks_back("return")
    decision = ann.looks_back("return")
    assert decision.effects == asked(ann)
    ben.looks_back("return")
    assert together(ann.value, ben.value)


def _moves_on(talk: Playbook, ben: Person) -> None:
    talk.pair(ben, talk.person())


def _met_another_and_left(talk: Playbook, ben: Person) -> None:
    talk.pair(ben, talk.person())
    ben.writes("/stop")


def _blocks(talk: Playbook, ben: Person) -> None:
    ben.looks_back("block")


def _reports(talk: Playbook, ben: Person) -> None:
    assert ben.value.last is not None
    ben.presses("complain", f"{ben.value.last.chat}.spam")


def _blocks_the_bot(talk: Playbook, ben: Person) -> None:
    ben.blocks()


def _is_forgotten(talk: Playbook, ben: Person) -> None:
    del talk.people[ben.person]


def _is_a_minor_after_all(talk: Playbook, ben: Person) -> None:
    talk.people[ben.person] = msgspec.structs.replace(ben.value, profile=grown_up(16))


def _says_bad(talk: Playbook, ben: Person) -> None:
    ben.looks_back("bad")


REFUSALS = [
    _moves_on,
    _met_another_and_left,
    _blocks,
    _reports,
    _blocks_the_bot,
    _is_forgotten,
    _is_a_minor_after_all,
    _says_bad,
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: each.__name__)
def test_the_person_who_asks_reads_the_same_and_the_other_reads_nothing(
    refusal: Callable[[Playbook, Person], None],
) -> None:
    talk, ann, ben = parted_pair(rules=Rules(minimum_age=16))
    refusal(talk, ben)
    assert ann.looks_back("return").effects == asked(ann)
    assert ann.value.state == Idle()


def test_people_who_rated_badly_can_return_if_both_ask() -> None:
    _, ann, ben = parted_pair()
    ben.looks_back("bad")
    ann.looks_back("return")
    ben.looks_back("return")
    assert together(ann.value, ben.value)


def test_an_earlier_ask_does_not_bring_back_a_person_who_blocked() -> None:
    _, ann, ben = parted_pair()
    ann.looks_back("return")
    ben.looks_back("block")
    ben.looks_back("return")
    ann.looks_back("return")
    assert not isinstance(ann.value.state, Chatting)
    assert not isinstance(ben.value.state, Chatting)


def test_after_two_minutes_nobody_can_return_and_the_other_buttons_stay() -> None:
    talk, ann, ben = parted_pair()
    ann.looks_back("return")
    talk.later(RETURN_S + 1)
    for each in (ben, ann):
        was = each.value
        late = Answer("query", text("after_chat.too_late"), alert=True)
        assert each.looks_back("return") == Decision(
            effects=(late, revises(each, "after_chat.ask", menu(was, talk.env.now)))
        )
        shown = {button.action for row in menu(was, talk.env.now).rows for button in row}
        assert shown == {"seek", "good", "bad", "save", "block", "report", "done"}


def test_asking_to_return_in_a_new_chat_keeps_that_chat() -> None:
    talk, ann, ben = parted_pair("/next")
    _, eve = talk.pair(ann, talk.person())
    before = ann.value, ben.value, eve.value
    told = Answer("query", text("after_chat.in_a_chat"), alert=True)
    assert ann.looks_back("return") == Decision(effects=(told,))
    assert (ann.value, ben.value, eve.value) == before


def test_nobody_can_return_to_a_chat_that_ended_in_silence() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.later(talk.env.rules.idle_end_s)
    talk.happens(ChatIdle(ann.person, ann.bot, ann.chat, NOW, None))
    for each in (ann, ben):
        assert "return" not in {button.action for row in menu(each.value, talk.env.now).rows for button in row}
        each.looks_back("return")
        assert each.value.last is not None
        assert each.value.last.wants_back_at is None


@pytest.mark.parametrize("how", ["/block", "report"])
def test_a_person_who_blocked_or_reported_cannot_return(how: str) -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    ann.writes(how) if how == "/block" else ann.presses("complain", f"{ann.chat}.rude")
    assert ann.looks_back("return").changes == ()


def _press(who: Person, action: str) -> ButtonPressed:
    assert who.value.last is not None
    return ButtonPressed(who.person, who.bot, "query", MessageId(50), action, who.value.last.chat, "en")


def _decide(talk: Playbook, event: Event) -> Decision:
    """A decision about the current facts, not stored yet."""
    facts = talk.facts(event.person, None)
    decider = talk.router.route(event, facts)
    others = tuple(talk.people[each] for each in talk.router.also_load(decider, event, facts) if each in talk.people)
    known = facts.partner.person if facts.partner is not None else None
    others = tuple(each for each in others if each.person != known)
    return talk.router.decide(decider, event, msgspec.structs.replace(facts, others=others), talk.env)


def _stored(talk: Playbook, decision: Decision) -> bool:
    """Stores all of the decision as the live store does, or nothing if somebody has changed meanwhile."""
    if any(talk.people[each.person].version != each.version for each in decision.changes):
        return False
    talk.apply(decision)
    return True


@pytest.mark.parametrize("second", [0, 1])
@pytest.mark.parametrize("bad", [False, True])
def test_the_second_of_two_requests_at_the_same_moment_finds_the_first(second: int, bad: bool) -> None:
    talk, ann, ben = parted_pair()
    if bad:
        for each in (ann, ben):
            each.looks_back("bad")
    presses = [_press(ann, "return"), _press(ben, "return")]
    decisions = [_decide(talk, press) for press in presses]
    assert _stored(talk, decisions[1 - second])
    assert not _stored(talk, decisions[second])
    assert _stored(talk, _decide(talk, presses[second]))
    assert together(ann.value, ben.value)


Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["return", "block", "search", "stop", "match", "good", "bad", "save", "complain", "later"]),
        st.integers(0, 2),
    ),
    min_size=2,
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_chats_stay_mutual_and_single_whatever_happens_at_once(steps: list[Step], chance: Random) -> None:
    """Returning, pairing, blocking and leaving, decided on facts that may be outdated when they are stored."""
    talk, ann, ben = parted_pair("/next")
    people = [ann, ben, talk.person()]
    pending: list[Callable[[], Decision]] = []
    held: list[Decision] = []
    for what, number in steps:
        who = people[number]
        make = _maker(talk, who, what, people)
        if make is None:
            continue
        held.append(make())
        pending.append(make)
        if chance.random() < 0.5 or len(held) > 2:
            _settle(talk, held, pending, chance)
            _check(people)
    _settle(talk, held, pending, chance)
    _check(people)


def _maker(talk: Playbook, who: Person, what: str, people: list[Person]) -> Callable[[], Decision] | None:
    if what == "later":
        talk.later(70)
        return None
    if what in ("search", "stop"):
        event = who.message(Content(Kind.TEXT, f"/{what}"))
        return lambda: _decide(talk, event)
    if what == "match":
        other = people[(people.index(who) + 1) % 3]

        def match() -> Decision:
            one, two = who.value, other.value
            waiting = isinstance(one.state, Searching) and isinstance(two.state, Searching)
            return introduce(one, two, talk.env) if waiting and not never_again(one, two) else Decision()

        return match
    if who.value.last is None:
        return None
    chat = who.value.last.chat
    action, token = ("complain", f"{chat}.rude") if what == "complain" else (what, chat)
    press = ButtonPressed(who.person, who.bot, "query", MessageId(50), action, token, "en")
    return lambda: _decide(talk, press)


def _settle(talk: Playbook, held: list[Decision], pending: list[Callable[[], Decision]], chance: Random) -> None:
    """Store the decisions in any order. An outdated one is decided again."""
    order = list(range(len(held)))
    chance.shuffle(order)
    for index in order:
        if not _stored(talk, held[index]):
            assert _stored(talk, pending[index]())
    held.clear()
    pending.clear()


def _check(people: list[Person]) -> None:
    values = {each.person: each.value for each in people}
    for value in values.values():
        if isinstance(value.state, Chatting):
            partner = values[value.state.partner]
            assert together(value, partner)
            assert not never_again(value, partner)
        if isinstance(value.state, Searching):
            assert value.state.ticket.blocked == value.blocked


def test_a_rating_stays_with_its_chat() -> None:
    _, ann, ben = parted_pair()
    ann.looks_back("good")
    ann.looks_back("return")
    ben.looks_back("return")
    ben.writes("/stop")
    assert ann.value.last is not None
    assert ann.value.last.rating is None
    ann.looks_back("bad")
    assert ann.value.last.rating is Rating.BAD


def test_a_clock_that_was_set_back_lets_nobody_return() -> None:
    talk, ann, _ = parted_pair()
    talk.later(-3600)
    assert ann.looks_back("return").changes == (), "it has not ended yet"
