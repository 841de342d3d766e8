"""Shows a load test on a terminal: its progress, and the report."""

from typing import Final

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from passerby.loadtest.report import LatencySpread, LoadReport, Promises
from passerby.loadtest.run import Course
from simulated_people.book import quantile
from simulated_people.people import State

RECENT_S: Final = 5.0
MOST_STATEMENTS: Final = 5
_MIB: Final = 1024**2


def span(seconds: float | None) -> str:
    """A time in a readable unit: 850 µs, 12 ms, 1.2 s, 3 min."""
    if seconds is None:
        return "–"
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def live(course: Course, now: float) -> RenderableType:
    """The progress at one moment. `now` is in Unix seconds."""
    book = course.crowd.book
    states = course.crowd.states()
    samples = course.watch.samples[-int(RECENT_S) - 1 :]
    rate = 0.0
    if len(samples) > 1:
        rate = (samples[-1].delivered - samples[0].delivered) / max(0.1, samples[-1].at - samples[0].at)
    recent = sorted(each.took_s for each in book.arrivals[-2000:] if each.at > now - RECENT_S)
    waited = sorted(each.took_s for each in book.waits[-2000:] if each.found and each.at > now - 4 * RECENT_S)
    last = samples[-1] if samples else None
    cells = [
        ("relays/s", f"{rate:.0f}"),
        ("latency p50 / p99", f"{span(quantile(recent, 0.5))} / {span(quantile(recent, 0.99))}"),
        ("wait p50 / p99", f"{span(quantile(waited, 0.5))} / {span(quantile(waited, 0.99))}"),
        ("sent", f"{book.counts['sent']:,}"),
        ("delivered", f"{book.counts['delivered']:,}"),
        ("twice", f"{book.counts['again']:,}"),
        ("at Telegram", f"{course.crowd.in_hand:,}"),
        ("searching", f"{states[State.SEARCHING]:,}"),
        ("chatting", f"{states[State.CHATTING]:,}"),
        ("kills", f"{len(course.kills)}"),
    ]
    parts: list[RenderableType] = [
        _progress(course, now),
        Columns([Panel(Text(value, style="bold"), title=name, padding=(0, 1)) for name, value in cells]),
    ]
    if last is not None:
        table = _table("process", ">CPU", ">memory")
        for name in sorted(last.rss):
            cpu = last.cpu.get(name)
            table.add_row(name, f"{cpu:.0%}" if cpu is not None else "–", f"{last.rss[name] / _MIB:.0f} MiB")
        parts.append(table)
    parts.append(Text("Ctrl-C ends it early, with a report on what happened until then.", style="dim"))
    return Group(*parts)


def _progress(course: Course, now: float) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    total, done, words = course.plan.seconds, 0.0, course.phase
    if not course.began:
        total, done, words = (
            float(course.people),
            float(course.crowd.joined),
            f"{course.phase}: {course.crowd.joined:,}",
        )
        words += f" of {course.people:,}"
    elif not course.ended:
        done = now - course.began
        words = f"{course.phase}: {done:.0f} of {total:.0f} s"
    else:
        done = total
    table.add_row(Text(words, style="bold"), ProgressBar(total=max(total, 1.0), completed=done, width=40))
    return table


def page(report: LoadReport) -> RenderableType:
    parts: list[RenderableType] = []
    if report.arithmetic:
        parts += [*(Text(line) for line in report.arithmetic), Text()]
    parts += [
        Text(
            f"{report.people:,} people on {report.bots} bots for {report.seconds:.0f} s; joining took "
            f"{report.joining_s:.0f} s before, everything had settled after {report.quiet_s:.0f} s. Seed {report.seed}."
        ),
        Text(),
        _promises(report.promises),
        Text(),
        _times(report),
        Text(),
        Text(
            f"Throughput: {report.relays_per_s:.1f} relays/s on average, {report.relays_most_per_s:.1f} at most. "
            f"{report.found:,} searches found somebody, {report.gave_up:,} gave up."
        ),
        Text(),
        _usage(report),
    ]
    pool = _pool(report)
    if pool:
        parts += [Text(), Text(pool)]
    parts += [Text(), *_stores(report), Text(), *(Text(f"• {note}") for note in report.notes), Text()]
    parts.append(verdict(report.promises))
    return Group(*parts)


def verdict(promises: Promises) -> Text:
    if promises.kept:
        return Text("All promises were kept: nothing was lost or misrouted, and everything is in order.", style="green")
    if promises.kept is None:
        return Text(
            f"Not decided: {promises.undecided:,} messages had neither arrived nor been answered when the time was up. "
            "Nothing is known to be lost.",
            style="yellow",
        )
    lines = [f"Promises were broken: {', '.join(wrong(promises))}."]
    lines += [f"  {name}: {what}" for name, found in promises.examples.items() for what in found]
    return Text("\n".join(lines), style="red")


def wrong(promises: Promises) -> list[str]:
    """The broken promises, in words."""
    counts = {
        "lost": promises.lost,
        "misrouted": promises.misrouted,
        "reordered": promises.reordered,
        "duplicated without a kill": promises.duplicates_unprovoked,
        "undecided": promises.undecided,
    }
    found = [f"{count:,} {name}" for name, count in counts.items() if count]
    if promises.most_duplicates > 1:
        found.append(f"{promises.most_duplicates} duplicates in one chat for one kill")
    return found


def _promises(promises: Promises) -> Table:
    table = _table("sent", "delivered", "refused, and told", "lost", "misrouted", "reordered", "twice", "undecided")
    values = (promises.sent, promises.delivered, promises.refused)
    bad = (promises.lost, promises.misrouted, promises.reordered)
    table.add_row(
        *(f"{value:,}" for value in values),
        *(Text(f"{value:,}", style="red" if value else "green") for value in bad),
        f"{promises.duplicated:,}",
        Text(f"{promises.undecided:,}", style="yellow" if promises.undecided else ""),
    )
    return table


def _times(report: LoadReport) -> Table:
    table = _table("", ">n", ">p50", ">p90", ">p99", ">p99.9", ">most")
    rows = (
        ("latency, since it was due", report.latency),
        ("within: Passerby and its calls", report.within),
        ("waiting for a partner", report.waits),
    )
    for name, spread in rows:
        table.add_row(name, f"{spread.n:,}", *(span(value) for value in values_of(spread)))
    return table


def values_of(spread: LatencySpread) -> tuple[float | None, ...]:
    return spread.p50, spread.p90, spread.p99, spread.p999, spread.most


def _usage(report: LoadReport) -> Table:
    table = _table("process", ">CPU", ">busiest second", ">memory at most")
    for each in report.usage:
        table.add_row(each.name, f"{each.cpu:.0%}", f"{each.cpu_most:.0%}", f"{each.rss_most / _MIB:.0f} MiB")
    return table


def _pool(report: LoadReport) -> str:
    opened = [each.gauges.get("connections to the database", 0.0) for each in report.points]
    idle = [each.gauges.get("idle of these", 0.0) for each in report.points]
    used = [every - free for every, free in zip(opened, idle, strict=True)]
    if not any(opened):
        return ""
    return f"Connections to the database: {max(opened):.0f} open at most, {max(used):.0f} in use at once."


def _stores(report: LoadReport) -> list[RenderableType]:
    stores = report.stores
    parts: list[RenderableType] = []
    if stores.sql:
        table = _table(">calls", ">total", ">mean", ">worst", "slowest SQL")
        for each in stores.sql[:MOST_STATEMENTS]:
            times = (each.total_ms, each.mean_ms, each.most_ms)
            table.add_row(f"{each.calls:,}", *(span(value / 1000) for value in times), each.text[:80])
        parts.append(table)
    if stores.sql_note:
        parts.append(Text(stores.sql_note))
    if stores.slowlog:
        table = _table(">took", "slowest Redis commands")
        for entry in stores.slowlog[:MOST_STATEMENTS]:
            table.add_row(span(entry.took_ms / 1000), entry.text[:80])
        parts.append(table)
    if stores.slowlog_note:
        parts.append(Text(stores.slowlog_note))
    if stores.figures:
        parts.append(Text("; ".join(f"{name}: {value}" for name, value in stores.figures.items())))
    return parts


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
    return table
