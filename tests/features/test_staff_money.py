"""The view of a purchase whose code staff know, and its refund."""

from random import Random

import msgspec
import pytest

from passerby.dialogue.staff import lines
from passerby.domain.alone import summed
from passerby.domain.approvals import purchase_of
from passerby.domain.money.wallets import read_code
from passerby.kernel.alone import Alone
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.drain import FleetBot, KnownBots
from passerby.kernel.effect import Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, Event, MessageReceived
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.money import Charge, ChargeId, RefundedBy
from passerby.kernel.purchase import Purchase, RefundOrder, RefundReason
from passerby.kernel.rules import Rules
from passerby.kernel.staff import THE_OPERATOR, Role, StaffDecision, StaffFacts, StaffId, StaffMember, StaffRequest
from passerby.kernel.staff_requests import PurchaseAsked, RefundAsked, RefundPlanned
from passerby.kernel.text import Text, text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL

NOW = 1_800_000_000.0
BOT = BotId(1000009)
CODE = "ABCDEFGHJK"
ENV = Env(NOW, Random(1), Rules(refund_second_above=300))
ROUTER = StaffRouter(ALL)
CHARGE = Charge(ChargeId("stx1"), BOT, CODE, "order", "month", 250, NOW - 86_400.0)
PAID = Purchase(PersonId(777), CHARGE)


def but(**changes: object) -> Purchase:
    return Purchase(PersonId(777), msgspec.structs.replace(CHARGE, **changes))


def decide(
    event: Event | StaffRequest, of: Purchase | None = PAID, role: Role | None = Role.SUPPORT, *, works: bool = True
) -> StaffDecision:
    me = THE_OPERATOR if role is None else StaffMember(StaffId(4), PersonId(104), role, NOW)
    return ROUTER.decide(event, StaffFacts(me, (me,), purchase=of, can_refund=works), ENV)


def wrote(words: str) -> MessageReceived:
    return MessageReceived(PersonId(104), BOT, (MessageId(5),), (Content(Kind.TEXT, text=words),), NOW)


def pressed(data: str) -> ButtonPressed:
    action, _, token = data.partition(":")
    return ButtonPressed(PersonId(104), BOT, "q", MessageId(5), action, token)


def shown(done: StaffDecision) -> tuple[Text, list[str]]:
    """The text that is shown, and what its buttons carry."""
    last = done.effects[-1]
    assert isinstance(last, Say | Revise)
    rows = last.keyboard.rows if isinstance(last.keyboard, Menu) else ()
    return last.text, [f"{button.action}:{button.token}" for row in rows for button in row]


def test_a_purchase_is_shown_by_code_without_its_buyer_and_the_look_is_noted() -> None:
    done = decide(wrote("/purchase abcde-fghjk"))
    card, buttons = shown(done)
    assert dict(card.args) == {
        "code": CODE,
        "plan": "month",
        "stars": 250,
        "day": text("days.20832"),
        "bot": str(BOT),
        "state": text("purchases.paid"),
    }
    assert buttons == [f"purchase_why:{CODE}"]
    assert "777" not in repr(done)
    me = StaffMember(StaffId(4), PersonId(104), Role.SUPPORT, NOW)
    known = StaffFacts(me, (me,), purchase=PAID, fleet=KnownBots((FleetBot(BOT, "first_bot"),)))
    assert dict(shown(ROUTER.decide(wrote(f"/purchase {CODE}"), known, ENV))[0].args)["bot"] == "@first_bot"
    assert [(note.action, note.subject) for note in done.notes] == [("purchase.looked_at", f"purchase {CODE}")]
    assert shown(decide(pressed(f"purchase_show:{CODE}")))[0] == card
    assert decide(PurchaseAsked(CODE), role=None).reply == card


@pytest.mark.parametrize(
    ("purchase", "state"),
    [
        (but(plan="", first="stx0"), text("purchases.paid_monthly")),
        (but(refund_owed_at=NOW), text("purchases.owed")),
        (but(refund_refused_at=NOW), text("purchases.refund_refused")),
        (Purchase(PersonId(777), CHARGE, ordered=True), text("purchases.owed")),
        *(
            (but(refunded_at=NOW, refunded_by=by), text(f"purchases.refunded_{by}", day=text("days.20833")))
            for by in RefundedBy
        ),
    ],
)
def test_a_purchase_says_what_became_of_it(purchase: Purchase, state: Text) -> None:
    assert dict(shown(decide(wrote(f"/purchase {CODE}"), purchase))[0].args)["state"] == state


def test_a_code_is_read_however_somebody_writes_it() -> None:
    assert [read_code(each) for each in ("abcde fghjk", "ABCDE-FGHJK", "ABCDE", "ABCDEFGHI1")] == [
        CODE,
        CODE,
        None,
        None,
    ]


def test_a_wrong_code_shows_nothing() -> None:
    assert shown(decide(wrote("/purchase"), None))[0] == text("purchases.how")
    for code in (CODE, "X", "purchase 7", f"{CODE}{CODE}"):
        assert shown(decide(wrote(f"/purchase {code}"), None))[0] == text("purchases.unknown_code"), code
    for action in ("purchase_show", "purchase_why", "purchase_sure", "purchase_do"):
        done = decide(pressed(f"{action}:{CODE}.twice"), None)
        assert (done.refused, done.orders, done.notes) == (True, (), ()), action
    for asked in (PurchaseAsked(CODE), RefundAsked(CODE, RefundReason.TWICE), RefundPlanned(CODE, RefundReason.TWICE)):
        assert decide(asked, None, None).refused
    for action in ("purchase_sure", "purchase_do"):
        assert decide(pressed(f"{action}:{CODE}.because")).refused, "a button that was never shown"


def test_a_reason_and_a_question_lead_to_a_refund_that_is_in_the_audit() -> None:
    asked, reasons = shown(decide(pressed(f"purchase_why:{CODE}")))
    assert asked == text("purchases.choose_reason")
    assert reasons == [*(f"purchase_sure:{CODE}.{why}" for why in RefundReason), f"purchase_show:{CODE}"]
    sure, buttons = shown(decide(pressed(f"purchase_sure:{CODE}.twice")))
    assert (sure.key, buttons[0]) == ("purchases.sure", f"purchase_do:{CODE}.twice")
    assert shown(decide(pressed(f"purchase_sure:{CODE}.twice"), but(first="stx1")))[0].key == "purchases.sure_monthly"
    plan = decide(RefundPlanned(CODE, RefundReason.TWICE))
    assert (plan.orders, [note.action for note in plan.notes]) == ((), ["purchase.looked_at"])
    done = decide(pressed(f"purchase_do:{CODE}.twice"))
    assert done.orders == (RefundOrder(PersonId(777), CHARGE),)
    assert [(note.action, dict(note.details)) for note in done.notes] == [
        ("purchase.refunded", {"stars": 250, "plan": "month", "why": "twice"})
    ]
    assert shown(done) == (text("purchases.done", stars=250), [f"purchase_show:{CODE}"])


def test_the_command_line_refunds_with_a_note_for_the_audit() -> None:
    done = decide(RefundAsked(CODE, RefundReason.GOODWILL, "asked by mail"), role=None)
    assert (done.orders, done.effects, done.reply) == (
        (RefundOrder(PersonId(777), CHARGE),),
        (),
        text("purchases.done", stars=250),
    )
    assert done.notes[0].reason == "asked by mail"


@pytest.mark.parametrize(
    ("purchase", "works", "why"),
    [
        (but(refund_owed_at=NOW), True, "purchases.already"),
        (but(refunded_at=NOW, refunded_by=RefundedBy.TELEGRAM), True, "purchases.already"),
        (Purchase(PersonId(777), CHARGE, ordered=True), True, "purchases.already"),
        (Purchase(PersonId(0), CHARGE), True, "purchases.erased"),
        (PAID, False, "purchases.bot_gone"),
        (but(refund_refused_at=NOW), True, "purchases.refund_refused"),
    ],
)
def test_a_refund_that_cannot_be_made_is_refused_before_anybody_loses_vip(
    purchase: Purchase, works: bool, why: str
) -> None:
    assert shown(decide(wrote(f"/purchase {CODE}"), purchase, works=works))[1] == [], "there is no button either"
    done = decide(pressed(f"purchase_do:{CODE}.twice"), purchase, works=works)
    assert (done.orders, done.notes, done.reply) == ((), (), text(why))
    plan = decide(RefundPlanned(CODE, RefundReason.TWICE), purchase, works=works)
    assert (plan.refused, plan.notes, plan.reply) == (True, (), text(why))


def test_a_large_refund_needs_a_second_member_and_is_made_when_they_agree() -> None:
    dear = but(stars=301)
    team = tuple(StaffMember(StaffId(number), PersonId(100 + number), Role.SUPPORT, NOW) for number in (4, 5))
    facts = StaffFacts(team[0], team, purchase=dear)
    asked = ROUTER.decide(pressed(f"purchase_do:{CODE}.twice"), facts, ENV)
    (approval,) = asked.approvals
    assert (asked.orders, approval.person, approval.needs) == ((), 777, "money")
    assert {each.to for each in asked.effects if isinstance(each, Say)} == {105}
    assert purchase_of(approval) == CODE
    second = StaffFacts(team[1], team, purchase=dear, approvals=(approval,), approval=approval)
    again = msgspec.structs.replace(facts, approvals=(approval,))
    assert ROUTER.decide(pressed(f"purchase_do:{CODE}.twice"), again, ENV).reply == text("approvals.waits_already")
    agree = ButtonPressed(PersonId(105), BOT, "q", MessageId(5), "approval_agree", str(approval.number))
    done = ROUTER.decide(agree, second, ENV)
    assert done.orders == (RefundOrder(PersonId(777), dear.charge),)
    assert [note.action for note in done.notes] == ["approval.given", "purchase.refunded"]
    for meanwhile, why in ((but(stars=301, refund_owed_at=NOW), "purchases.already"), (None, "purchases.unknown_code")):
        late = ROUTER.decide(agree, msgspec.structs.replace(second, purchase=meanwhile), ENV)
        assert (late.orders, late.reply) == ((), text(why))


def test_small_refunds_need_a_second_member_once_their_sum_is_large() -> None:
    team = tuple(StaffMember(StaffId(number), PersonId(100 + number), Role.SUPPORT, NOW) for number in (4, 5))
    facts = StaffFacts(team[0], team, purchase=PAID, alone=Alone(stars=50))
    press = pressed(f"purchase_do:{CODE}.twice")
    last = ROUTER.decide(press, facts, ENV)
    assert last.orders == (RefundOrder(PersonId(777), CHARGE),), "300 in sum, and that is the limit"
    sums = summed((note.action, note.details) for note in last.notes)
    assert sums == Alone(stars=250)
    too_many = msgspec.structs.replace(facts, alone=Alone(stars=51))
    for before, is_said in ((facts, False), (too_many, True)):
        for event in (pressed(f"purchase_sure:{CODE}.twice"), RefundPlanned(CODE, RefundReason.TWICE)):
            plan = ROUTER.decide(event, before, ENV)
            assert ("purchases.second_needed" in repr(plan)) is is_said, "it is said before they press"
            assert plan.approvals == ()
    (approval,) = ROUTER.decide(RefundAsked(CODE, RefundReason.TWICE), too_many, ENV).approvals
    for event in (press, RefundAsked(CODE, RefundReason.TWICE)):
        asked = ROUTER.decide(event, too_many, ENV)
        ask = text("purchases.ask", code=CODE, stars=250, why=text("purchases.reason_twice"))
        assert (asked.orders, [each.what for each in asked.approvals]) == (
            (),
            [lines([ask, text("purchases.ask_sum", stars=51)])],
        )
    agree = ButtonPressed(PersonId(105), BOT, "q", MessageId(5), "approval_agree", str(approval.number))
    second = StaffFacts(team[1], team, purchase=PAID, approvals=(approval,), approval=approval, alone=Alone(stars=300))
    done = ROUTER.decide(agree, second, ENV)
    assert done.orders == (RefundOrder(PersonId(777), CHARGE),)
    assert summed((note.action, note.details) for note in done.notes) == Alone(), "it was not done alone"


def test_a_member_does_not_refund_their_own_purchase_alone_and_somebody_else_agrees() -> None:
    team = tuple(StaffMember(StaffId(number), PersonId(100 + number), Role.SUPPORT, NOW) for number in (4, 5))
    own = Purchase(team[0].person, CHARGE)
    asked = ROUTER.decide(pressed(f"purchase_do:{CODE}.twice"), StaffFacts(team[0], team, purchase=own), ENV)
    (approval,) = asked.approvals
    assert (asked.orders, approval.person) == ((), team[0].person)
    agree = ButtonPressed(PersonId(105), BOT, "q", MessageId(5), "approval_agree", str(approval.number))
    second = StaffFacts(team[1], team, purchase=own, approvals=(approval,), approval=approval)
    assert ROUTER.decide(agree, second, ENV).orders == (RefundOrder(team[0].person, CHARGE),)


def test_only_members_who_may_see_payments_see_and_refund_them() -> None:
    for role in (Role.MODERATOR, Role.ANALYST):
        assert decide(wrote(f"/purchase {CODE}"), role=role).refused
        assert decide(pressed(f"purchase_do:{CODE}.twice"), role=role).orders == ()
