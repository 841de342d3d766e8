"""Which wishes count: those of a VIP, and those that the operator opens to everybody."""

from random import Random

import pytest

from passerby.domain.entitlement import is_vip, may_filter, wishes_of
from passerby.kernel.decision import Env
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Participant, Preferences
from passerby.kernel.rules import Filter, Rules

NOW = 1_800_000_000.0
WISHES = Preferences((Gender.FEMALE,), 20, 30, other_languages=False, icebreakers=False)


def env(*free: Filter) -> Env:
    return Env(NOW, Random(1), Rules(free_filters=free))


def somebody(vip_until: float) -> Participant:
    return Participant(PersonId(1), preferences=WISHES, vip_until=vip_until)


@pytest.mark.parametrize(("until", "expected"), [(0.0, False), (NOW, False), (NOW + 1, True)])
def test_vip_ends_at_the_given_time(until: float, expected: bool) -> None:
    assert is_vip(somebody(until), NOW) is expected


@pytest.mark.parametrize(
    ("vip_until", "free", "genders", "age_min"),
    [
        (NOW + 1, (), (Gender.FEMALE,), 20),
        (0.0, (), (), None),
        (0.0, (Filter.GENDER,), (Gender.FEMALE,), None),
        (0.0, (Filter.AGE,), (), 20),
        (0.0, tuple(Filter), (Gender.FEMALE,), 20),
    ],
)
def test_hard_wishes_need_entitlement_and_soft_wishes_do_not(
    vip_until: float, free: tuple[Filter, ...], genders: tuple[Gender, ...], age_min: int | None
) -> None:
    me = somebody(vip_until)
    wants = wishes_of(me, env(*free))
    assert (wants.genders, wants.age_min, wants.age_max) == (genders, age_min, 30 if age_min else None)
    assert (wants.other_languages, wants.icebreakers) == (False, False)
    assert may_filter(me, Filter.GENDER, env(*free)) is bool(genders)
    assert me.preferences == WISHES, "what somebody wished for is kept for later"
