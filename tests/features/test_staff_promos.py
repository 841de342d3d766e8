"""Promo codes as staff decide about them: made once, and revoked for good."""

import msgspec

from passerby.kernel.promo import PromoCode
from passerby.kernel.staff import THE_OPERATOR, StaffFacts
from passerby.kernel.staff_requests import PromoMade, PromoRevoked
from passerby.kernel.text import text
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
