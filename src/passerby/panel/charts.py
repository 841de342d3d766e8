"""Charts as SVG, made here: no script draws them. Each has a title and a description, and stands above its table.

Colours are classes of the style sheet, so that they follow the light or dark look. Nothing is told by colour alone.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 460
HEIGHT: Final = 170
_LEFT: Final = 44
_BOTTOM: Final = 24
_TOP: Final = 12
BEATS: Final = 60


def _nice(top: float) -> float:
    """A round number that is not below `top`."""
    if top <= 0:
        return 1.0
    size: float = 1.0
    while size * 10 <= top:
        size *= 10
    while size > top:
        size /= 10
    return next(size * step for step in (1, 2, 2.5, 5, 10) if size * step >= top)


def lines(
    title: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    marks: Sequence[tuple[int, str]] = (),
    width: int = WIDTH,
    *,
    is_open: bool = False,
) -> Markup:
    """One line for each of `series` (name, values). `labels` are of the values. `marks`: (index, what happened).

    `is_open`: the last value is of a day that is not over; its piece of the line is dotted.
    """
    known = [value for _, values in series for value in values if value is not None]
    top = _nice(max(known, default=0.0))
    across, down = width - _LEFT - 8, HEIGHT - _TOP - _BOTTOM
    last = max(1, len(labels) - 1)

    def x(index: int) -> float:
        return round(_LEFT + across * index / last, 1)

    def y(value: float) -> float:
        return round(_TOP + down * (1 - value / top), 1)

    parts = [_head(title, _told(series, labels), width)]
    for share in (0.0, 0.5, 1.0):
        at = y(top * share)
        parts.append(Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_LEFT, width - 8, at, at))
        parts.append(
            Markup('<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>').format(
                _LEFT - 6, at + 4, _short(top * share)
            )
        )
    for index, happened in marks:
        parts.append(
            Markup(
                '<g class="mark"><line x1="{0}" x2="{0}" y1="{1}" y2="{2}"/><title>{3}</title>'
                '<text x="{0}" y="{4}" text-anchor="middle">◆</text></g>'
            ).format(x(index), _TOP, _TOP + down, happened, _TOP + 4)
        )
    for number, (_, values) in enumerate(series):
        for run in _runs(values):
            points = " ".join(f"{x(index)},{y(value)}" for index, value in run)
            if len(run) == 1:
                parts.append(
                    Markup('<circle class="dot line-{}" cx="{}" cy="{}" r="3"/>').format(
                        number, x(run[0][0]), y(run[0][1])
                    )
                )
            if is_open and len(run) > 1 and run[-1][0] == len(labels) - 1:
                points, _, last_point = points.rpartition(" ")
                piece = f"{points.rpartition(' ')[2]} {last_point}"
                parts.append(Markup('<polyline class="line line-{} so-far" points="{}"/>').format(number, piece))
            parts.append(Markup('<polyline class="line line-{}" points="{}"/>').format(number, points))
    if labels:
        ends = ((0, "start"), (len(labels) - 1, "end")) if len(labels) > 1 else ((0, "start"),)
        for index, anchor in ends:
            parts.append(
                Markup('<text class="axis" x="{}" y="{}" text-anchor="{}">{}</text>').format(
                    x(index), HEIGHT - 6, anchor, labels[index]
                )
            )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts) + _legend([name for name, _ in series])


def beats(title: str, states: str, cells: str = "minutes") -> Markup:
    """A bar of one cell a minute, the newest last: o polled, h held by Telegram, l lost or doubted, - not polled,
    a space: not known."""
    told = {"o": "ok", "h": "held", "l": "lost", "-": "late", " ": "unknown"}
    worst = sum(states.count(each) for each in "hl-")
    said = f"{states.count('o')} {cells} ok, {worst} not, {states.count(' ')} unknown"
    parts = [
        Markup('<svg class="beats" viewBox="0 0 {} 20" role="img"><title>{}: {}</title>').format(BEATS * 5, title, said)
    ]
    for index, state in enumerate(states.rjust(BEATS)[-BEATS:]):
        name = told.get(state, "unknown")
        tall = 20 if name != "unknown" else 6
        parts.append(
            Markup('<rect class="beat {}" x="{}" y="{}" width="4" height="{}" rx="1"/>').format(
                name, index * 5, 20 - tall if name == "unknown" else 0, tall if name == "ok" else min(tall, 14)
            )
        )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def bar(share: float) -> Markup:
    """A share of 1 as a bar behind a number."""
    return Markup(
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-whole" width="100" height="6"/><rect class="bar-part" width="{}" height="6"/></svg>'
    ).format(round(max(0.0, min(1.0, share)) * 100, 1))


def _head(title: str, told: str, width: int) -> Markup:
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img"><title>{}</title><desc>{}</desc>').format(
        width, HEIGHT, title, told
    )


def _told(series: Sequence[tuple[str, Sequence[float | None]]], labels: Sequence[str]) -> str:
    said = []
    for name, values in series:
        known = [value for value in values if value is not None]
        if known:
            said.append(f"{name}: lowest {_short(min(known))}, highest {_short(max(known))}, last {_short(known[-1])}")
    span = f" From {labels[0]} to {labels[-1]}." if labels else ""
    return (". ".join(said) or "No values yet") + "." + span


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Neighbours that are known. A gap interrupts the line."""
    runs: list[list[tuple[int, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((index, value))
    return [run for run in runs if run]


def _legend(names: Sequence[str]) -> Markup:
    if len(names) < 2:
        return Markup("")
    items = Markup("").join(
        Markup('<li><span class="key line-{}" aria-hidden="true"></span>{}</li>').format(number, escape(name))
        for number, name in enumerate(names)
    )
    return Markup('<ul class="legend">{}</ul>').format(items)


def _short(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    if value >= 10_000:
        return f"{value / 1000:g}k"
    return f"{round(value, 3):g}"
