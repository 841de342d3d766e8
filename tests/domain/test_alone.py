"""The sums of a day of what a staff member does alone."""

from passerby.domain.alone import (
    APPROVAL,
    BAN_PROPOSED,
    BROADCAST_STARTED,
    DECIDED,
    LIFTED,
    MEANWHILE,
    PROMOS_MADE,
    REFUNDED,
    SANCTIONED,
    SECOND,
    SECOND_ASKED,
    SPREAD,
    SUBMITTED,
    WORTH,
    summed,
    worth_days,
)
from passerby.kernel.alone import Alone
from passerby.kernel.money import Plan
from passerby.kernel.promo import PromoCode


def test_a_day_sums_up_each_kind_of_act_and_nothing_that_a_second_member_agreed_to() -> None:
    notes = [
        (REFUNDED, {"stars": 30}),
        (REFUNDED, {"stars": 12}),
        (REFUNDED, {"stars": 900, APPROVAL: 4}),
        (PROMOS_MADE, {WORTH: 70}),
        (LIFTED, {}),
        (LIFTED, {}),
        (BROADCAST_STARTED, {"people": 50}),
        (BROADCAST_STARTED, {"people": None}),
        (BROADCAST_STARTED, {"people": 90, SPREAD: 10}),
        (BROADCAST_STARTED, {"people": 8_000, SUBMITTED: True}),
        ("staff.invited", {"stars": 5}),
    ]

    assert summed(notes) == Alone(stars=42, promo_days=70, lifts=2, reached=150)
    assert summed(()) == Alone()


def test_promo_codes_are_worth_their_days_and_a_discount_its_share_of_the_longest_plan() -> None:
    month, year = Plan("month", 30, 250), Plan("year", 365, 2_000)
    days, discount = PromoCode("A", days=7, most_uses=10), PromoCode("B", percent=50, most_uses=3)

    assert worth_days((days, discount), (month, year)) == 7 * 10 + 183 * 3
    assert worth_days((days, discount), ()) == 70


def test_accounts_that_a_member_sanctions_or_frees_count_together_however_it_is_done() -> None:
    notes = [
        (SANCTIONED, {"sanction": "x"}),
        (SANCTIONED, {"sanction": "y", APPROVAL: 3}),
        (SECOND_ASKED, {APPROVAL: 4, MEANWHILE: 1}),
        (SECOND_ASKED, {APPROVAL: 5, "act": "purchase.refund"}),
        (BAN_PROPOSED, {"why": "spam"}),
        (BAN_PROPOSED, {"why": "spam", "accounts": 40}),
        (DECIDED, {"outcome": "sanctioned", "reports": 2}),
        (DECIDED, {"outcome": "sanctioned", "about": "farm", "accounts": 30}),
        (DECIDED, {"outcome": "sanctioned", "about": "farm", "accounts": 70, SECOND: True}),
        (DECIDED, {"outcome": "dismissed", "about": "farm", "accounts": 12}),
        (DECIDED, {"outcome": "dismissed", "reports": 9}),
        (DECIDED, {"outcome": "noted", "reports": 1}),
    ]

    assert summed(notes) == Alone(imposed=1 + 1 + 1 + 40 + 1 + 30, freed=12)
