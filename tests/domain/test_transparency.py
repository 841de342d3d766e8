"""The transparency report counts; it names nobody."""

from passerby.domain.transparency import CaseLine, Period, ReportLine, SanctionLine, figures, markdown

PERIOD = Period(
    [ReportLine("rude"), ReportLine("rude"), ReportLine("spam")],
    [
        CaseLine("reports", "sanctioned", 0, 3600),
        CaseLine("reports", "dismissed", 0, 7200),
        CaseLine("appeal", "overturned", 0, 10_800),
    ],
    [SanctionLine("slow", "rude", True, "none"), SanctionLine("banned", "spam", False, "overturned")],
    1,
    4,
)


def test_the_report_has_reasons_times_appeals_and_the_share_of_rules() -> None:
    found = figures(PERIOD, "2026-01-01", "2026-02-01")
    assert found["reports_by_reason"] == {"harassment": 2, "spam": 1}
    assert found["cases_by_outcome"] == {"dismissed": 1, "sanctioned": 1}
    assert found["median_hours_to_decision"] == 2.0
    assert (found["share_by_a_rule"], found["appeals"], found["appeals_overturned"]) == (0.5, 1, 1)
    text = markdown(found)
    assert text.startswith("# Transparency report, 2026-01-01 to 2026-02-01\n\n- Reports: 3\n")
    assert "| harassment | 2 |" in text
    assert "\n\n\n" not in text


def test_a_period_without_anything_has_no_shares() -> None:
    empty = figures(Period([], [], [], 0, 0), "2026-01-01", "2026-02-01")
    assert empty["share_by_a_rule"] is None
    assert "- Median hours to decision: –" in markdown(empty)
