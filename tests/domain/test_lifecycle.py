"""The table of transitions, and nothing besides it."""

from itertools import product
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.dialogue.keyboards import KEYS, keys_for
from passerby.domain import lifecycle
from passerby.domain.lifecycle import TABLE, Action, IllegalTransition
from passerby.kernel.decision import Env
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId, PoolId
from passerby.kernel.participant import (
    Chatting,
    Complaint,
    Gender,
    Idle,
    Karma,
    LastChat,
    Met,
    Participant,
    Preferences,
    Profile,
    Searching,
    State,
    Ticket,
)

NOW = 1_800_000_000.0
ENV = Env(NOW, Random(1))
TOLD = Profile(consented_at=1.0, age=30, age_given_at=NOW, gender=Gender.FEMALE, language="en")
TICKET = Ticket(PersonId(1), PoolId("adults"), NOW, Gender.FEMALE, 30, languages=("en",))
STATES: tuple[State, ...] = (Idle(), Searching(TICKET), Chatting(ChatId("c"), PersonId(2), NOW - 60))
BOTS = tuple(BotId(number) for number in range(1, 4))


def somebody(state: State, person: int = 1, **fields: object) -> Participant:
    return Participant(PersonId(person), 3, BOTS[0], (BOTS[0],), TOLD, state, **fields)  # type: ignore[arg-type]


def other_side(me: Participant) -> Participant:
    assert isinstance(me.state, Chatting)
    return Participant(me.state.partner, 8, BOTS[1], BOTS[1:2], TOLD, Chatting(me.state.chat, me.person, NOW - 60))


def step(action: Action, me: Participant) -> Participant:
    match action:
        case Action.SEARCH:
            return lifecycle.search(me, ENV)
        case Action.CANCEL:
            return lifecycle.cancel(me)
        case Action.PAIR:
            return lifecycle.pair(me, somebody(Searching(TICKET), 2), ChatId("n"), NOW)[0]
        case Action.PART:
            return lifecycle.part(me, None, ENV, reason="stop", leaver=me.person)[0]
        case Action.AGAIN:
            return lifecycle.part(me, None, ENV, reason="next", leaver=me.person, again=True)[0]


@pytest.mark.parametrize(("state", "action"), list(product(STATES, Action)), ids=str)
def test_every_listed_transition_works_and_no_other(state: State, action: Action) -> None:
    me = somebody(state)
    expected = TABLE.get((type(state), action))
    if expected is None:
        with pytest.raises(AssertionError):
            step(action, me)
    else:
        after = step(action, me)
        assert type(after.state) is expected
        bare = msgspec.structs.replace(after, state=me.state, last=None, recent=())
        assert bare == me, "and nothing else changes"


def test_a_transition_that_is_not_listed_is_named_in_the_error() -> None:
    with pytest.raises(IllegalTransition, match=r"Chatting.*SEARCH.*Searching"):
        lifecycle.search(somebody(STATES[2]), ENV)


def test_every_state_can_be_reached_and_left() -> None:
    assert {state for state, _ in TABLE} == set(TABLE.values()) == set(KEYS) == {Idle, Searching, Chatting}


@pytest.mark.parametrize("state", STATES, ids=str)
def test_every_state_has_its_own_keyboard(state: State) -> None:
    assert keys_for(state).rows
    assert [keys_for(each) for each in STATES].count(keys_for(state)) == 1


def test_a_pair_is_symmetric() -> None:
    one, other = lifecycle.pair(somebody(Searching(TICKET)), somebody(Searching(TICKET), 2), ChatId("c"), NOW)
    assert lifecycle.together(one, other)
    assert one.state == Chatting(ChatId("c"), PersonId(2), NOW)
    assert other.state == Chatting(ChatId("c"), PersonId(1), NOW)


def test_nobody_is_paired_with_themselves() -> None:
    with pytest.raises(AssertionError):
        lifecycle.pair(somebody(Searching(TICKET)), somebody(Searching(TICKET)), ChatId("c"), NOW)


def test_an_unfinished_profile_cannot_search() -> None:
    with pytest.raises(AssertionError):
        lifecycle.search(Participant(PersonId(1)), ENV)


def strays() -> list[Participant | None]:
    partner = other_side(somebody(STATES[2]))
    elsewhere = Chatting(ChatId("another"), PersonId(1), NOW)
    stranger = Chatting(ChatId("c"), PersonId(99), NOW)
    return [
        None,
        msgspec.structs.replace(partner, state=Idle()),
        msgspec.structs.replace(partner, state=Searching(TICKET)),
        msgspec.structs.replace(partner, state=elsewhere),
        msgspec.structs.replace(partner, state=stranger),
        msgspec.structs.replace(partner, person=PersonId(98)),
    ]


@pytest.mark.parametrize("stray", strays(), ids=str)
def test_ending_a_chat_does_not_change_a_partner_who_is_elsewhere(stray: Participant | None) -> None:
    me = somebody(STATES[2])
    assert not lifecycle.together(me, stray)
    last = LastChat(ChatId("c"), PersonId(2), NOW, "stop", left=True)
    assert lifecycle.part(me, stray, ENV, reason="stop", leaver=me.person) == (
        msgspec.structs.replace(me, state=Idle(), last=last, recent=(Met(PersonId(2), NOW, chat=ChatId("c")),)),
    )


def test_only_people_in_a_chat_are_together() -> None:
    assert not lifecycle.together(somebody(Idle()), other_side(somebody(STATES[2])))


@pytest.mark.parametrize("leaver", [1, 2])
def test_both_sides_remember_who_left(leaver: int) -> None:
    me = somebody(STATES[2])
    sides = lifecycle.part(me, other_side(me), ENV, reason="stop", leaver=PersonId(leaver))
    assert [side.last for side in sides] == [
        LastChat(ChatId("c"), PersonId(2), NOW, "stop", left=leaver == 1),
        LastChat(ChatId("c"), PersonId(1), NOW, "stop", left=leaver == 2),
    ]


def test_searching_again_avoids_the_last_partner() -> None:
    me = somebody(STATES[2], last=LastChat(ChatId("b"), PersonId(77), 1.0, "stop", left=False))
    again = lifecycle.part(me, None, ENV, reason="next", leaver=me.person, again=True)[0]
    assert again.state == Searching(msgspec.structs.replace(TICKET, recent=(Met(PersonId(2), NOW),)))


def test_a_ticket_follows_profile_changes_and_keeps_its_place() -> None:
    me = somebody(Searching(msgspec.structs.replace(TICKET, since=5.0)))
    changed = msgspec.structs.replace(me, profile=msgspec.structs.replace(TOLD, gender=Gender.MALE, age=17))
    fresh = lifecycle.refresh_ticket(changed, ENV).state
    assert fresh == Searching(Ticket(PersonId(1), PoolId("minors"), 5.0, Gender.MALE, 17, languages=("en",)))
    assert lifecycle.refresh_ticket(somebody(Idle()), ENV) == somebody(Idle())


def test_a_ticket_without_a_gender_shows_it_as_unsaid() -> None:
    bare = msgspec.structs.replace(somebody(Idle()), profile=msgspec.structs.replace(TOLD, gender=None))
    assert lifecycle.make_ticket(bare, ENV).gender is Gender.UNSAID


def test_a_ticket_has_all_facts_for_pairing_and_no_expired_ones() -> None:
    lately, long_ago = Met(PersonId(5), NOW - 60), Met(PersonId(6), NOW - lifecycle.MET_FOR_S)
    skipped = Met(PersonId(7), NOW - lifecycle.MET_FOR_S, skipped=True)
    reported = Met(PersonId(8), NOW - 90, chat=ChatId("c"), complaint=Complaint.SPAM)
    me = somebody(
        Idle(),
        recent=(lately, long_ago, skipped, reported),
        blocked=(PersonId(9),),
        karma=Karma(-4.0, NOW),
        vip_until=NOW + 1,
        preferences=Preferences((Gender.MALE,), 20, 30, other_languages=False),
    )
    profile = msgspec.structs.replace(TOLD, languages=("de", "en"), interests=("chess",))
    me = msgspec.structs.replace(me, profile=profile)
    assert lifecycle.make_ticket(me, ENV) == Ticket(
        PersonId(1),
        PoolId("adults"),
        NOW,
        Gender.FEMALE,
        30,
        (lately, skipped, Met(PersonId(8), NOW - 90)),
        (PersonId(9),),
        ("de", "en"),
        ("chess",),
        me.preferences,
        vip=True,
        karma=-4.0,
    )


@pytest.mark.parametrize(
    ("language", "languages", "expected"),
    [("", (), ()), ("pt-BR", (), ("pt",)), ("zh_Hans", (), ("zh",)), ("ru", ("de", "en"), ("de", "en"))],
)
def test_until_somebody_chooses_languages_the_one_of_their_telegram_counts(
    language: str, languages: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert lifecycle.spoken(Profile(language=language, languages=languages)) == expected


@pytest.mark.parametrize(("open_s", "mine"), [(1.0, True), (lifecycle.AT_ONCE_S, False)])
def test_leaving_at_once_counts_as_a_skip_by_the_leaver_only(open_s: float, mine: bool) -> None:
    me = somebody(Chatting(ChatId("c"), PersonId(2), NOW - open_s))
    partner = Participant(PersonId(2), 8, BOTS[1], BOTS[1:2], TOLD, Chatting(ChatId("c"), PersonId(1), NOW - open_s))
    sides = lifecycle.part(me, partner, ENV, reason="next", leaver=me.person)
    assert [side.recent for side in sides] == [
        (Met(PersonId(2), NOW, mine, ChatId("c")),),
        (Met(PersonId(1), NOW, False, ChatId("c")),),
    ]


def test_only_the_latest_partners_are_remembered() -> None:
    old = tuple(Met(PersonId(number), NOW - number) for number in range(10, 30))
    me = somebody(STATES[2], recent=old)
    (after,) = lifecycle.part(me, None, ENV, reason="stop", leaver=me.person)
    assert after.recent == (Met(PersonId(2), NOW, chat=ChatId("c")), *old[: lifecycle.RECENT_KEPT - 1])


def test_a_person_seen_recently_on_the_same_bot_does_not_change() -> None:
    me = somebody(Idle(), seen_at=NOW)
    assert lifecycle.arrive(me, BOTS[0], "ru", NOW + lifecycle.SEEN_EVERY_S - 1) is me
    wordless = msgspec.structs.replace(me, profile=msgspec.structs.replace(TOLD, language=""))
    assert lifecycle.arrive(wordless, BOTS[0], "", NOW + 1) is wordless


def test_the_topic_of_the_last_message_is_kept_as_long_as_its_bot() -> None:
    both = msgspec.structs.replace(somebody(Idle(), seen_at=NOW), bots=(BOTS[0], BOTS[1]))
    me = lifecycle.arrive(both, BOTS[0], "", NOW, MessageId(55))
    assert me.thread == 55
    assert lifecycle.arrive(me, BOTS[0], "", NOW, MessageId(55)) is me
    assert lifecycle.arrive(me, BOTS[0], "", NOW).thread is None
    assert lifecycle.lose_bot(me, BOTS[1]).thread == 55
    assert lifecycle.lose_bot(me, BOTS[0]).thread is None


Step = tuple[str, BotId]
STEPS = st.lists(st.tuples(st.sampled_from(["arrive", "lose"]), st.sampled_from(BOTS)), max_size=12)


@given(STEPS)
def test_a_person_is_reached_through_the_last_used_bot_that_is_not_blocked(steps: list[Step]) -> None:
    me, now = Participant(PersonId(1)), NOW
    used: list[BotId] = []
    for what, bot in steps:
        now += 1
        used = [other for other in used if other != bot]
        if what == "arrive":
            me = lifecycle.arrive(me, bot, "", now)
            used.insert(0, bot)
        else:
            me = lifecycle.lose_bot(me, bot)
        assert me.bots == tuple(used)
        assert me.bot == (used[0] if used else None)


def test_losing_a_bot_never_used_changes_nothing() -> None:
    me = somebody(Idle())
    assert lifecycle.lose_bot(me, BOTS[2]) is me


def test_a_later_search_is_not_the_same_search() -> None:
    later = msgspec.structs.replace(TICKET, since=NOW + 1)
    told = [lifecycle.is_in_search(state, NOW) for state in (*STATES, Searching(later))]
    assert told == [False, True, False, False]


def test_a_person_without_an_age_has_no_pool_and_everybody_else_has_that_of_their_search() -> None:
    told = somebody(Idle())
    assert lifecycle.pool_at(told, ENV.rules, NOW) == lifecycle.make_ticket(told, ENV).pool
    assert lifecycle.pool_at(msgspec.structs.replace(told, profile=Profile()), ENV.rules, NOW) is None
