"""Refunding a purchase: a reason, a question, and the order. Or one command.

Above `REFUND_SECOND_ABOVE` Stars, a second member must agree. The member's other refunds without a second member in the
last day count with it.
"""

from passerby.dialogue.approvals import second_asked
from passerby.dialogue.staff import answer, in_rows, lines, refused
from passerby.domain.alone import APPROVAL, REFUNDED
from passerby.domain.approvals import is_about
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed
from passerby.kernel.money import Charge
from passerby.kernel.purchase import Purchase, RefundOrder, RefundReason
from passerby.kernel.staff import AuditNote, Permission, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import RefundAsked, RefundPlanned
from passerby.kernel.text import Text, text
from passerby.staff.purchases.view import card, named, obstacle, unknown


def _back(code: str) -> tuple[Button, ...]:
    return (Button(text("purchases.back"), "purchase_show", code),)


def _reason(event: ButtonPressed) -> RefundReason | None:
    reason = event.token.partition(".")[2]
    return RefundReason(reason) if reason in {*RefundReason} else None


def choose_reason(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    if facts.purchase is None:
        return unknown(event)
    code = facts.purchase.charge.code
    buttons = [Button(text(f"purchases.reason_{why}"), "purchase_sure", f"{code}.{why}") for why in RefundReason]
    asked = answer(event, text("purchases.choose_reason"), Menu((*in_rows(buttons, 1), _back(code))))
    return StaffDecision(effects=asked)


def sure_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    reason = _reason(event)
    if facts.purchase is None or reason is None:
        return unknown(event)
    charge = facts.purchase.charge
    yes = Button(text("purchases.yes", stars=charge.stars), "purchase_do", event.token)
    said = _question(facts.purchase, reason, facts, env)
    return StaffDecision(effects=answer(event, said, Menu(((yes,), _back(charge.code)))))


def planned(asked: RefundPlanned, facts: StaffFacts, env: Env) -> StaffDecision:
    """The purchase, and the question. Looking at a purchase is noted."""
    purchase = facts.purchase
    if purchase is None:
        return unknown(asked)
    wrong = obstacle(purchase, facts)
    if wrong is not None:
        return refused(asked, text(wrong))
    said = lines([_question(purchase, asked.reason, facts, env), card(purchase, facts.fleet)])
    return StaffDecision(notes=(AuditNote("purchase.looked_at", named(purchase)),), reply=said)


def _question(purchase: Purchase, reason: RefundReason, facts: StaffFacts, env: Env) -> Text:
    """The outcome of a refund: the Stars, the VIP that ends, and whether somebody else must agree."""
    charge = purchase.charge
    key = "purchases.sure_monthly" if charge.first else "purchases.sure"
    said = [text(key, code=charge.code, stars=charge.stars, why=text(f"purchases.reason_{reason}"))]
    if _needs_second(purchase, facts, env):
        said.append(text("purchases.second_needed"))
    return lines(said)


def _needs_second(purchase: Purchase, facts: StaffFacts, env: Env) -> bool:
    is_much = facts.alone.stars + purchase.charge.stars > env.rules.refund_second_above
    return is_much or is_about(facts, purchase.person)


def refund_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    reason = _reason(event)
    if facts.purchase is None or reason is None:
        return unknown(event)
    return _refund(event, reason, "", facts, env)


def refund_asked(asked: RefundAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    return _refund(asked, asked.reason, asked.note, facts, env)


def _refund(event: object, reason: RefundReason, note: str, facts: StaffFacts, env: Env) -> StaffDecision:
    purchase = facts.purchase
    if purchase is None:
        return unknown(event)
    wrong = obstacle(purchase, facts)
    if wrong is not None:
        return refused(event, text(wrong))
    charge = purchase.charge
    before = facts.alone.stars
    if _needs_second(purchase, facts, env):
        what = text("purchases.ask", code=charge.code, stars=charge.stars, why=text(f"purchases.reason_{reason}"))
        if before:
            what = lines([what, text("purchases.ask_sum", stars=before)])
        return second_asked(
            event,
            RefundAsked(charge.code, reason, note),
            facts,
            env,
            needs=Permission.MONEY,
            subject=named(purchase),
            what=what,
            person=purchase.person,
            note=note,
            back=Menu((_back(charge.code),)),
        )
    done = text("purchases.done", stars=charge.stars)
    return StaffDecision(
        notes=(AuditNote(REFUNDED, named(purchase), _details(charge, reason), note),),
        orders=(RefundOrder(purchase.person, charge),),
        effects=answer(event, done, Menu((_back(charge.code),))) if isinstance(event, ButtonPressed) else (),
        reply=done,
    )


def _details(charge: Charge, reason: RefundReason) -> dict[str, str | int]:
    return {"stars": charge.stars, "plan": charge.plan, "why": reason}


def agreed(asked: RefundAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """A second member agrees. Meanwhile the buyer may have taken the refund, or been erased."""
    purchase = facts.purchase
    if purchase is None:
        return unknown(asked)
    wrong = obstacle(purchase, facts)
    if wrong is not None:
        return refused(asked, text(wrong))
    assert facts.approval is not None, "it was asked for"
    details = _details(purchase.charge, asked.reason) | {APPROVAL: facts.approval.number}
    note = AuditNote(REFUNDED, named(purchase), details, asked.note)
    return StaffDecision(notes=(note,), orders=(RefundOrder(purchase.person, purchase.charge),))
