"""Gifts: somebody pays, somebody else gets the VIP time, and neither learns who the other is."""

from collections.abc import Callable

import msgspec
import pytest

from passerby.domain.money.checkout import refusal_at_checkout
from passerby.domain.money.gifts import names, receiver, without_receiver
from passerby.domain.money.grants import give
from passerby.domain.money.own_refund import NoRefund, refund_denied
from passerby.domain.money.payments import gift_for
from passerby.domain.personal_data import refers_to, without
from passerby.features.vip.changes import gift_receiver, settled
from passerby.kernel.decision import NOTHING, Decision, Facts
from passerby.kernel.effect import Answer, Menu, Say
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import ChargeId, GrantSource, Payment, Plan, RefundedBy, Wallet
from passerby.kernel.money_event import GrantTakenBack, PaymentSettled, RefundOrdered, RefundRefused
from passerby.kernel.participant import Complaint, DataRequests
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import SanctionOrdered
from tests.features.playbook import BOT, NOW, OTHER_BOT, Person, Playbook

DAY_S = 86_400.0
SOLD = Rules(plans=(Plan("month", 30, 250), Plan("monthly", 30, 200, renews=True)), free_filters=())


def said(decision: Decision) -> list[tuple[PersonId, str]]:
    return [(each.to, each.text.key) for each in decision.effects if isinstance(each, Say)]


def chat(rules: Rules = SOLD) -> tuple[Playbook, Person, Person]:
    talk = Playbook(rules)
    ann, bob = talk.pair(talk.person(), talk.person(bot=OTHER_BOT))
    return talk, ann, bob


def orders(ann: Person, token: str) -> str:
    """Order a gift. Returns the payload of the invoice."""
    (_, invoice) = ann.presses("vip_gift_buy", f"{token}.0").effects
    assert isinstance(invoice, Say)
    assert invoice.bill is not None
    return invoice.bill.payload


def pays(ann: Person, payload: str, **more: object) -> Decision:
    payment = Payment(ChargeId("c1"), payload, 250, ann.talk.env.now, **more)  # type: ignore[arg-type]
    return ann.talk.happens(PaymentSettled(ann.person, BOT, payment))


def wallet(of: Person) -> Wallet:
    assert of.value.wallet is not None
    return of.value.wallet


def test_the_present_partner_gets_the_time_and_both_are_told() -> None:
    _, ann, bob = chat()
    (whom,) = ann.writes("/gift").effects
    assert isinstance(whom, Say)
    assert isinstance(whom.keyboard, Menu)
    assert [row[0].token for row in whom.keyboard.rows] == [ann.chat]
    (_, plans) = ann.presses("vip_gift_to", ann.chat).effects
    assert isinstance(plans, Say)
    assert isinstance(plans.keyboard, Menu)
    assert [row[0].token for row in plans.keyboard.rows] == [f"{ann.chat}.0"], "a subscription is no gift"
    payload = orders(ann, ann.chat)
    assert orders(ann, ann.chat) == payload
    decision = pays(ann, payload)
    assert said(decision) == [(ann.person, "vip.gift_sent"), (bob.person, "vip.gift_got")]
    assert (ann.value.vip_until, bob.value.vip_until) == (0, NOW + 30 * DAY_S)
    (grant,) = wallet(bob).grants
    (charge,) = wallet(ann).charges
    assert (grant.source, grant.code) == (GrantSource.GIFT, charge.gift)
    assert grant.code != charge.code, "nobody can compare it with the purchase"
    assert pays(ann, payload) == NOTHING


def test_an_order_for_oneself_is_another_order() -> None:
    _, ann, _ = chat()
    payload = orders(ann, ann.chat)
    (_, invoice) = ann.presses("vip_buy", "month").effects
    assert isinstance(invoice, Say)
    assert invoice.bill is not None
    assert invoice.bill.payload != payload


def test_the_last_partner_and_friends_can_get_a_gift() -> None:
    _, ann, bob = chat()
    first = ann.chat
    ann.writes("/stop")
    for one in (ann, bob):
        one.looks_back("save")
    (whom,) = ann.writes("/gift").effects
    assert isinstance(whom, Say)
    assert isinstance(whom.keyboard, Menu)
    friend = ann.value.saved[0].token
    assert [row[0].token for row in whom.keyboard.rows] == [first, friend]
    assert said(pays(ann, orders(ann, friend)))[1] == (bob.person, "vip.gift_got")
    assert gift_for(ann.value, Payment(ChargeId("x"), "unknown", 1, NOW)) is None
    assert said(ann.presses("vip_gift"))[0] == (ann.person, "vip.gift_whom")
    assert said(ann.writes("/vip"))[0] == (ann.person, "vip.offer")


def blocks(bob: Person, ann: Person) -> None:
    bob.writes("/block")


def reports(bob: Person, ann: Person) -> None:
    bob.presses("complain", f"{bob.chat}.{Complaint.SPAM}")


def reports_later(bob: Person, ann: Person) -> None:
    chat = bob.chat
    bob.writes("/stop")
    bob.presses("complain", f"{chat}.{Complaint.SPAM}")


def ban(bob: Person, ann: Person) -> None:
    bob.talk.happens(SanctionOrdered(bob.person, BotId(0), Sanction("s", SanctionKind.BANNED, Reason.SPAM, NOW)))


def leaves(bob: Person, ann: Person) -> None:
    bob.blocks()


def forgotten(bob: Person, ann: Person) -> None:
    del bob.talk.people[bob.person]


def erases(bob: Person, ann: Person) -> None:
    value = msgspec.structs.replace(bob.value, requests=DataRequests(erase_at=NOW + 9))
    bob.talk.people[bob.person] = value


def test_the_invoice_and_the_checkout_tell_nothing_about_a_block() -> None:
    seen = []
    for act in (None, blocks):
        talk, ann, bob = chat()
        token = ann.chat
        if act is not None:
            act(bob, ann)
        else:
            bob.writes("/stop")
        invoice = ann.presses("vip_gift_buy", f"{token}.0").effects[-1]
        assert isinstance(invoice, Say)
        assert invoice.bill is not None
        refusal = refusal_at_checkout(ann.value, BOT, invoice.bill.payload, 250, talk.env)
        seen.append((invoice.text, invoice.bill.title, refusal, said(ann.writes("/gift"))))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("why", [blocks, reports, reports_later, ban, leaves, forgotten, erases])
def test_a_gift_that_cannot_be_delivered_goes_back_with_the_same_words_whatever_the_reason(
    why: Callable[[Person, Person], None],
) -> None:
    _, ann, bob = chat()
    payload = orders(ann, ann.chat)
    why(bob, ann)
    decision = pays(ann, payload)
    assert said(decision) == [(ann.person, "vip.gift_back")]
    (charge,) = wallet(ann).charges
    assert (charge.refunded_by, charge.refund_owed_at) == (RefundedBy.RULE, NOW)
    assert [each.person for each in decision.changes] == [ann.person]


def test_somebody_whom_the_giver_blocked_cannot_be_chosen() -> None:
    _, ann, _ = chat()
    token = ann.chat
    ann.writes("/block")
    assert receiver(ann.value, token) is None
    (answer,) = ann.presses("vip_gift_buy", f"{token}.0").effects
    assert isinstance(answer, Answer)
    assert len(ann.presses("vip_gift_to", token).effects) == 1
    assert said(ann.writes("/gift")) == [(ann.person, "vip.gift_nobody")]
    _, cem, _ = chat()
    assert len(cem.presses("vip_gift_buy", f"{cem.chat}.7").effects) == 1
    assert len(cem.presses("vip_gift_buy", f"{cem.chat}.x").effects) == 1


def test_where_nothing_is_sold_there_is_nothing_to_give() -> None:
    _, ann, _ = chat(Rules())
    assert said(ann.writes("/gift")) == [(ann.person, "vip.gift_nothing")]
    assert said(ann.presses("vip_gift_to", ann.chat)) == [(ann.person, "vip.gift_plan")]


def test_the_giver_cannot_take_a_gift_back_themselves() -> None:
    talk, ann, _ = chat()
    pays(ann, orders(ann, ann.chat))
    (charge,) = wallet(ann).charges
    assert refund_denied(ann.value, charge, talk.env.now) is NoRefund.GIFT
    assert said(ann.presses("vip_refund", charge.code)) == [(ann.person, "vip.no_refund_gift")]


def test_when_the_stars_went_back_what_is_left_of_the_gift_ends_once() -> None:
    talk, ann, bob = chat()
    pays(ann, orders(ann, ann.chat))
    (grant,) = wallet(bob).grants
    talk.later(DAY_S)
    over = GrantTakenBack(bob.person, BotId(0), grant.code)
    assert said(talk.happens(over)) == [(bob.person, "vip.gift_over")]
    assert bob.value.vip_until == NOW + DAY_S
    assert talk.happens(over) == NOTHING


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_gift_whose_refund_telegram_refuses_for_good_is_the_receivers_again(is_taken: bool) -> None:
    talk, ann, bob = chat()
    pays(ann, orders(ann, ann.chat))
    (charge,) = wallet(ann).charges
    talk.happens(RefundOrdered(ann.person, BotId(0), charge))
    talk.later(DAY_S)
    if is_taken:
        talk.happens(GrantTakenBack(bob.person, BotId(0), charge.gift))
        assert bob.value.vip_until == NOW + DAY_S
    talk.later(600)
    told = said(talk.happens(RefundRefused(ann.person, BOT, ChargeId("c1"))))
    assert told == [(ann.person, "vip.refund_refused"), *([(bob.person, "vip.gift_got")] if is_taken else [])]
    assert bob.value.vip_until == NOW + 30 * DAY_S + (600 if is_taken else 0)


def test_other_vip_time_stays_when_a_gift_is_taken_back() -> None:
    talk, ann, bob = chat()
    talk.people[bob.person] = give(bob.value, GrantSource.STAFF, "other", 5, NOW)
    pays(ann, orders(ann, ann.chat))
    gift = wallet(bob).grants[-1].code
    assert said(talk.happens(GrantTakenBack(bob.person, BotId(0), gift))) == [(bob.person, "vip.gift_over")]
    assert bob.value.vip_until == NOW + 5 * DAY_S


def test_a_purchase_whose_refund_was_known_first_ends_too() -> None:
    talk, ann, _ = chat()
    payment = Payment(ChargeId("c9"), "lost", 250, NOW, found=True, plan="month", days=30)
    talk.happens(PaymentSettled(ann.person, BOT, payment))
    (grant,) = wallet(ann).grants
    over = GrantTakenBack(ann.person, BotId(0), grant.code)
    assert said(talk.happens(over)) == [(ann.person, "vip.ended")]
    assert ann.value.vip_until == 0


def test_a_sale_that_only_the_transactions_show_is_delivered_too() -> None:
    talk, ann, bob = chat()
    payment = Payment(ChargeId("c9"), "lost", 250, NOW, found=True, plan="month", days=30, gift_to=bob.person)
    talk.happens(PaymentSettled(ann.person, BOT, payment))
    assert bob.value.vip_until == NOW + 30 * DAY_S


def test_after_the_receiver_was_erased_the_giver_refers_to_nobody() -> None:
    talk, ann, bob = chat()
    pays(ann, orders(ann, ann.chat))
    assert names(ann.value, bob.person)
    assert not names(bob.value, ann.person)
    assert refers_to(ann.value, bob.person)
    after = without(ann.value, bob.person, talk.env)
    assert not refers_to(after, bob.person)
    assert after.wallet is not None
    assert [(each.gift_to, bool(each.gift)) for each in after.wallet.charges] == [(0, True)]
    assert without_receiver(after, bob.person, NOW) is after


def test_a_gift_that_is_paid_after_the_receiver_was_erased_goes_back_to_the_giver() -> None:
    talk, ann, bob = chat()
    payload = orders(ann, ann.chat)
    after = without(ann.value, bob.person, talk.env)
    assert not refers_to(after, bob.person)
    payment = Payment(ChargeId("c9"), payload, 250, NOW)
    assert gift_receiver(PaymentSettled(ann.person, BOT, payment), Facts(after)) == ()
    decision = settled(PaymentSettled(ann.person, BOT, payment), Facts(after), talk.env)
    assert [each.text.key for each in decision.effects if isinstance(each, Say)] == ["vip.gift_back"]
    (giver,) = decision.changes
    assert giver.wallet is not None
    (charge,) = giver.wallet.charges
    assert (charge.gift_to, charge.refunded_by, giver.wallet.grants) == (0, RefundedBy.RULE, ())
    assert charge.refund_owed_at == NOW
