"""Counts of this machine's processes: the statements by name, and the hit rate of the user cache."""

from collections import defaultdict
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from passerby.ops.cluster import sockets
from passerby.ops.doctor.finding import Finding, warn, well
from passerby.ops.slow.insight import Insight, Statement

HIT_RATE: Final = 0.95
ENOUGH: Final = 1000
"""Fewer lookups say nothing."""


def counted(directory: Path) -> Insight:
    """Since the start of each process that answers."""
    totals: defaultdict[tuple[str, str], float] = defaultdict(float)
    answered = 0
    for name in sockets.names(directory):
        try:
            code, body = sockets.ask(directory, name, "/metrics")
        except sockets.Silent:
            continue
        if code != 200:
            continue
        answered += 1
        for family in text_string_to_metric_families(body.decode("utf-8", "replace")):
            for sample in family.samples:
                label = sample.labels.get("statement") or sample.labels.get("outcome") or ""
                totals[sample.name, label] += sample.value
    return Insight(
        figures=_figures(totals, answered),
        statements=_statements(totals),
        findings=_cache(totals),
    )


def _statements(totals: dict[tuple[str, str], float]) -> list[Statement]:
    found = []
    for (name, label), total_s in totals.items():
        if name == "passerby_records_statement_seconds_sum":
            calls = int(totals["passerby_records_statement_seconds_count", label])
            found.append(Statement(label, calls, 1000 * total_s / max(1, calls), total_s, "our timing"))
    return sorted(found, key=lambda each: -each.total_s)


def _lookups(totals: dict[tuple[str, str], float]) -> tuple[float, float]:
    live = totals.get(("passerby_people_lookups_total", "live"), 0.0)
    return live, live + totals.get(("passerby_people_lookups_total", "records"), 0.0)


def _figures(totals: dict[tuple[str, str], float], answered: int) -> dict[str, str]:
    live, whole = _lookups(totals)
    rate = f"{100 * live / whole:.1f} % of {whole:.0f}" if whole else "nobody was looked up yet"
    return {"processes that answered": str(answered), "user cache hit rate": rate}


def _cache(totals: dict[tuple[str, str], float]) -> list[Finding]:
    live, whole = _lookups(totals)
    if whole < ENOUGH:
        return []
    told = f"people found in the live store: {100 * live / whole:.1f} % of {whole:.0f}"
    if live / whole >= HIT_RATE:
        return [well("user cache", told)]
    return [warn("user cache", told, "after a restart or a wipe this rises by itself; otherwise report it")]
