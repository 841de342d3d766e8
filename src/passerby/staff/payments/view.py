"""The open payment cases, and one of them."""

from typing import Final

from passerby.dialogue.spans import span
from passerby.dialogue.staff import answer, lines, refused
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.ids import ChatId
from passerby.kernel.payment_case import PaymentCase, PaymentDesk
from passerby.kernel.staff import AuditNote, ShowExhibit, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import PaymentCaseAsked
from passerby.kernel.text import Text, day, text

SHOWN: Final = 20
"""How many cases the list has at most, the oldest first: one button each."""


def known(facts: StaffFacts) -> PaymentDesk:
    assert facts.payment_desk is not None, "the event is about payment cases"
    return facts.payment_desk


def named(case: PaymentCase) -> str:
    """How the audit names a payment case."""
    return f"payment case {case.code}"


def since(case: PaymentCase, now: float) -> Text:
    """How long the case has been open."""
    return span(now - case.opened_at)


def listed(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/payments`"""
    waiting = known(facts).waiting
    if not waiting:
        return StaffDecision(effects=answer(event, text("payments.none")))
    said = text("payments.waiting", count=len(waiting), since=since(waiting[0], env.now))
    rows = tuple(
        (Button(text("payments.open", code=each.code, since=since(each, env.now)), "payment_see", each.code),)
        for each in waiting[:SHOWN]
    )
    return StaffDecision(effects=answer(event, said, Menu(rows)))


def card(desk: PaymentDesk, case: PaymentCase, now: float) -> Text:
    bought = [
        text("payments.purchase", code=each.code, stars=each.stars, plan=each.plan or "–", day=day(each.paid_at))
        for each in desk.purchases
    ]
    return text(
        "payments.card",
        code=case.code,
        since=since(case, now),
        language=desk.language or "–",
        purchases=lines(bought) if bought else text("payments.bought_nothing"),
    )


def seen(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Show a case. The question is opened only now, and the audit notes it."""
    desk = known(facts)
    case = desk.case
    if case is None:
        return refused(event, text("payments.unknown"))
    rows = tuple(
        (Button(text("payments.look", code=each.code), "purchase_show", each.code),) for each in desk.purchases
    )
    shown = answer(event, card(desk, case, env.now), Menu(rows) if rows else None)
    question = ShowExhibit(event.person, ChatId(""), case.person, 0, text("payments.whose"), case.code)
    return StaffDecision(notes=(AuditNote("payment_case.read", named(case)),), effects=(*shown, question))


def case_asked(asked: PaymentCaseAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """The same for the panel, which opens the question itself."""
    desk = known(facts)
    case = desk.case
    if case is None:
        return refused(asked, text("payments.unknown"))
    assert facts.me is not None, "only staff get here"
    question = ShowExhibit(facts.me.person, ChatId(""), case.person, 0, text("payments.whose"), case.code)
    note = AuditNote("payment_case.read", named(case))
    return StaffDecision(notes=(note,), effects=(question,), reply=card(desk, case, env.now))
