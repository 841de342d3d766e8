"""The queue, the next case, and what staff see of it."""

from collections.abc import Sequence

import msgspec

from passerby.dialogue.spans import span
from passerby.dialogue.staff import answer, languages_of, lines, refused
from passerby.domain.ages import age_now
from passerby.domain.cases import (
    CLAIM_S,
    groups,
    holds,
    pseudonym,
    reason_of,
    strikes,
    usual,
    weights,
)
from passerby.domain.sanctions import binding
from passerby.domain.team import may
from passerby.kernel.case import About, Case, CaseFile, CaseState, Lane, Report
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer, Button, Menu
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.sanction import Sanction, SanctionKind
from passerby.kernel.staff import (
    AuditNote,
    Permission,
    ShowExhibit,
    StaffDecision,
    StaffEffect,
    StaffFacts,
    StaffMember,
)
from passerby.kernel.text import Text, text
from passerby.staff.cases.farms import farm_card, farm_keys
from passerby.staff.cases.known import known, mine, named, token

DAY_H = 24
SHOWN = 10
"""How many reports a card lists, the newest first."""
FOR_GOOD = "0"


def queue_asked(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/cases`: how many cases wait, and for how long."""
    _, desk = known(facts)
    if not desk.waiting:
        return StaffDecision(effects=answer(event, text("cases.queue_empty", decided=desk.decided_lately)))
    farms = [each for each in desk.waiting if each.about is About.FARM]
    found = [
        text(f"cases.lane_{lane.name.lower()}", count=len(of), since=_since(of, env.now))
        for lane in Lane
        if (of := [each for each in desk.waiting if each.lane is lane and each not in farms])
    ]
    if farms:
        found.append(text("cases.lane_farms", count=len(farms), since=_since(farms, env.now)))
    said = text("cases.queue", lanes=lines(found), decided=desk.decided_lately)
    return StaffDecision(effects=answer(event, said, Menu(((Button(text("cases.take"), "case_next"),),))))


def _since(cases: Sequence[Case], now: float) -> Text:
    """How long the oldest of these cases has been open."""
    return span(now - min(each.opened_at for each in cases))


def take_next(event: MessageReceived | ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/next`, and its button: take a case for a quarter of an hour."""
    me, desk = known(facts)
    if desk.file is None:
        return StaffDecision(effects=answer(event, text("cases.none_for_you", waiting=len(desk.waiting))))
    case = desk.file.case
    if holds(me, case, env.now):
        return StaffDecision(effects=shown(event, me, desk.file, env.now))
    taken = msgspec.structs.replace(
        case, claimed_by=int(me.number), claimed_until=env.now + CLAIM_S, version=case.version + 1
    )
    file = msgspec.structs.replace(desk.file, case=taken)
    details = {"reports": len(file.reports), "evidence": sum(len(each.exhibits) for each in file.reports)}
    note = AuditNote("case.taken", named(case), details)
    return StaffDecision(notes=(note,), cases=(taken,), effects=shown(event, me, file, env.now))


def show_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    me, file, why = mine(event, facts, env)
    return refused(event, why) if file is None else StaffDecision(effects=shown(event, me, file, env.now))


def exhibits_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Show what the reporters chose. Each opening is in the audit."""
    _, file, why = mine(event, facts, env)
    if file is None:
        return refused(event, why)
    shows: list[ShowExhibit] = []
    notes: list[AuditNote] = []
    for report in file.reports:
        who = whose(file.case, report, env.now)
        for each in report.exhibits:
            shows.append(ShowExhibit(event.person, report.chat, report.by, each.place, who))
            notes.append(AuditNote("evidence.opened", named(file.case), {"place": each.place, "digest": each.digest}))
    if not shows:
        return StaffDecision(effects=(Answer(event.query, text("cases.no_evidence"), alert=True),))
    return StaffDecision(notes=tuple(notes), effects=(Answer(event.query), *shows))


def whose(case: Case, report: Report, now: float) -> Text:
    return text("cases.by", who=pseudonym(case, report.by, now))


def shown(
    event: MessageReceived | ButtonPressed, me: StaffMember, file: CaseFile, now: float
) -> tuple[StaffEffect, ...]:
    return answer(event, card(file, now), menu(me, file, now))


def card(file: CaseFile, now: float) -> Text:
    if file.farm is not None:
        return farm_card(file, now)
    case, person = file.case, file.accused
    said = [
        text(
            "cases.report",
            who=pseudonym(case, each.by, now),
            why=text(f"reasons.{each.reason}"),
            since=span(now - each.filed_at),
            evidence=len(each.exhibits),
            right=each.record.upheld,
            decided=each.record.upheld + each.record.dismissed,
        )
        for each in file.reports[:SHOWN]
    ]
    parts = [
        text(
            "cases.card" if case.about is About.REPORTS else "cases.card_appeal",
            number=case.number,
            who=pseudonym(case, case.accused, now),
            age=str(age_now(person.profile, now)) if person is not None and person.profile.age is not None else "–",
            languages=languages_of(person.profile) if person is not None else "–",
            reports=len(file.reports),
            independent=len(groups(file.reports)),
            weight=f"{sum(weights(file.reports)):.1f}",
            strikes=strikes(file.past, now),
        ),
        *said,
    ]
    bound = binding(person, now) if person is not None else ()
    parts += [text("cases.bound", what=text(f"people.kind_{each.kind}")) for each in bound]
    if file.appealed is not None:
        parts.append(text("cases.appealed", what=_what(file.appealed), why=text(f"reasons.{file.appealed.reason}")))
    if case.proposal is not None:
        parts.append(text("cases.proposed", why=text(f"reasons.{case.proposal.reason}")))
    return lines(parts)


def _what(sanction: Sanction) -> Text:
    return text(f"people.kind_{sanction.kind}")


def menu(me: StaffMember, file: CaseFile, now: float) -> Menu:
    case = file.case
    legal = _legal_keys(me, case)
    see = Button(text("cases.see", count=sum(len(each.exhibits) for each in file.reports)), "case_see", token(case))
    leave = Button(text("cases.leave"), "case_leave", token(case))
    if case.about is About.FARM and case.state is CaseState.OPEN:
        return Menu((*farm_keys(case), (leave,)))
    if case.about is About.FARM:
        return Menu((_second_keys(case), (leave,)))
    if case.state is CaseState.SECOND:
        return Menu(((see,), _second_keys(case), (leave,), *legal))
    if case.about is About.APPEAL:
        overturn = Button(text("cases.overturn"), "case_overturn", token(case))
        return Menu(((see,), (Button(text("cases.uphold"), "case_uphold", token(case)), overturn), (leave,), *legal))
    return Menu(
        (
            (see,),
            (_usual(me, file, now),),
            (Button(text("cases.act"), "case_kind", token(case)), Button(text("cases.note"), "case_note", token(case))),
            (
                Button(text("cases.dismiss"), "case_dismiss", token(case)),
                Button(text("cases.mute"), "case_mute", token(case)),
            ),
            (leave,),
            *legal,
        )
    )


def _second_keys(case: Case) -> tuple[Button, ...]:
    """The buttons of a second member: agree to a proposal, or refuse it."""
    confirm = Button(text("cases.confirm"), "case_confirm", token(case))
    return (confirm, Button(text("cases.refuse"), "case_refuse", token(case)))


def _legal_keys(me: StaffMember, case: Case) -> tuple[tuple[Button, ...], ...]:
    """The acts about the law: an owner asks for them, and a second member agrees."""
    if not may(me, Permission.LEGAL):
        return ()
    hold = Button(text("cases.hold"), "case_hold", token(case))
    return ((hold, Button(text("cases.unmask"), "case_unmask", token(case))),)


def _usual(me: StaffMember, file: CaseFile, now: float) -> Button:
    """The ladder's proposal, in one press."""
    reason = reason_of(file)
    kind, hours = usual(file, reason, now)
    what = text(f"people.kind_{kind}")
    is_warning = kind is SanctionKind.WARNING
    label = text("cases.usual_warning", what=what) if is_warning else text("cases.usual", what=what, long=length(hours))
    return Button(label, "case_do", token(file.case, kind, reason, str(hours or FOR_GOOD)))


def length(hours: int | None) -> Text:
    if hours is None:
        return text("people.for_good")
    return text("people.hours", hours=hours) if hours < 2 * DAY_H else text("people.days", days=hours // DAY_H)
