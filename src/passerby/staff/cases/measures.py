"""Applies the measure of a rule to a case before a person has looked (see `domain.cases`)."""

import msgspec

from passerby.domain.cases import measure, weights
from passerby.kernel.case import CaseFile
from passerby.kernel.staff import AuditNote, SanctionOrder, StaffDecision
from passerby.staff.cases.known import named


def rule(file: CaseFile, now: float) -> StaffDecision:
    sanction = measure(file, now)
    if sanction is None:
        return StaffDecision()
    case = msgspec.structs.replace(file.case, measure=sanction.id, version=file.case.version + 1)
    details = {
        "sanction": sanction.id,
        "kind": sanction.kind,
        "why": sanction.reason,
        "until": sanction.until,
        "independent": len(weights(file.reports)),
    }
    return StaffDecision(
        notes=(AuditNote("case.measure", named(case), details),),
        cases=(case,),
        orders=(SanctionOrder(case.accused, sanction),),
    )
