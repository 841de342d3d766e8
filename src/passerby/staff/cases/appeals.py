"""Appeals: another member looks at a decision. If it was wrong, everything is given back."""

import msgspec

from passerby.dialogue.staff import answer, refused
from passerby.domain.cases import case_of, costs
from passerby.kernel.case import About, CaseState, Judged, Outcome, Verdict
from passerby.kernel.decision import Env
from passerby.kernel.event import ButtonPressed
from passerby.kernel.staff import AuditNote, OverturnOrder, StaffDecision, StaffFacts, StaffOrder, UpholdOrder
from passerby.staff.cases.deciding import said
from passerby.staff.cases.farms import NEXT
from passerby.staff.cases.known import mine, named


def uphold_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return _decide(event, facts, env, Outcome.UPHELD)


def overturn_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return _decide(event, facts, env, Outcome.OVERTURNED)


def _decide(event: ButtonPressed, facts: StaffFacts, env: Env, outcome: Outcome) -> StaffDecision:
    me, file, why = mine(event, facts, env)
    if file is None or file.case.about is not About.APPEAL or file.appealed is None:
        return refused(event, why)
    case, sanction = file.case, file.appealed
    closed = msgspec.structs.replace(
        case,
        state=CaseState.DECIDED,
        outcome=outcome,
        reason=sanction.reason,
        decided_by=int(me.number),
        decided_at=env.now,
        claimed_by=None,
        claimed_until=0.0,
        version=case.version + 1,
    )
    wrong = outcome is Outcome.OVERTURNED
    order: StaffOrder = (
        OverturnOrder(case.accused, sanction, costs(file.reports)) if wrong else UpholdOrder(case.accused, sanction.id)
    )
    origin = case_of(sanction)
    verdict = Verdict.DISMISSED if wrong else Verdict.UPHELD
    return StaffDecision(
        notes=(AuditNote("appeal.decided", named(case), {"outcome": outcome, "sanction": sanction.id}),),
        cases=(closed,),
        verdicts=(Judged(origin, verdict),) if origin is not None and sanction.by is not None else (),
        orders=(order,),
        effects=answer(event, said(outcome), NEXT),
    )
