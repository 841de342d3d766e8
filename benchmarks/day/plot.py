"""The picture of a day: how many searches have found a partner after a number of seconds, and how well they fit."""

from benchmarks.day.course import Search, meets_soft_wishes
from passerby.kernel.participant import Gender

WIDTH, HEIGHT, LEFT, TOP = 330, 200, 46, 46
UNTIL_S = 60
LINES = (
    "Dashed: found anybody. Solid: found a partner with a common language, "
    "a common interest (if they named any), not met lately."
)
COLOURS = {"Passerby": "#2f6fdb", "PATIENCE=0.3": "#3a9d5d", "first come": "#c2762b"}


def _found(searches: list[Search], only_good: bool) -> list[tuple[float, float]]:
    waits = sorted(
        each.waited_s for each in searches if each.partner is not None and (not only_good or meets_soft_wishes(each))
    )
    points, index = [], 0
    for half in range(UNTIL_S * 2 + 1):
        while index < len(waits) and waits[index] <= half / 2:
            index += 1
        points.append((half / 2, index / len(searches)))
    return points


def _panel(left: int, title: str, courses: dict[str, list[Search]]) -> str:
    def x(seconds: float) -> float:
        return round(left + seconds / UNTIL_S * WIDTH, 1)

    def y(share: float) -> float:
        return round(TOP + (1 - share) * HEIGHT, 1)

    parts = [f'<text x="{left}" y="{TOP - 14}" class="t">{title}</text>']
    for quarter in range(5):
        share = quarter / 4
        parts.append(f'<path class="g" d="M{left} {y(share)}H{left + WIDTH}"/>')
        parts.append(f'<text x="{left - 6}" y="{y(share) + 4}" text-anchor="end">{share:.0%}</text>')
    parts.extend(
        f'<text x="{x(seconds)}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{seconds}</text>'
        for seconds in range(0, UNTIL_S + 1, 10)
    )
    parts.append(f'<text x="{left + WIDTH}" y="{TOP + HEIGHT + 32}" text-anchor="end">seconds of waiting</text>')
    for name, searches in courses.items():
        for only_good, dash in ((False, "4 3"), (True, "none")):
            line = " ".join(f"{x(seconds)},{y(share)}" for seconds, share in _found(searches, only_good))
            parts.append(
                f'<polyline points="{line}" fill="none" stroke="{COLOURS[name]}" stroke-width="2" '
                f'stroke-dasharray="{dash}"/>'
            )
    return "\n".join(parts)


def draw(courses: dict[str, list[Search]]) -> str:
    """An SVG with two panels: all searches, and those of men who want to meet women, who are hardest to serve."""
    picky = {
        name: [each for each in searches if each.ticket.gender is Gender.MALE and each.ticket.wants.genders]
        for name, searches in courses.items()
    }
    step = WIDTH + LEFT + 24
    legend = "".join(
        f'<text x="{LEFT + 190 * index}" y="{TOP + HEIGHT + 58}" fill="{COLOURS[name]}" class="n">{name}</text>'
        for index, name in enumerate(courses)
    )
    box = f"0 0 {2 * step} {TOP + HEIGHT + 92}"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"
 font-family="sans-serif" font-size="11" fill="#777">
<title>Share of searches that found a partner, by seconds of waiting</title>
<style>.t{{font-size:13px;font-weight:bold}}.n{{font-size:13px;font-weight:bold}}.g{{stroke:#8884;fill:none}}</style>
{_panel(LEFT, "All searches", courses)}
{_panel(LEFT + step, "Men who want to meet women", picky)}
{legend}
<text x="{LEFT}" y="{TOP + HEIGHT + 78}">{LINES}</text>
</svg>
"""
