"""Deciding on reports: a sanction, a note, or nothing; a ban without an end needs a second member."""

import msgspec

from passerby.dialogue.staff import answer, in_rows, refused
from passerby.domain.alone import BAN_PROPOSED, DECIDED, IMPOSED_ALONE, SECOND
from passerby.domain.cases import DAY_S, HOUR_S, costs, evidence_of, weights
from passerby.domain.sanctions import WARNING_H
from passerby.kernel.case import About, Case, CaseFile, CaseState, Judged, Mute, Outcome, Proposal, Verdict
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff import (
    AuditNote,
    LiftOrder,
    OverturnOrder,
    SanctionOrder,
    StaffDecision,
    StaffFacts,
    StaffMember,
    StaffOrder,
    ThankOrder,
)
from passerby.kernel.text import Text, text
from passerby.staff.cases.farms import INTERIM_S, NEXT, confirm_farm, farm_given_back
from passerby.staff.cases.known import mine, named, token
from passerby.staff.cases.view import FOR_GOOD, length

LENGTHS_H = (1, 24, 168, 720, 2160)
MUTED_S = 30 * DAY_S


def _parts(event: ButtonPressed, count: int) -> list[str] | None:
    """Return the parts of a button besides case and version: kind, reason, length. None if they do not fit."""
    parts = event.token.split(".")[2:]
    known = [{*SanctionKind}, {*Reason}, {FOR_GOOD, *map(str, LENGTHS_H)}]
    fits = len(parts) == count and all(part in words for part, words in zip(parts, known, strict=False))
    return parts if fits else None


def _is_open(case: Case) -> bool:
    """Whether its reports can be decided on."""
    return case.about is About.REPORTS and case.state is CaseState.OPEN


def _back(case: Case) -> tuple[Button, ...]:
    return (Button(text("cases.back"), "case_show", token(case)),)


def choose_kind(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    _, file, why = mine(event, facts, env)
    if file is None:
        return refused(event, why)
    buttons = [Button(text(f"people.kind_{kind}"), "case_why", token(file.case, kind)) for kind in SanctionKind]
    return _ask(event, "people.choose_kind", buttons, file.case)


def choose_reason(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    _, file, why = mine(event, facts, env)
    parts = _parts(event, 1)
    if file is None or parts is None:
        return refused(event, why)
    # Nobody chooses the length of a warning.
    is_warning = parts[0] == SanctionKind.WARNING
    onward, ends = ("case_do", [str(WARNING_H)]) if is_warning else ("case_long", [])
    buttons = [Button(text(f"reasons.{each}"), onward, token(file.case, *parts, each, *ends)) for each in Reason]
    return _ask(event, "people.choose_reason", buttons, file.case)


def choose_length(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    _, file, why = mine(event, facts, env)
    parts = _parts(event, 2)
    if file is None or parts is None:
        return refused(event, why)
    buttons = [Button(length(hours), "case_do", token(file.case, *parts, str(hours))) for hours in LENGTHS_H]
    if parts[0] == SanctionKind.BANNED:
        buttons.append(Button(length(None), "case_do", token(file.case, *parts, FOR_GOOD)))
    return _ask(event, "people.choose_length", buttons, file.case)


def _ask(event: ButtonPressed, key: str, buttons: list[Button], case: Case) -> StaffDecision:
    return StaffDecision(effects=answer(event, text(key), Menu((*in_rows(buttons), _back(case)))))


def sanction_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    me, file, why = mine(event, facts, env)
    parts = _parts(event, 3)
    if file is None or parts is None or not _is_open(file.case):
        return refused(event, why)
    if facts.alone.imposed >= IMPOSED_ALONE:
        return refused(event, text("cases.enough", most=IMPOSED_ALONE))
    kind, reason, hours = SanctionKind(parts[0]), Reason(parts[1]), int(parts[2])
    if kind is SanctionKind.WARNING:
        hours = WARNING_H
    if not hours:
        return _propose(event, me, file, reason, env)
    sanction = sanction_for(file.case, me, kind, reason, env.now + hours * HOUR_S, env)
    return decided(event, me, file, Outcome.SANCTIONED, env, sanction)


def sanction_for(
    case: Case, me: StaffMember, kind: SanctionKind, reason: Reason, until: float | None, env: Env
) -> Sanction:
    """The sanction of a case. It has one name, so a case leads to one sanction, however often it is ordered."""
    return Sanction(f"c{case.number}", kind, reason, env.now, until, me.number, evidence=evidence_of(case))


def _propose(event: ButtonPressed, me: StaffMember, file: CaseFile, reason: Reason, env: Env) -> StaffDecision:
    """Propose a ban without an end to a second member. Until they decide, the person is suspended."""
    case = file.case
    interim = Sanction(
        f"i{case.number}",
        SanctionKind.SUSPENDED,
        reason,
        env.now,
        env.now + INTERIM_S,
        me.number,
        evidence=evidence_of(case),
    )
    waits = msgspec.structs.replace(
        case,
        state=CaseState.SECOND,
        proposal=Proposal(int(me.number), env.now, reason),
        claimed_by=None,
        claimed_until=0.0,
        version=case.version + 1,
    )
    note = AuditNote(BAN_PROPOSED, named(case), {"why": reason})
    return StaffDecision(
        notes=(note,),
        cases=(waits,),
        orders=(SanctionOrder(case.accused, interim),),
        effects=answer(event, text("cases.waits_for_second"), NEXT),
    )


def confirm_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    me, file, why = mine(event, facts, env)
    if file is None or file.case.proposal is None:
        return refused(event, why)
    if file.case.about is About.FARM:
        return confirm_farm(event, me, file, env)
    reason = file.case.proposal.reason
    return decided(
        event,
        me,
        file,
        Outcome.SANCTIONED,
        env,
        sanction_for(file.case, me, SanctionKind.BANNED, reason, None, env),
        second=True,
    )


def refuse_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """A second member does not agree to the ban: the case is open again, for anybody."""
    _, file, why = mine(event, facts, env)
    if file is None or file.case.proposal is None:
        return refused(event, why)
    reopened = msgspec.structs.replace(
        file.case,
        state=CaseState.OPEN,
        proposal=None,
        claimed_by=None,
        claimed_until=0.0,
        version=file.case.version + 1,
    )
    interim = next((each for each in file.past if each.id == f"i{file.case.number}"), None)
    orders = (OverturnOrder(file.case.accused, interim),) if interim is not None else farm_given_back(file)
    return StaffDecision(
        notes=(AuditNote("case.ban_refused", named(file.case)),),
        cases=(reopened,),
        orders=orders,
        effects=answer(event, text("cases.ban_refused"), NEXT),
    )


def note_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    me, file, why = mine(event, facts, env)
    if file is None or not _is_open(file.case):
        return refused(event, why)
    return decided(event, me, file, Outcome.NOTED, env)


def dismiss_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    me, file, why = mine(event, facts, env)
    if file is None or not _is_open(file.case):
        return refused(event, why)
    return decided(event, me, file, Outcome.DISMISSED, env)


def mute_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Dismiss the reports. Further reports by the same people count for nothing during `MUTED_S`."""
    me, file, why = mine(event, facts, env)
    if file is None or not _is_open(file.case):
        return refused(event, why)
    done = decided(event, me, file, Outcome.DISMISSED, env)
    mutes = tuple(Mute(person, env.now + MUTED_S) for person in dict.fromkeys(each.by for each in file.reports))
    note = AuditNote("case.reporters_muted", named(file.case), {"reporters": len(mutes)})
    return msgspec.structs.replace(done, mutes=mutes, notes=(*done.notes, note))


def decided(
    event: ButtonPressed,
    me: StaffMember,
    file: CaseFile,
    outcome: Outcome,
    env: Env,
    sanction: Sanction | None = None,
    *,
    second: bool = False,
) -> StaffDecision:
    """Close a case about reports: order its sanction, end the measure that a rule imposed, and answer each reporter.

    `second`: this member agreed to the proposal of another one.
    """
    case = file.case
    closed = msgspec.structs.replace(
        case,
        state=CaseState.DECIDED,
        outcome=outcome,
        sanction=sanction.id if sanction is not None else "",
        reason=sanction.reason if sanction is not None else None,
        decided_by=int(me.number),
        decided_at=env.now,
        claimed_by=None,
        claimed_until=0.0,
        version=case.version + 1,
    )
    dismissed = outcome is Outcome.DISMISSED
    orders: list[StaffOrder] = []
    measure = next((each for each in file.past if each.id == case.measure), None)
    if dismissed and (measure is not None or costs(file.reports)):
        orders.append(OverturnOrder(case.accused, measure, costs(file.reports)))
    elif sanction is not None:
        orders.append(SanctionOrder(case.accused, sanction))  # it takes the place of the measure
    elif measure is not None:
        orders.append(LiftOrder(case.accused, measure.id))
    orders += (
        ThankOrder(person, not dismissed) for person in dict.fromkeys(each.by for each in file.reports) if person
    )
    details = {
        "outcome": outcome,
        "sanction": sanction.id if sanction is not None else None,
        "kind": sanction.kind if sanction is not None else None,
        "why": sanction.reason if sanction is not None else None,
        "until": sanction.until if sanction is not None else None,
        "reports": len(file.reports),
        "weight": round(sum(weights(file.reports)), 2),
    } | ({SECOND: True} if second else {})
    verdict = Verdict.DISMISSED if dismissed else Verdict.UPHELD
    return StaffDecision(
        notes=(AuditNote(DECIDED, named(case), details),),
        cases=(closed,),
        verdicts=(Judged(case.number, verdict),),
        orders=tuple(orders),
        effects=answer(event, said(outcome), NEXT),
    )


def said(outcome: Outcome) -> Text:
    return text(f"cases.done_{outcome}")


def leave_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Hand the case over: somebody else gets it."""
    me, file, why = mine(event, facts, env)
    if file is None:
        return refused(event, why)
    case = file.case
    left = msgspec.structs.replace(
        case,
        claimed_by=None,
        claimed_until=0.0,
        passed_by=(*case.passed_by, int(me.number)),
        version=case.version + 1,
    )
    note = AuditNote("case.handed_over", named(case))
    return StaffDecision(notes=(note,), cases=(left,), effects=answer(event, text("cases.left"), NEXT))
