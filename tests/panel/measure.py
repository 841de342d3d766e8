"""Measures the panel's pages over many people and chats, in SQLite or, with --postgres, in a PostgreSQL server.

    python -m tests.panel.measure [people] [chats] [--postgres]

Fills a database of its own (1 million people and 10 million chats by default, and the copies of three broadcasts of
the last days), counts the figures once, and then asks for every page 40 times. Prints the time of the count, each
page's p50 and p95, and the CPU time of a page, here and in the PostgreSQL server: that is steadier on a busy machine.
At the end it starts a broadcast. The last figures are in docs/explanation/panel-security.md.
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from passerby.adapters.sql import SqlBroadcasts, SqlRecords, init_schema
from passerby.adapters.sql.broadcast_rows import store_broadcasts
from passerby.adapters.sql.panel_reader import PanelReader, reading_engine
from passerby.kernel.broadcast import Broadcast, BroadcastState, Variant
from passerby.kernel.content import Content, Kind
from tests.contract.servers import postgres_uri
from tests.panel.stage import START, Stage
from tests.panel.test_pages import NEEDS

ASKED = 40
PERIOD_S = 90 * 86_400.0


# A number from 0 to 1 that depends on `n` alone, so that both databases make the same people. `{}` is a salt.
CHANCE = "(((n * 7919 + {} * 104729) % 1000003) / 1000003.0)"

PEOPLE = f"""
INSERT INTO users (id, version, bot_id, bots, has_started, consented_at, age, age_given_at, gender, language, details,
    state, pool, searching_since, last_chat, last_active_date, created_at)
SELECT 7000000000 + n, 1, 1000001 + n % 2, '[]', {{yes}}, made, 25, 0.0,
    CASE WHEN n % 2 = 0 THEN 'male' ELSE 'female' END,
    CASE n % 5 WHEN 0 THEN 'en' WHEN 1 THEN 'ru' WHEN 2 THEN 'de' WHEN 3 THEN 'es' ELSE 'pt' END,
    {{details}},
    CASE WHEN n % 2000 = 0 THEN 'searching' ELSE 'idle' END,
    CASE WHEN n % 2000 = 0 THEN 'all.adult' END,
    CASE WHEN n % 2000 = 0 THEN {START} - {CHANCE.format(3)} * 60 END,
    'c' || n,
    CASE WHEN made + 500000 * {CHANCE.format(4)} > {START} THEN {START} ELSE made + 500000 * {CHANCE.format(4)} END,
    made
FROM (SELECT n, {START} - {CHANCE.format(1)} * {PERIOD_S} AS made FROM ({{numbers}}) AS numbers) AS people
"""
# Past partners, and the source: one of 60.
DETAILS = """'{"recent":[[7000000001,1789990000.5,true],[7000000002,1789990000.5,true]],"journey":["tag-' || n % 60
    || '",1000001,"en",1789990000.5,31]}'"""
CHATS = f"""
INSERT INTO past_chats
SELECT 7000000000 + n % {{people}}, 7000000001 + n % {{people}},
    CAST(({START} - {CHANCE.format(1)} * {PERIOD_S}) / 60 AS INTEGER), CAST(2500 * {CHANCE.format(2)} AS INTEGER),
    CASE n % 4 WHEN 0 THEN 1122 WHEN 1 THEN 1222 WHEN 2 THEN 2132 ELSE 3022 END
FROM ({{numbers}}) AS numbers
"""
# A quarter got all of them, so they had their two a week. The others got one.
COPIES = """
INSERT INTO broadcast_targets (broadcast, person_id, bot_id, place, state, at)
SELECT {number}, 7000000000 + n, 1000001 + n % 2, n,
    CASE WHEN n % 4 = 0 OR n % 3 = {number} % 3 THEN 'sent' ELSE 'held_out' END, {at}
FROM ({numbers}) AS numbers
"""
FILLED = "('users', 'past_chats', 'broadcast_targets')"
POSTGRES_INDEXES = (
    f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN {FILLED} AND indexname LIKE 'ix%' ORDER BY 1"
)
SQLITE_INDEXES = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN {FILLED} AND sql <> ''"
BROADCASTS = 3
HELLO = (Variant(Content(Kind.TEXT, "Hello")),)
DAY_S = 86_400.0


async def fill(database: str | Path, people: int, chats: int) -> None:
    """Written by the database itself. Its indexes are made afterwards, which takes a fraction of the time."""
    is_postgres = isinstance(database, str)
    words = {"people": people, "details": DETAILS, "yes": "n % 13 <> 0" if is_postgres else "(n % 13 <> 0)"}
    filling = [
        *(
            query.format(numbers=_numbers(count, is_postgres=is_postgres), **words)
            for query, count in ((PEOPLE, people), (CHATS, chats))
        ),
        *(
            COPIES.format(number=number, at=START - number * DAY_S, numbers=_numbers(people, is_postgres=is_postgres))
            for number in range(1, BROADCASTS + 1)
        ),
    ]
    if isinstance(database, str):
        # Not through our engine: its statements may not take that long.
        connection = await asyncpg.connect(make_url(database).set(drivername="postgresql").render_as_string(False))
        indexes = [tuple(row) for row in await connection.fetch(POSTGRES_INDEXES)]
        for statement in _without(indexes, filling):
            await connection.execute(statement, timeout=3600)
        await connection.close()
        return
    with closing(sqlite3.connect(database)) as file:
        for statement in _without(file.execute(SQLITE_INDEXES).fetchall(), filling):
            file.execute(statement)
        file.commit()


def _without(indexes: list[tuple[str, str]], filling: list[str]) -> list[str]:
    """`indexes`: (name, statement that makes it)."""
    return [*(f"DROP INDEX {name}" for name, _ in indexes), *filling, *(made for _, made in indexes), "ANALYZE"]


def _numbers(count: int, *, is_postgres: bool) -> str:
    if is_postgres:
        return f"SELECT n::bigint AS n FROM generate_series(0, {count - 1}) AS n"
    return f"WITH RECURSIVE up(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM up WHERE n < {count - 1}) SELECT n FROM up"


async def add_broadcasts(stage: Stage, people: int) -> None:
    """Those whose copies were filled in, and a draft."""
    ended = tuple(
        Broadcast(
            number,
            BroadcastState.ENDED,
            1,
            START - number * DAY_S,
            variants=HELLO,
            started_at=START - number * DAY_S,
            ended_at=START - number * DAY_S + 3600,
            people=people,
            sent=people // 2,
        )
        for number in range(1, BROADCASTS + 1)
    )
    draft = Broadcast(BROADCASTS + 1, BroadcastState.DRAFT, 1, START, variants=HELLO)
    async with stage.records.engine.begin() as connection:
        await store_broadcasts(connection, (*ended, draft))


async def server_cpu_s(records: SqlRecords) -> float:
    """The CPU time of the PostgreSQL server's processes for us. 0 over SQLite: its work is in our process."""
    if records.engine.dialect.name != "postgresql":
        return 0.0
    async with records.engine.connect() as connection:
        pids = list(await connection.scalars(sa.text("SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL")))
    ticks = 0
    for pid in pids:
        try:
            used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        ticks += int(used[11]) + int(used[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def measure(folder: Path, database: str | Path, people: int, chats: int) -> None:
    await init_schema(database)
    began = time.perf_counter()
    await fill(database, people, chats)
    print(f"{people:,} people and {chats:,} chats in {time.perf_counter() - began:.0f} s", flush=True)
    records, reading = SqlRecords.at(database), PanelReader(reading_engine(database))
    stage = Stage(folder, records, reading)
    await add_broadcasts(stage, people)
    began = time.perf_counter()
    await stage.counting.count(START)
    first = time.perf_counter() - began
    began = time.perf_counter()
    await stage.counting.count(START)
    print(f"counted in {first:.1f} s, and again in {time.perf_counter() - began:.1f} s")
    for minute in range(2 * 1440):
        stage.clock.at = START - minute * 60
        if minute % 2:
            await stage.duty.sample()
    stage.clock.at = START
    browser = await stage.signed_in()
    draft = f"/broadcasts/{BROADCASTS + 1}"
    others = ("/growth?days=90", "/chats?days=90", "/exports/growth.csv", "/texts?find=partner")
    for page in (*NEEDS, *others, draft, f"{draft}/start"):
        took = []
        ours_s, theirs_s = time.process_time(), await server_cpu_s(records)
        for _ in range(ASKED):
            began = time.perf_counter()
            answer = await browser.get(page)
            took.append((time.perf_counter() - began) * 1000)
            assert answer.status == 200, page
        took.sort()
        ours_ms = (time.process_time() - ours_s) * 1000 / ASKED
        theirs_ms = (await server_cpu_s(records) - theirs_s) * 1000 / ASKED
        print(
            f"{page:<22} p50 {took[len(took) // 2]:6.1f} ms   p95 {took[int(len(took) * 0.95)]:6.1f} ms   "
            f"CPU {ours_ms:5.1f} ms + server {theirs_ms:5.1f} ms",
            flush=True,
        )
    ours_s, theirs_s, calls = time.process_time(), await server_cpu_s(records), 0
    began, longest_s = time.perf_counter(), 0.0
    async with records.engine.begin() as connection:
        starting = Broadcast(BROADCASTS + 1, BroadcastState.STARTING, 1, START, variants=HELLO)
        await store_broadcasts(connection, (starting,))
    broadcasts = SqlBroadcasts(records.engine)
    while (found := await broadcasts.broadcast(starting.number)) is not None and found.started_at is None:
        asked_at = time.perf_counter()
        await broadcasts.freeze(starting.number, START, DAY_S, lambda frozen, people: 0, 1_000_000)
        calls, longest_s = calls + 1, max(longest_s, time.perf_counter() - asked_at)
    print(
        f"froze {found.people if found else 0:,} people in {calls} transactions, {time.perf_counter() - began:.1f} s: "
        f"the longest {longest_s:.2f} s, CPU {time.process_time() - ours_s:.1f} s + server "
        f"{await server_cpu_s(records) - theirs_s:.1f} s"
    )
    await reading.aclose()
    await records.aclose()


def main() -> None:
    numbers = [each for each in sys.argv[1:] if each.isdecimal()]
    people, chats = (int(each) for each in (*numbers, "1000000", "10000000")[:2])
    with tempfile.TemporaryDirectory(prefix="passerby-panel-") as folder, ExitStack() as ending:
        database: str | Path = Path(folder) / "panel.db"
        if "--postgres" in sys.argv:
            database = ending.enter_context(postgres_uri())
        asyncio.run(measure(Path(folder), database, people, chats))


if __name__ == "__main__":
    main()
