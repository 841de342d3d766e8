"""An overturned decision leaves no trace: no sanction that binds, the VIP time and the karma as they would be."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.karma import karma_now, rated
from passerby.domain.sanctions import BARRING, appeal, binding, impose, lift, overturn, refused
from passerby.kernel.decision import Env
from passerby.kernel.participant import Karma, Rating
from passerby.kernel.sanction import Appeal, SanctionKind
from tests.domain.test_sanctions import ENV, NOW, person, sanction

LATER = st.floats(1, 4e6)


@given(
    kind=st.sampled_from(SanctionKind),
    until=st.one_of(st.none(), st.floats(NOW + 1, NOW + 3e6)),
    vip_s=st.floats(0, 5e6),
    later=LATER,
    score=st.floats(-9, 9),
    weight=st.floats(0.01, 1),
)
def test_appeals_restore_exactly(
    kind: SanctionKind, until: float | None, vip_s: float, later: float, score: float, weight: float
) -> None:
    before = person(vip_until=NOW + vip_s, karma=Karma(score, NOW))
    reported = msgspec.structs.replace(before, karma=rated(before.karma, Rating.BAD, weight, NOW))
    cost = before.karma.score - reported.karma.score
    bound, *_ = impose(reported, None, sanction(kind, until, since=NOW), ENV)
    now = NOW + later
    free = overturn(bound, bound.sanctions[0], ((cost, NOW),), now)
    assert binding(free, now) == ()
    assert karma_now(free.karma, now) == pytest.approx(karma_now(before.karma, now), abs=1e-9)
    barred_s = min(later, until - NOW if until is not None else later) if kind in BARRING else 0.0
    left_s = max(0.0, vip_s - later) + min(barred_s, vip_s)
    assert max(0.0, free.vip_until - now) == pytest.approx(left_s, abs=1e-3)
    assert free.sanctions[0].appeal is Appeal.OVERTURNED
    assert overturn(free, bound.sanctions[0], ((cost, NOW),), now) is free, "once"


def test_karma_alone_and_a_sanction_that_is_forgotten_are_given_back_too() -> None:
    me = person(karma=Karma(-2.0, NOW))
    assert overturn(me, None, ((1.5, NOW),), NOW).karma == Karma(-0.5, NOW)
    assert overturn(me, None, (), NOW) is me
    ban = sanction(SanctionKind.BANNED, NOW + 9)
    assert [each.appeal for each in overturn(me, ban, (), NOW + 20).sanctions] == [Appeal.OVERTURNED]


def test_an_appeal_that_did_not_help_is_marked_once() -> None:
    bound = person(sanctions=(sanction(SanctionKind.BANNED, None), sanction(SanctionKind.SLOW, None, "b")))
    asked = appeal(bound, bound.sanctions[0], NOW)
    told = refused(asked, "a")
    assert [each.appeal for each in told.sanctions] == [Appeal.UPHELD, Appeal.NONE]
    assert refused(told, "a") is told
    assert refused(told, "x") is told


def test_a_case_leads_to_one_sanction_that_binds() -> None:
    first = msgspec.structs.replace(sanction(SanctionKind.SLOW, None, "m1"), evidence="case 1")
    other = msgspec.structs.replace(sanction(SanctionKind.SLOW, None, "m2"), evidence="case 2")
    last = msgspec.structs.replace(sanction(SanctionKind.SUSPENDED, NOW + 99, "c1"), evidence="case 1")
    me = person()
    for each in (first, other, last, last):
        me = (impose(me, None, each, Env(NOW, ENV.rng)) or (me,))[0]
    assert [each.id for each in me.sanctions] == ["m2", "c1"]


OF_CASES = [(f"{name}{case}", f"case {case}") for case in (1, 2) for name in "mic"]
ORDERS = st.tuples(st.sampled_from(["impose", "overturn", "lift"]), st.sampled_from(OF_CASES))


@given(orders=st.lists(ORDERS, max_size=12), kinds=st.permutations(list(SanctionKind)))
def test_nobody_is_sanctioned_twice_for_a_case_whatever_comes_twice_or_late(
    orders: list[tuple[str, tuple[str, str]]], kinds: list[SanctionKind]
) -> None:
    """The orders of a rule (m), of a member who proposes (i) and of the decision (c), in any order."""
    by_id = {
        name: msgspec.structs.replace(sanction(kind, None, name, since=NOW - 9 + "mic".index(name[0])), evidence=case)
        for (name, case), kind in zip(OF_CASES, kinds, strict=False)
    }
    me, given_back = person(), set[str]()
    for at, (what, (name, _)) in enumerate(orders):
        now = NOW + at
        match what:
            case "impose":
                me = (impose(me, None, by_id[name], Env(now, ENV.rng)) or (me,))[0]
            case "overturn":
                me = overturn(me, by_id[name], (), now)
                given_back.add(name)
            case _:
                me = lift(me, name, now)
        held = binding(me, now)
        cases = [each.evidence for each in held]
        assert len(cases) == len(set(cases)), "one for a case"
        assert given_back.isdisjoint(each.id for each in held), "what was given back never binds again"


def test_an_order_that_comes_late_or_again_changes_nothing() -> None:
    early, late, other = (
        msgspec.structs.replace(sanction(kind, None, name, since=NOW - age_s), evidence=case)
        for kind, name, age_s, case in (
            (SanctionKind.SLOW, "m1", 9, "case 1"),
            (SanctionKind.BANNED, "c1", 5, "case 1"),
            (SanctionKind.SLOW, "c2", 1, "case 2"),
        )
    )
    (banned,) = impose(person(), None, late, ENV)
    assert impose(banned, None, early, ENV) == ()
    (again,) = impose(overturn(banned, late, (), NOW), None, other, ENV)
    assert [each.id for each in binding(again, NOW)] == ["c2"]
    assert impose(again, None, late, ENV) == ()
