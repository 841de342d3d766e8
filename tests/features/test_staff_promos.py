"""Promo codes as staff decide about them: made once, and revoked for good."""

from random import Random

import msgspec
import pytest

from passerby.domain.alone import summed, worth_days
from passerby.domain.approvals import promo_about
from passerby.kernel.alone import Alone
from passerby.kernel.decision import Env
from passerby.kernel.event import ButtonPressed
from passerby.kernel.ids import BotId, MessageId
from passerby.kernel.money import Plan
from passerby.kernel.promo import PromoCode
from passerby.kernel.rules import Rules
from passerby.kernel.staff import THE_OPERATOR, StaffFacts
from passerby.kernel.staff_requests import PromoMade, PromoRevoked
from passerby.kernel.text import text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from tests.features.test_staff import ADMIN, NOW, decide, facts

WELCOME = PromoCode("WELCOME", days=7, most_uses=100)


def operator(promo: PromoCode | None = None) -> StaffFacts:
    return msgspec.structs.replace(facts(ADMIN), me=THE_OPERATOR, promo=promo)


def test_new_codes_are_stored_with_their_maker_and_one_row_of_the_audit() -> None:
    several = (WELCOME, msgspec.structs.replace(WELCOME, code="WELCOME2"))
    made = decide(PromoMade("WELCOME", several), operator())
    assert [(each.code, each.made_at, each.made_by) for each in made.promos] == [
        ("WELCOME", NOW, THE_OPERATOR.number),
        ("WELCOME2", NOW, THE_OPERATOR.number),
    ]
    (note,) = made.notes
    assert (note.action, note.subject, note.details["codes"]) == ("promos.made", "WELCOME", 2)


def test_a_code_that_exists_is_not_made_again() -> None:
    refused = decide(PromoMade("WELCOME", (WELCOME,)), operator(WELCOME))
    assert (refused.promos, refused.reply) == ((), text("promos.exists", code="WELCOME"))


def test_a_code_is_revoked_once_and_an_unknown_one_is_refused() -> None:
    revoked = decide(PromoRevoked("WELCOME"), operator(WELCOME))
    assert [each.revoked_at for each in revoked.promos] == [NOW]
    again = decide(PromoRevoked("WELCOME"), operator(revoked.promos[0]))
    assert (again.promos, again.reply) == ((), text("promos.revoked_before", code="WELCOME"))
    unknown = decide(PromoRevoked("WELCOME"), operator())
    assert (unknown.promos, unknown.reply) == ((), text("promos.unknown", code="WELCOME"))


PLANS = (Plan("week", 7, 75), Plan("month", 30, 250))
LIMITED = Env(NOW, Random(1), Rules(plans=PLANS, promo_second_above=700))
HALF = PromoCode("HALF", percent=50, most_uses=10)


def test_a_code_is_worth_its_days_and_a_discount_its_share_of_the_longest_plan() -> None:
    assert worth_days((WELCOME,), PLANS) == 700
    assert worth_days((HALF, msgspec.structs.replace(HALF, percent=99)), PLANS) == 10 * 15 + 10 * 30
    assert worth_days((HALF,), ()) == 0


@pytest.mark.parametrize(("before", "codes"), [(0, (WELCOME, HALF)), (1, (WELCOME,)), (600, (HALF,))])
def test_codes_that_are_worth_much_in_sum_need_a_second_member(before: int, codes: tuple[PromoCode, ...]) -> None:
    router = StaffRouter(ALL)
    asked_by = msgspec.structs.replace(operator(), alone=Alone(promo_days=before))
    asked = router.decide(PromoMade(codes[0].code, codes), asked_by, LIMITED)
    (approval,) = asked.approvals
    assert (asked.promos, promo_about(approval)) == ((), codes[0].code)
    agree = ButtonPressed(ADMIN.person, BotId(1), "q", MessageId(5), "approval_agree", str(approval.number))
    second = msgspec.structs.replace(facts(ADMIN), approval=approval, approvals=(approval,))
    done = router.decide(agree, second, LIMITED)
    assert [each.code for each in done.promos] == [each.code for each in codes]
    assert {each.made_by for each in done.promos} == {THE_OPERATOR.number}
    assert summed((note.action, note.details) for note in done.notes) == Alone(), "it was not done alone"
    late = router.decide(agree, msgspec.structs.replace(second, promo=codes[0]), LIMITED)
    assert (late.promos, late.reply) == ((), text("promos.exists", code=codes[0].code))


def test_codes_up_to_the_limit_are_made_alone_and_count() -> None:
    made = StaffRouter(ALL).decide(PromoMade("WELCOME", (WELCOME,)), operator(), LIMITED)
    assert made.promos
    assert summed((note.action, note.details) for note in made.notes) == Alone(promo_days=700)
