"""Measures how fast the records grow: the size of a row in a table that grew row by row, times the rows of a month.

A table that is filled at once is smaller than one that has grown: its indexes are built sorted, and no row was updated.
So here, people and chats start with empty tables and use the product's own way of writing (opened, told, closed, rated,
in the journal's batches). A VACUUM runs from time to time, like autovacuum.

A day after its end, a chat leaves `chats` for `past_chats`. So `chats` holds a day's chats and does not grow, and
`past_chats` grows by each chat. It grows here in batches of random people, as many as visit in a month.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.sql.fill import BIG, NOW, person_id
from benchmarks.sql.queries import a_chat, idle
from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.retention import PACK_AFTER_S
from passerby.adapters.sql.tables import past_chats
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Complaint
from passerby.ports.facts import BlockChanged, ComplaintFiled, Fact, PersonChanged

DAYS = 30
DAILY_USERS = 15_000
CHATS_EACH = 12
"""Chats a day for each person; two people share a chat. This is an assumption: comparable bots publish no figure."""
NEW_SHARE = 0.03
"""The share of a day's people who are new. This and the next two are assumptions too."""
BLOCK_SHARE = 0.02
"""The share of chats after which one person blocks the other."""
COMPLAINT_SHARE = 0.01

BATCH = 500
"""The same as the recorder's."""
CHATS_A_PERSON = 6
VACUUMS = 20
"""VACUUMs in one run. A twentieth of the chats is updated about four times, so a fifth of the table is dead then. That
is when autovacuum would start (autovacuum_vacuum_scale_factor)."""
MONTHLY_USERS = 100_000
"""How many different people chat in a month. The fewer they are, the smaller the indexes of `past_chats`."""
PACKED = 500_000
PACKED_BATCH = 500
"""The same as the retention's."""
ENOUGH_ROWS = 500
"""With fewer rows, the pages that every table has are larger than the rows."""


def _facts(chats: int, rng: Random) -> Iterator[Fact]:
    people = max(10, chats * 2 // CHATS_A_PERSON)
    for number in range(people):
        yield PersonChanged(idle(PersonId(person_id(number + 1))), NOW)
    for _ in range(chats):
        one, other = (PersonId(person_id(number + 1)) for number in rng.sample(range(people), 2))
        # Ids like the real ones: 22 random letters.
        chat = ChatId(f"{rng.getrandbits(88):022x}")
        yield from a_chat(chat, one, other)
        if rng.random() < BLOCK_SHARE:
            yield BlockChanged(one, other, True, NOW)
        if rng.random() < COMPLAINT_SHARE:
            yield ComplaintFiled(chat, one, other, Complaint.SPAM, NOW)


async def live(records: SqlRecords, administration: AsyncEngine, chats: int) -> dict[str, dict[str, float]]:
    """Open and close this many chats in empty tables. Return the size of each big table."""
    facts = list(_facts(chats, Random(3)))
    between = max(1, len(facts) // BATCH // VACUUMS)
    for number, first in enumerate(range(0, len(facts), BATCH), 1):
        await records.apply("generation", list(enumerate(facts[first : first + BATCH], first + 1)))
        if not number % between:
            await _vacuum(administration)
    await _vacuum(administration)
    await _pack(administration, min(PACKED, chats * 10))
    await _vacuum(administration)
    return await sizes(administration)


async def _pack(administration: AsyncEngine, chats: int) -> None:
    """Let `past_chats` grow by this many."""
    # As many people for each chat as in a whole month.
    people = max(10, round(MONTHLY_USERS * chats / (DAILY_USERS * CHATS_EACH / 2 * DAYS)))
    user = f"({person_id(0)} + (random() * {people})::bigint * 7919)"
    query = (
        f"INSERT INTO past_chats SELECT {user}, {user}, {int(NOW // 60)} + (n / 62)::int, (random() * 900)::smallint,"
        " 1232 FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n"
    )
    async with administration.connect() as connection:
        for first in range(0, chats, PACKED_BATCH):
            last = min(chats, first + PACKED_BATCH) - 1
            await connection.execute(sa.text(query), {"first": first, "last": last})


async def _vacuum(administration: AsyncEngine) -> None:
    async with administration.connect() as connection:
        await connection.exec_driver_sql("VACUUM ANALYZE")


async def sizes(administration: AsyncEngine) -> dict[str, dict[str, float]]:
    """Rows and bytes of each big table, with its indexes."""
    query = sa.text("SELECT pg_table_size(oid), pg_indexes_size(oid) FROM pg_class WHERE relname = :t")
    found = {}
    async with administration.connect() as connection:
        for table in (*BIG, past_chats.name):
            rows, indexes = (await connection.execute(query, {"t": table})).one()
            count = (await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one()
            found[table] = {
                "rows": count,
                "bytes": rows + indexes,
                "bytes_a_row": (rows + indexes) / max(1, count),
                "index_share": indexes / max(1, rows + indexes),
            }
    return found


def month(grown: dict[str, dict[str, float]], filled: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Rows and megabytes by which each table grows in thirty days. Updated rows that are vacuumed add nothing, and
    `chats` keeps only a day's rows: `day_megabytes`.

    The size of a row comes from the table that has `grown`. If it has too few rows, it comes from the `filled` one.
    """
    chats = DAILY_USERS * CHATS_EACH / 2 * DAYS
    rows = {
        "past_chats": chats,
        "users": DAILY_USERS * NEW_SHARE * DAYS,
        "blocks": chats * BLOCK_SHARE,
        "complaints": chats * COMPLAINT_SHARE,
    }
    of = {table: grown[table] if grown[table]["rows"] >= ENOUGH_ROWS else filled[table] for table in rows}
    megabytes = {table: count * of[table]["bytes_a_row"] / 1e6 for table, count in rows.items()}
    day = chats / DAYS * (PACK_AFTER_S / 86_400) * grown["chats"]["bytes_a_row"] / 1e6
    return {
        "rows": rows,
        "megabytes": megabytes,
        "megabytes_in_all": sum(megabytes.values()),
        "day_megabytes": day,
    }
