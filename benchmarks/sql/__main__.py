"""The records when they are full: is there an index for every query, how long does each take, how fast do they grow.

    python -m benchmarks.sql                       # 200,000 people, 2,000,000 chats
    python -m benchmarks.sql --users 1000000 --chats 10000000
    python -m benchmarks.sql --short               # 20,000 and 200,000
    python -m benchmarks.sql --planted             # without an index that is needed: must fail

Exit code 1 if a query of the product or of an operator reads a big table from end to end. The server is one of the
tests' own, with its sync switched off and a cache that holds a part of the data; so read the times as those of the work
itself, without a disk. CPU is ours and the server's together, which is what other programs on the machine change least.
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

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from benchmarks.sql.fill import BIG, Size, fill
from benchmarks.sql.plans import plan, read_whole, used
from benchmarks.sql.queries import OPERATORS, Asked, catching, questions
from passerby.adapters.sql import Pool, SqlRecords, init_schema
from passerby.adapters.sql.engine import connect, postgres_url
from tests.contract.servers import Postgres, start_postgres

DAILY_USERS = 15_000
CHATS_EACH = 12
"""A day, of one of them; two share a chat. An assumption: comparable bots publish no figure."""
NEW_SHARE = 0.03
"""Of a day's people who were never here before. Likewise."""
PLANTED = "ix_users_occupied"
SERVER = ("shared_buffers=512MB", "maintenance_work_mem=512MB", "max_wal_size=8GB", "work_mem=16MB")


async def measure(
    records: SqlRecords, size: Size, runs: int, server_cpu_s: Callable[[], float]
) -> tuple[list[dict[str, Any]], dict[str, Asked]]:
    asked: dict[str, Asked] = {}
    timed = []
    for question in questions(records, size, Random(7), runs):
        with catching(records.engine, question.name, asked):
            await question.ask()
        took = []
        ours, theirs = time.process_time(), server_cpu_s()
        for _ in range(question.runs):
            began = time.perf_counter()
            await question.ask()
            took.append((time.perf_counter() - began) * 1e3)
        cpu_ms = (time.process_time() - ours + server_cpu_s() - theirs) / question.runs * 1e3
        cut = quantiles(took, n=100)
        row = {"query": question.name, "runs": question.runs, "cpu_ms": cpu_ms, "p50_ms": cut[49], "p99_ms": cut[98]}
        timed.append(row | ({"cpu_us_a_fact": cpu_ms / question.facts * 1e3} if question.facts else {}))
    return timed, asked


def cpu_of_children_s(process: int) -> float:
    """What the server's backends have used so far: those that still run."""
    ticks = 0
    for line in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        used = Path(f"/proc/{line}/stat").read_text().rpartition(") ")[2].split()
        ticks += int(used[11]) + int(used[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def explain(engine: AsyncEngine, asked: dict[str, Asked]) -> list[dict[str, Any]]:
    found = []
    everything = [*asked.values(), *(Asked(name, statement, ()) for name, statement in OPERATORS.items())]
    async with engine.connect() as connection:
        for each in everything:
            top = await plan(connection, each)
            head = " ".join(each.statement.split()[:3])
            found.append({"of": each.name, "statement": head, "indexes": used(top), "read_whole": read_whole(top)})
    return found


async def sizes(engine: AsyncEngine) -> dict[str, dict[str, float]]:
    query = sa.text("SELECT pg_table_size(oid), pg_indexes_size(oid), reltuples FROM pg_class WHERE relname = :t")
    found = {}
    async with engine.connect() as connection:
        for table in BIG:
            rows, indexes, count = (await connection.execute(query, {"t": table})).one()
            found[table] = {"rows": count, "bytes": rows + indexes, "bytes_a_row": (rows + indexes) / max(1, count)}
    return found


def growth(of: dict[str, dict[str, float]]) -> dict[str, float]:
    """Megabytes in thirty days; what is updated in place and vacuumed adds nothing."""
    chats = DAILY_USERS * CHATS_EACH / 2 * 30
    people = DAILY_USERS * NEW_SHARE * 30
    return {
        "chats": chats,
        "people": people,
        "megabytes": (chats * of["chats"]["bytes_a_row"] + people * of["users"]["bytes_a_row"]) / 1e6,
    }


async def run(server: Postgres, size: Size, runs: int, planted: bool) -> dict[str, Any]:
    uri = server.uri
    await init_schema(uri)
    filling = connect(postgres_url(uri), Pool(timeout_s=3_600), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    began = time.perf_counter()
    async with filling.connect() as connection:
        await fill(connection, size)
        if planted:
            await connection.exec_driver_sql(f"DROP INDEX {PLANTED}")
    took_s = time.perf_counter() - began
    of = await sizes(filling)
    await filling.dispose()
    records = SqlRecords.at(uri, Pool(least=1, timeout_s=60))
    try:
        timed, asked = await measure(records, size, runs, lambda: cpu_of_children_s(server.pid))
        plans = await explain(records.engine, asked)
    finally:
        await records.aclose()
    return {
        "users": size.users,
        "chats": size.chats,
        "active_people": size.open * 2 + size.searching,
        "filled_in_s": took_s,
        "timed": timed,
        "plans": plans,
        "sizes": of,
        "month": growth(of),
    }


def show(found: dict[str, Any]) -> None:
    print(f"{found['users']:,} people, {found['chats']:,} chats, filled in {found['filled_in_s']:.0f} s")
    print(f"{found['active_people']:,} people searching or in a chat\n")
    print(f"{'query':<28}{'runs':>6}{'CPU ms':>10}{'p50 ms':>10}{'p99 ms':>10}{'CPU µs a fact':>15}")
    for row in found["timed"]:
        fact = f"{row['cpu_us_a_fact']:>15.1f}" if "cpu_us_a_fact" in row else ""
        times = "".join(f"{row[name]:>10.2f}" for name in ("cpu_ms", "p50_ms", "p99_ms"))
        print(f"{row['query']:<28}{row['runs']:>6}{times}{fact}")
    print(f"\n{'of':<28}{'statement':<36}how")
    for row in found["plans"]:
        whole = f"READS ALL OF {', '.join(row['read_whole'])}" if row["read_whole"] else ""
        print(f"{row['of']:<28}{row['statement'][:34]:<36}{whole or ', '.join(row['indexes']) or 'no big table'}")
    print(f"\n{'table':<10}{'rows':>14}{'MB':>10}{'bytes a row':>13}")
    for table, of in found["sizes"].items():
        print(f"{table:<10}{of['rows']:>14,.0f}{of['bytes'] / 1e6:>10,.0f}{of['bytes_a_row']:>13.0f}")
    month = found["month"]
    print(
        f"\n{DAILY_USERS:,} daily users with {CHATS_EACH} chats each: {month['chats']:,.0f} chats and "
        f"{month['people']:,.0f} new people in 30 days, {month['megabytes']:,.0f} MB\n"
    )


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sql", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--chats", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--planted", action="store_true")
    chosen = parser.parse_args(arguments)
    size = Size(20_000, 200_000) if chosen.short else Size(chosen.users, chosen.chats)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < size.disk:
        sys.exit(f"this wants {size.disk / 1e9:.0f} GB of disk and there are {free / 1e9:.0f}; make --chats smaller")
    options = [word for setting in SERVER for word in ("-c", setting)]
    with start_postgres(*options) as server:
        found = asyncio.run(run(server, size, chosen.runs, chosen.planted))
    show(found)
    print(json.dumps(found))
    if any(row["read_whole"] for row in found["plans"]):
        sys.exit("a query reads a big table from end to end")
    return found


if __name__ == "__main__":
    main()
