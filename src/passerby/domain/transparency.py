"""The public report about moderation: counts and times, and nothing about anybody.

Its parts are what the EU's Digital Services Act asks for in article 15, and what the UK's Online Safety Act asks to
record in section 23.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from passerby.kernel.sanction import Reason

HOUR_S = 3600.0


class ReportLine(NamedTuple):
    reason: str


class CaseLine(NamedTuple):
    about: str
    outcome: str
    opened_at: float
    decided_at: float


class SanctionLine(NamedTuple):
    kind: str
    reason: str
    is_automatic: bool
    appeal: str


class Period(NamedTuple):
    """The counts of a period: reports that were filed, cases that were decided, sanctions that began, and the appeals
    that were made."""

    reports: Sequence[ReportLine]
    cases: Sequence[CaseLine]
    sanctions: Sequence[SanctionLine]
    appeals: int
    evidence: int


def figures(period: Period, since: str, until: str) -> dict[str, Any]:
    """The report as data. `since` and `until` are days (ISO 8601, UTC); `until` is not part of the period."""
    hours = [(each.decided_at - each.opened_at) / HOUR_S for each in period.cases]
    outcomes = Counter(each.outcome for each in period.cases if each.about == "reports")
    appeals = Counter(each.outcome for each in period.cases if each.about == "appeal")
    automatic = sum(each.is_automatic for each in period.sanctions)
    return {
        "from": since,
        "to": until,
        "reports": len(period.reports),
        "reports_by_reason": _counted(_word(each.reason) for each in period.reports),
        "messages_chosen_as_evidence": period.evidence,
        "cases_decided": sum(outcomes.values()),
        "cases_by_outcome": _counted(outcomes.elements()),
        "median_hours_to_decision": round(median(hours), 2) if hours else None,
        "sanctions": len(period.sanctions),
        "sanctions_by_kind": _counted(each.kind for each in period.sanctions),
        "sanctions_by_reason": _counted(_word(each.reason) for each in period.sanctions),
        "sanctions_by_a_rule": automatic,
        "share_by_a_rule": round(automatic / len(period.sanctions), 4) if period.sanctions else None,
        "appeals": period.appeals,
        "appeals_upheld": appeals["upheld"],
        "appeals_overturned": appeals["overturned"],
    }


def _word(reason: str) -> str:
    """The name that people and staff read, in one word."""
    return Reason(reason).word if reason in set(Reason) else reason


def _counted(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def markdown(report: dict[str, Any]) -> str:
    """The report for readers."""
    lines = [f"# Transparency report, {report['from']} to {report['to']}", ""]
    for name, value in report.items():
        if name in ("from", "to"):
            continue
        title = name.replace("_", " ").capitalize()
        if isinstance(value, dict):
            lines += ["", f"| {title} | |", "|---|---|", *(f"| {key} | {count} |" for key, count in value.items()), ""]
        else:
            lines.append(f"- {title}: {'–' if value is None else value}")
    return "\n".join(lines).replace("\n\n\n", "\n\n").rstrip("\n") + "\n"
