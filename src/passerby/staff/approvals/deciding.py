"""A second member agrees, and it is carried out at once; or somebody declines."""

from collections.abc import Mapping

import msgspec

from passerby.dialogue.approvals import act_of, card
from passerby.dialogue.staff import answer, lines, refused
from passerby.domain.approvals import decided, may_decline, obstacle, request_of, waits
from passerby.kernel.approval import Approval, ApprovalState
from passerby.kernel.decision import Env
from passerby.kernel.effect import Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.staff import Agreed, Allowed, AuditNote, StaffDecision, StaffFacts, StaffFeature, StaffRequest
from passerby.kernel.staff_requests import ApprovalDeclined
from passerby.kernel.text import text


def deciding(ways: Mapping[type[StaffRequest], Agreed]) -> StaffFeature:
    """The table of agreeing and declining. `ways`: how each kind of request is carried out."""

    def agree(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
        approval = facts.approval
        if approval is None:
            return refused(event, text("approvals.over"))
        why = obstacle(approval, facts, env.now)
        if why is not None:
            return refused(event, text(why))
        request = request_of(approval)
        done = ways[type(request)].carry_out(request, facts, env)
        if done.refused:
            return refused(event, done.reply or text("approvals.over"))
        return _closed(event, approval, ApprovalState.GIVEN, done, facts, env)

    def decline(event: ButtonPressed | ApprovalDeclined, facts: StaffFacts, env: Env) -> StaffDecision:
        approval = facts.approval
        if approval is None and isinstance(event, ApprovalDeclined):
            return refused(event, text("approvals.unknown"))
        if approval is None or not waits(approval, env.now):
            return refused(event, text("approvals.over"))
        if not may_decline(approval, facts):
            return refused(event, text("team.not_allowed"))
        request = request_of(approval)
        undo = ways[type(request)].undo
        done = undo(request, facts, env) if undo is not None else StaffDecision()
        return _closed(event, approval, ApprovalState.DECLINED, done, facts, env)

    return StaffFeature(
        "deciding on approvals",
        presses={"approval_agree": Allowed(agree), "approval_decline": Allowed(decline)},
        requests={ApprovalDeclined: Allowed(decline)},
    )


def _closed(
    event: object, approval: Approval, state: ApprovalState, done: StaffDecision, facts: StaffFacts, env: Env
) -> StaffDecision:
    """The approval is decided, together with `done`. The member who asked is told."""
    me = facts.me
    assert me is not None, "only staff decide"
    note = AuditNote(
        f"approval.{state}",
        approval.subject,
        {"approval": approval.number, "act": act_of(request_of(approval)), "asked_by": approval.asked_by},
    )
    said = text(f"approvals.{state}", number=approval.number, by=me.number)
    shown = lines([card(approval, env.now), said])
    asked = facts.member(approval.asked_by)
    tells = (Say(asked.person, shown),) if asked is not None and asked.number != me.number else ()
    mine = answer(event, shown) if isinstance(event, ButtonPressed) else ()
    return msgspec.structs.replace(
        done,
        approvals=(decided(approval, state, me.number, env.now),),
        notes=(note, *done.notes),
        effects=(*mine, *done.effects, *tells),
        reply=said,
    )
