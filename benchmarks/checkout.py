"""Measures how long a checkout waits for its answer, in real time: while nobody writes, under full load, and while the
workers are replaced one after another.

    python -m benchmarks.checkout                    on files, and two workers over Valkey and PostgreSQL
    python -m benchmarks.checkout --short

People in chats write in a *closed* loop: each again as soon as their last message has arrived. So the product is always
busy. Checkouts are due at a given rate (an open loop), and latency counts from the moment each was due. Every one could
be paid, so each is approved; a refused one is a fault of the measurement.

During a rolling reload, the next worker starts and takes over bots, then an old one ends, until all are new.
"""

import argparse
import json
import time
from dataclasses import replace
from typing import Any

from benchmarks.relay import WARM_S
from benchmarks.sides import Shape, Sides, sides

BAR_S = 2.0
"""The 99th percentile of a checkout's answer. Telegram itself gives up after ten seconds."""
ANSWERED_WITHIN_S = 10.0


def window(found: Sides, window_s: float) -> dict[str, float]:
    found.load_peer.ask("bought")
    before = found.load_peer.ask("count")["delivered"]
    time.sleep(window_s)
    relays = found.load_peer.ask("count")["delivered"] - before
    return found.load_peer.ask("bought") | {"relays_per_s": relays / window_s}


def reloaded(found: Sides) -> dict[str, float]:
    """From the start of the first new worker until a while after the last old one has ended."""
    found.load_peer.ask("bought")
    before, began = found.load_peer.ask("count")["delivered"], time.monotonic()
    found.reload()
    time.sleep(WARM_S)
    relays, took_s = found.load_peer.ask("count")["delivered"] - before, time.monotonic() - began
    return found.load_peer.ask("bought") | {"relays_per_s": relays / took_s, "took_s": took_s}


def measure(shape: Shape, rate_per_s: float, in_flight: int, window_s: float) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with sides(shape) as found:
        found.load_peer.ask(f"buy {rate_per_s}")
        time.sleep(WARM_S)
        rows.append({"while": "nobody writes"} | window(found, window_s))
        found.load_peer.ask(f"closed {in_flight}")
        time.sleep(WARM_S)
        rows.append({"while": "full load"} | window(found, window_s))
        if shape.workers > 1:
            rows.append({"while": "full load, rolling reload"} | reloaded(found))
        found.load_peer.ask("pause")
        found.load_peer.ask("buy 0")
        give_up_at = time.monotonic() + ANSWERED_WITHIN_S
        while (left := found.load_peer.ask("bought"))["waiting"] and time.monotonic() < give_up_at:
            time.sleep(0.1)
    for row in rows:
        assert row["n"], f"no checkout was answered while {row['while']}"
        assert not row["refused"], f"{row['refused']} checkouts were refused while {row['while']}"
    return [{"of": shape.name, "unanswered": left["waiting"], **row} for row in rows]


def main(arguments: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.checkout", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=20.0, help="checkouts a second")
    parser.add_argument("--in-flight", type=int, default=200, help="how many people write at a time")
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--window-s", type=float, default=30.0)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    if options.short:
        options.pairs, options.window_s = 100, 3.0
    alone = Shape(pairs=options.pairs, delay_ms="20-40", sells=True)
    rows: list[dict[str, Any]] = []
    for shape in (alone, replace(alone, redis=True, workers=2)):
        rows += measure(shape, options.rate, options.in_flight, options.window_s)
    print(f"{'':>66}  {'checkouts':>9}  {'relays/s':>8}  {'p50':>8}  {'p99':>8}  {'longest':>8}")
    for row in rows:
        kept = row["of"].partition(", plain")[0]
        figures = "  ".join(f"{row[name]:>5.0f} ms" for name in ("p50_ms", "p99_ms", "max_ms"))
        print(f"{kept + ': ' + row['while']:>66}  {row['n']:>9}  {row['relays_per_s']:>8.0f}  {figures}")
    print(f"bar: a 99th percentile of at most {BAR_S * 1e3:.0f} ms")
    print(json.dumps(rows))
    return rows


if __name__ == "__main__":
    main()
