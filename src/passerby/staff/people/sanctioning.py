"""Ordering a sanction, or its end: three questions with buttons, or one command."""

import msgspec

from passerby.dialogue.approvals import second_asked
from passerby.dialogue.staff import answer, in_rows, refused
from passerby.domain.alone import APPROVAL, IMPOSED_ALONE, LIFTED, LIFTS_ALONE, MEANWHILE, SANCTIONED
from passerby.domain.approvals import WAITS_S, is_about
from passerby.domain.sanctions import BARRING, WARNING_H, binding
from passerby.domain.support import shown
from passerby.domain.team import may
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff import (
    AuditNote,
    LiftOrder,
    OverturnOrder,
    Permission,
    SanctionOrder,
    StaffDecision,
    StaffFacts,
    StaffMember,
    Subject,
)
from passerby.kernel.staff_requests import LiftAsked, SanctionAsked
from passerby.kernel.text import Arg, Text, text
from passerby.staff.people.view import may_lift, named, unknown

HOUR_S = 3600.0
DAY_H = 24
LENGTHS_H = (1, 24, 168, 720, 2160)
FOR_GOOD = "0"
ID_BITS = 40
ONE_MORE = "people.ask_sanction"
ONE_MORE_WARNING = "people.ask_warning"
"""The questions about one more sanction by somebody who has imposed many that day. Nothing is in force meanwhile."""
DOUBLE_S = 10.0
"""A second press of a button within this time is a slip."""


def _back(code: str) -> tuple[Button, ...]:
    return (Button(text("people.back"), "person_show", code),)


def _parts(event: ButtonPressed, count: int) -> list[str] | None:
    """The parts of a button's token: the code, the kind, the reason, the length. None if they are not that many."""
    parts = event.token.split(".")
    known = [{*SanctionKind}, {*Reason}, {FOR_GOOD, *map(str, LENGTHS_H)}]
    fits = len(parts) == count and all(part in words for part, words in zip(parts[1:], known, strict=False))
    return parts if fits else None


def choose_kind(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    if facts.subject is None:
        return unknown(event)
    code = facts.subject.code
    buttons = [Button(text(f"people.kind_{kind}"), "person_why", f"{code}.{kind}") for kind in SanctionKind]
    asked = answer(event, text("people.choose_kind"), Menu((*in_rows(buttons), _back(code))))
    return StaffDecision(effects=asked)


def choose_reason(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    parts = _parts(event, 2)
    if facts.subject is None or parts is None:
        return unknown(event)
    # Nobody chooses the length of a warning.
    is_warning = parts[1] == SanctionKind.WARNING
    onward, end = ("person_do", f".{WARNING_H}") if is_warning else ("person_long", "")
    buttons = [Button(text(f"reasons.{each}"), onward, f"{event.token}.{each}{end}") for each in Reason]
    asked = answer(event, text("people.choose_reason"), Menu((*in_rows(buttons), _back(parts[0]))))
    return StaffDecision(effects=asked)


def choose_length(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    parts = _parts(event, 3)
    if facts.subject is None or parts is None:
        return unknown(event)
    buttons = [Button(_length(hours), "person_do", f"{event.token}.{hours}") for hours in LENGTHS_H]
    if parts[1] == SanctionKind.BANNED and may(facts.me, Permission.BAN):
        buttons.append(Button(text("people.for_good"), "person_do", f"{event.token}.{FOR_GOOD}"))
    asked = answer(event, text("people.choose_length"), Menu((*in_rows(buttons), _back(parts[0]))))
    return StaffDecision(effects=asked)


def _length(hours: int) -> Text:
    return text("people.hours", hours=hours) if hours < 2 * DAY_H else text("people.days", days=hours // DAY_H)


def sanction_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    parts = _parts(event, 4)
    subject, me = facts.subject, facts.me
    if parts is None or subject is None or me is None:
        return unknown(event)
    code, kind, reason, hours = parts
    length = None if hours == FOR_GOOD else float(hours)
    asked = SanctionAsked(code, SanctionKind(kind), Reason(reason), length)
    if _is_double(asked, subject, me, env.now):
        return StaffDecision(effects=answer(event, text("people.done"), Menu((_back(code),))))
    return _sanction(event, asked, facts, env)


def _is_double(asked: SanctionAsked, subject: Subject, me: StaffMember, now: float) -> bool:
    """Whether the same member ordered the same a moment ago: the button was pressed twice."""
    return any(
        (each.kind, each.reason, each.by) == (asked.kind, asked.reason, me.number) and now - each.since < DOUBLE_S
        for each in (*subject.person.sanctions, *subject.ordered)
    )


def sanction_asked(asked: SanctionAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    return _sanction(asked, asked, facts, env)


def _sanction(event: object, asked: SanctionAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    subject, me = facts.subject, facts.me
    if subject is None or me is None:
        return unknown(event)
    if asked.kind is SanctionKind.WARNING:
        asked = msgspec.structs.replace(asked, hours=float(WARNING_H))
    if asked.hours is None and not may(me, Permission.BAN):
        return refused(event, text("people.needs_ban"))
    if facts.alone.imposed >= IMPOSED_ALONE:
        return _one_more_asked(event, asked, subject, facts, env)
    if asked.hours is None and asked.kind in BARRING:
        return _second_asked(event, asked, subject, facts, env)
    until = None if asked.hours is None else env.now + asked.hours * HOUR_S
    sanction_id = f"{env.rng.getrandbits(ID_BITS):010x}"
    sanction = Sanction(sanction_id, asked.kind, asked.reason, env.now, until, me.number)
    done = text("people.done")
    return StaffDecision(
        notes=(AuditNote(SANCTIONED, named(subject), _details(sanction), asked.note),),
        orders=(SanctionOrder(subject.person.person, sanction),),
        effects=answer(event, done, Menu((_back(subject.code),))) if isinstance(event, ButtonPressed) else (),
        reply=done,
    )


def _one_more_asked(
    event: object, asked: SanctionAsked, subject: Subject, facts: StaffFacts, env: Env
) -> StaffDecision:
    """The member has sanctioned many accounts today. A second one must agree to each further sanction."""
    kind, why = text(f"people.kind_{asked.kind}"), text(f"reasons.{asked.reason}")
    told: dict[str, Arg] = {"code": shown(subject.code), "what": kind, "why": why, "count": facts.alone.imposed}
    long = text("people.for_good") if asked.hours is None else _length(int(asked.hours))
    what = text(ONE_MORE_WARNING, **told) if asked.kind is SanctionKind.WARNING else text(ONE_MORE, long=long, **told)
    return second_asked(
        event,
        asked,
        facts,
        env,
        needs=Permission.SANCTION if asked.hours is not None else Permission.BAN,
        subject=named(subject),
        what=what,
        person=subject.person.person,
        note=asked.note,
        back=Menu((_back(subject.code),)),
    )


def _details(sanction: Sanction) -> dict[str, str | float | None]:
    return {"sanction": sanction.id, "kind": sanction.kind, "why": sanction.reason, "until": sanction.until}


def _second_asked(event: object, asked: SanctionAsked, subject: Subject, facts: StaffFacts, env: Env) -> StaffDecision:
    """A ban without an end needs a second member. The person is suspended meanwhile."""
    assert facts.me is not None
    what = text(
        "people.ask_for_good",
        code=shown(subject.code),
        what=text(f"people.kind_{asked.kind}"),
        why=text(f"reasons.{asked.reason}"),
    )
    interim = _interim(facts.next_approval, asked.reason, facts.me.number, env.now)
    return second_asked(
        event,
        asked,
        facts,
        env,
        needs=Permission.BAN,
        subject=named(subject),
        what=what,
        person=subject.person.person,
        note=asked.note,
        orders=(SanctionOrder(subject.person.person, interim),),
        details={MEANWHILE: 1},
        back=Menu((_back(subject.code),)),
    )


def _interim(approval: int, reason: Reason, by: int, now: float) -> Sanction:
    kind = SanctionKind.SUSPENDED
    return Sanction(f"a{approval}", kind, reason, now, now + WAITS_S, by, evidence=_evidence(approval))


def _evidence(approval: int) -> str:
    """A sanction that takes the place of another one, with the same evidence, counts as one with it."""
    return f"approval {approval}"


def agreed(asked: SanctionAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """A second member agrees to a ban without an end, or to one sanction more."""
    approval, subject = facts.approval, facts.subject
    assert approval is not None, "it was asked for"
    if subject is None:
        return refused(asked, text("people.gone"))
    sanction = Sanction(
        f"b{approval.number}",
        asked.kind,
        asked.reason,
        env.now,
        None if asked.hours is None else env.now + asked.hours * HOUR_S,
        approval.asked_by,
        evidence=_evidence(approval.number),
    )
    return StaffDecision(
        notes=(AuditNote(SANCTIONED, approval.subject, _details(sanction) | {APPROVAL: approval.number}),),
        orders=(SanctionOrder(subject.person.person, sanction),),
    )


def declined(asked: SanctionAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """Nobody is banned. The measure that was in force until the decision is lifted."""
    approval, subject = facts.approval, facts.subject
    assert approval is not None, "it was asked for"
    if subject is None or approval.what.key in (ONE_MORE, ONE_MORE_WARNING):
        return StaffDecision()
    interim = _interim(approval.number, asked.reason, approval.asked_by, approval.asked_at)
    return StaffDecision(orders=(OverturnOrder(subject.person.person, interim),))


def lift_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    code, _, sanction_id = event.token.partition(".")
    return _lift(event, LiftAsked(code, sanction_id), facts, env)


def lift_asked(asked: LiftAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    return _lift(asked, asked, facts, env)


def _lift(event: object, asked: LiftAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    subject = facts.subject
    if subject is None:
        return unknown(event)
    sanction = next((each for each in binding(subject.person, env.now) if each.id == asked.sanction), None)
    if sanction is None:
        return refused(event, text("people.no_such_sanction"))
    if not may_lift(facts, sanction):
        return refused(event, text("team.not_allowed"))
    if facts.alone.lifts >= LIFTS_ALONE or is_about(facts, subject.person.person):
        what = text(f"people.kind_{sanction.kind}")
        return second_asked(
            event,
            asked,
            facts,
            env,
            needs=Permission.SANCTION if sanction.until is not None else Permission.BAN,
            subject=named(subject),
            what=text("people.ask_lift", what=what, code=shown(subject.code), count=facts.alone.lifts),
            person=subject.person.person,
            note=asked.note,
            back=Menu((_back(subject.code),)),
        )
    done = text("people.lifted")
    return StaffDecision(
        notes=(AuditNote(LIFTED, named(subject), {"sanction": asked.sanction}, asked.note),),
        orders=(LiftOrder(subject.person.person, asked.sanction),),
        effects=answer(event, done, Menu((_back(subject.code),))) if isinstance(event, ButtonPressed) else (),
        reply=done,
    )


def lift_agreed(asked: LiftAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """A second member agrees. Meanwhile the sanction may be over."""
    approval, subject = facts.approval, facts.subject
    assert approval is not None, "it was asked for"
    if subject is None:
        return refused(asked, text("people.gone"))
    if all(each.id != asked.sanction for each in binding(subject.person, env.now)):
        return refused(asked, text("people.no_such_sanction"))
    details: dict[str, str | int] = {"sanction": asked.sanction, APPROVAL: approval.number}
    return StaffDecision(
        notes=(AuditNote(LIFTED, approval.subject, details, asked.note),),
        orders=(LiftOrder(subject.person.person, asked.sanction),),
    )
