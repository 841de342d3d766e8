"""Draws the pictures of `passerby status` and `passerby monit` that the documentation shows, of an invented fleet.

tools/terminal_pictures.py     writes docs/how-to/pictures/status.svg and monit.svg
"""

import io
from pathlib import Path

from rich.console import Console, RenderableType

from passerby.cli.monit import page
from passerby.cli.tables import status_page
from passerby.ops.cluster.overview import Bot, Overview, ProcessRow
from passerby.telemetry.figures import LATENCY_S, Snapshot, together

PICTURES = Path(__file__).resolve().parent.parent / "docs/how-to/pictures"
NOW = 1_000_000.0
WORKERS = 4
KILLED = 3
"""The number of the worker that was killed five seconds ago."""

MIB = 1024**2


def main() -> None:
    seen = fleet()
    earlier = {row.name: figures(number, NOW - 1) for number, row in enumerate(seen.processes, 1)}
    draw("passerby status", status_page(seen), PICTURES / "status.svg")
    draw("passerby monit", page(seen, earlier), PICTURES / "monit.svg")


def fleet() -> Overview:
    processes = tuple(process(number) for number in range(1, WORKERS + 1))
    bots = tuple(
        Bot(
            bot=1_000_000 + number,
            owner=f"worker-{number}",
            polled_ago_s=0.9 if number == KILLED else 0.1,
            pending=31 if number == KILLED else 0,
        )
        for number in range(1, WORKERS + 1)
    )
    duties = {
        "duty:clock": "worker-2",
        "duty:janitor": "worker-4",
        "duty:recorder": "worker-1",
        "pool:adults": "worker-1",
        "pool:minors": "worker-2",
    }
    whole = together([row.figures for row in processes if row.figures is not None])
    return Overview(
        at=NOW,
        processes=processes,
        bots=bots,
        duties=duties,
        stores={"live": "ok", "records": "ok"},
        figures=whole,
        faults=(),
    )


def process(number: int) -> ProcessRow:
    is_new = number == KILLED
    return ProcessRow(
        name=f"worker-{number}",
        state="ready",
        pid=28_400 + number + 290 * is_new,
        up_s=5.6 if is_new else 60,
        restarts=int(is_new),
        crashes=int(is_new),
        cpu=0.11 if is_new else 0.05 + 0.01 * (number % 2),
        rss=(115 if is_new else 116) * MIB,
        bots=1,
        figures=figures(number, NOW),
    )


def figures(number: int, at: float) -> Snapshot:
    """A worker relays some 25 messages a second. The one that has just started delivers what waited, too."""
    is_new = number == KILLED
    seconds = at - NOW + (5.6 if is_new else 60)
    relays = int(seconds * (41 if is_new else 24 + number))
    slow = relays // (4 if is_new else 50)
    latency = (0, 0, relays - slow, slow, *(0 for _ in LATENCY_S[3:]))
    return Snapshot(
        at=at,
        updates=int(relays * 1.15),
        relays=relays,
        relays_failed=int(seconds / 10),
        notices=int(seconds * 2),
        pairs=int(seconds / 2) if number < KILLED else 0,
        retries=2 * is_new,
        latency=latency,
        pending=9 if is_new else number % 2,
        chats=212,
        waiting=7,
        outbox=12,
        journal=3,
        recorder_lag_s=0.1,
    )


def draw(title: str, content: RenderableType, path: Path) -> None:
    console = Console(record=True, width=110, file=io.StringIO(), highlight=False)
    console.print(content)
    path.write_text(console.export_svg(title=title), "utf-8")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
