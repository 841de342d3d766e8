"""Requests that only an owner makes, and that a second member agrees to: to hold evidence for the law, to export it,
and to learn who the accused is on Telegram.

The name of the accused goes to the one who asked, and to nobody else. The command line fetches its result with the
number of the approval within a day after the agreement.
"""

from passerby.dialogue.approvals import second_asked
from passerby.dialogue.staff import refused
from passerby.domain.approvals import request_of
from passerby.kernel.approval import ApprovalState
from passerby.kernel.case import CaseFile, LegalHold
from passerby.kernel.decision import Env
from passerby.kernel.digits import whole
from passerby.kernel.effect import Answer, Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.staff import AuditNote, Permission, ShowExhibit, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import CaseActAsked, ExportAsked, HoldAsked, UnmaskAsked
from passerby.kernel.text import Text, text
from passerby.staff.cases.known import known, named
from passerby.staff.cases.view import whose

FETCHED_S = 86_400.0
"""How long after the agreement the command line may fetch what it asked for."""


def hold_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return _pressed(event, HoldAsked(_number(event)), facts, env)


def unmask_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return _pressed(event, UnmaskAsked(_number(event)), facts, env)


def _number(event: ButtonPressed) -> int:
    number = event.token.partition(".")[0]
    return whole(number) or 0


def _pressed(event: ButtonPressed, asked: HoldAsked | UnmaskAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """The card stays as it is; the answer is an alert."""
    done = _ask(asked, asked, facts, env)
    assert done.reply is not None, "it is asked for, or refused"
    if done.refused:
        return refused(event, done.reply)
    answered = (Answer(event.query, done.reply, alert=True), *done.effects)
    return StaffDecision(notes=done.notes, approvals=done.approvals, effects=answered, reply=done.reply)


def hold_asked(asked: HoldAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    return _ask(asked, asked, facts, env)


def _file(facts: StaffFacts) -> CaseFile | None:
    """The case, if the member is no part of it."""
    _, desk = known(facts)
    return desk.file if desk.file is not None and desk.file.case.number not in desk.involved else None


def _ask(event: object, asked: HoldAsked | UnmaskAsked | ExportAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    file = _file(facts)
    if file is None or not file.case.accused:
        return refused(event, text("cases.unknown" if file is None else "cases.over"))
    what = text(_WHAT[type(asked)] if not _releases(asked) else "cases.ask_release", number=file.case.number)
    return second_asked(
        event,
        asked,
        facts,
        env,
        needs=Permission.BAN,
        subject=named(file.case),
        what=what,
        person=file.case.accused,
        note=asked.note,
    )


def _releases(asked: CaseActAsked) -> bool:
    return isinstance(asked, HoldAsked) and not asked.held


_WHAT = {HoldAsked: "cases.ask_hold", UnmaskAsked: "cases.ask_unmask", ExportAsked: "cases.ask_export"}


def hold_agreed(asked: HoldAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    if _file(facts) is None:
        return refused(asked, text("cases.over"))
    note = AuditNote("evidence.held" if asked.held else "evidence.released", f"case {asked.case}")
    return StaffDecision(notes=(note,), holds=(LegalHold(asked.case, asked.held),))


def unmask_agreed(asked: UnmaskAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """The one who asked reads who it is. On the command line they fetch it."""
    file, approval = _file(facts), facts.approval
    assert approval is not None, "it was asked for"
    if file is None or not file.case.accused:
        return refused(asked, text("cases.over"))
    asker = facts.member(approval.asked_by)
    if asker is None:
        return StaffDecision()
    note = AuditNote("person.unmasked", named(file.case), {"told": approval.asked_by})
    return StaffDecision(notes=(note,), effects=(Say(asker.person, _who(file)),))


def _who(file: CaseFile) -> Text:
    return text("cases.unmasked", number=file.case.number, id=str(file.case.accused))


def export_agreed(asked: ExportAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """The command line writes the file."""
    return StaffDecision() if _file(facts) is not None else refused(asked, text("cases.over"))


def unmask_asked(asked: UnmaskAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    if not asked.approval:
        return _ask(asked, asked, facts, env)
    file = _file(facts)
    if file is None or not file.case.accused or not _is_given(asked, facts, env.now):
        return refused(asked, text("cases.not_given"))
    note = AuditNote("person.unmasked", named(file.case), {"told": 0, "approval": asked.approval})
    return StaffDecision(notes=(note,), reply=_who(file))


def export_asked(asked: ExportAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """With an approval, the effects say which messages are written."""
    if not asked.approval:
        return _ask(asked, asked, facts, env)
    me, _ = known(facts)
    file = _file(facts)
    if file is None or not _is_given(asked, facts, env.now):
        return refused(asked, text("cases.not_given"))
    shows = [
        ShowExhibit(me.person, report.chat, report.by, each.place, whose(file.case, report, env.now))
        for report in file.reports
        for each in report.exhibits
    ]
    digests = ",".join(each.digest for report in file.reports for each in report.exhibits if each.digest)
    return StaffDecision(
        notes=(
            AuditNote(
                "evidence.exported",
                named(file.case),
                {"approval": asked.approval, "exhibits": len(shows), "digests": digests},
            ),
        ),
        effects=tuple(shows),
        reply=text("cases.exported", number=file.case.number, exhibits=len(shows)),
    )


def _is_given(asked: UnmaskAsked | ExportAsked, facts: StaffFacts, now: float) -> bool:
    """Whether a second member has agreed to this, lately, for the one who asks now."""
    me, _ = known(facts)
    approval = facts.approval
    if approval is None or approval.state is not ApprovalState.GIVEN or approval.asked_by != me.number:
        return False
    request = request_of(approval)
    is_lately = now - (approval.decided_at or 0.0) < FETCHED_S
    return is_lately and type(request) is type(asked) and request.case == asked.case
