"""Promo codes: what people are told, and what a code gives."""

import msgspec
import pytest

from passerby.domain.money.checkout import refusal_at_checkout
from passerby.domain.money.grants import take_back
from passerby.domain.money.promos import price_of, read_code
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Menu, Say
from passerby.kernel.ids import BotId
from passerby.kernel.money import ChargeId, GrantSource, NotNow, Payment, Plan, RefundedBy
from passerby.kernel.money_event import PaymentSettled
from passerby.kernel.participant import Searching
from passerby.kernel.promo import Discount, Redemption, RedemptionOutcome
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import SanctionOrdered
from tests.features.playbook import BOT, NOW, Person, Playbook

DAY_S = 86_400.0
MONTH, MONTHLY = Plan("month", 30, 250), Plan("monthly", 30, 200, renews=True)
SOLD = Rules(plans=(MONTH, MONTHLY), free_filters=())
WEEK = Redemption(RedemptionOutcome.OK, "WELCOME", "g1", days=7)
CHEAP = Redemption(RedemptionOutcome.OK, "CHEAP-30", "g2", percent=30, ends_at=NOW + 10 * DAY_S)


def start(*redemptions: Redemption) -> tuple[Playbook, Person]:
    talk = Playbook(SOLD)
    talk.redemptions = {each.code: each for each in redemptions}
    return talk, talk.person()


def said(decision: Decision) -> list[str]:
    return [each.text.key for each in decision.effects if isinstance(each, Say)]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (" welcome ", "WELCOME"),
        ("a-1-b", "A-1-B"),
        ("ABC", None),
        ("-ABC", None),
        ("ABC-", None),
        ("A B C D", None),
        ("ÄBCD", None),
        ("X" * 33, None),
        ("X" * 32, "X" * 32),
        ("", None),
    ],
)
def test_a_code_is_letters_digits_and_hyphens(typed: str, code: str | None) -> None:
    assert read_code(typed) == code


def test_a_code_for_days_makes_somebody_a_vip_once() -> None:
    talk, ann = start(WEEK)
    assert said(ann.writes("/promo welcome")) == ["promo.given"]
    assert ann.value.vip_until == NOW + 7 * DAY_S
    assert ann.value.wallet is not None
    assert [grant.source for grant in ann.value.wallet.grants] == [GrantSource.PROMO]
    # The same redemption comes again if the answer was lost.
    assert said(ann.writes("/promo WELCOME")) == ["promo.redeem_mine"]
    assert ann.value.vip_until == NOW + 7 * DAY_S
    assert talk.redeemed == ["WELCOME"] * 2


def test_a_search_under_way_counts_with_the_new_vip_time() -> None:
    _, ann = start(WEEK)
    ann.writes("/search")
    ann.writes("/promo WELCOME")
    assert isinstance(ann.value.state, Searching)
    assert ann.value.state.ticket.vip


def test_without_a_code_people_hear_how_to_use_one() -> None:
    talk, ann = start()
    assert said(ann.writes("/promo")) == ["promo.how"]
    assert talk.redeemed == []


@pytest.mark.parametrize(
    "outcome", [each for each in RedemptionOutcome if each not in (RedemptionOutcome.OK, RedemptionOutcome.UNKNOWN)]
)
def test_each_refusal_has_its_sentence_and_changes_nothing(outcome: RedemptionOutcome) -> None:
    talk, ann = start()
    talk.redemptions["NOPE"] = Redemption(outcome)
    decision = ann.writes("/promo nope")
    assert (said(decision), decision.changes) == ([f"promo.redeem_{outcome}"], ())


def test_after_five_wrong_codes_nobody_looks_at_the_sixth_for_five_minutes() -> None:
    talk, ann = start(WEEK)
    for number in range(5):
        talk.later(20)
        assert said(ann.writes(f"/promo WRONG{number}")) == ["promo.redeem_unknown"]
    assert said(ann.writes("/promo WELCOME")) == ["promo.slow"]
    assert "WELCOME" not in talk.redeemed
    assert ann.value.vip_until == 0
    talk.later(300 - 4 * 20)
    assert said(ann.writes("/promo WELCOME")) == ["promo.given"]


def test_words_that_cannot_be_a_code_count_as_wrong() -> None:
    talk, ann = start()
    for _ in range(5):
        assert said(ann.writes("/promo =1+1")) == ["promo.redeem_unknown"]
    assert said(ann.writes("/promo =1+1")) == ["promo.slow"]
    assert talk.redeemed == []


def test_a_discount_lowers_the_first_purchase_and_no_subscription() -> None:
    talk, ann = start(CHEAP)
    assert said(ann.writes("/promo CHEAP-30")) == ["promo.discount"]
    assert said(ann.writes("/promo CHEAP-30")) == ["promo.redeem_mine"]
    assert (price_of(MONTH, ann.value, talk.env.now), price_of(MONTHLY, ann.value, talk.env.now)) == (175, 200)
    (offer,) = ann.writes("/vip").effects
    assert isinstance(offer, Say)
    assert isinstance(offer.keyboard, Menu)
    assert dict(offer.keyboard.rows[0][0].label.args)["stars"] == 175
    (_, invoice) = ann.presses("vip_buy", "month").effects
    assert isinstance(invoice, Say)
    assert invoice.bill is not None
    assert invoice.bill.stars == 175
    bill = invoice.bill
    assert refusal_at_checkout(ann.value, BOT, bill.payload, 175, talk.env) is None
    talk.happens(PaymentSettled(ann.person, BOT, Payment(ChargeId("c"), bill.payload, 175, talk.env.now)))
    assert ann.value.vip_until == NOW + 30 * DAY_S
    assert price_of(MONTH, ann.value, talk.env.now) == 250
    assert ann.value.wallet is not None
    assert ann.value.wallet.discount is None


def test_two_open_invoices_with_a_discount_cannot_both_be_paid() -> None:
    talk, ann = start(CHEAP)
    rules = Rules(plans=(MONTH, Plan("week", 7, 75)), free_filters=())
    talk.env = msgspec.structs.replace(talk.env, rules=rules)
    ann.writes("/promo CHEAP-30")
    bills = []
    for plan in ("month", "week"):
        (_, invoice) = ann.presses("vip_buy", plan).effects
        assert isinstance(invoice, Say)
        assert invoice.bill is not None
        bills.append(invoice.bill)
    talk.happens(PaymentSettled(ann.person, BOT, Payment(ChargeId("c"), bills[0].payload, 175, talk.env.now)))
    assert refusal_at_checkout(ann.value, BOT, bills[1].payload, bills[1].stars, talk.env) == NotNow.PRICE


@pytest.mark.parametrize("same", [True, False])
def test_a_discount_counts_once_even_if_two_checkouts_were_approved_before_either_was_paid(same: bool) -> None:
    talk, ann = start(CHEAP)
    talk.env = msgspec.structs.replace(talk.env, rules=Rules(plans=(MONTH, Plan("week", 7, 75)), free_filters=()))
    ann.writes("/promo CHEAP-30")
    bills = []
    for plan in ("month", "month" if same else "week"):
        (_, invoice) = ann.presses("vip_buy", plan).effects
        assert isinstance(invoice, Say)
        assert invoice.bill is not None
        assert refusal_at_checkout(ann.value, BOT, invoice.bill.payload, invoice.bill.stars, talk.env) is None
        bills.append(invoice.bill)
    for number, bill in enumerate(bills):
        paid = Payment(ChargeId(f"c{number}"), bill.payload, bill.stars, talk.env.now)
        decision = talk.happens(PaymentSettled(ann.person, BOT, paid))
    assert said(decision) == ["vip.sent_back"]
    assert ann.value.vip_until == NOW + 30 * DAY_S
    assert ann.value.wallet is not None
    assert [charge.refunded_by for charge in ann.value.wallet.charges] == [None, RefundedBy.RULE]


def test_a_discount_ends_with_its_code() -> None:
    talk, ann = start(CHEAP)
    ann.writes("/promo CHEAP-30")
    talk.later(10 * DAY_S)
    assert price_of(MONTH, ann.value, talk.env.now) == 250


def test_a_price_is_never_less_than_one_star() -> None:
    talk, ann = start(Redemption(RedemptionOutcome.OK, "ALMOST", "g", percent=99))
    ann.writes("/promo ALMOST")
    assert price_of(Plan("day", 1, 1), ann.value, talk.env.now) == 1
    assert ann.value.wallet is not None
    assert ann.value.wallet.discount == Discount("ALMOST", 99)


def test_a_link_with_a_code_asks_first_and_a_press_uses_it() -> None:
    talk, ann = start(WEEK)
    (offer,) = ann.writes("/start p_welcome").effects
    assert isinstance(offer, Say)
    assert offer.text.key == "promo.offer"
    assert talk.redeemed == []
    decision = ann.presses("promo_use", "WELCOME")
    assert isinstance(decision.effects[0], Answer)
    assert said(decision) == ["promo.given"]


@pytest.mark.parametrize("message", [50, None])
def test_a_newcomers_code_waits_until_they_have_answered_the_questions(message: int | None) -> None:
    talk = Playbook(SOLD)
    talk.redemptions = {"WELCOME": WEEK}
    ann = talk.stranger()
    assert said(ann.writes("/start p_welcome")) == ["start.consent"]
    assert said(ann.writes("/promo WELCOME")) == ["start.consent"]
    ann.presses("agree")
    ann.presses("age", "30")
    assert said(ann.presses("gender", "female", message=message)) == ["start.ready", "promo.offer"]
    assert ann.value.journey is not None
    assert (ann.value.journey.source, ann.value.journey.code) == ("promo", "")
    assert talk.redeemed == []


def test_somebody_who_is_barred_uses_up_no_code() -> None:
    talk, ann = start(WEEK)
    ban = Sanction("s", SanctionKind.BANNED, Reason.SPAM, NOW)
    talk.happens(SanctionOrdered(ann.person, BotId(0), ban))
    ann.writes("/promo WELCOME")
    assert talk.redeemed == []
    assert ann.value.vip_until == 0


def test_a_grant_can_be_taken_back() -> None:
    talk, ann = start(WEEK)
    assert take_back(ann.value, "g1", NOW) is ann.value
    ann.writes("/promo WELCOME")
    talk.later(DAY_S)
    assert take_back(ann.value, "other", talk.env.now) is ann.value
    assert take_back(ann.value, "g1", talk.env.now).vip_until == talk.env.now
