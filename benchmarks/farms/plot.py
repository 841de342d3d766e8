"""The picture of the containment: how often honest people meet a farm, by the time since it began."""

from typing import Any

WIDTH, HEIGHT, LEFT, TOP, STEP = 230, 130, 46, 40, 290


def draw(rows: list[dict[str, Any]], step_s: float) -> str:
    """An SVG with one panel for each farm: dashed without the measures, solid with them."""
    panels = "\n".join(
        _panel(LEFT + STEP * (at % 2), TOP + (HEIGHT + 80) * (at // 2), row, step_s) for at, row in enumerate(rows)
    )
    box = f"0 0 {LEFT + 2 * STEP} {TOP + (HEIGHT + 80) * ((len(rows) + 1) // 2)}"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"
 font-family="sans-serif" font-size="11" fill="#777">
<title>Share of honest people's chats that meet an account of a farm</title>
<style>.t{{font-size:13px;font-weight:bold}}.g{{stroke:#8884;fill:none}}</style>
{panels}
</svg>
"""


def _panel(left: int, top: int, row: dict[str, Any], step_s: float) -> str:
    count = len(row["with"])
    highest = max(0.05, *row["without"], *row["with"])

    def point(at: int, share: float) -> str:
        return f"{left + at / max(1, count - 1) * WIDTH:.1f},{top + (1 - share / highest) * HEIGHT:.1f}"

    parts = [f'<text x="{left}" y="{top - 14}" class="t">{row["farm"]}</text>']
    for part in (0.0, 0.5, 1.0):
        y = top + (1 - part) * HEIGHT
        parts.append(f'<path class="g" d="M{left} {y}H{left + WIDTH}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{part * highest:.0%}</text>')
    for name, dash in (("without", "4 3"), ("with", "none")):
        line = " ".join(point(at, share) for at, share in enumerate(row[name]))
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="#2f6fdb" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
    hours = count * step_s / 3600
    parts.append(
        f'<text x="{left + WIDTH}" y="{top + HEIGHT + 16}" text-anchor="end">{hours:.0f} h after it began</text>'
    )
    return "\n".join(parts)
