"""Writes the report as one HTML page without scripts, fonts, pictures or requests."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from passerby.loadtest.charts import Chart, Flag, Series, draw
from passerby.loadtest.report import LoadReport, Point
from passerby.loadtest.terminal import span, values_of, verdict, wrong

_MIB: Final = 1024**2


def render(report: LoadReport) -> str:
    """The page's HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    promises = report.promises
    return environment.get_template("page.html").render(
        report=report,
        verdict=verdict(promises).plain.partition("\n")[0],
        state="kept" if promises.kept else "open" if promises.kept is None else "broken",
        wrong=wrong(promises),
        span=span,
        mib=lambda size: f"{size / _MIB:,.0f} MiB",
        times=[
            ("Latency, from the moment a message was due", report.latency, values_of(report.latency)),
            ("Within: Passerby and its Bot API calls alone", report.within, values_of(report.within)),
            ("Waiting for a partner", report.waits, values_of(report.waits)),
        ],
        charts=[(chart, Markup(chart.svg)) for chart in charts(report)],  # noqa: S704  # made by `charts`, which escapes
    )


def charts(report: LoadReport) -> list[Chart]:
    """All charts, in their order. Empty ones are left out."""
    points = report.points
    xs = [point.at for point in points]
    flags = [Flag(kill.at, f"{kill.name} killed") for kill in report.kills]

    def over_time(title: str, lines: Sequence[Series], text: Callable[[float], str], note: str = "") -> Chart:
        return draw(title, xs, lines, text, flags=flags, note=note)

    found = [
        over_time(
            "Throughput",
            [Series("sent", [p.sent for p in points]), Series("delivered", [p.delivered for p in points])],
            lambda value: f"{value:g}/s",
        ),
        over_time(
            "Latency",
            [Series("p50", [p.p50 for p in points]), Series("p99", [p.p99 for p in points])],
            span_of_axis,
            "By the time when a message was due.",
        ),
        _curve("How long messages took", report.latency_curve, report.within_curve),
        over_time(
            "Waiting for a partner",
            [Series("p50", [p.wait_p50 for p in points]), Series("p99", [p.wait_p99 for p in points])],
            span_of_axis,
            "By the time when a search began.",
        ),
        over_time(
            "People",
            [Series("searching", [p.searching for p in points]), Series("chatting", [p.chatting for p in points])],
            count,
        ),
        over_time(
            "Not done yet",
            [
                Series("updates at Telegram", [p.in_hand for p in points]),
                Series("messages to deliver", _gauge(points, "to deliver")),
            ],
            count,
        ),
        over_time(
            "Processor",
            [Series(name, [p.cpu.get(name) for p in points]) for name in _names(report)],
            lambda value: f"{value:.0%}",
            "100 % is one core.",
        ),
        over_time(
            "Memory",
            [Series(name, [_mib(p.rss.get(name)) for p in points]) for name in _names(report)],
            lambda value: f"{value:,.0f} MiB",
        ),
    ]
    opened, idle = _gauge(points, "connections to the database"), _gauge(points, "idle of these")
    if any(opened):
        used = [None if a is None or b is None else a - b for a, b in zip(opened, idle, strict=True)]
        found.append(over_time("Database connections", [Series("open", opened), Series("in use", used)], count))
    return found


def _curve(title: str, latency: Sequence[tuple[float, float]], within: Sequence[tuple[float, float]]) -> Chart:
    """A chart of latencies: for each share of messages, how long they took at most."""
    shares = [share for share, _ in latency]
    lines = [Series("since it was due", [value for _, value in latency])]
    if len(within) == len(latency):
        lines.append(Series("within", [value for _, value in within]))
    note = "The share of messages (in %) that took no longer than this."
    return draw(title, [share * 100 for share in shares], lines, span_of_axis, lambda share: f"{share:g} %", note=note)


def _names(report: LoadReport) -> list[str]:
    return [each.name for each in report.usage]


def _gauge(points: Sequence[Point], name: str) -> list[float | None]:
    return [point.gauges.get(name) for point in points]


def _mib(size: int | None) -> float | None:
    return None if size is None else size / _MIB


def span_of_axis(value: float) -> str:
    return "0" if value == 0 else f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def count(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"
