"""Measures every row of the table of goals with one command, and prints what was reached.

    python -m benchmarks.bars                 all; it takes about an hour on a quiet machine
    python -m benchmarks.bars --short         smaller crowds and shorter windows: it shows that all works
    python -m benchmarks.bars relay peers     only the rows of some benchmarks

Each benchmark runs in a process of its own, one after another, and its last line is read. The peers run in the same
run, so the ratios to them count more than the figures.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """`of` reads the figure from a benchmark's result, and None if it was not measured. It is good if it is not above
    `bar`; with `least`, not below it."""

    what: str
    unit: str
    of: Callable[[Result], float | None]
    bar: float | None = None
    dream: float | None = None
    least: bool = False

    def verdict(self, value: float | None) -> str:
        if value is None:
            return "not measured"
        if self.bar is None:
            return ""

        def within(limit: float) -> bool:
            return value >= limit if self.least else value <= limit

        if self.dream is not None and within(self.dream):
            return "dream"
        return "reached" if within(self.bar) else "missed"


@dataclass(frozen=True, slots=True)
class Run:
    """`short` are the arguments in place of `full` in a short run."""

    name: str
    full: tuple[str, ...]
    short: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def module(self) -> str:
        return f"benchmarks.{self.name}"


def closed(figure: str) -> Callable[[Result], float | None]:
    return lambda result: next((row[figure] for row in result["rows"] if row["loop"] == "closed"), None)


def at_rate(rate_per_s: float, figure: str) -> Callable[[Result], float | None]:
    return lambda result: next((row.get(figure) for row in result["rows"] if row.get("rate_per_s") == rate_per_s), None)


def at_once(count: int, figure: str) -> Callable[[Result], float | None]:
    return lambda result: next((row[figure] for row in result["together"] if row["searching_at_once"] == count), None)


def of_peer(name: str, figure: str) -> Callable[[Result], float | None]:
    return lambda result: next(
        (loop[figure] for loop in result["times_ours"].get(name, {}).values() if figure in loop), None
    )


RUNS = (
    Run(
        "startup",
        (),
        ("--short",),
        (Row("command to first poll", "s", lambda found: found["first_start_s"], 0.7, 0.5),),
    ),
    Run(
        "relay",
        ("--in-flight", "32", "--rate", "60", "1000", "--no-counts"),
        ("--in-flight", "32", "--rate", "60", "--window-s", "1", "--runs", "1", "--no-counts"),
        (
            Row("CPU per relayed text, embedded, closed loop", "µs", closed("cpu_us"), 75, 60),
            Row("relays/s on one core, embedded", "", closed("relays_per_core_s"), 12_000, least=True),
            Row("CPU per relayed text, embedded, 60 a second", "µs", at_rate(60, "cpu_us"), 650, 450),
            Row("added latency at 1,000/s, embedded, p50", "ms", at_rate(1000, "p50_ms"), 1.2, 1),
            Row("added latency at 1,000/s, embedded, p99", "ms", at_rate(1000, "p99_ms"), 4, 3),
        ),
    ),
    Run(
        "relay",
        ("--redis", "--in-flight", "200", "--rate", "40", "1000", "--no-counts"),
        ("--redis", "--in-flight", "200", "--rate", "40", "--window-s", "1", "--runs", "1", "--fresh"),
        (
            Row("CPU per relayed text, Redis and PostgreSQL, all processes", "µs", closed("total_us"), 120, 90),
            Row("relays/s on one worker's core, Redis", "", closed("relays_per_core_s"), 8_000, least=True),
            Row("CPU per relayed text, Redis, 40 a second, all processes", "µs", at_rate(40, "total_us"), 2_500),
            Row("added latency at 1,000/s, Redis, p50", "ms", at_rate(1000, "p50_ms"), 4, 3),
            Row("added latency at 1,000/s, Redis, p99", "ms", at_rate(1000, "p99_ms"), 15, 8),
        ),
    ),
    Run(
        "match",
        ("--no-alone",),
        ("--no-alone", "--short"),
        (
            Row("CPU per person who searches and is found", "µs", at_once(1_000, "cpu_us_per_person"), 220),
            Row("sends per person who is found at once", "", at_once(1_000, "sends_per_person"), 1.05),
            Row("1,000 search at once, all told", "s", at_once(1_000, "all_told_after_s"), 0.25),
            Row("15,000 search at once, all told", "s", at_once(15_000, "all_told_after_s"), 4),
        ),
    ),
    Run(
        "memory",
        ("--steady",),
        ("--steady", "--short"),
        (
            Row(
                "memory: 20,000 chats, 100 relays/s, embedded", "MB", lambda found: found["many"]["peak"]["pss_mb"], 170
            ),
        ),
    ),
    Run(
        "peers",
        (),
        ("--short",),
        (
            Row("aiogram, CPU a relay, times ours", "", of_peer("aiogram", "cpu_us")),
            Row("python-telegram-bot, CPU a relay, times ours", "", of_peer("python-telegram-bot", "cpu_us")),
        ),
    ),
)


def measured(run: Run, *, short: bool) -> Result | None:
    """The result of a benchmark; None if it failed."""
    arguments = run.short if short else run.full
    print(f"== {run.name} {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", run.module, *arguments], check=False, stdout=subprocess.PIPE, text=True
    )
    sys.stdout.write(done.stdout)
    if done.returncode:
        return None
    result: Result = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    return result


def table(found: Sequence[tuple[Run, Result | None]]) -> str:
    lines = [f"{'':<58}{'measured':>10}{'bar':>9}{'dream':>8}"]
    for run, result in found:
        for row in run.rows:
            value = row.of(result) if result is not None else None
            figures = "".join(
                f"{'' if each is None else f'{each:,.4g}' if each < 1_000 else f'{each:,.0f}':>{width}}"
                for each, width in ((value, 10), (row.bar, 9), (row.dream, 8))
            )
            lines.append(f"{f'{row.what}, {row.unit}' if row.unit else row.what:<58}{figures}  {row.verdict(value)}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bars", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    runs = [run for run in RUNS if not options.names or run.name in options.names]
    if not runs:
        parser.error(f"take some of {', '.join(dict.fromkeys(run.name for run in RUNS))}")
    found = [(run, measured(run, short=options.short)) for run in runs]
    print(f"\n{table(found)}")
    if any(result is None for _, result in found):
        sys.exit("some benchmarks failed")


if __name__ == "__main__":
    main()
