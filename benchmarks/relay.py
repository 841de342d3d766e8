"""What a relayed message costs: one process on one core, with the memory store and SQLite, or Redis and PostgreSQL.

    python -m benchmarks.relay                       the table and the JSON of the documents
    python -m benchmarks.relay --short
    python -m benchmarks.relay --against sandbox     the sandbox instead of canned answers
    python -m benchmarks.relay --delay-ms 20-40      every answer late, as over a network
    python -m benchmarks.relay --redis               Valkey, which syncs every write, and PostgreSQL on the other core
    python -m benchmarks.relay --profile             where the time goes

*Closed* loop: so many people in flight, each writes again when the last message has arrived: throughput and CPU.
*Open* loop: a given rate, latencies counted from the moment each message was due.

All safety is on: done marks, the store's log, sanitising, message map, versions; budgets are raised out of the way.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class Side:
    """A process that answers a line with a line. `stores`: ids of the processes that keep its data, by name."""

    stores: Mapping[str, int] = MappingProxyType({})

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.greeting = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "it ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True, slots=True)
class Shape:
    against: str = "canned"
    bots: int = 4
    pairs: int = 500
    delay_ms: str = "0-0"
    count: bool = False
    redis: bool = False


@contextmanager
def servers(core: int) -> Iterator[tuple[tuple[object, ...], dict[str, int]]]:
    """Valkey and PostgreSQL of our own on a core: how the product is told of them, and their process ids."""
    from tests.contract.servers import start_postgres, start_valkey

    with ExitStack() as closing:
        lasting = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
        valkey = closing.enter_context(start_valkey(*lasting))
        postgres = closing.enter_context(start_postgres())
        for server in (valkey, postgres):
            os.sched_setaffinity(server.pid, {core})
        told = ("--redis-url", valkey.url, "--postgres-uri", postgres.uri)
        yield told, {"valkey": valkey.pid, "postgres": postgres.pid}


def spent_s(pid: int) -> float:
    """User and system time so far of a process, of its threads and of its children, those that have ended too."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        own = stat.parent.name == str(pid)
        if own or fields[1] == str(pid):
            ticks += sum(map(int, fields[11 : 15 if own else 13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def two_sides(shape: Shape) -> Iterator[tuple[Side, Side]]:
    """The product on the first core, all else on the last."""
    cores = sorted(os.sched_getaffinity(0))
    first, second = cores[0], cores[-1]
    with tempfile.TemporaryDirectory(prefix="passerby-bench-") as directory, ExitStack() as closing:
        stores, pids = closing.enter_context(servers(second)) if shape.redis else ((), {})
        size = ("--bots", shape.bots, "--pairs", shape.pairs)
        opposite = Side("opposite", shape.against, *size, "--core", second, "--delay-ms", shape.delay_ms)
        try:
            where = ("--url", opposite.greeting["url"], "--tokens", ",".join(opposite.greeting["tokens"]))
            counting = ("--count",) if shape.count else ()
            here = ("--directory", directory, "--pairs", shape.pairs, "--core", first)
            product = Side("product", *where, *here, *counting, *stores)
            product.stores = pids
            try:
                yield product, opposite
            finally:
                product.end()
        finally:
            opposite.end()


def windows(product: Side, opposite: Side, *, warm_s: float, window_s: float, runs: int) -> list[dict[str, float]]:
    """What was spent and delivered in each of `runs` windows of time."""
    time.sleep(warm_s)
    found = []
    for _ in range(runs):
        stores = {name: spent_s(pid) for name, pid in product.stores.items()}
        used, count, began = product.ask("usage"), opposite.ask("count"), time.perf_counter()
        time.sleep(window_s)
        used_then, count_then, took_s = product.ask("usage"), opposite.ask("count"), time.perf_counter() - began
        relays = count_then["delivered"] - count["delivered"]
        user, system = used_then["user_s"] - used["user_s"], used_then["system_s"] - used["system_s"]
        each = max(1, relays)
        python_s = used_then["threads"].get("python", 0) - used["threads"].get("python", 0)
        found.append(
            {
                "relays_per_s": relays / took_s,
                "cpu_us": (user + system) / each * 1e6,
                "kernel_share": system / (user + system) if user + system else 0,
                "main_thread_share": python_s / (user + system) if user + system else 0,
                "core_use": (user + system) / took_s,
                "sql": used_then["sql"] - used["sql"],
                "sql_before": used["sql"],
                "store_calls": sum(used_then["store"].values()) - sum(used["store"].values()),
                "store_calls_per_relay": (sum(used_then["store"].values()) - sum(used["store"].values())) / each,
                "rss_mb": used_then["rss_mb"],
                "relays": relays,
            }
            | {f"{name}_us": (spent_s(pid) - stores[name]) / each * 1e6 for name, pid in product.stores.items()}
        )
    return found


def _of(found: list[dict[str, float]], name: str) -> float:
    return median(each[name] for each in found)


def closed(shape: Shape, in_flight: int, *, window_s: float, runs: int) -> dict[str, Any]:
    with two_sides(shape) as (product, opposite):
        opposite.ask(f"closed {in_flight}")
        found = windows(product, opposite, warm_s=2, window_s=window_s, runs=runs)
        assert all(each["relays"] > 0 for each in found), "nothing was relayed"
        assert found[0]["sql_before"] > 0, "the count of SQL statements does not count"
        costs = [each["cpu_us"] for each in found]
        return {
            "loop": "closed",
            "in_flight": in_flight,
            "cpu_us": _of(found, "cpu_us"),
            "cpu_us_lowest": min(costs),
            "cpu_us_highest": max(costs),
            "relays_per_s": _of(found, "relays_per_s"),
            "kernel_share": _of(found, "kernel_share"),
            "main_thread_share": _of(found, "main_thread_share"),
            "core_use": _of(found, "core_use"),
            "sql_per_relay": max(each["sql"] / each["relays"] for each in found),
            "rss_mb": found[-1]["rss_mb"],
        } | {f"{name}_us": _of(found, f"{name}_us") for name in product.stores}


def opened(shape: Shape, rate_per_s: float, *, window_s: float, runs: int) -> dict[str, Any]:
    with two_sides(shape) as (product, opposite):
        opposite.ask(f"open {rate_per_s}")
        time.sleep(2)
        found, latencies = [], []
        for _ in range(runs):
            opposite.ask("reset")
            found += windows(product, opposite, warm_s=0, window_s=window_s, runs=1)
            latencies.append(opposite.ask("latency"))
        return {
            "loop": "open",
            "rate_per_s": rate_per_s,
            "cpu_us": _of(found, "cpu_us"),
            "relays_per_s": _of(found, "relays_per_s"),
            "core_use": _of(found, "core_use"),
            "p50_ms": median(each["p50_ms"] for each in latencies),
            "p99_ms": median(each["p99_ms"] for each in latencies),
            "max_ms": max(each["max_ms"] for each in latencies),
            "sql_per_relay": max(each["sql"] / max(1, each["relays"]) for each in found),
            "rss_mb": found[-1]["rss_mb"],
        } | {f"{name}_us": _of(found, f"{name}_us") for name in product.stores}


def counted(shape: Shape) -> dict[str, float]:
    """Store calls per relay, by name; from a run of its own, because counting costs time."""
    with two_sides(replace(shape, count=True)) as (product, opposite):
        opposite.ask("closed 64")
        time.sleep(1)
        before, count = product.ask("usage")["store"], opposite.ask("count")["delivered"]
        time.sleep(2)
        after, count_then = product.ask("usage")["store"], opposite.ask("count")["delivered"]
        each = max(1, count_then - count)
        return {name: round((after[name] - before.get(name, 0)) / each, 3) for name in after}


def profiled(shape: Shape, in_flight: int, seconds: float) -> dict[str, Any]:
    with two_sides(shape) as (product, opposite):
        opposite.ask(f"closed {in_flight}")
        time.sleep(2)
        product.ask("profile")
        (window,) = windows(product, opposite, warm_s=0, window_s=seconds, runs=1)
        return {"cpu_us": window["cpu_us"], "kernel_share": window["kernel_share"]} | product.ask("profiled")


def _table(rows: list[dict[str, Any]]) -> None:
    print(
        f"{'loop':<22}{'CPU µs/relay':>22}{'relays/s':>10}{'core':>6}{'kernel':>8}{'p50 ms':>8}{'p99 ms':>8}"
        f"{'SQL':>6}{'RSS MB':>8}"
    )
    for row in rows:
        name = f"closed, {row['in_flight']} in flight" if row["loop"] == "closed" else f"open, {row['rate_per_s']:g}/s"
        cost = f"{row['cpu_us']:.0f}"
        if "cpu_us_lowest" in row:
            cost += f" ({row['cpu_us_lowest']:.0f}-{row['cpu_us_highest']:.0f})"
        share = f"{row['kernel_share']:.0%}" if "kernel_share" in row else ""
        p50, p99 = (f"{row[name]:.1f}" if name in row else "" for name in ("p50_ms", "p99_ms"))
        print(
            f"{name:<22}{cost:>22}{row['relays_per_s']:>10.0f}{row['core_use']:>6.0%}{share:>8}{p50:>8}{p99:>8}"
            f"{row['sql_per_relay']:>6.2g}{row['rss_mb']:>8.0f}"
            + "".join(
                f"  {name.removesuffix('_us')} {row[name]:.0f} µs"
                for name in ("valkey_us", "postgres_us")
                if name in row
            )
        )


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.relay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", choices=["canned", "sandbox"], default="canned")
    parser.add_argument("--bots", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--delay-ms", default="0-0")
    parser.add_argument("--in-flight", type=int, nargs="+", default=[32, 256])
    parser.add_argument("--rate", type=float, nargs="+", default=[100, 1000])
    parser.add_argument("--window-s", type=float, default=3)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--redis", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args(arguments)
    shape = Shape(options.against, options.bots, options.pairs, options.delay_ms, redis=options.redis)
    if options.profile:
        report = profiled(shape, options.in_flight[-1], 10)
        for kind in ("own", "with_callees", "lines"):
            print(f"\n{kind}, µs per relay (of {report['cpu_us']:.0f}, {report['kernel_share']:.0%} in the kernel)")
            for name, share in report[kind]:
                print(f"{share * report['cpu_us']:8.1f}  {name}")
        return report
    window_s, runs = (1.0, 3) if options.short else (options.window_s, options.runs)
    loops, rates = options.in_flight, options.rate
    if options.against == "sandbox":
        rates = [rate for rate in rates if rate <= 200]  # the sandbox is Python, and checks everything
    if options.short:
        loops, rates = loops[-1:], rates[-1:]
    rows = [closed(shape, each, window_s=window_s, runs=runs) for each in loops]
    rows += [opened(shape, rate, window_s=window_s, runs=runs) for rate in rates]
    calls = counted(shape)
    kept = "Redis and PostgreSQL" if options.redis else "embedded"
    print(f"relay, {kept}, against {options.against}, {options.bots} bots, answers after {options.delay_ms} ms")
    _table(rows)
    print("store calls per relay:", ", ".join(f"{name} {n:g}" for name, n in calls.items() if n))
    result = {
        "against": options.against,
        "redis": options.redis,
        "delay_ms": options.delay_ms,
        "rows": rows,
        "store_calls": calls,
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
