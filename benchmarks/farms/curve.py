"""The effect of other thresholds: accounts of a farm that are set apart, against honest people who notice anything.

All thresholds are changed together: the sums from which somebody is in doubt or shows bulk, and the numbers of people
that make a group.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import log10
from typing import Any, Final

from benchmarks.farms.course import Course
from passerby.domain.farms import bulk, judgement, minded
from passerby.domain.farms.judgement import FarmVerdict, judge
from simulated_people.farms import Style

STRICTNESS: Final = (2.0, 1.5, 1.25, 1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2)
"""1 is what Passerby does."""
SUMS: Final = (
    (judgement, ("DOUBT", "BULK", "ALIKE_SUSPICION")),
    (bulk, ("BULK",)),
    (minded, ("DEVIATIONS",)),
)
GROUPS: Final = ((judgement, ("FARM", "MANY", "ALIKE")), (bulk, ("LOOKALIKES",)), (minded, ("GROUP",)))
WIDTH, HEIGHT, LEFT, TOP = 520, 300, 60, 30
COLOURS: Final = ("#2f6fdb", "#d9541e", "#2e9e5b", "#9b4fc4", "#b58900", "#d6336c", "#0b8a8f")
LEAST: Final = 0.0001
"""The smallest share on the axis: everything below is drawn there."""


@contextmanager
def thresholds(strictness: float) -> Iterator[None]:
    before = [(module, name, getattr(module, name)) for module, names in (*SUMS, *GROUPS) for name in names]
    for module, name, value in before:
        is_group = any(module is each and name in names for each, names in GROUPS)
        setattr(module, name, max(2, round(value * strictness)) if is_group else value * strictness)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def points(people: int, style: Style, accounts: int, begins_at: float, hours: float, seed: int) -> list[dict[str, Any]]:
    """For each strictness: the share of the farm that is set apart, and of honest people who notice anything."""
    until = begins_at + hours * 3600
    course = Course(
        people,
        [(style, accounts)],
        seed=seed,
        begins_at=begins_at,
        contains=False,
        until=until,
        since=begins_at - 3600,
        notes=True,
    )
    outcome = course.run()
    honest, farm = ({each.person for each in side} for side in (outcome.honest, outcome.farm))
    here = [person for person in course.conducts if person in honest]
    found = []
    for strictness in STRICTNESS:
        with thresholds(strictness):
            findings = judge(course.conducts).findings
        apart = sum(person in farm and each.verdict is FarmVerdict.FARM for person, each in findings.items())
        noticed = sum(person in honest for person in findings)
        slowed = sum(person in honest and each.verdict is FarmVerdict.FARM for person, each in findings.items())
        found.append(
            {
                "strictness": strictness,
                "apart": apart / accounts,
                "noticed": noticed / len(here),
                "slowed": slowed / len(here),
            }
        )
    return found


def draw_curve(curves: Mapping[str, list[dict[str, Any]]]) -> str:
    """An SVG: one line for each farm. The axis of honest people is logarithmic; 1 is marked."""

    def place(point: Mapping[str, float]) -> tuple[float, float]:
        share = (log10(max(LEAST, point["noticed"])) - log10(LEAST)) / -log10(LEAST)
        return LEFT + share * WIDTH, TOP + (1 - point["apart"]) * HEIGHT

    parts = []
    for at, label in ((LEAST, "0.01% or less"), (0.001, "0.1%"), (0.01, "1%"), (0.1, "10%"), (1.0, "100%")):
        x, _ = place({"noticed": at, "apart": 0})
        parts.append(f'<path class="g" d="M{x:.1f} {TOP}V{TOP + HEIGHT}"/>')
        parts.append(f'<text x="{x:.1f}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{label}</text>')
    for share in (0.0, 0.5, 1.0):
        _, y = place({"noticed": 1, "apart": share})
        parts.append(f'<path class="g" d="M{LEFT} {y}H{LEFT + WIDTH}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
    bar, _ = place({"noticed": 0.002, "apart": 0})
    parts.append(f'<path d="M{bar:.1f} {TOP}V{TOP + HEIGHT}" stroke="#c00" stroke-dasharray="4 3"/>')
    parts.append(f'<text x="{bar + 4:.1f}" y="{TOP + 12}">0.2%, the bar</text>')
    for row, (name, found) in enumerate(curves.items()):
        colour = COLOURS[row % len(COLOURS)]
        placed = [place(each) for each in found]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = placed[STRICTNESS.index(1.0)]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + WIDTH + 12}" y="{TOP + 14 + 18 * row}" fill="{colour}">{name}</text>')
    drawn = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 150} {TOP + HEIGHT + 50}"
 font-family="sans-serif" font-size="11" fill="#777">
<title>Accounts of farms that are set apart, against honest people who notice anything</title>
<style>.g{{stroke:#8884;fill:none}}</style>
{drawn}
<text x="{LEFT}" y="{TOP - 12}">accounts of the farm that are set apart</text>
<text x="{LEFT + WIDTH}" y="{TOP + HEIGHT + 34}" text-anchor="end">honest people who notice anything</text>
</svg>
"""
