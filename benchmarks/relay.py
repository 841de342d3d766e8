"""Measures what a relayed message costs: on the memory store and SQLite, or on Redis and PostgreSQL.

    python -m benchmarks.relay                       the table and the JSON of the documents
    python -m benchmarks.relay --short
    python -m benchmarks.relay --against sandbox     the sandbox instead of canned answers
    python -m benchmarks.relay --delay-ms 20-40      every answer late, like over a network
    python -m benchmarks.relay --tls                 over TLS, with a certificate of our own
    python -m benchmarks.relay --web                 webhooks instead of polling, over plain HTTP as behind a proxy
    python -m benchmarks.relay --redis               Valkey, which syncs every write, and PostgreSQL
    python -m benchmarks.relay --redis --workers 2   several processes, which share the bots by their leases
    python -m benchmarks.relay --redis --fresh       the first minute, see below
    python -m benchmarks.relay --profile             where the time goes

*Closed* loop: a fixed number of people write, each again when their last message has arrived. It measures throughput
and CPU. *Open* loop: messages are due at a given rate, and latency counts from the moment each message was due.

All safety is on: done marks, the store's log, sanitising, message map, versions. Budgets are raised out of the way.

Over Redis, a worker parks every relay before it sends it while its lease is young (`heartbeat.YOUNG_S`). That costs
about twice as much. So the first minute is skipped; `--fresh` measures it.

*CPU* is the time of all workers, and *total* includes their stores. One process is the server and the load. If its
core was in use for more than nine tenths, the output says so, because then that process was the limit, not the
product.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from benchmarks.processes import cpu_s
from benchmarks.sides import Shape, Sides, sides

Window = dict[str, float]

IN_FLIGHT = 64
"""For runs that only count."""
CROWDED = 0.9
"""A core that is in use for this share of the time limits the result."""
BEHIND_S = 0.5
"""If more messages are due than arrive in this time, a queue is growing."""
TRICKLE_PER_S = 20
WARM_S = 2.0
YOUNG_S = 62.0
"""A little more than `fleet.YOUNG_S`. The product is not imported here, so a test compares the two."""


def settle(found: Sides, shape: Shape, *, fresh: bool) -> None:
    """Wait until relays are no longer parked first. Some messages are sent in that time, as a warm-up."""
    if shape.redis and not fresh:
        found.load_peer.ask(f"open {TRICKLE_PER_S}")
        time.sleep(YOUNG_S)
        found.load_peer.ask("pause")


def window(found: Sides, window_s: float) -> Window:
    """The use and the deliveries of `window_s` seconds."""
    stores, peer_s = found.stores_s(), cpu_s(found.load_peer.pid)
    used, count, began = found.usage(), found.load_peer.ask("count"), time.perf_counter()
    time.sleep(window_s)
    used_then, count_then, took_s = found.usage(), found.load_peer.ask("count"), time.perf_counter() - began
    stores_then, peer_then_s = found.stores_s(), cpu_s(found.load_peer.pid)

    def more(name: str) -> float:
        return float(used_then[name] - used[name])

    relays = count_then["delivered"] - count["delivered"]
    each = max(1, relays)
    user, system = more("user_s"), more("system_s")
    ours = max(user + system, 1e-9)
    theirs = {name: stores_then[name] - stores[name] for name in stores}
    far_s = peer_then_s - peer_s + (sum(theirs.values()) if found.shared else 0.0)
    result = {
        "relays": relays,
        "relays_per_s": relays / took_s,
        "cpu_us": ours / each * 1e6,
        "total_us": (ours + sum(theirs.values())) / each * 1e6,
        "relays_per_core_s": relays / ours,
        "core_use": ours / took_s,
        "other_core_use": far_s / took_s,
    }
    if "threads" in used:  # it is the product, and not a relay with another framework
        python_s = used_then["threads"].get("python", 0) - used["threads"].get("python", 0)
        result |= {
            "kernel_share": system / ours,
            "main_thread_share": python_s / ours,
            "sql": more("sql"),
            "sql_before": used["sql"],
            "sql_per_relay": more("sql") / each,
            "trips_per_relay": more("trips") / each,
            "calls_per_relay": more("calls") / each,
            "connections": more("connections"),
            "rss_mb": used_then["rss_mb"],
        }
    return result | {f"{name}_us": spent_s / each * 1e6 for name, spent_s in theirs.items()}


def _middle(found: Sequence[Window]) -> Window:
    """The median of each figure."""
    return {name: median(each[name] for each in found) for name in found[0]}


def closed(found: Sides, in_flight: int, *, window_s: float, runs: int) -> dict[str, Any]:
    found.load_peer.ask(f"closed {in_flight}")
    time.sleep(WARM_S)
    seen = [window(found, window_s) for _ in range(runs)]
    found.load_peer.ask("pause")
    time.sleep(0.5)
    assert all(each["relays"] > 0 for each in seen), "nothing was relayed"
    assert seen[0].get("sql_before", 1) > 0, "the count of SQL statements does not count"
    costs = [each["cpu_us"] for each in seen]
    return {
        "loop": "closed",
        "in_flight": in_flight,
        **_middle(seen),
        "cpu_us_lowest": min(costs),
        "cpu_us_highest": max(costs),
    }


def opened(found: Sides, rate_per_s: float, *, window_s: float, runs: int) -> dict[str, Any]:
    found.load_peer.ask(f"open {rate_per_s}")
    time.sleep(WARM_S)
    seen, latencies = [], []
    for _ in range(runs):
        found.load_peer.ask("reset")
        seen.append(window(found, window_s))
        latencies.append(found.load_peer.ask("latency"))
    found.load_peer.ask("pause")
    time.sleep(0.5)
    assert all(each["n"] > 0 for each in latencies), "nothing was relayed"
    return {
        "loop": "open",
        "rate_per_s": rate_per_s,
        **_middle(seen),
        **{name: median(each[name] for each in latencies) for name in ("p50_ms", "p99_ms", "p999_ms")},
        "max_ms": max(each["max_ms"] for each in latencies),
        "waiting": latencies[-1]["waiting"],
    }


def counted(shape: Shape) -> dict[str, float]:
    """Store calls for each relay, by name. This is a separate run, because counting costs time."""
    with sides(replace(shape, count=True)) as found:
        settle(found, shape, fresh=False)
        found.load_peer.ask(f"closed {IN_FLIGHT}")
        time.sleep(1)
        before, count = found.usage()["store"], found.load_peer.ask("count")["delivered"]
        time.sleep(2)
        after, count_then = found.usage()["store"], found.load_peer.ask("count")["delivered"]
        each = max(1, count_then - count)
        return {name: round((after[name] - before.get(name, 0)) / each, 3) for name in after}


def profiled(shape: Shape, in_flight: int, seconds: float, *, fresh: bool) -> dict[str, Any]:
    with sides(shape) as found:
        settle(found, shape, fresh=fresh)
        found.load_peer.ask(f"closed {in_flight}")
        time.sleep(WARM_S)
        found.workers[0].ask("profile")
        spent = window(found, seconds)
        return {"cpu_us": spent["cpu_us"], "kernel_share": spent["kernel_share"]} | found.workers[0].ask("profiled")


def name_of(row: dict[str, Any]) -> str:
    return f"closed, {row['in_flight']} in flight" if row["loop"] == "closed" else f"open, {row['rate_per_s']:g}/s"


COLUMNS: tuple[tuple[str, str, int, str], ...] = (
    ("total", "total_us", 7, ".0f"),
    ("relays/s", "relays_per_s", 10, ".0f"),
    ("a core", "relays_per_core_s", 8, ".0f"),
    ("cores", "core_use", 7, ".0%"),
    ("other", "other_core_use", 7, ".0%"),
    ("kernel", "kernel_share", 8, ".0%"),
    ("p50 ms", "p50_ms", 8, ".1f"),
    ("p99 ms", "p99_ms", 8, ".1f"),
    ("p99.9", "p999_ms", 8, ".1f"),
    ("SQL", "sql_per_relay", 6, ".2g"),
    ("calls", "calls_per_relay", 7, ".2f"),
    ("trips", "trips_per_relay", 7, ".2f"),
    ("RSS MB", "rss_mb", 8, ".0f"),
    ("valkey", "valkey_us", 8, ".0f"),
    ("postgres", "postgres_us", 10, ".0f"),
)
"""Heading, figure, width, format. A missing figure stays empty. µs are CPU for each relay."""


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print the rows as a table, with the notes that a reader needs."""
    # Zero SQL statements is a figure too.
    columns = [column for column in COLUMNS if any(row.get(column[1]) or column[1] == "sql_per_relay" for row in rows)]
    print(f"{'loop':<22}{'CPU µs a relay':>20}" + "".join(f"{heading:>{width}}" for heading, _, width, _ in columns))
    for row in rows:
        cost = f"{row['cpu_us']:.0f}"
        if "cpu_us_lowest" in row:
            cost += f" ({row['cpu_us_lowest']:.0f}-{row['cpu_us_highest']:.0f})"
        figures = (f"{row[name]:>{width}{form}}" if name in row else " " * width for _, name, width, form in columns)
        print(f"{name_of(row):<22}{cost:>20}" + "".join(figures))
    for row in rows:
        if row["other_core_use"] > CROWDED:
            use = f"{row['other_core_use']:.0%}"
            print(f"{name_of(row)}: the other side's core was in use at {use}, and bounded this")
        if row["loop"] == "open" and row["waiting"] > BEHIND_S * row["rate_per_s"]:
            print(f"{name_of(row)}: it fell behind ({row['waiting']:.0f} are due), so its latencies grow with time")


def measure(
    shape: Shape, loops: Sequence[int], rates: Sequence[float], *, window_s: float, runs: int, fresh: bool = False
) -> list[dict[str, Any]]:
    """All rows, one after another, on one start of the product."""
    with sides(shape) as found:
        settle(found, shape, fresh=fresh)
        rows = [closed(found, each, window_s=window_s, runs=runs) for each in loops]
        return rows + [opened(found, rate, window_s=window_s, runs=runs) for rate in rates]


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.relay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", choices=["canned", "sandbox"], default="canned")
    parser.add_argument("--bots", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--delay-ms", default="0-0")
    parser.add_argument("--in-flight", type=int, nargs="*", default=[32, 256])
    parser.add_argument("--rate", type=float, nargs="*", default=[100, 1000])
    parser.add_argument("--window-s", type=float, default=3)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--redis", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--web", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--no-counts", action="store_true", help="without the run that counts calls of the store")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--profile-s", type=float, default=10)
    options = parser.parse_args(arguments)
    if options.workers > 1 and not options.redis:
        parser.error("--workers: several processes need --redis")
    if options.workers > options.bots:
        parser.error("--workers: a worker without a bot has nothing to relay; give as many --bots")
    if options.tls and options.against == "sandbox":
        parser.error("--tls: the sandbox speaks plain HTTP; leave --against out")
    if options.web and (options.workers > 1 or options.against == "sandbox"):
        parser.error("--web: only one worker, and against canned answers; leave --workers and --against out")
    return options


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = options_of(arguments)
    shape = Shape(
        options.against,
        options.bots,
        options.pairs,
        options.delay_ms,
        redis=options.redis,
        tls=options.tls,
        web=options.web,
        workers=options.workers,
    )
    if options.profile:
        report = profiled(shape, options.in_flight[-1], options.profile_s, fresh=options.fresh)
        for kind in ("own", "with_callees", "lines"):
            print(f"\n{kind}, µs per relay (of {report['cpu_us']:.0f}, {report['kernel_share']:.0%} in the kernel)")
            for name, share in report[kind]:
                print(f"{share * report['cpu_us']:8.1f}  {name}")
        return report
    window_s, runs = (1.0, 3) if options.short else (options.window_s, options.runs)
    loops, rates = options.in_flight, options.rate
    if options.against == "sandbox":
        rates = [rate for rate in rates if rate <= 200]  # the sandbox is in Python, and checks everything
    if options.short:
        loops, rates = loops[-1:], rates[-1:]
    rows = measure(shape, loops, rates, window_s=window_s, runs=runs, fresh=options.fresh)
    print(f"relay, {shape.name}{', in the first minute' if options.fresh else ''}")
    show(rows)
    calls: dict[str, float] = {}
    if not (options.no_counts or options.fresh or (options.short and options.redis)):
        calls = counted(shape)
        print("store calls per relay:", ", ".join(f"{name} {n:g}" for name, n in calls.items() if n))
    result = {
        "shape": {name: getattr(shape, name) for name in Shape.__slots__},
        "fresh": options.fresh,
        "rows": rows,
        "store_calls": calls,
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
