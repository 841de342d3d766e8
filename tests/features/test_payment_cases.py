"""Questions about payments: `/paysupport` with words opens one, and staff read and answer it."""

import msgspec
import pytest

from passerby.domain.money.cases import LONGEST, LONGEST_IN_ALL, MOST_PARTS, as_one
from passerby.kernel.decision import NOTHING
from passerby.kernel.effect import AskStaff, Menu, Say
from passerby.kernel.event import ButtonPressed, Event
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.money import Charge, ChargeId, OpenCase
from passerby.kernel.money_event import PaymentAnswered
from passerby.kernel.payment_case import AnswerOrder, PaymentCase, PaymentDesk, SealedWords, packed, unpacked
from passerby.kernel.staff import THE_OPERATOR, ShowExhibit, StaffDecision, StaffMember, StaffRequest
from passerby.kernel.staff_requests import AnswerAsked, PaymentCaseAsked
from passerby.kernel.text import Text, text
from tests.features.playbook import Person, Playbook
from tests.features.test_staff import BOT, ENV, NOW, ROUTER, SUPPORT, facts, wrote
from tests.features.test_vip import DAY_S, banned, orders, pays, said, shop, wallet

QUESTION = "I paid twice and got one week"
CODE = "ABCDEFGHJK"
CASE = PaymentCase(CODE, PersonId(777), NOW - 7200.0)
PURCHASE = Charge(ChargeId("stx1"), BOT, "KLMNPQRSTU", "order", "month", 250, NOW - DAY_S)
DESK = PaymentDesk((CASE,), CASE, (PURCHASE,), "pt")


def opened(of: Person) -> OpenCase:
    found = wallet(of).case
    assert found is not None
    return found


def asked_how(of: Person) -> Text:
    """The part of the page about asking staff."""
    (say,) = of.writes("/paysupport").effects
    assert isinstance(say, Say)
    said = dict(say.text.args)["ask"]
    assert isinstance(said, Text)
    return said


def test_words_after_paysupport_open_one_case_until_staff_answer() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    assert asked_how(ann) == text("vip.case_how")
    asks, told = ann.writes(f"/paysupport  {QUESTION} ").effects
    case = opened(ann)
    assert asks == AskStaff(case.code, ann.person, QUESTION)
    assert told == Say(ann.person, text("vip.case_opened", code=case.code))
    waits = asked_how(ann)
    assert (waits.key, dict(waits.args)["code"]) == ("vip.case_waits", case.code)
    answer = PaymentAnswered(ann.person, BotId(0), case.code, "Your days are there now <3")
    reached = talk.happens(answer)
    assert [each.text for each in reached.effects if isinstance(each, Say)] == [
        text("vip.case_answer", words="Your days are there now <3")
    ]
    assert wallet(ann).case is None
    assert talk.happens(answer) == NOTHING, "the same order again"
    assert said(ann.writes("/paysupport and one more")) == ["vip.case_opened"]


def test_further_words_are_added_to_the_open_question_until_it_is_full() -> None:
    ann = Playbook().person()
    ann.writes(f"/paysupport {QUESTION}")
    case = opened(ann)
    for number in range(MOST_PARTS - 1):
        asks, told = ann.writes(f"/paysupport and {number}").effects
        assert (asks, told) == (
            AskStaff(case.code, ann.person, f"and {number}"),
            Say(ann.person, text("vip.case_added", code=case.code)),
        )
    assert (opened(ann).code, opened(ann).at) == (case.code, case.at)
    full = ann.writes("/paysupport hello?")
    assert (full.changes, said(full)) == ((), ["vip.case_open"])
    bob = Playbook().person()
    for length, answer in (
        (LONGEST, "vip.case_opened"),
        (LONGEST + 1, "vip.case_too_long"),
        (LONGEST_IN_ALL - LONGEST, "vip.case_added"),
        (1, "vip.case_open"),
    ):
        assert said(bob.writes("/paysupport " + "x" * length)) == [answer]


def test_damaged_words_are_no_bug() -> None:
    whole = packed(SealedWords(1.0, b"abc")) + packed(SealedWords(2.0, b""))
    assert unpacked(whole) == (SealedWords(1.0, b"abc"), SealedWords(2.0, b""))
    for end in range(len(whole)):
        assert len(unpacked(whole[:end])) <= 2


def test_staff_read_a_question_as_one_with_the_time_of_what_was_added() -> None:
    later = 1_800_000_000.0
    assert as_one(((1.0, "I paid"), (later, "twice"), (later + 60, None))) == "I paid\n\n2027-01-15 08:00 UTC\ntwice"
    assert as_one(((1.0, None), (later, "twice"))) == "twice"
    assert as_one(()) is None


@pytest.mark.parametrize(
    "typed", ["/paysupport\nI paid twice", "/paysupport   I paid twice", "/paysupport\tI paid twice "]
)
def test_a_question_may_begin_in_the_next_line(typed: str) -> None:
    ann = Playbook().person()
    asked = [each for each in ann.writes(typed).effects if isinstance(each, AskStaff)]
    assert [each.words for each in asked] == ["I paid twice"]


def test_somebody_who_is_banned_or_bought_nothing_can_ask_too_and_is_asked_for_fewer_words() -> None:
    talk, ann = shop()
    talk.happens(PaymentAnswered(ann.person, BotId(0), CODE, "for nobody"))
    banned(ann)
    assert said(ann.writes("/paysupport " + "x" * (LONGEST + 1))) == ["vip.case_too_long"]
    assert said(ann.writes("/paysupport " + "x" * LONGEST)) == ["vip.case_opened"]
    assert said(ann.writes("/paysupport")) == ["vip.pay_empty"]


def test_a_question_in_a_chat_goes_to_staff_and_not_to_the_partner() -> None:
    talk = Playbook()
    ann, bob = talk.person(), talk.person()
    talk.pair(ann, bob)
    asked = ann.writes(f"/paysupport {QUESTION}")
    assert said(asked) == ["vip.case_opened"]
    assert all(getattr(each, "to", ann.person) == ann.person for each in asked.effects)
    assert [each.person for each in asked.changes] == [ann.person]


def decide(event: Event | StaffRequest, desk: PaymentDesk = DESK, me: StaffMember = SUPPORT) -> StaffDecision:
    return ROUTER.decide(event, msgspec.structs.replace(facts(me), payment_desk=desk), ENV)


def sees(code: str) -> ButtonPressed:
    return ButtonPressed(SUPPORT.person, BOT, "q", MessageId(5), "payment_see", code)


def test_staff_see_how_many_questions_are_open_and_for_how_long() -> None:
    (listed,) = decide(wrote("/payments", person=SUPPORT.person)).effects
    assert isinstance(listed, Say)
    assert listed.text == text("payments.waiting", count=1, since=text("people.hours", hours=2))
    assert isinstance(listed.keyboard, Menu)
    ((button,),) = listed.keyboard.rows
    assert (button.action, button.token) == ("payment_see", CODE)
    (none,) = decide(wrote("/payments", person=SUPPORT.person), PaymentDesk()).effects
    assert isinstance(none, Say)
    assert none.text.key == "payments.none"


def test_a_question_is_opened_with_the_purchases_by_code_and_that_is_in_the_audit() -> None:
    done = decide(sees(CODE))
    question = ShowExhibit(SUPPORT.person, "", PersonId(777), 0, text("payments.whose"), CODE)  # type: ignore[arg-type]
    assert done.effects[-1] == question
    assert [(each.action, each.subject) for each in done.notes] == [("payment_case.read", f"payment case {CODE}")]
    shown = repr(done.effects[1])
    assert "KLMNPQRSTU" in shown
    assert "purchase_show" in shown, "and refunded from there"
    assert "777" not in shown
    nothing_bought = msgspec.structs.replace(DESK, purchases=(), language="")
    assert "payments.bought_nothing" in repr(decide(sees(CODE), nothing_bought).effects[1])
    assert decide(sees("gone"), PaymentDesk((CASE,))).refused
    from_panel = decide(PaymentCaseAsked(CODE), me=THE_OPERATOR)
    assert from_panel.effects == (msgspec.structs.replace(question, to=THE_OPERATOR.person),)
    assert from_panel.reply is not None
    assert from_panel.reply.key == "payments.card"
    assert decide(PaymentCaseAsked(CODE), PaymentDesk()).refused


def test_an_answer_goes_to_the_person_once_and_closes_the_case_and_the_audit_has_no_words() -> None:
    done = decide(wrote(f"/answer {CODE} Your days  are there.\nSorry!", person=SUPPORT.person))
    assert done.orders == (AnswerOrder(PersonId(777), CODE, "Your days  are there.\nSorry!"),)
    assert done.payment_cases == (msgspec.structs.replace(CASE, answered_at=ENV.now, answered_by=int(SUPPORT.number)),)
    (note,) = done.notes
    assert (note.action, note.subject, dict(note.details)) == (
        "payment_case.answered",
        f"payment case {CODE}",
        {"hours": 2},
    )
    assert decide(AnswerAsked(CODE, " Sorry! ")).orders == (AnswerOrder(PersonId(777), CODE, "Sorry!"),)
    for wrong, why in (
        (f"/answer {CODE}", "payments.how"),
        ("/answer", "payments.how"),
        (f"/answer {CODE} " + "x" * (LONGEST + 1), "payments.too_long"),
    ):
        refused = decide(wrote(wrong, person=SUPPORT.person))
        assert refused.reply is not None
        assert (refused.orders, refused.reply.key) == ((), why)
    assert decide(AnswerAsked("ZZZZZZZZZZ", "hello"), PaymentDesk((CASE,))).reply == text("payments.unknown")
