"""Does the database stay as large as it is once old rows are deleted? Days are simulated, on both databases.

    python -m benchmarks.flat                          150 days with 150 chats each, kept for 90 days
    python -m benchmarks.flat --short

The product's own code writes each day's chats, packs them a day later, and deletes them. A VACUUM follows each day on
PostgreSQL, as autovacuum does there. Printed: the size after every tenth day, and how much it grew in the last month,
in percent of what it had when the first chats were deleted. A growth of 10 % or more is a failure.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from benchmarks.sql.fill import NOW, person_id
from benchmarks.sql.growth import BLOCK_SHARE, CHATS_EACH, COMPLAINT_SHARE, DAILY_USERS
from benchmarks.sql.queries import idle
from passerby.adapters.sql import ConnectionPool, SqlRecords, init_schema
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.retention import Kept, Retention
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Complaint
from passerby.ports.facts import BlockChanged, ChatClosed, ChatOpened, ComplaintFiled, Fact, PersonChanged
from tests.contract.servers import start_postgres

DAY_S = 86_400.0
BATCH = 500
MOST_GROWTH = 0.10


def day(number: int, chats: int, rng: Random) -> list[Fact]:
    people = [PersonId(person_id(each + 1)) for each in range(chats * 2 // CHATS_EACH * 4)]
    found: list[Fact] = []
    for _ in range(chats):
        one, other = rng.sample(people, 2)
        chat, at = ChatId(f"{rng.getrandbits(88):022x}"), NOW + number * DAY_S + rng.random() * DAY_S
        found += [ChatOpened(chat, one, other, BotId(1), BotId(2), at), ChatClosed(chat, one, "left", at + 60)]
        if rng.random() < BLOCK_SHARE / 10:  # most are never lifted, and stay as long as they bind
            found.append(BlockChanged(one, other, True, at))
        if rng.random() < COMPLAINT_SHARE:
            found.append(ComplaintFiled(chat, one, other, Complaint.SPAM, at))
    if not number:
        found = [*(PersonChanged(idle(each), NOW) for each in people), *found]
    return found


async def bytes_of(engine: AsyncEngine) -> int:
    query = (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        if engine.dialect.name == "postgresql"
        else "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    )
    async with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            await connection.exec_driver_sql("VACUUM")
        return int(await connection.scalar(sa.text(query)) or 0)


async def live(database: str | Path, days: int, chats: int, kept: int) -> list[tuple[int, int]]:
    """(day, bytes) after every tenth day."""
    await init_schema(database)
    records = SqlRecords.at(database, ConnectionPool(least=1, timeout_s=60))
    retention = Retention(records.engine, Kept(kept, kept, 0))
    isolation = {"isolation_level": "AUTOCOMMIT"} if isinstance(database, str) else {}
    looking = connect(database_url(database), ConnectionPool(timeout_s=600), poolclass=NullPool, **isolation)
    rng, last, found = Random(3), 0, []
    try:
        for number in range(days):
            facts = day(number, chats, rng)
            for first in range(0, len(facts), BATCH):
                batch = facts[first : first + BATCH]
                await records.apply("flat", list(enumerate(batch, last + 1)))
                last += len(batch)
            now = NOW + (number + 1) * DAY_S
            while await retention.pack(now):
                pass
            while await retention.forget(now):
                pass
            size = await bytes_of(looking)
            if (number + 1) % 10 == 0:
                found.append((number + 1, size))
    finally:
        await records.aclose()
        await looking.dispose()
    return found


def judged(grown: list[tuple[int, int]], kept: int) -> dict[str, Any]:
    """`growth`: of the last thirty days, as a share of the growth until rows were deleted."""
    sizes = dict(grown)
    first, end = grown[0], grown[-1]
    full = sizes[min(each for each in sizes if each >= kept)]
    before = sizes[max(each for each in sizes if each <= end[0] - 30)]
    return {"sizes": grown, "growth": (end[1] - before) / max(1, full - first[1], full // 20)}


async def both(days: int, chats: int, kept: int) -> dict[str, Any]:
    found = {}
    with tempfile.TemporaryDirectory() as directory:
        found["SQLite"] = judged(await live(Path(directory) / "flat.db", days, chats, kept), kept)
    with start_postgres() as server:
        found["PostgreSQL"] = judged(await live(server.uri, days, chats, kept), kept)
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=150)
    parser.add_argument("--chats", type=int, default=150, help="a day")
    parser.add_argument("--kept", type=int, default=90, help="days")
    parser.add_argument("--short", action="store_true", help="45 days with 40 chats each, kept for 10 days")
    given = parser.parse_args(arguments)
    if given.short:
        given.days, given.chats, given.kept = 45, 40, 10
    done = asyncio.run(both(given.days, given.chats, given.kept))
    scale = DAILY_USERS * CHATS_EACH / 2 / given.chats
    for name, each in done.items():
        print(f"{name}, one {scale:.0f}th of {DAILY_USERS} daily users: MB after day")
        print("  ".join(f"{number}: {size / 1e6:.1f}" for number, size in each["sizes"]))
        print(f"  the last 30 days: {each['growth']:+.1%} of the growth until chats were deleted")
    print(json.dumps(done))
    sys.exit(any(each["growth"] >= MOST_GROWTH for each in done.values()))


if __name__ == "__main__":
    main()
