"""Texts and buttons for an act that needs a second member."""

from collections.abc import Mapping

from passerby.dialogue.spans import span
from passerby.dialogue.staff import answer, refused
from passerby.domain.alone import APPROVAL, SECOND_ASKED
from passerby.domain.approvals import SecondNeeded, asked_for, waits_already, who_may_agree
from passerby.kernel.approval import Approval
from passerby.kernel.broadcast import Broadcast
from passerby.kernel.case import Case
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.ids import PersonId
from passerby.kernel.staff import AuditNote, Permission, StaffDecision, StaffFacts, StaffOrder
from passerby.kernel.text import Text, text


def card(approval: Approval, now: float) -> Text:
    return text(
        "approvals.card",
        number=approval.number,
        what=approval.what,
        by=approval.asked_by,
        left=span(approval.expires_at - now),
    )


def case_card(case: Case) -> Text:
    """A ban that a case waits with. It is decided on in the case."""
    assert case.proposal is not None, "it waits for a second member"
    why = text(f"reasons.{case.proposal.reason}")
    return text("approvals.case", number=case.number, why=why, by=case.proposal.by)


def broadcast_card(broadcast: Broadcast) -> Text:
    """A broadcast that waits. It is approved where its message and its readers can be looked at."""
    by = broadcast.made_by if broadcast.submitted_by is None else broadcast.submitted_by
    return text("approvals.broadcast", number=broadcast.number, by=by)


def menu(approval: Approval) -> Menu:
    agree = Button(text("approvals.agree"), "approval_agree", str(approval.number))
    return Menu(((agree, Button(text("approvals.decline"), "approval_decline", str(approval.number))),))


def second_asked(
    event: object,
    request: SecondNeeded,
    facts: StaffFacts,
    env: Env,
    *,
    needs: Permission,
    subject: str,
    what: Text,
    person: PersonId | None = None,
    note: str = "",
    orders: tuple[StaffOrder, ...] = (),
    details: Mapping[str, int] | None = None,
    back: Menu | None = None,
) -> StaffDecision:
    """Nothing is done yet, but `orders`: all members who may agree are asked. `note` and `details` are for the audit.

    `back` is the menu below the answer.
    """
    if waits_already(request, person, facts, env.now):
        return refused(event, text("approvals.waits_already"))
    approval = asked_for(request, facts, env.now, needs=needs, subject=subject, what=what, person=person)
    asked = who_may_agree(approval, facts)
    said_in_audit: dict[str, str | int] = {APPROVAL: approval.number, "act": act_of(request), **(details or {})}
    said = text("approvals.asked", number=approval.number, members=len(asked))
    says = (Say(each.person, card(approval, env.now), menu(approval)) for each in asked)
    mine = answer(event, said, back) if isinstance(event, MessageReceived | ButtonPressed) else ()
    return StaffDecision(
        notes=(AuditNote(SECOND_ASKED, subject, said_in_audit, note),),
        approvals=(approval,),
        orders=orders,
        effects=(*mine, *says),
        reply=said,
    )


def act_of(request: SecondNeeded) -> str:
    """The name of the act in the audit."""
    return str(request.__struct_config__.tag)
