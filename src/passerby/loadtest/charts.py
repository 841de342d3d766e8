"""Draws line charts as SVG, without scripts, fonts or other files. The page sets the colours.

Each chart has a column for each moment. It shows its values when the pointer is on it.
"""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 560
HEIGHT: Final = 200
LEFT: Final = 78
RIGHT: Final = 10
TOP: Final = 10
BOTTOM: Final = 24
COLOURS: Final = 8
"""The number of colours. With more lines, the colours repeat."""

Format = Callable[[float], str]


class Series(NamedTuple):
    """A line. `values` belong to the chart's `xs`; None is a gap."""

    name: str
    values: Sequence[float | None]


class Flag(NamedTuple):
    """A vertical line at `x`, with its text."""

    x: float
    name: str


class Chart(NamedTuple):
    """A chart for the page: the names in the legend, in the order of their colours, and the drawing."""

    title: str
    names: tuple[str, ...]
    svg: str
    note: str = ""


def ticks(most: float, wanted: int = 4) -> list[float]:
    """Round numbers from 0 to at least `most`, about `wanted` of them."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * 0.999)
    return [step * number for number in range(math.ceil(most / step * 0.999) + 1)]


def draw(
    title: str,
    xs: Sequence[float],
    lines: Sequence[Series],
    y_text: Format,
    x_text: Format = lambda value: f"{value:.0f} s",
    flags: Sequence[Flag] = (),
    note: str = "",
) -> Chart:
    """A chart over sorted `xs`. Without values it is an empty frame."""
    values = [value for line in lines for value in line.values if value is not None]
    upright = ticks(max(values, default=0.0))
    level = ticks(max(xs, default=1.0), 5)
    across = _scale(max((*xs, 1e-9)) if xs else level[-1], LEFT, WIDTH - RIGHT)
    up = _scale(upright[-1], HEIGHT - BOTTOM, TOP)
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"'
    parts = [f'{head} xmlns="http://www.w3.org/2000/svg">']
    for value in upright:
        parts.append(f'<path class="grid" d="M{LEFT} {up(value)}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{up(value) + 4}" text-anchor="end">{escape(y_text(value))}</text>')
    for value in level:
        if across(value) <= WIDTH - RIGHT + 0.5:
            anchor = "end" if across(value) > WIDTH - RIGHT - 20 else "middle"
            parts.append(
                f'<text x="{across(value)}" y="{HEIGHT - 6}" text-anchor="{anchor}">{escape(x_text(value))}</text>'
            )
    parts += [f'<path class="kill" d="M{across(flag.x)} {TOP}V{HEIGHT - BOTTOM}"/>' for flag in flags]
    for number, line in enumerate(lines):
        path = _path([(across(x), up(y)) if y is not None else None for x, y in zip(xs, line.values, strict=True)])
        if path:
            parts.append(f'<path class="line c{number % COLOURS}" d="{path}"/>')
    parts += _columns(xs, lines, flags, across, y_text, x_text)
    parts.append("</svg>")
    return Chart(title, tuple(line.name for line in lines), "".join(parts), note)


def _scale(most: float, begin: float, end: float) -> Callable[[float], float]:
    return lambda value: round(begin + value / most * (end - begin), 1)


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    """Lines between neighbours. A single point becomes a dot."""

    words, pen_down = [], False
    for index, place in enumerate(places):
        if place is None:
            pen_down = False
            continue
        x, y = place
        words.append(f"{'L' if pen_down else 'M'}{x} {y}")
        if not pen_down and (index + 1 == len(places) or places[index + 1] is None):
            words.append("h0.1")
        pen_down = True
    return "".join(words)


def _columns(
    xs: Sequence[float],
    lines: Sequence[Series],
    flags: Sequence[Flag],
    across: Callable[[float], float],
    y_text: Format,
    x_text: Format,
) -> list[str]:
    parts = []
    for index, x in enumerate(xs):
        before = xs[index - 1] if index else min(0.0, x)
        told = [x_text(x)]
        told += [f"{line.name}: {y_text(value)}" for line in lines if (value := line.values[index]) is not None]
        told += [flag.name for flag in flags if before < flag.x <= x]
        left = across(before)
        width = max(0.1, round(across(x) - left, 1))
        parts.append(
            f'<rect class="look" x="{left}" y="{TOP}" width="{width}" height="{HEIGHT - TOP - BOTTOM}">'
            f"<title>{escape(chr(10).join(told))}</title></rect>"
        )
    return parts
