"""Shared by all steps of a case: its names, and who may press its buttons."""

from passerby.domain.cases import is_taken, may_decide
from passerby.kernel.case import Case, CaseFile, Desk
from passerby.kernel.decision import Env
from passerby.kernel.event import ButtonPressed
from passerby.kernel.staff import StaffFacts, StaffMember
from passerby.kernel.text import Text, text


def token(case: Case, *rest: str) -> str:
    return ".".join((str(case.number), str(case.version), *rest))


def named(case: Case) -> str:
    """How the audit names a case."""
    return f"case {case.number}"


def known(facts: StaffFacts) -> tuple[StaffMember, Desk]:
    assert facts.me is not None, "only staff get here"
    assert facts.desk is not None, "the event is about cases"
    return facts.me, facts.desk


def mine(event: ButtonPressed, facts: StaffFacts, env: Env) -> tuple[StaffMember, CaseFile | None, Text]:
    """The case of a button, if the member has taken it, may decide on it now and has seen its newest version; or why
    not. It stays theirs after its quarter of an hour until somebody else takes it.
    """
    me, desk = known(facts)
    file = desk.file
    if file is None:
        return me, None, text("cases.over")
    if not may_decide(me, file.case, desk.involved):
        return me, None, text("cases.not_yours")
    if is_taken(me, file.case, env.now):
        return me, None, text("cases.taken")
    version = event.token.split(".")[1:2]
    if version != [str(file.case.version)] or file.case.claimed_by != me.number:
        return me, None, text("cases.changed")
    return me, file, text("cases.changed")
