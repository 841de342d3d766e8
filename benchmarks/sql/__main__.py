"""Checks full records: does every query use an index, how long does each take, and how fast do the tables grow.

    python -m benchmarks.sql                       # 1,000,000 people, 10,000,000 chats: some minutes, 20 GB of disk
    python -m benchmarks.sql --users 200000 --chats 2000000
    python -m benchmarks.sql --short               # 20,000 and 200,000
    python -m benchmarks.sql --planted             # without an index that is needed: must fail

Every query of the product is repeated with a warm cache. Each named statement of the adapter
(`benchmarks.sql.named`) is timed and explained. The exit code is 1 if a statement of the product or of an operator
reads a big table from end to end, or if a statement was never sent.

The server is one of the test servers, with its sync off and a cache that holds part of the data. So the times are
those of the work itself, without a disk. CPU is ours and the server's together. Other programs on the machine change
it least.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from benchmarks.sql.fill import Size, fill
from benchmarks.sql.growth import CHATS_EACH, DAILY_USERS, live, month, sizes
from benchmarks.sql.named import UNNAMED, Asked, asked_here, catching
from benchmarks.sql.plans import plan, read_whole, used
from benchmarks.sql.queries import OPERATORS, questions
from passerby.adapters.sql import ConnectionPool, SqlRecords, init_schema
from passerby.adapters.sql.engine import connect, postgres_url
from tests.contract.servers import Postgres, start_postgres

PLANTED = "ix_users_occupied"
SERVER = ("shared_buffers=512MB", "maintenance_work_mem=512MB", "max_wal_size=8GB", "work_mem=16MB")
AIM_MS = 5.0
"""The limit at p99 for statements that somebody waits for: about one person, or one chat."""


MAY_READ_ALL = {"personal_data.mentions"}
"""It runs in the background, once for each person who is erased. An index of everybody whom everybody has met would
cost more than the people themselves."""


def percentiles(took_ms: list[float]) -> dict[str, float]:
    """`took_ms` has at least two values."""
    cut = quantiles(took_ms, n=100, method="inclusive")
    return {"p50_ms": cut[49], "p99_ms": cut[98]}


async def measure(
    records: SqlRecords, size: Size, runs: int, server_cpu_s: Callable[[], float]
) -> tuple[list[dict[str, Any]], dict[str, Asked]]:
    """The cost of each query with its statements, and of every statement, by name."""
    everything: dict[str, Asked] = {}
    timed = []
    for question in questions(records, size, Random(7), runs):
        with catching(records) as asked:
            await question.ask()
            # The first time is a warm-up and does not count, except for statements that are sent only once.
            for each in asked.values():
                each.took_ms[1:] = []
            took = []
            ours, theirs = time.process_time(), server_cpu_s()
            for _ in range(question.runs):
                began = time.perf_counter()
                await question.ask()
                took.append((time.perf_counter() - began) * 1e3)
            cpu_ms = (time.process_time() - ours + server_cpu_s() - theirs) / question.runs * 1e3
        row: dict[str, Any] = {"question": question.name, "runs": question.runs, "cpu_ms": cpu_ms} | percentiles(took)
        if question.facts:
            row["cpu_us_a_fact"] = cpu_ms / question.facts * 1e3
        row["statements"] = {}
        for name, each in asked.items():
            times = each.took_ms[1:] or each.took_ms
            row["statements"][name] = {"rows": each.rows, "sent": len(times)} | percentiles(times * 2)
            everything.setdefault(name, each)
        timed.append(row)
    return timed, everything


def cpu_of_children_s(process: int) -> float:
    """Return the use of the server's running backends so far."""
    ticks = 0
    for line in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        used = Path(f"/proc/{line}/stat").read_text().rpartition(") ")[2].split()
        ticks += int(used[11]) + int(used[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def explain(engine: AsyncEngine, asked: dict[str, Asked]) -> list[dict[str, Any]]:
    found = []
    everything = {name: (each.statement, each.values) for name, each in asked.items()}
    everything |= {f"operators: {name}": (statement, ()) for name, statement in OPERATORS.items()}
    async with engine.connect() as connection:
        for name, (statement, values) in everything.items():
            top = await plan(connection, statement, values)
            found.append({"of": name, "indexes": used(top), "read_whole": read_whole(top)})
    return found


async def run(server: Postgres, size: Size, runs: int, growing: int, planted: bool) -> dict[str, Any]:
    uri = server.uri
    await init_schema(uri)
    administration = connect(
        postgres_url(uri), ConnectionPool(timeout_s=3_600), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    records = SqlRecords.at(uri, ConnectionPool(least=1, timeout_s=60))
    try:
        grown = await live(records, administration, growing)
        began = time.perf_counter()
        async with administration.connect() as connection:
            await fill(connection, size)
            if planted:
                await connection.exec_driver_sql(f"DROP INDEX {PLANTED}")
        took_s = time.perf_counter() - began
        filled = await sizes(administration)
        timed, asked = await measure(records, size, runs, lambda: cpu_of_children_s(server.pid))
        plans = await explain(records.engine, asked)
        missed = sorted(asked_here(records) - asked.keys())
    finally:
        await records.aclose()
        await administration.dispose()
    return {
        "users": size.users,
        "chats": size.chats,
        "active_people": size.open * 2 + size.searching,
        "filled_in_s": took_s,
        "timed": timed,
        "plans": plans,
        "never_sent": missed,
        "without_a_name": UNNAMED in asked,
        "sizes": filled,
        "grown": grown,
        "month": month(grown, filled),
    }


def show(found: dict[str, Any]) -> None:
    print(f"{found['users']:,} people, {found['chats']:,} chats, filled in {found['filled_in_s']:.0f} s")
    print(f"{found['active_people']:,} people searching or in a chat\n")
    print(f"{'question, and its statements':<34}{'rows':>6}{'sent':>7}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}  how")
    plans = {row["of"]: row for row in found["plans"]}
    for row in found["timed"]:
        fact = f"  {row['cpu_us_a_fact']:.1f} µs of CPU a fact" if "cpu_us_a_fact" in row else ""
        times = f"{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}{row['cpu_ms']:>9.2f}"
        print(f"{row['question']:<34}{'':>6}{row['runs']:>7}{times}{fact}")
        for name, each in row["statements"].items():
            times = f"{each['p50_ms']:>9.2f}{each['p99_ms']:>9.2f}"
            print(f"  {name:<32}{each['rows']:>6}{each['sent']:>7}{times}{'':>9}  {_how(plans[name])}")
    print("\nwhat an operator asks")
    for name, plan_ in plans.items():
        if name.startswith("operators"):
            print(f"  {name.partition(': ')[2]:<32}{_how(plan_):>6}")
    print(f"\n{'table':<12}{'rows':>14}{'MB':>10}{'bytes a row':>13}{'as grown':>10}{'of it indexes':>15}")
    for table, of in found["sizes"].items():
        grown = found["grown"][table]
        sizes_ = f"{of['rows']:>14,.0f}{of['bytes'] / 1e6:>10,.0f}{of['bytes_a_row']:>13.0f}"
        print(f"{table:<12}{sizes_}{grown['bytes_a_row']:>10.0f}{grown['index_share']:>15.0%}")
    coming = found["month"]
    parts = ", ".join(f"{table} {megabytes:,.0f}" for table, megabytes in coming["megabytes"].items())
    print(
        f"\n{DAILY_USERS:,} daily users with {CHATS_EACH} chats each: {coming['rows']['past_chats']:,.0f} chats and "
        f"{coming['rows']['users']:,.0f} new people in 30 days, {coming['megabytes_in_all']:,.0f} MB ({parts}); "
        f"and {coming['day_megabytes']:,.0f} MB for the chats of the last day, always"
    )
    slow = [
        f"{name} {each['p99_ms']:.1f} ms ({row['question']})"
        for row in found["timed"]
        for name, each in row["statements"].items()
        if each["rows"] == 1 and each["sent"] > 1 and each["p99_ms"] > AIM_MS and row["question"] != "everybody active"
    ]
    print(f"statements of one row with a p99 above {AIM_MS:g} ms: {', '.join(slow) or 'none'}\n")


def _how(plan_: dict[str, Any]) -> str:
    if plan_["read_whole"]:
        return f"READS ALL OF {', '.join(plan_['read_whole'])}"
    return ", ".join(plan_["indexes"]) or "no big table"


def faults(found: dict[str, Any]) -> list[str]:
    """The reasons why the run has failed."""
    whole = [
        f"{row['of']} reads all of {', '.join(row['read_whole'])}"
        for row in found["plans"]
        if row["read_whole"] and row["of"] not in MAY_READ_ALL
    ]
    never = [f"{name} was never sent: add a question that needs it" for name in found["never_sent"]]
    unnamed = ["a statement has no name in the adapter"] * found["without_a_name"]
    return whole + never + unnamed


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sql", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--chats", type=int, default=10_000_000)
    parser.add_argument("--growing", type=int, default=50_000, help="chats that grow one by one, for bytes a row")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--planted", action="store_true")
    chosen = parser.parse_args(arguments)
    size = Size(20_000, 200_000) if chosen.short else Size(chosen.users, chosen.chats)
    runs, growing = (100, 3_000) if chosen.short else (chosen.runs, chosen.growing)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < size.disk:
        sys.exit(f"this wants {size.disk / 1e9:.0f} GB of disk and there are {free / 1e9:.0f}; make --chats smaller")
    options = [word for setting in SERVER for word in ("-c", setting)]
    with start_postgres(*options) as server:
        found = asyncio.run(run(server, size, runs, growing, chosen.planted))
    show(found)
    print(json.dumps(found))
    if wrong := faults(found):
        sys.exit("\n".join(wrong))
    return found


if __name__ == "__main__":
    main()
