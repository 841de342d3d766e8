"""Decides who may work on which case, how much a report weighs, and which measures a rule may take before a person has
looked.

**Weight.** A reporter's record counts as in Discourse (`reviewable_score.rb`): nothing until more than five of their
reports were decided, then `(share of right ones - 0.7) * log4(decided) * 5`. Reports in revenge, and those of somebody
who has hardly chatted, count a quarter.

**Groups.** What counts is not how many reports there are but how many *independent* reporters. Reporters are one
group if they have chatted with each other, came through the same bot within the same hour and are new, or reported
within a minute and a half of each other. A group weighs as much as its heaviest report.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from math import log

from passerby.domain.sanctions import WARNING_H
from passerby.domain.team import may
from passerby.kernel.case import About, Case, CaseFile, CaseState, Lane, Report, ReporterRecord
from passerby.kernel.digits import whole
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Complaint
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind
from passerby.kernel.staff import COMMAND_LINE, Permission, StaffMember

CLAIM_S = 900.0
"""How long a case that somebody took is theirs."""

HOUR_S = 3600.0
DAY_S = 86_400.0
STRIKES_S = 90 * DAY_S
EVIDENCE_S = 30 * DAY_S
"""How long after the decision evidence is kept."""

FIRST = (Complaint.UNDERAGE, Complaint.THREAT)

DECIDED_ENOUGH = 5
EXPECTED = 0.7
BONUS = 5.0
HEAVIEST = 3.0
QUARTER = 0.25
FEW_CHATS = 3
APART_S = 90.0
NEW_S = 7 * DAY_S

INDEPENDENT = 3
COUNTS = 0.5
"""A group below this weight does not count as independent."""
MEASURE_S = 3 * DAY_S
RULE = "reports"

LADDER: tuple[tuple[SanctionKind, int | None], ...] = (
    (SanctionKind.WARNING, WARNING_H),
    (SanctionKind.SUSPENDED, 24),
    (SanctionKind.SUSPENDED, 168),
    (SanctionKind.SUSPENDED, 720),
    (SanctionKind.BANNED, None),
)
"""The usual sanction for each number of strikes. Lengths in hours."""
GRAVE = frozenset({Reason.UNDERAGE, Reason.THREAT, Reason.SCAM})


def lane_of(reasons: Iterable[Complaint]) -> Lane:
    return Lane.FIRST if any(each in FIRST for each in reasons) else Lane.REST


def pseudonym(case: Case, person: PersonId, now: float) -> str:
    """Return the name that staff use for a person in this case today."""
    said = f"{case.salt}:{person}:{int(now // DAY_S)}"
    return hashlib.sha256(said.encode()).hexdigest()[:4].upper()


def holds(member: StaffMember, case: Case, now: float) -> bool:
    return case.claimed_by == member.number and now < case.claimed_until


def is_taken(member: StaffMember, case: Case, now: float) -> bool:
    """Whether somebody else works on it now."""
    return case.claimed_by not in (None, member.number) and now < case.claimed_until


def may_decide(member: StaffMember, case: Case, involved: Collection[int]) -> bool:
    """Whether nothing keeps a member from deciding: it is not about themselves or a report of theirs, not an appeal
    against their own decision, and not a proposal of their own. The command line is no second member."""
    if case.number in involved or case.state is CaseState.DECIDED:
        return False
    if case.about is About.APPEAL and case.against == member.number:
        return False
    if case.state is CaseState.SECOND:
        is_second = case.proposal is not None and member.number not in (COMMAND_LINE, case.proposal.by)
        return is_second and may(member, Permission.BAN)
    return True


def next_for(member: StaffMember, cases: Iterable[Case], involved: Collection[int], now: float) -> Case | None:
    """The case that a member takes next: the one that they have; otherwise by lane, the oldest first."""
    free = [each for each in cases if may_decide(member, each, involved) and not is_taken(member, each, now)]
    mine = [each for each in free if holds(member, each, now)]
    offered = mine or [each for each in free if member.number not in each.passed_by]
    return min(offered, key=lambda each: (each.lane, each.opened_at, each.number), default=None)


def trust(record: ReporterRecord) -> float:
    """Return the weight of a report by somebody with this record, from 0 to HEAVIEST."""
    decided = record.upheld + record.dismissed
    if decided <= DECIDED_ENOUGH:
        return 1.0
    bonus = (record.upheld / decided - EXPECTED) * log(decided, 4) * BONUS
    return min(HEAVIEST, max(0.0, 1.0 + bonus))


def weight(report: Report) -> float:
    """Return the weight of a report."""
    if _is_muted(report):
        return 0.0
    less = report.retaliates or report.record.chats < FEW_CHATS
    return trust(report.record) * (QUARTER if less else 1.0)


def _is_muted(report: Report) -> bool:
    return report.record.muted_until > report.filed_at


def groups(reports: Sequence[Report]) -> list[list[Report]]:
    """The reports, by independent reporters."""
    found: list[list[Report]] = []
    for report in sorted(reports, key=lambda each: each.filed_at):
        near = [group for group in found if any(_together(report, other) for other in group)]
        found = [group for group in found if group not in near]
        found.append([report, *(each for group in near for each in group)])
    return found


def _together(one: Report, other: Report) -> bool:
    if one.by == other.by or other.by in one.record.met or one.by in other.record.met:
        return True
    if abs(one.filed_at - other.filed_at) < APART_S:
        return True
    are_new = all(each.filed_at - each.record.since < NEW_S for each in (one, other))
    same_hour = one.record.since // HOUR_S == other.record.since // HOUR_S
    return are_new and same_hour and one.record.source == other.record.source


def weights(reports: Sequence[Report]) -> list[float]:
    """The weight of each group, the heaviest first."""
    return sorted((max(map(weight, group)) for group in groups(reports)), reverse=True)


def measure(file: CaseFile, now: float) -> Sanction | None:
    """Return the measure of a rule before a person has looked: one that can be undone, or none."""
    case = file.case
    if case.about is not About.REPORTS or case.measure or case.state is not CaseState.OPEN or not file.reports:
        return None
    until = now + MEASURE_S
    if _age_is_in_doubt(file, now):
        kind, reason = SanctionKind.AGE_DOUBT, Reason.UNDERAGE
        return Sanction(f"m{case.number}", kind, reason, now, until, None, RULE, evidence_of(case))
    if sum(each >= COUNTS for each in weights(file.reports)) < INDEPENDENT:
        return None
    (complaint, _), *_ = Counter(each.reason for each in file.reports if weight(each) >= COUNTS).most_common(1)
    kind = SanctionKind.MEDIA_OFF if complaint is Complaint.SEXUAL else SanctionKind.SLOW
    return Sanction(f"m{case.number}", kind, Reason(complaint), now, until, None, RULE, evidence_of(case))


def _age_is_in_doubt(file: CaseFile, now: float) -> bool:
    """Whether somebody says that the accused is a minor, or is none. One report is enough, also of a newcomer, for
    nobody loses more than the company of the others for some days. Reports in revenge, and those of people who are
    often wrong, part nobody. If staff have found nothing wrong, reports of age part nobody for 90 days."""
    cleared = any(
        each.kind is SanctionKind.AGE_DOUBT and each.appeal is Appeal.OVERTURNED and now - each.since < STRIKES_S
        for each in file.past
    )
    return not cleared and any(
        each.reason is Complaint.UNDERAGE
        and not each.retaliates
        and not _is_muted(each)
        and trust(each.record) >= COUNTS
        for each in file.reports
    )


def evidence_of(case: Case) -> str:
    """How a sanction refers to its case."""
    return f"case {case.number}"


def case_of(sanction: Sanction) -> int | None:
    """The number of the case that led to a sanction."""
    word, _, number = sanction.evidence.partition(" ")
    return whole(number) if word == "case" else None


def strikes(past: Iterable[Sanction], now: float) -> int:
    """How many sanctions of the last 90 days count against a person: those that people decided on, and that stood."""
    return sum(
        each.by is not None and each.appeal is not Appeal.OVERTURNED and now - each.since < STRIKES_S for each in past
    )


def usual(file: CaseFile, reason: Reason, now: float) -> tuple[SanctionKind, int | None]:
    """Return the sanction that the ladder proposes. Hours None: without an end."""
    step = strikes(file.past, now) + (1 if reason in GRAVE else 0)
    return LADDER[min(step, len(LADDER) - 1)]


def reason_of(file: CaseFile) -> Reason:
    """The commonest reason of the reports."""
    (reason, _), *_ = Counter(each.reason for each in file.reports).most_common(1) or [(Complaint.OTHER, 0)]
    return Reason(reason)


def costs(reports: Iterable[Report]) -> tuple[tuple[float, float], ...]:
    """Return how much karma the reports cost, and when, so that it can be given back."""
    return tuple((each.cost, each.filed_at) for each in reports if each.cost)
