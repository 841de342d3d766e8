"""Measures the panel's pages over many people and chats in SQLite.

    python -m tests.panel.measure [people] [chats]

Fills a database in a temporary directory (1 million people and 10 million chats by default), counts the figures once,
and then asks for every page 40 times. Prints the time of the count and each page's p50 and p95. The last figures are in
docs/explanation/panel-security.md.
"""

import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from passerby.adapters.sql import SqlRecords, init_schema
from passerby.adapters.sql.panel_reading import PanelReading, reading_engine
from tests.panel.stage import START, Stage
from tests.panel.test_pages import NEEDS

ASKED = 40
PERIOD_S = 90 * 86_400.0


def fill(path: Path, people: int, chats: int) -> None:
    rng = random.Random(1)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")

    def persons() -> object:
        for number in range(people):
            created = START - rng.random() * PERIOD_S
            searching = number % 2000 == 0
            yield (
                7_000_000_000 + number, 1, 1000001 + number % 2, "[]", number % 13 != 0, created, 25, 0.0,
                ("male", "female")[number % 2], ("en", "ru", "de", "es", "pt")[number % 5],
                "searching" if searching else "idle", "all.adult" if searching else None,
                START - rng.random() * 60 if searching else None, f"c{number}",
                min(START, created + rng.expovariate(1 / 500_000)), created,
            )  # fmt: skip

    names = (
        "id, version, bot_id, bots, has_started, consented_at, age, age_given_at, gender, language, state, pool, "
        "searching_since, last_chat, last_active_date, created_at"
    )
    connection.executemany(f"INSERT INTO users ({names}) VALUES ({','.join('?' * 16)})", persons())  # type: ignore[arg-type]

    def talks() -> object:
        for number in range(chats):
            one = 7_000_000_000 + number % people
            minute = int((START - rng.random() * PERIOD_S) // 60)
            yield (one, one + 1, minute, number % 2500, (1122, 1222, 2132, 3022)[number % 4])

    connection.executemany("INSERT INTO past_chats VALUES (?,?,?,?,?)", talks())  # type: ignore[arg-type]
    connection.commit()
    connection.execute("ANALYZE")
    connection.close()


async def measure(folder: Path) -> None:
    path = folder / "panel.db"
    records = SqlRecords.at(path)
    reading = PanelReading(reading_engine(path))
    stage = Stage(folder, records, reading)
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
    for page in (*NEEDS, "/exports/growth.csv"):
        took = []
        for _ in range(ASKED):
            began = time.perf_counter()
            answer = await browser.get(page)
            took.append((time.perf_counter() - began) * 1000)
            assert answer.status == 200, page
        took.sort()
        print(f"{page:<22} p50 {took[len(took) // 2]:6.1f} ms   p95 {took[int(len(took) * 0.95)]:6.1f} ms")
    await reading.aclose()
    await records.aclose()


def main() -> None:
    people, chats = (int(each) for each in (*sys.argv[1:], "1000000", "10000000")[:2])
    with tempfile.TemporaryDirectory(prefix="passerby-panel-") as folder:
        asyncio.run(init_schema(Path(folder) / "panel.db"))
        began = time.perf_counter()
        fill(Path(folder) / "panel.db", people, chats)
        print(f"{people:,} people and {chats:,} chats in {time.perf_counter() - began:.0f} s")
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
