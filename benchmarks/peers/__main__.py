"""Compares our relay with minimal relays on aiogram and on python-telegram-bot.

    python -m benchmarks.peers [--short] [--in-flight 32] [--rate 100]

Each has the same Bot API server with fixed answers and the same people, one after the other: embedded, on one core,
over plain HTTP. The other two keep pairs in memory and send texts on, and do nothing else
(`benchmarks/peers/*_relay.py`). Ours does everything. So the factor is a lower bound: if the others did as much, it
would be higher.

They run on uvloop, like ours, although neither does that by default. They use their own polling.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.relay import closed, opened, show, sides
from benchmarks.sides import Shape, Side, Sides, opposed, seats

PEERS = {"aiogram": "peers.aiogram_relay", "python-telegram-bot": "peers.ptb_relay"}
OURS = "passerby"
COMPARED = {"cpu_us": "CPU", "relays_per_core_s": "relays/s a core", "p50_ms": "p50", "p99_ms": "p99"}


@contextmanager
def peer_sides(module: str, shape: Shape) -> Iterator[Sides]:
    """A relay with another framework, in the place of the product."""
    seat = seats(sorted(os.sched_getaffinity(0)))
    with (
        tempfile.TemporaryDirectory(prefix="passerby-bench-") as directory,
        opposed(shape, seat.load_peer, Path(directory)) as (load_peer, _),
    ):
        where = ("--url", load_peer.greeting["url"], "--tokens", ",".join(load_peer.greeting["tokens"]))
        peer = Side(module, *where, "--pairs", shape.pairs, "--core", seat.workers[0])
        try:
            yield Sides([peer], load_peer, {}, shared=False)
        finally:
            peer.end()


def measure(name: str, shape: Shape, in_flight: int, rate_per_s: float, window_s: float, runs: int) -> dict[str, Any]:
    with sides(shape) if name == OURS else peer_sides(PEERS[name], shape) as found:
        return {
            "closed": closed(found, in_flight, window_s=window_s, runs=runs),
            "open": opened(found, rate_per_s, window_s=window_s, runs=runs),
        }


def times_ours(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Each figure of each peer, divided by ours."""
    return {
        name: {
            loop: {figure: row[figure] / rows[OURS][loop][figure] for figure in COMPARED if figure in row}
            for loop, row in loops.items()
        }
        for name, loops in rows.items()
        if name != OURS
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    shape = Shape()
    window_s, runs = (2.0, 2) if options.short else (4.0, 5)
    rows = {name: measure(name, shape, options.in_flight, options.rate, window_s, runs) for name in (OURS, *PEERS)}
    for name, loops in rows.items():
        print(f"\n{name}")
        show(list(loops.values()))
    compared = times_ours(rows)
    print("\ntimes ours")
    for name, of in compared.items():
        words = (
            f"{loop}: {what} {of[loop][figure]:.1f}"
            for loop in of
            for figure, what in COMPARED.items()
            if figure in of[loop]
        )
        print(f"{name:<22}{'; '.join(words)}")
    result = {"rows": rows, "times_ours": compared}
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
