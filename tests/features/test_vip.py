"""VIP: what is on sale, how it is paid, and what people are told about their money."""

import msgspec
import pytest

from passerby.domain.money.checkout import plans_for, refusal_at_checkout
from passerby.domain.money.endings import is_due
from passerby.domain.money.payments import cancel_all, owe_refund
from passerby.kernel.decision import NOTHING, Decision
from passerby.kernel.drain import Drain
from passerby.kernel.effect import Answer, Menu, Say
from passerby.kernel.event import Event
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import (
    Charge,
    ChargeId,
    NotNow,
    Payment,
    Plan,
    RefundedBy,
    RefundSeen,
    StarCallDone,
    StarCallKind,
    SubscriptionState,
    Wallet,
)
from passerby.kernel.money_event import (
    CheckoutAnswered,
    PaymentRefunded,
    PaymentSettled,
    RefundOrdered,
    RefundRefused,
    SellerClosing,
    StarCallConfirmed,
    SubscriptionUpdated,
    VipEnding,
)
from passerby.kernel.participant import Participant, Profile, Searching
from passerby.kernel.rules import Filter, Rules
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import SanctionOrdered
from passerby.kernel.text import day, text
from tests.features.playbook import BOT, NOW, OTHER_BOT, Person, Playbook, says

DAY_S = 86_400.0
WEEK, MONTH, MONTHLY = Plan("week", 7, 75), Plan("month", 30, 250), Plan("monthly", 30, 200, renews=True)
ELSEWHERE = Plan("local", 3, 30, bots=(OTHER_BOT,))
SOLD = Rules(plans=(WEEK, MONTH, MONTHLY, ELSEWHERE), free_filters=())


def shop() -> tuple[Playbook, Person]:
    talk = Playbook(SOLD)
    return talk, talk.person()


def said(decision: Decision) -> list[str]:
    return [each.text.key for each in decision.effects if isinstance(each, Say)]


def wallet(of: Person) -> Wallet:
    assert of.value.wallet is not None
    return of.value.wallet


def orders(ann: Person, plan: str = "month") -> str:
    """Order a plan. Returns the payload of the invoice."""
    (_, invoice) = ann.presses("vip_buy", plan).effects
    assert isinstance(invoice, Say)
    assert invoice.bill is not None
    return invoice.bill.payload


def pays(ann: Person, payload: str, charge: str = "c1", stars: int = 250, bot: BotId = BOT, **more: object) -> Decision:
    payment = Payment(ChargeId(charge), payload, stars, ann.talk.env.now, **more)  # type: ignore[arg-type]
    return ann.talk.happens(PaymentSettled(ann.person, bot, payment))


def subscribes(ann: Person, *, charge: str = "s1", first: bool = True, payload: str = "") -> str:
    payload = payload or orders(ann, "monthly")
    until = ann.talk.env.now + 30 * DAY_S
    pays(ann, payload, charge, 200, recurs=True, is_first=first, paid_until=until, provider_charge=f"p-{charge}")
    return payload


def banned(ann: Person, until: float | None = None) -> None:
    kind = SanctionKind.BANNED if until is None else SanctionKind.SUSPENDED
    sanction = Sanction("s", kind, Reason.SPAM, ann.talk.env.now, until)
    ann.talk.happens(SanctionOrdered(ann.person, BotId(0), sanction))


def refusal(ann: Person, payload: str, stars: int = 250, bot: BotId = BOT) -> NotNow | None:
    return refusal_at_checkout(ann.value, bot, payload, stars, ann.talk.env)


def test_by_default_everything_is_free_and_nothing_is_sold() -> None:
    ann = Playbook().person()
    assert ann.writes("/vip") == Decision(effects=(says(ann, "vip.free"),))
    assert said(ann.writes("/paysupport")) == ["vip.pay_nothing"]


@pytest.mark.parametrize("free", [(), (Filter.GENDER,)])
def test_the_vip_page_does_not_say_free_if_a_filter_is_only_for_vips(free: tuple[Filter, ...]) -> None:
    ann = Playbook(Rules(free_filters=free)).person()
    assert ann.writes("/vip") == Decision(effects=(says(ann, "vip.given"),))
    assert said(Playbook(Rules(free_filters=free)).person(Profile(language="en")).writes("/vip")) == ["vip.given"]


def test_the_shop_has_a_button_for_each_plan_that_this_bot_sells() -> None:
    talk, ann = shop()
    (offer,) = ann.writes("/vip").effects
    assert isinstance(offer, Say)
    assert isinstance(offer.keyboard, Menu)
    assert [row[0].token for row in offer.keyboard.rows] == ["week", "month", "monthly"]
    assert offer.text.key == "vip.offer"
    assert [plan.name for plan in plans_for(ann.value, OTHER_BOT, talk.env)][-1] == "local"
    assert said(ann.presses("vip_shop")) == ["vip.offer"]


def test_the_shop_does_not_sell_filters_that_everybody_has() -> None:
    ann = Playbook(Rules(plans=(Plan("week", 7, 75),))).person()
    assert said(ann.writes("/vip")) == ["vip.offer_open"]
    ann = Playbook(Rules(plans=(Plan("week", 7, 75),), free_filters=(Filter.AGE,))).person()
    assert said(ann.writes("/vip")) == ["vip.offer"]


def test_if_this_bot_sells_nothing_the_shop_has_no_buttons() -> None:
    ann = Playbook(Rules(plans=(ELSEWHERE,), free_filters=())).person()
    assert ann.writes("/vip") == Decision(effects=(says(ann, "vip.offer"),))
    refused = ann.talk.happens(CheckoutAnswered(ann.person, BOT, "x", NotNow.GONE))
    assert [each.keyboard for each in refused.effects if isinstance(each, Say)] == [None]


def test_a_press_on_a_plan_sends_an_invoice_at_the_price_of_now() -> None:
    _, ann = shop()
    payload = orders(ann)
    (order,) = wallet(ann).orders
    assert (order.id, order.plan, order.days, order.stars, order.bot) == (payload, "month", 30, 250, BOT)
    assert orders(ann) == payload, "the same order again"
    assert orders(ann, "week") != payload
    assert len(payload) == 32


def test_a_button_for_a_plan_that_is_gone_brings_the_shop() -> None:
    _, ann = shop()
    decision = ann.presses("vip_buy", "gone")
    assert isinstance(decision.effects[0], Answer)
    assert decision.effects[0].text is not None
    assert (said(decision), decision.changes) == (["vip.offer"], ())


def test_a_checkout_is_checked_for_order_buyer_bot_price_time_plan_and_ban() -> None:
    talk, ann = shop()
    bob = talk.person()
    payload = orders(ann)
    assert refusal(ann, payload) is None
    assert refusal(bob, payload) is NotNow.UNKNOWN
    assert refusal(ann, "another") is NotNow.UNKNOWN
    assert refusal(ann, payload, bot=OTHER_BOT) is NotNow.UNKNOWN
    assert refusal(ann, payload, 249) is NotNow.PRICE
    gone = msgspec.structs.replace(talk.env, rules=Rules(plans=(WEEK,)))
    assert refusal_at_checkout(ann.value, BOT, payload, 250, gone) is NotNow.GONE
    for plans in ((msgspec.structs.replace(MONTH, bots=(OTHER_BOT,)),), (msgspec.structs.replace(MONTH, renews=True),)):
        changed = msgspec.structs.replace(talk.env, rules=Rules(plans=plans))
        assert refusal_at_checkout(ann.value, BOT, payload, 250, changed) is NotNow.GONE
    dearer = msgspec.structs.replace(talk.env, rules=Rules(plans=(msgspec.structs.replace(MONTH, stars=500, days=31),)))
    assert refusal_at_checkout(ann.value, BOT, payload, 250, dearer) is None, "an order keeps its price for a day"
    pays(ann, payload)
    assert refusal(ann, payload) is NotNow.PAID
    other = orders(ann, "week")
    banned(ann, NOW + 60)
    assert refusal(ann, other, 75) is NotNow.BARRED
    talk.later(DAY_S)
    assert refusal(ann, other, 75) is NotNow.EXPIRED


def test_nobody_can_have_two_subscriptions_also_not_in_two_bots() -> None:
    talk, ann = shop()
    waiting = orders(ann, "monthly")
    subscribes(ann, payload=orders(ann, "monthly"))
    assert "monthly" not in [plan.name for plan in plans_for(ann.value, OTHER_BOT, talk.env)]
    pays(ann, "other", "s0", 200)
    fresh = Person(talk, ann.person, BOT)
    talk.people[ann.person] = msgspec.structs.replace(
        ann.value,
        wallet=msgspec.structs.replace(
            wallet(ann), charges=tuple(each for each in wallet(ann).charges if each.order != waiting)
        ),
    )
    assert refusal(fresh, waiting, 200) is NotNow.SUBSCRIBED


def test_an_approved_checkout_is_noted_and_a_refused_one_brings_a_fresh_button() -> None:
    talk, ann = shop()
    payload = orders(ann)
    assert talk.happens(CheckoutAnswered(ann.person, BOT, payload)).effects == ()
    assert wallet(ann).orders[0].checked_at == NOW
    assert talk.happens(CheckoutAnswered(ann.person, BOT, "unknown")) == NOTHING
    assert talk.happens(CheckoutAnswered(talk.person().person, BOT, "unknown")) == NOTHING
    refused = talk.happens(CheckoutAnswered(ann.person, BOT, payload, NotNow.EXPIRED))
    assert said(refused) == ["vip.refused"]
    assert talk.happens(CheckoutAnswered(ann.person, BOT, payload, NotNow.BARRED)) == NOTHING
    nobody = PersonId(99)
    assert talk.happens(CheckoutAnswered(nobody, BOT, payload, NotNow.UNKNOWN)) == NOTHING


def test_a_payment_makes_a_vip_at_once_and_the_same_payment_again_changes_nothing() -> None:
    _, ann = shop()
    payload = orders(ann)
    decision = pays(ann, payload)
    assert said(decision) == ["vip.thanks"]
    assert ann.value.vip_until == NOW + 30 * DAY_S
    assert pays(ann, payload) == NOTHING
    assert pays(ann, payload, found=True) == NOTHING
    assert said(pays(ann, payload, "c2", found=True)) == ["vip.found"]
    assert ann.value.vip_until == NOW + 60 * DAY_S, "a second charge of the same invoice is another payment"
    assert said(ann.writes("/vip")) == ["vip.has"]


def test_the_same_charge_id_in_another_bot_is_another_charge() -> None:
    _, ann = shop()
    pays(ann, orders(ann))
    pays(ann, "x", bot=OTHER_BOT, found=True)
    assert ann.value.vip_until == NOW + 60 * DAY_S


def test_a_payment_opens_the_filters_of_a_search_that_is_under_way() -> None:
    _talk, ann = shop()
    ann.writes("/search")
    pays(ann, orders(ann))
    assert isinstance(ann.value.state, Searching)
    assert ann.value.state.ticket.vip


@pytest.mark.parametrize(
    ("stars", "known", "days"),
    [
        (250, {}, 30),
        (75, {}, 7),
        (99, {"plan": "old", "days": 9}, 9),
        (25, {}, 25 * 30 / 200),
        (10, {"recurs": True, "is_first": True, "paid_until": NOW + 30 * DAY_S}, 31),
    ],
)
def test_a_payment_for_an_order_that_nobody_knows_still_gives_its_worth(
    stars: int, known: dict[str, object], days: float
) -> None:
    _, ann = shop()
    pays(ann, "lost", stars=stars, found=True, **known)
    assert ann.value.vip_until == pytest.approx(NOW + days * DAY_S)


def test_a_person_who_started_no_bot_is_reached_through_the_one_they_paid_in() -> None:
    talk = Playbook(SOLD)
    stranger = talk.stranger()
    assert said(pays(stranger, "x", found=True)) == ["vip.found"]
    assert stranger.value.bot == BOT


def test_a_payment_for_something_that_cannot_be_given_is_refunded() -> None:
    """Nothing is sold any more, the person is banned for good, or was erased and is only renewed."""
    unsold = Playbook().person()
    assert said(pays(unsold, "x", found=True)) == ["vip.sent_back"]
    _, ann = shop()
    payload = orders(ann)
    banned(ann)
    assert said(pays(ann, payload)) == ["vip.sent_back"]
    gone = Playbook(SOLD).stranger()
    until = {"recurs": True, "is_first": True, "paid_until": NOW + 30 * DAY_S}
    assert said(pays(gone, "old", "r7", 200, **until)) == ["vip.sent_back"]
    pays(gone, "in flight", "c0", 75, found=True)
    assert said(pays(gone, "old", "r8", 200, **until)) == ["vip.sent_back"], "although a pass made them new"
    gone.talk.people[gone.person] = msgspec.structs.replace(
        gone.value,
        vip_until=0.0,
        wallet=msgspec.structs.replace(wallet(gone), charges=wallet(gone).charges[:1]),
    )
    for each in (unsold, ann, gone):
        (charge,) = wallet(each).charges
        assert (charge.refund_owed_at, charge.refunded_by, each.value.vip_until) == (NOW, RefundedBy.RULE, 0.0)
    assert wallet(gone).subscriptions[0].state is SubscriptionState.CANCELLING


def test_a_renewal_grants_until_telegrams_date_and_a_day_and_not_thirty_days_more() -> None:
    talk, ann = shop()
    payload = subscribes(ann)
    assert ann.value.vip_until == NOW + 31 * DAY_S
    talk.later(29.5 * DAY_S)
    paid_until = talk.env.now + 30 * DAY_S
    decision = pays(ann, payload, "s2", 200, recurs=True, paid_until=paid_until)
    assert said(decision) == ["vip.renewed"]
    assert ann.value.vip_until == paid_until + DAY_S
    (subscription,) = wallet(ann).subscriptions
    assert (subscription.first, subscription.paid_until) == ("s1", paid_until)


def test_a_renewal_that_is_heard_of_before_its_first_payment_is_one_subscription_and_loses_no_day() -> None:
    """Nobody read the bot for more than a month: the first payment shows only in the transactions."""
    for is_late in (True, False):
        talk, ann = shop()
        payload = orders(ann, "monthly")
        first = _found(payload, "s1", NOW)
        talk.later(33 * DAY_S)
        now = talk.env.now
        renewal = Payment(
            ChargeId("s2"), payload, 200, NOW + 30 * DAY_S, "p2", recurs=True, paid_until=NOW + 60 * DAY_S
        )
        heard = [talk.happens(PaymentSettled(ann.person, BOT, each)) for each in _in_order(renewal, first, is_late)]
        assert sorted(each for one in heard for each in said(one)) == ["vip.found", "vip.renewed"]
        assert [each.refund_owed_at for each in wallet(ann).charges] == [0.0, 0.0]
        (subscription,) = wallet(ann).subscriptions
        assert (subscription.paid_until, subscription.state) == (NOW + 60 * DAY_S, SubscriptionState.ACTIVE)
        assert subscription.first_provider == "", "that of the first payment is not known"
        assert {each.first for each in wallet(ann).charges} == {subscription.first}
        # The month that nobody could use comes after the one that is paid until Telegram's date.
        assert ann.value.vip_until == pytest.approx(NOW + (60 + 1 + 30) * DAY_S)
        assert now < subscription.paid_until
        assert talk.happens(PaymentSettled(ann.person, BOT, first)) == NOTHING
        code = wallet(ann).charges[-1].code
        ordered = next(each for each in wallet(ann).charges if each.code == code)
        talk.happens(RefundOrdered(ann.person, BotId(0), ordered))
        assert wallet(ann).subscriptions[0].state is SubscriptionState.CANCELLING


def _found(payload: str, charge: str, paid_at: float) -> Payment:
    until = paid_at + 30 * DAY_S
    return Payment(
        ChargeId(charge), payload, 200, paid_at, recurs=True, is_first=True, paid_until=until, found=True, days=30
    )


def _in_order(one: Payment, other: Payment, is_reversed: bool) -> tuple[Payment, Payment]:
    return (one, other) if is_reversed else (other, one)


def test_one_invoice_that_was_paid_twice_unheard_is_kept_once_also_after_a_month() -> None:
    talk, ann = shop()
    payload = orders(ann, "monthly")
    firsts = [_found(payload, "a1", NOW), _found(payload, "b1", NOW + 40.0)]
    talk.later(33 * DAY_S)
    renewals = [
        Payment(ChargeId(name), payload, 200, at, recurs=True, paid_until=at + 30 * DAY_S)
        for name, at in (("a2", NOW + 30 * DAY_S), ("b2", NOW + 30 * DAY_S + 40.0))
    ]
    for each in (*renewals, *firsts):
        talk.happens(PaymentSettled(ann.person, BOT, each))
    assert {each.id for each in wallet(ann).charges if each.refund_owed_at} == {"b1", "b2"}
    states = {each.first: each.state for each in wallet(ann).subscriptions}
    assert states == {"a2": SubscriptionState.ACTIVE, "b2": SubscriptionState.CANCELLING}
    assert ann.value.vip_until == pytest.approx(NOW + (60 + 1 + 30) * DAY_S)


def test_a_subscription_that_the_wallet_has_dropped_goes_on_with_its_renewal() -> None:
    """Two renewals were not heard of, and something else has changed the wallet meanwhile."""
    talk, ann = shop()
    payload = subscribes(ann)
    talk.later(40 * DAY_S)
    pays(ann, orders(ann, "week"), "w1", 75)
    assert wallet(ann).subscriptions == ()
    talk.later(22 * DAY_S)
    pays(ann, payload, "s3", 200, recurs=True, paid_until=NOW + 90 * DAY_S)
    (subscription,) = wallet(ann).subscriptions
    assert (subscription.first, subscription.first_provider, subscription.paid_until) == (
        "s1",
        "p-s1",
        NOW + 90 * DAY_S,
    )
    second = _found(payload, "s2", NOW + 30 * DAY_S)
    assert said(talk.happens(PaymentSettled(ann.person, BOT, second))) == ["vip.found"]
    assert [each.refund_owed_at for each in wallet(ann).charges] == [0.0] * 4
    assert ann.value.vip_until == pytest.approx(NOW + (90 + 1 + 30) * DAY_S, abs=7 * DAY_S)


def test_a_pass_that_was_bought_before_or_during_a_subscription_loses_no_day() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    talk.later(10 * DAY_S)
    payload = subscribes(ann)
    assert ann.value.vip_until == talk.env.now + (31 + 20) * DAY_S
    pays(ann, orders(ann, "week"), "c9", 75)
    assert ann.value.vip_until == talk.env.now + (31 + 20 + 7) * DAY_S
    talk.later(30 * DAY_S)
    pays(ann, payload, "s2", 200, recurs=True, paid_until=talk.env.now + 30 * DAY_S)
    assert ann.value.vip_until == talk.env.now + (31 + 20 + 7) * DAY_S


def test_news_about_a_subscription_are_told_once_and_change_no_day() -> None:
    talk, ann = shop()
    payload = subscribes(ann)
    until = ann.value.vip_until

    def turn(state: SubscriptionState, of: str = payload) -> list[str]:
        return said(talk.happens(SubscriptionUpdated(ann.person, BOT, of, state)))

    assert turn(SubscriptionState.CANCELED) == ["vip.sub_canceled"]
    assert turn(SubscriptionState.CANCELED) == []
    assert turn(SubscriptionState.ACTIVE) == ["vip.sub_active"]
    assert turn(SubscriptionState.FAILED) == ["vip.sub_failed"]
    assert turn(SubscriptionState.FAILED, "unknown") == []
    assert ann.value.vip_until == until
    stranger = talk.person()
    assert talk.happens(SubscriptionUpdated(stranger.person, BOT, payload, SubscriptionState.FAILED)) == NOTHING


def test_late_news_about_a_subscription_are_told_or_not_but_break_nothing() -> None:
    """The change of one subscription drops another one that has long been over, or itself."""
    talk, ann = shop()
    old = subscribes(ann)
    talk.later(38 * DAY_S)
    assert said(talk.happens(SubscriptionUpdated(ann.person, BOT, old, SubscriptionState.FAILED))) == []
    talk, ann = shop()
    old = subscribes(ann)
    talk.later(33 * DAY_S)
    new = subscribes(ann, charge="n1", payload=orders(ann, "monthly"))
    assert new != old
    talk.later(5 * DAY_S)
    news = talk.happens(SubscriptionUpdated(ann.person, BOT, new, SubscriptionState.CANCELED))
    assert said(news) == ["vip.sub_canceled"]
    assert [each.order for each in wallet(ann).subscriptions] == [new]


def test_a_payment_that_was_found_after_a_hundred_days_counts_once() -> None:
    talk, ann = shop()
    payload = orders(ann)
    talk.later(100 * DAY_S)
    for refunded in (False, True):
        late = Payment(
            ChargeId(f"c{refunded}"), payload, 250, NOW, found=True, plan="month", days=30, refunded=refunded
        )
        paid = PaymentSettled(ann.person, BOT, late)
        assert said(talk.happens(paid)) == ["vip.refunded" if refunded else "vip.found"]
        assert ChargeId(f"c{refunded}") in [each.id for each in wallet(ann).charges]
        assert said(talk.happens(paid)) == [], "the records may not have heard of it yet"
    pays(ann, orders(ann, "week"), "w", 75)
    assert said(talk.happens(PaymentSettled(ann.person, BOT, Payment(ChargeId("cFalse"), payload, 250, NOW)))) == []
    assert ann.value.vip_until == pytest.approx(talk.env.now + 37 * DAY_S)


@pytest.mark.parametrize("days", [4, 89, 91, 400])
@pytest.mark.parametrize("plan", ["month", "monthly"])
def test_an_update_that_may_be_a_copy_gives_nothing_and_if_the_ledger_lacks_the_payment_the_sweep_does(
    plan: str, days: int
) -> None:
    """The wallet has dropped the charge after months, or the person was erased and came back."""
    talk, ann = shop()
    recurs = plan == "monthly"
    until = NOW + 500 * DAY_S if recurs else 0.0
    paid = Payment(ChargeId("c1"), orders(ann, plan), 250, NOW, recurs=recurs, is_first=recurs, paid_until=until)
    assert said(talk.happens(PaymentSettled(ann.person, BOT, paid))) == ["vip.thanks"]
    talk.later(days * DAY_S)
    if days < 90:
        talk.people[ann.person] = msgspec.structs.replace(ann.value, wallet=None, vip_until=0.0)
    pays(ann, orders(ann, "week"), "w", 75)  # the wallet drops what is old
    until = ann.value.vip_until
    assert talk.happens(PaymentSettled(ann.person, BOT, paid)) == NOTHING
    assert ann.value.vip_until == until
    missed = Payment(ChargeId("c2"), "another", 250, NOW, found=True, plan="month", days=30)
    assert said(talk.happens(PaymentSettled(ann.person, BOT, missed))) == ["vip.found"]
    assert ann.value.vip_until == until + 30 * DAY_S


def test_our_own_cancellation_is_not_told_and_is_closed_by_telegrams_answer_or_news() -> None:
    talk, ann = shop()
    payload = subscribes(ann)
    assert cancel_all(talk.person().value, NOW).wallet is None
    talk.people[ann.person] = cancel_all(ann.value, NOW)
    assert wallet(ann).subscriptions[0].state is SubscriptionState.CANCELLING
    assert cancel_all(ann.value, NOW) is ann.value
    assert talk.happens(SubscriptionUpdated(ann.person, BOT, payload, SubscriptionState.ACTIVE)) == NOTHING
    done = StarCallDone(StarCallKind.CANCEL, BOT, ChargeId("s1"))
    confirmed = StarCallConfirmed(ann.person, BOT, StarCallKind.CANCEL, ChargeId("s1"))
    assert said(talk.happens(SubscriptionUpdated(ann.person, BOT, payload, SubscriptionState.CANCELED))) == []
    assert wallet(ann).subscriptions[0].state is SubscriptionState.CANCELLING
    talk.happens(confirmed)
    assert wallet(ann).subscriptions[0].state is SubscriptionState.ENDED
    assert talk.happens(confirmed) == Decision(ledger=(done,))
    talk.people[ann.person] = msgspec.structs.replace(
        ann.value,
        wallet=msgspec.structs.replace(
            wallet(ann),
            subscriptions=(msgspec.structs.replace(wallet(ann).subscriptions[0], state=SubscriptionState.CANCELLING),),
        ),
    )
    decision = talk.happens(confirmed)
    assert (decision.effects, decision.ledger) == ((), (done,))
    assert wallet(ann).subscriptions[0].state is SubscriptionState.ENDED
    renewed = {"recurs": True, "paid_until": NOW + 60 * DAY_S}
    talk.people[ann.person] = cancel_all(
        msgspec.structs.replace(
            ann.value,
            wallet=msgspec.structs.replace(
                wallet(ann),
                subscriptions=(msgspec.structs.replace(wallet(ann).subscriptions[0], state=SubscriptionState.ACTIVE),),
            ),
        ),
        NOW,
    )
    pays(ann, payload, "s2", 200, **renewed)
    assert wallet(ann).subscriptions[0].state is SubscriptionState.CANCELLING, "the renewal was faster"


@pytest.mark.parametrize("age", [None, 16])
def test_nothing_is_sold_before_the_first_questions_are_answered(age: int | None) -> None:
    """The same is true for somebody who said that they are too young. An invoice that they already have is refused."""
    talk, ann = shop()
    payload = orders(ann)
    too_young = NOW if age else None
    profile = Profile(consented_at=NOW, too_young_at=too_young)
    talk.people[ann.person] = msgspec.structs.replace(ann.value, profile=profile)
    decision = ann.writes("/vip")
    assert said(decision) == ["vip.refused_unready"]
    assert [each.keyboard for each in decision.effects if isinstance(each, Say)] == [None]
    assert refusal(ann, payload, 250) is NotNow.UNREADY
    assert said(ann.presses("vip_buy", "month")) == ["vip.refused_unready"]
    assert talk.happens(CheckoutAnswered(ann.person, BOT, payload, NotNow.UNREADY)) == NOTHING


def test_a_search_that_goes_on_after_a_refund_has_no_priority() -> None:
    _, ann = shop()
    pays(ann, orders(ann))
    ann.writes("/search")
    state = ann.value.state
    assert isinstance(state, Searching)
    assert state.ticket.vip
    (charge,) = wallet(ann).charges
    ann.presses("vip_refund", charge.code)
    state = ann.value.state
    assert isinstance(state, Searching)
    assert not state.ticket.vip


def test_buyers_can_take_a_refund_themselves_once_and_their_vip_ends() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    (charge,) = wallet(ann).charges
    assert said(ann.writes("/paysupport")) == ["vip.pay_page"]
    assert said(ann.presses("vip_refund_ask", charge.code)) == ["vip.refund_sure"]
    assert said(ann.presses("vip_refund", charge.code)) == ["vip.refund_owed"]
    assert ann.value.vip_until <= NOW
    assert said(ann.presses("vip_refund", charge.code)) == ["vip.no_refund_done"]
    assert said(ann.presses("vip_refund_ask", charge.code)) == ["vip.no_refund_done"]
    (page,) = ann.writes("/paysupport").effects
    assert isinstance(page, Say)
    assert (page.text.key, page.keyboard) == ("vip.pay_past", None), "no refund is promised that cannot be had"
    confirmed = StarCallConfirmed(ann.person, BOT, StarCallKind.REFUND, ChargeId("c1"))
    decision = talk.happens(confirmed)
    done = (StarCallDone(StarCallKind.REFUND, BOT, ChargeId("c1")),)
    assert (said(decision), decision.ledger) == (["vip.refunded"], done)
    assert talk.happens(confirmed) == Decision(ledger=done)
    assert talk.happens(PaymentRefunded(ann.person, BOT, ChargeId("c1"), 250)) == NOTHING
    pays(ann, orders(ann, "week"), "c2", 75)
    assert said(ann.writes("/paysupport")) == ["vip.pay_past"]
    code = wallet(ann).charges[-1].code
    assert said(ann.presses("vip_refund_ask", code)) == ["vip.no_refund_once"]
    talk.later(90 * DAY_S)
    pays(ann, orders(ann), "c3")
    assert said(ann.presses("vip_refund_ask", wallet(ann).charges[-1].code)) == ["vip.refund_sure"]
    talk.later(DAY_S)
    assert said(ann.presses("vip_refund_ask", wallet(ann).charges[-1].code)) == ["vip.no_refund_too_late"]
    assert said(ann.presses("vip_refund_ask", "nonsense")) == ["vip.no_refund_too_late"]
    assert said(ann.presses("vip_refund", "nonsense")) == ["vip.no_refund_too_late"]
    assert len(list(said(ann.writes("/paysupport")))) == 1


def test_the_way_to_a_refund_names_no_vip_filter_where_filters_are_free() -> None:
    for rules, page in (
        (SOLD, "vip.pay_page"),
        (msgspec.structs.replace(SOLD, free_filters=tuple(Filter)), "vip.pay_page_open"),
    ):
        ann = Playbook(rules).person()
        pays(ann, orders(ann))
        assert said(ann.writes("/paysupport")) == [page]


def test_a_vip_filter_that_was_used_since_the_purchase_needs_the_team_for_a_refund() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    talk.later(60)
    ann.presses("put", "want.female")
    ann.writes("/search")
    assert said(ann.presses("vip_refund_ask", wallet(ann).charges[0].code)) == ["vip.no_refund_used"]


def test_people_without_purchases_are_helped_too_and_the_banned_also() -> None:
    _talk, ann = shop()
    assert said(ann.writes("/paysupport")) == ["vip.pay_empty"]
    pays(ann, orders(ann))
    banned(ann)
    assert said(ann.writes("/paysupport")) == ["vip.pay_page"]
    assert said(ann.writes("/vip")) == ["sanctions.barred"]


def test_a_refund_that_nobody_asked_for_takes_the_days_and_cancels_the_subscription() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    subscribes(ann)
    talk.later(5 * DAY_S)
    assert said(talk.happens(PaymentRefunded(ann.person, BOT, ChargeId("s1"), 200))) == ["vip.refunded"]
    assert wallet(ann).subscriptions[0].state is SubscriptionState.CANCELLING
    assert ann.value.vip_until == talk.env.now + 30 * DAY_S, "the pass of thirty days is still whole"
    assert wallet(ann).charges[-1].refunded_by is RefundedBy.TELEGRAM
    assert talk.happens(PaymentRefunded(ann.person, BOT, ChargeId("s1"), 200)) == NOTHING


def test_a_refund_that_is_known_before_its_payment_lets_the_payment_give_nothing() -> None:
    talk, ann = shop()
    order = orders(ann)
    refund = PaymentRefunded(ann.person, BOT, ChargeId("c1"), 250)
    seen = talk.happens(refund)
    assert (said(seen), seen.ledger) == ([], (RefundSeen(BOT, ChargeId("c1"), 250),))
    assert talk.happens(refund) == NOTHING
    talk.happens(PaymentRefunded(ann.person, BOT, ChargeId("another"), 99))
    pays(ann, order)
    assert ann.value.vip_until <= talk.env.now
    assert wallet(ann).charges[-1].refunded_by is RefundedBy.TELEGRAM
    assert [each.charge for each in wallet(ann).early_refunds] == ["another"]
    talk.later(4 * DAY_S)
    pays(ann, orders(ann), "c2")
    assert not wallet(ann).early_refunds, "a payment that late does not come any more"


def test_a_refund_of_somebody_without_a_wallet_leaves_no_trace_but_the_ledgers() -> None:
    talk, ann = shop()
    unknown = talk.happens(PaymentRefunded(ann.person, BOT, ChargeId("old"), 99))
    assert unknown == Decision(ledger=(RefundSeen(BOT, ChargeId("old"), 99),))


def test_staff_can_refund_a_charge_that_the_wallet_no_longer_keeps() -> None:
    _talk, ann = shop()
    old = Charge(ChargeId("old"), BOT, "CODE", "x", "month", 250, NOW - 300 * DAY_S)
    me = owe_refund(ann.value, old, RefundedBy.STAFF, NOW)
    assert me.wallet is not None
    assert [(each.id, each.refunded_by) for each in me.wallet.charges] == [("old", RefundedBy.STAFF)]
    assert owe_refund(me, old, RefundedBy.STAFF, NOW) is me


def test_a_refund_that_staff_order_is_told_once_and_ends_its_vip() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    (charge,) = wallet(ann).charges
    assert said(talk.happens(RefundOrdered(ann.person, BotId(0), charge))) == ["vip.refund_owed"]
    assert ann.value.vip_until <= NOW
    assert wallet(ann).charges[0].refunded_by is RefundedBy.STAFF
    assert talk.happens(RefundOrdered(ann.person, BotId(0), charge)) == NOTHING


@pytest.mark.parametrize("by", [RefundedBy.STAFF, RefundedBy.BUYER])
@pytest.mark.parametrize("plan", ["month", "monthly"])
def test_a_refund_that_telegram_refuses_for_good_ends_and_the_vip_counts_again(by: RefundedBy, plan: str) -> None:
    talk, ann = shop()
    if plan == "month":
        pays(ann, orders(ann))
    else:
        subscribes(ann, charge="c1")
    end = ann.value.vip_until
    (charge,) = wallet(ann).charges
    talk.later(3600)
    if by is RefundedBy.STAFF:
        talk.happens(RefundOrdered(ann.person, BotId(0), charge))
    else:
        ann.presses("vip_refund", charge.code)
    assert ann.value.vip_until <= talk.env.now
    talk.later(600)
    never = RefundRefused(ann.person, BOT, ChargeId("c1"))
    done = (StarCallDone(StarCallKind.REFUND, BOT, ChargeId("c1")),)
    decision = talk.happens(never)
    assert (said(decision), decision.ledger) == (["vip.refund_refused"], done)
    assert ann.value.vip_until == end + 600, "not a second is lost"
    (kept,) = wallet(ann).charges
    assert (kept.refund_owed_at, kept.refunded_at, kept.refund_refused_at) == (0, 0, talk.env.now)
    assert talk.happens(never) == Decision(ledger=done), "the same refusal again changes nothing"
    assert talk.happens(RefundOrdered(ann.person, BotId(0), charge)) == NOTHING, "it is not owed once more"
    assert said(ann.presses("vip_refund", charge.code)) == ["vip.no_refund_refused"]
    assert "vip.pay_line_refused" in repr(ann.writes("/paysupport"))
    assert all(each.state is SubscriptionState.CANCELLING for each in wallet(ann).subscriptions)
    # Telegram gives the Stars back all the same: then nothing of the VIP time is left.
    assert said(talk.happens(PaymentRefunded(ann.person, BOT, ChargeId("c1"), 250))) == ["vip.refunded"]
    assert ann.value.vip_until <= talk.env.now


def test_a_buyer_whose_refund_was_refused_may_take_another_one() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    ann.presses("vip_refund", wallet(ann).charges[0].code)
    talk.happens(RefundRefused(ann.person, BOT, ChargeId("c1")))
    pays(ann, orders(ann), "c2")
    assert said(ann.presses("vip_refund", wallet(ann).charges[-1].code)) == ["vip.refund_owed"]


def test_a_refusal_about_somebody_who_was_erased_closes_the_debt_and_tells_nobody() -> None:
    talk, ann = shop()
    done = (StarCallDone(StarCallKind.REFUND, BOT, ChargeId("c1")),)
    assert talk.happens(RefundRefused(ann.person, BOT, ChargeId("c1"))) == Decision(ledger=done)


def test_the_end_of_vip_is_told_a_day_before_and_when_it_is_over_once_each() -> None:
    talk, ann = shop()
    pays(ann, orders(ann, "week"), stars=75)
    ending: Event = VipEnding(ann.person, BOT)
    assert talk.happens(ending) == NOTHING
    talk.later(6.5 * DAY_S)
    assert said(talk.happens(ending)) == ["vip.ends_soon"]
    assert talk.happens(ending) == NOTHING
    talk.later(DAY_S)
    assert said(talk.happens(ending)) == ["vip.ended"]
    assert talk.happens(ending) == NOTHING
    talk.later(9 * DAY_S)
    assert talk.happens(ending) == NOTHING


def test_a_subscription_that_renews_announces_no_end_unless_it_was_cancelled() -> None:
    talk, ann = shop()
    payload = subscribes(ann)
    talk.later(30.0 * DAY_S - 60)
    assert talk.happens(VipEnding(ann.person, BOT)) == NOTHING
    talk.happens(SubscriptionUpdated(ann.person, BOT, payload, SubscriptionState.CANCELED))
    talk.later(120)
    assert said(talk.happens(VipEnding(ann.person, BOT))) == ["vip.ends_soon"]


def test_vip_from_before_the_ledger_is_kept_when_something_is_bought_and_its_end_is_told() -> None:
    talk, ann = shop()
    talk.people[ann.person] = msgspec.structs.replace(ann.value, vip_until=NOW + 2 * DAY_S)
    pays(ann, orders(ann, "week"), stars=75)
    assert ann.value.vip_until == NOW + 9 * DAY_S
    bob = Playbook(Rules(free_filters=())).person()
    bob.talk.people[bob.person] = msgspec.structs.replace(bob.value, vip_until=NOW + DAY_S / 2)
    told = bob.talk.happens(VipEnding(bob.person, BOT))
    assert [each.keyboard for each in told.effects if isinstance(each, Say)] == [None]
    assert bob.value.vip_until == NOW + DAY_S / 2


def test_long_after_vip_is_over_the_wallet_is_empty_again() -> None:
    talk, ann = shop()
    pays(ann, orders(ann, "week"), stars=75)
    subscribes(ann)
    talk.later(200 * DAY_S)
    orders(ann)
    assert (wallet(ann).charges, wallet(ann).grants, wallet(ann).subscriptions) == ((), (), ())
    assert len(wallet(ann).orders) == 1
    assert ann.value.vip_until == 0.0


def test_a_blank_person_has_no_wallet() -> None:
    assert Participant(PersonId(5)).wallet is None


def test_a_sale_that_was_refunded_before_we_heard_of_it_gives_nothing_and_its_subscription_is_cancelled() -> None:
    _, ann = shop()
    assert said(pays(ann, orders(ann), found=True, refunded=True)) == ["vip.refunded"]
    until = {"recurs": True, "is_first": True, "paid_until": NOW + 30 * DAY_S}
    assert said(pays(ann, "x", "s1", 200, found=True, refunded=True, **until)) == ["vip.refunded"]
    assert ann.value.vip_until == 0.0
    assert [each.refunded_by for each in wallet(ann).charges] == [RefundedBy.TELEGRAM] * 2
    assert [each.state for each in wallet(ann).subscriptions] == [SubscriptionState.CANCELLING]


def test_a_second_subscription_is_sent_back_and_cancelled_also_if_one_invoice_was_paid_twice() -> None:
    talk, ann = shop()
    payload = subscribes(ann)
    until = {"recurs": True, "is_first": True, "paid_until": NOW + 30 * DAY_S}
    assert said(pays(ann, payload, "s9", 200, **until)) == ["vip.sent_back"]
    assert ann.value.vip_until == NOW + 31 * DAY_S
    states = [each.state for each in wallet(ann).subscriptions]
    assert states == [SubscriptionState.ACTIVE, SubscriptionState.CANCELLING]
    talk.happens(SubscriptionUpdated(ann.person, BOT, payload, SubscriptionState.CANCELED))
    assert [each.state for each in wallet(ann).subscriptions] == [
        SubscriptionState.CANCELED,
        SubscriptionState.CANCELLING,
    ]
    talk.later(30 * DAY_S)
    found = {"recurs": True, "is_first": True, "found": True, "paid_until": talk.env.now + 30 * DAY_S}
    pays(ann, payload, "r1", 200, **found)
    assert wallet(ann).subscriptions[0].paid_until == talk.env.now + 30 * DAY_S, "a renewal that only the sweep found"


def test_days_that_were_not_touched_yet_go_as_a_whole_and_the_days_before_them_stay() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    talk.later(60)
    pays(ann, orders(ann, "week"), "c2", 75)
    talk.happens(PaymentRefunded(ann.person, BOT, ChargeId("c2"), 75))
    assert ann.value.vip_until == NOW + 30 * DAY_S
    assert wallet(ann).grants[-1].lasts_s == 0.0
    talk.later(5 * DAY_S)
    talk.happens(PaymentRefunded(ann.person, BOT, ChargeId("c1"), 250))
    assert ann.value.vip_until == talk.env.now


def test_a_bot_that_closes_sells_nothing_and_cancels_the_subscriptions_that_only_it_can_cancel() -> None:
    talk, ann = shop()
    subscribes(ann)
    payload = orders(ann)
    talk.env = msgspec.structs.replace(talk.env, draining={BOT: Drain(BOT, OTHER_BOT, "sister", NOW)})
    assert plans_for(ann.value, BOT, talk.env) == ()
    assert refusal_at_checkout(ann.value, BOT, payload, 250, talk.env) is NotNow.GONE
    assert talk.happens(SellerClosing(ann.person, OTHER_BOT)) == NOTHING
    until = ann.value.vip_until
    assert said(talk.happens(SellerClosing(ann.person, BOT))) == ["vip.sub_bot_closes"]
    assert wallet(ann).subscriptions[0].state is SubscriptionState.CANCELLING
    assert ann.value.vip_until == until, "what is paid for stays"
    assert talk.happens(SellerClosing(ann.person, BOT)) == NOTHING
    assert talk.happens(SellerClosing(talk.person().person, BOT)) == NOTHING


def test_a_plan_is_called_as_the_operator_says_in_the_language_of_the_person_or_in_english() -> None:
    talk, ann = shop()
    own = msgspec.structs.replace(MONTH, titles=(("de", "Monat"), ("en", "A month")), abouts=(("en", "All filters."),))
    talk.env = msgspec.structs.replace(talk.env, rules=msgspec.structs.replace(SOLD, plans=(own, MONTHLY)))
    for language, called in (("de-AT", "Monat"), ("en", "A month"), ("tr", "A month")):
        profile = msgspec.structs.replace(ann.value.profile, language=language)
        talk.people[ann.person] = msgspec.structs.replace(ann.value, profile=profile)
        (_, invoice) = ann.presses("vip_buy", "month").effects
        assert isinstance(invoice, Say)
        assert invoice.bill is not None
        assert invoice.bill.title == text("vip.own", said=called)
        assert invoice.text == text("vip.own", said="All filters.")
    (_, invoice) = ann.presses("vip_buy", "monthly").effects
    assert isinstance(invoice, Say)
    assert invoice.text == text("vip.about_monthly")


def test_every_message_about_a_subscription_says_the_same_day_as_the_vip_page() -> None:
    talk, ann = shop()
    payload = subscribes(ann)
    first = day(ann.value.vip_until)
    told = [
        talk.happens(SubscriptionUpdated(ann.person, BOT, payload, state))
        for state in (SubscriptionState.CANCELED, SubscriptionState.ACTIVE, SubscriptionState.FAILED)
    ]
    said_days = [dict(each.text.args)["day"] for decision in told for each in decision.effects]  # type: ignore[union-attr]
    paid_until = wallet(ann).subscriptions[0].paid_until
    assert said_days == [first, day(paid_until), first], "a renewal comes when the paid time is over"
    talk.later(29 * DAY_S)
    renewed = pays(ann, payload, "s2", 200, recurs=True, paid_until=paid_until + 30 * DAY_S)
    assert renewed.effects[-1].text == text("vip.renewed", day=day(ann.value.vip_until))  # type: ignore[union-attr]


def test_a_buyer_who_took_a_refund_is_not_told_again_that_their_vip_has_ended() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    (charge,) = wallet(ann).charges
    ann.presses("vip_refund", charge.code)
    assert ann.value.vip_until <= talk.env.now
    assert not is_due(ann.value, talk.env.now)
    assert talk.happens(VipEnding(ann.person, BOT)) == NOTHING
