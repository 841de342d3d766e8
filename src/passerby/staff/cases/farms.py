"""A case about a farm: what was measured, what the rule has done, and two ways to end it. Either all its accounts are
freed of what the rule did, or those that were set apart are suspended, or banned if a second member agrees.

Nobody sees what the accounts wrote, because chats are not stored. Recruits, who only used a place of the farm, are
freed with it but not barred with it.
"""

import msgspec

from passerby.dialogue.spans import span
from passerby.dialogue.staff import answer, lines, refused
from passerby.domain.alone import BAN_PROPOSED, DECIDED, FREED_ALONE, IMPOSED_ALONE, SECOND
from passerby.domain.cases import DAY_S, evidence_of
from passerby.domain.farms.judgement import RULE
from passerby.domain.sanctions import bar
from passerby.kernel.case import About, Case, CaseFile, CaseState, Outcome, Proposal
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed
from passerby.kernel.farm import FarmAccount
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
)
from passerby.kernel.text import Text, text
from passerby.staff.cases.known import mine, named, token

SUSPENDED_DAYS = 30
INTERIM_S = 7 * DAY_S
"""How long somebody is suspended while a ban waits for a second member."""
NEXT = Menu(((Button(text("cases.take"), "case_next"),),))


def farm_card(file: CaseFile, now: float) -> Text:
    assert file.farm is not None, "it is about a farm"
    measured, accounts = file.farm.measured, file.farm.accounts
    recruits = sum(each.is_recruit for each in accounts)
    barred = sum(each.person is not None and bar(each.person, now) is not None for each in accounts)
    parts = [
        text("cases.farm_card", number=file.case.number, name=measured.name),
        text(f"cases.farm_{measured.sign}", accounts=len(accounts) - recruits, recruits=recruits),
        text(
            "cases.farm_measured",
            since=span(now - measured.first_at),
            chats=measured.chats,
            led=_percent(measured.led, measured.chats),
            places=measured.places,
            cut=_percent(measured.cut, measured.ended),
            disliked=_percent(measured.disliked, measured.ended),
            delay=f"{measured.delay_s:g}" if measured.delay_s else "–",
        ),
        text("cases.farm_done"),
    ]
    if barred:
        parts.append(text("cases.farm_barred", count=barred))
    if file.case.proposal is not None:
        parts.append(text("cases.proposed", why=text(f"reasons.{file.case.proposal.reason}")))
    return lines(parts)


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def farm_keys(case: Case) -> tuple[tuple[Button, ...], ...]:
    """Its buttons while nobody has proposed a ban."""
    suspend = text("cases.farm_suspend", days=SUSPENDED_DAYS)
    return (
        (Button(text("cases.farm_lift"), "case_lift", token(case)),),
        (Button(suspend, "case_suspend", token(case)),),
        (Button(text("cases.farm_ban"), "case_ban", token(case)),),
    )


def lift_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """It is no farm. Everybody in the case is freed of what the rule did, and it leaves them alone for a week."""
    me, file, why = mine(event, facts, env)
    if file is None or file.farm is None or file.case.state is not CaseState.OPEN:
        return refused(event, why)
    if facts.alone.freed >= FREED_ALONE:
        return refused(event, text("cases.enough", most=FREED_ALONE))
    orders = tuple(LiftOrder(each.id, RULE) for each in file.farm.accounts)
    return _closed(event, me, file, Outcome.DISMISSED, orders, text("cases.farm_lifted"), env)


def suspend_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """It is a farm: its accounts are suspended."""
    me, file, why = mine(event, facts, env)
    if file is None or file.farm is None or file.case.state is not CaseState.OPEN:
        return refused(event, why)
    if facts.alone.imposed >= IMPOSED_ALONE:
        return refused(event, text("cases.enough", most=IMPOSED_ALONE))
    until = env.now + SUSPENDED_DAYS * DAY_S
    orders = _barring(file, "c", SanctionKind.SUSPENDED, until, me, env)
    said = text("cases.farm_suspended", count=len(orders))
    return _closed(event, me, file, Outcome.SANCTIONED, orders, said, env)


def ban_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Bans without an end wait for a second member. Until then the accounts are suspended."""
    me, file, why = mine(event, facts, env)
    if file is None or file.farm is None or file.case.state is not CaseState.OPEN:
        return refused(event, why)
    if facts.alone.imposed >= IMPOSED_ALONE:
        return refused(event, text("cases.enough", most=IMPOSED_ALONE))
    waits = msgspec.structs.replace(
        file.case,
        state=CaseState.SECOND,
        proposal=Proposal(int(me.number), env.now, Reason.SPAM),
        claimed_by=None,
        claimed_until=0.0,
        version=file.case.version + 1,
    )
    orders = _barring(file, "i", SanctionKind.SUSPENDED, env.now + INTERIM_S, me, env)
    note = AuditNote(BAN_PROPOSED, named(file.case), {"why": Reason.SPAM, "accounts": len(orders)})
    said = answer(event, text("cases.farm_waits"), NEXT)
    return StaffDecision(notes=(note,), cases=(waits,), orders=orders, effects=said)


def confirm_farm(event: ButtonPressed, me: StaffMember, file: CaseFile, env: Env) -> StaffDecision:
    """A second member agrees to the bans."""
    orders = _barring(file, "c", SanctionKind.BANNED, None, me, env)
    said = text("cases.farm_banned", count=len(orders))
    return _closed(event, me, file, Outcome.SANCTIONED, orders, said, env, second=True)


def farm_given_back(file: CaseFile) -> tuple[OverturnOrder, ...]:
    """A second member does not agree: what the proposal did to the accounts, if there are any, is undone."""
    if file.farm is None:
        return ()
    imposed = {each.id: each for each in file.past}
    found = ((each.id, imposed.get(_name("i", file.case, each))) for each in file.farm.accounts)
    return tuple(OverturnOrder(person, sanction) for person, sanction in found if sanction is not None)


def _name(letter: str, case: Case, account: FarmAccount) -> str:
    """Each account gets one sanction of the case, however often it is ordered."""
    return f"{letter}{case.number}.{account.place}"


def _barring(
    file: CaseFile, letter: str, kind: SanctionKind, until: float | None, me: StaffMember, env: Env
) -> tuple[SanctionOrder, ...]:
    assert file.farm is not None, "it is about a farm"
    case = file.case
    return tuple(
        SanctionOrder(
            each.id,
            Sanction(
                _name(letter, case, each), kind, Reason.SPAM, env.now, until, me.number, evidence=evidence_of(case)
            ),
        )
        for each in file.farm.accounts
        if not each.is_recruit
    )


def _closed(
    event: ButtonPressed,
    me: StaffMember,
    file: CaseFile,
    outcome: Outcome,
    orders: tuple[StaffOrder, ...],
    said: Text,
    env: Env,
    *,
    second: bool = False,
) -> StaffDecision:
    closed = msgspec.structs.replace(
        file.case,
        state=CaseState.DECIDED,
        outcome=outcome,
        reason=Reason.SPAM if outcome is Outcome.SANCTIONED else None,
        decided_by=int(me.number),
        decided_at=env.now,
        claimed_by=None,
        claimed_until=0.0,
        version=file.case.version + 1,
    )
    details = {"outcome": outcome.value, "accounts": len(orders), "about": About.FARM.value}
    details |= {SECOND: True} if second else {}
    return StaffDecision(
        notes=(AuditNote(DECIDED, named(file.case), details),),
        cases=(closed,),
        orders=orders,
        effects=answer(event, said, NEXT),
    )
