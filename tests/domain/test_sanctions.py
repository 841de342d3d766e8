"""Sanctions bind until their end and never after; imposing and lifting twice is the same as once."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.lifecycle import SLOWED_S, make_ticket, pair, refresh_ticket, search
from passerby.domain.matching.match import Pool
from passerby.domain.sanctions import (
    APPEAL_S,
    BARRING,
    appeal,
    appealable,
    bar,
    barred_until,
    binding,
    binds,
    impose,
    is_bound,
    lift,
)
from passerby.domain.support import CODE_S, read, shown, with_code
from passerby.kernel.decision import Env
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Chatting, Gender, Idle, Participant, Profile, Searching
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind

NOW = 1_800_000_000.0
ENV = Env(NOW, Random(1))
BOT = BotId(1000001)


def person(number: int = 1, **more: object) -> Participant:
    profile = Profile(NOW, 30, NOW, Gender.UNSAID, "en")
    return Participant(PersonId(number), 1, BOT, (BOT,), profile, seen_at=NOW, **more)  # type: ignore[arg-type]


def sanction(kind: SanctionKind, until: float | None = NOW + 60, name: str = "a", since: float = NOW) -> Sanction:
    return Sanction(name, kind, Reason.SPAM, since, until, by=1)


sanctions = st.lists(
    st.builds(
        sanction,
        st.sampled_from(SanctionKind),
        st.one_of(st.none(), st.floats(NOW - 1e6, NOW + 1e6)),
        st.sampled_from("abcdef"),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
).map(tuple)


@given(held=sanctions, later=st.floats(0, 2e6))
def test_no_sanction_outlives_its_end(held: tuple[Sanction, ...], later: float) -> None:
    now = NOW + later
    me = person(sanctions=held)
    over = [each for each in held if each.until is not None and each.until <= now]
    assert not set(over) & set(binding(me, now))
    assert set(binding(me, now)) == set(held) - set(over)
    found = bar(me, now)
    assert (found is None) == all(each in over or each.kind not in BARRING for each in held)
    for kind in SanctionKind:
        assert is_bound(me, kind, now) == any(each.kind is kind and each not in over for each in held)
    ends = barred_until(me)
    assert (ends is not None and ends > now) == (found is not None)


@given(held=sanctions, kind=st.sampled_from(SanctionKind))
def test_imposing_and_lifting_twice_is_the_same_as_once(held: tuple[Sanction, ...], kind: SanctionKind) -> None:
    new = sanction(kind, name="new")
    before = person(sanctions=held)
    (once, *_) = impose(before, None, new, ENV)
    assert new in once.sanctions
    assert impose(once, None, new, ENV) == ()
    free = lift(once, "new", NOW)
    assert set(free.sanctions) == set(binding(before, NOW))
    assert lift(free, "new", NOW) is free
    assert lift(before, "unknown", NOW) is before


def test_a_sanction_that_is_over_is_neither_imposed_nor_lifted() -> None:
    late = sanction(SanctionKind.BANNED, NOW)
    assert not binds(late, NOW)
    assert impose(person(), None, late, ENV) == ()
    me = person(sanctions=(late,))
    assert lift(me, "a", NOW) is me


@pytest.mark.parametrize("kind", SanctionKind)
def test_a_bar_ends_a_chat_and_a_search_and_a_doubt_about_the_age_a_chat(kind: SanctionKind) -> None:
    waiting = search(person(), ENV)
    (after,) = impose(waiting, None, sanction(kind), ENV)
    assert type(after.state) is (Idle if kind in BARRING else Searching)
    one, other = pair(search(person(1), ENV), search(person(2), ENV), ChatId("chat"), NOW)
    sides = impose(one, other, sanction(kind), ENV)
    if kind in (*BARRING, SanctionKind.AGE_DOUBT):
        assert [type(each.state) for each in sides] == [Idle, Idle]
        assert sides[1].last is not None
        assert (sides[1].last.left, sides[1].sanctions) == (False, ())
    else:
        assert [type(each.state) for each in sides] == [Chatting]
    (alone,) = impose(person(), None, sanction(kind), ENV)
    assert isinstance(alone.state, Idle)


def test_the_strictest_and_longest_sanction_comes_first() -> None:
    for_good = sanction(SanctionKind.BANNED, None, "g")
    long, short = sanction(SanctionKind.BANNED, NOW + 9, "l"), sanction(SanctionKind.BANNED, NOW + 5, "s")
    warning = sanction(SanctionKind.WARNING, None, "w")
    assert binding(person(sanctions=(warning, short, for_good, long)), NOW) == (for_good, long, short, warning)
    assert barred_until(person(sanctions=(short, long))) == NOW + 9
    assert barred_until(person(sanctions=(short, for_good))) == float("inf")
    assert barred_until(person(sanctions=(warning,))) is None


def test_a_sanction_can_be_appealed_once_within_twenty_days() -> None:
    me = person(sanctions=(sanction(SanctionKind.BANNED, None), sanction(SanctionKind.WARNING, None, "w")))
    first = appealable(me, NOW)
    assert first is not None
    assert first.id == "a"
    asked = appeal(me, first, NOW)
    assert [each.appeal for each in asked.sanctions] == [Appeal.OPEN, Appeal.NONE]
    second = appealable(asked, NOW)
    assert second is not None
    assert second.id == "w"
    assert appealable(appeal(asked, second, NOW), NOW) is None
    assert appealable(me, NOW + APPEAL_S) is None


def test_the_search_of_a_slowed_person_counts_a_minute_later() -> None:
    slowed = person(sanctions=(sanction(SanctionKind.SLOW, NOW + 3600),))
    waiting = search(slowed, ENV)
    assert isinstance(waiting.state, Searching)
    assert waiting.state.ticket.not_before == NOW + SLOWED_S
    again = refresh_ticket(waiting, Env(NOW + 30, Random(1)))
    assert isinstance(again.state, Searching)
    assert again.state.ticket.not_before == NOW + SLOWED_S
    assert make_ticket(slowed, Env(NOW + 3600, Random(1))).not_before == 0.0
    assert make_ticket(person(sanctions=(sanction(SanctionKind.SLOW, None),)), ENV).not_before > 0
    assert make_ticket(person(sanctions=(sanction(SanctionKind.WARNING),)), ENV).not_before == 0.0

    crowd = Pool()
    crowd.add(waiting.state.ticket)
    assert (len(crowd), slowed.person in crowd, crowd.next_at()) == (1, True, NOW + SLOWED_S)
    crowd.add(make_ticket(person(2), ENV))
    assert crowd.pairs(NOW + 59) == []
    assert crowd.next_at() == NOW + SLOWED_S
    assert len(crowd.pairs(NOW + SLOWED_S)) == 1
    crowd.add(waiting.state.ticket)
    crowd.remove(slowed.person)
    assert (len(crowd), crowd.next_at()) == (0, None)


def test_a_support_code_is_kept_for_a_week_and_read_however_it_is_typed() -> None:
    me = with_code(person(), ENV)
    assert me.support is not None
    code = me.support.code
    assert with_code(me, Env(NOW + CODE_S - 1, Random(2))) is me
    later = with_code(me, Env(NOW + CODE_S, Random(2)))
    assert later.support is not None
    assert later.support.code != code
    assert read(f" {shown(code).lower()} ") == code
    assert read(code[:-1]) is None
    assert read("0000-0000") is None
    assert msgspec.structs.replace(me, support=None) == person()


def test_a_person_whose_age_is_in_doubt_searches_in_a_pool_of_its_own_until_the_doubt_ends() -> None:
    doubt = sanction(SanctionKind.AGE_DOUBT, NOW + 3600)
    (me,) = impose(search(person(), ENV), None, doubt, ENV)
    assert isinstance(me.state, Searching)
    assert me.state.ticket.pool == "adults?"
    free = refresh_ticket(lift(me, doubt.id, NOW), ENV)
    assert isinstance(free.state, Searching)
    assert free.state.ticket.pool == "adults"
    later = search(person(sanctions=(doubt,)), Env(NOW + 3601, Random(1)))
    assert isinstance(later.state, Searching)
    assert later.state.ticket.pool == "adults"
