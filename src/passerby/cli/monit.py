"""`passerby monit`: shows the cluster's rates in the terminal, once a second."""

import asyncio
import os
import select
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from passerby.bootstrap.clock import SystemClock
from passerby.cli.tables import bot_table, process_table, verdict
from passerby.ops.cluster.overview import Glance, Overview, ProcessRow, glance, overview
from passerby.ops.doctor.telegram import waiting
from passerby.settings import Settings
from passerby.telemetry.figures import Snapshot

EVERY_S: Final = 1.0
COUNT_EVERY_S: Final = 15.0
"""How often Telegram is asked how many updates wait."""


class Monitor:
    """Looks at the cluster repeatedly. It keeps the previous look, because a rate is the difference of two."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._before: Glance | None = None
        self._earlier: dict[str, Snapshot] = {}
        self._pending: dict[int, int | None] = {}

    def count(self) -> None:
        """Ask Telegram how many updates wait."""
        self._pending = asyncio.run(waiting(self._settings))

    def draw(self) -> RenderableType:
        now = glance(self._settings.run_path)
        seen = overview(
            self._before,
            now,
            at=self._clock.now(),
            bots=tuple(self._settings.tokens),
            pending=self._pending,
            polls=self._settings.update_mode == "polling",
        )
        picture = page(seen, self._earlier)
        self._before = now
        self._earlier = {row.name: row.figures for row in seen.processes if row.figures is not None}
        return picture


def page(seen: Overview, earlier: dict[str, Snapshot]) -> RenderableType:
    """`earlier`: each process's figures at the previous look."""
    return Group(
        _fleet(seen, earlier),
        Panel(process_table(seen.processes), title="processes", title_align="left"),
        Panel(_work(seen.processes, earlier), title="per second", title_align="left"),
        Panel(bot_table(seen.bots), title="bots", title_align="left"),
        verdict(seen.faults),
    )


def between(figures: Snapshot | None, earlier: Snapshot | None) -> tuple[Snapshot, float] | None:
    """Return the counts since the last look, and its seconds. None without two looks at the same run."""
    if figures is None or earlier is None or figures.at <= earlier.at or figures.updates < earlier.updates:
        return None
    return figures.since(earlier), figures.at - earlier.at


def _fleet(seen: Overview, earlier: dict[str, Snapshot]) -> RenderableType:
    total = seen.figures
    counted = [found for row in seen.processes if (found := between(row.figures, earlier.get(row.name))) is not None]
    relays = sum(part.relays / span_s for part, span_s in counted)
    latencies = [part for part, _ in counted]
    cells = [
        ("relays/s", f"{relays:.1f}" if counted else "–"),
        ("latency", _latency(latencies)),
        ("chats", str(total.chats) if total else "–"),
        ("waiting", str(total.waiting) if total else "–"),
        ("queue", str(total.pending) if total else "–"),
        ("journal", f"{total.journal}, {total.recorder_lag_s:.1f} s" if total else "–"),
        ("stores", ", ".join(f"{name} {state}" for name, state in seen.stores.items()) or "–"),
    ]
    return Columns([Panel(Text(value, style="bold"), title=name, padding=(0, 1)) for name, value in cells])


def _work(rows: tuple[ProcessRow, ...], earlier: dict[str, Snapshot]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("process", no_wrap=True)
    columns = ("taken", "relays", "failed", "notices", "pairs", "429", "again", "errors", "p50", "p99", "queue")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True, min_width=5)
    for row in rows:
        found = between(row.figures, earlier.get(row.name))
        if found is None or row.figures is None:
            table.add_row(row.name, *("–" for _ in columns))
            continue
        part, span_s = found
        rates = (part.updates, part.relays, part.relays_failed, part.notices, part.pairs)
        faults = (part.floods, part.retries, part.errors)
        table.add_row(
            row.name,
            *(f"{count / span_s:.1f}" for count in rates),
            *(Text(f"{count / span_s:.1f}", style="yellow" if count else "") for count in faults),
            milliseconds(part.quantile_s(0.5)),
            milliseconds(part.quantile_s(0.99)),
            str(row.figures.pending),
        )
    return table


def _latency(parts: list[Snapshot]) -> str:
    from passerby.telemetry.figures import together

    if not parts:
        return "–"
    whole = together(parts)
    return f"{milliseconds(whole.quantile_s(0.5))} / {milliseconds(whole.quantile_s(0.99))}"


def milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.0f} s"


def watch(settings: Settings) -> None:
    """Show the page until q or Ctrl-C. Without a terminal: look twice and print it once."""
    monitor = Monitor(settings)
    console = Console(highlight=False)
    monitor.count()
    picture = monitor.draw()
    if not (console.is_terminal and sys.stdin.isatty()):
        time.sleep(EVERY_S)
        console.print(monitor.draw())
        return
    ended = threading.Event()

    def count_on() -> None:
        while not ended.wait(COUNT_EVERY_S):
            monitor.count()

    # Telegram may answer slowly, and the page must not wait for it.
    threading.Thread(target=count_on, daemon=True).start()
    try:
        with _single_keys(), Live(picture, console=console, screen=True, auto_refresh=False) as live:
            while not _pressed_q(EVERY_S):
                live.update(monitor.draw(), refresh=True)
    except KeyboardInterrupt:
        return
    finally:
        ended.set()


@contextmanager
def _single_keys() -> Iterator[None]:
    """Read single keys, without Return, and do not show them."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _pressed_q(within_s: float) -> bool:
    if not select.select([sys.stdin], [], [], within_s)[0]:
        return False
    # Not through Python's buffer, which `select` does not see. If there is nothing to read, the terminal is gone.

    keys = os.read(sys.stdin.fileno(), 64)
    return not keys or b"q" in keys.lower()
