"""Measures how fast the records grow: the size of a row in a table that grew row by row, times the rows of a month.

A table that is filled at once is smaller than one that has grown: its indexes are built sorted, and no row was updated.
So here, people and chats start with empty tables and use the product's own way of writing (opened, told, closed, rated,
in the journal's batches). A VACUUM runs from time to time, like autovacuum.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.sql.fill import BIG, NOW, person_id
from benchmarks.sql.queries import a_chat, idle
from passerby.adapters.sql import SqlRecords
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
        await records.apply("life", list(enumerate(facts[first : first + BATCH], first + 1)))
        if not number % between:
            await _vacuum(administration)
    await _vacuum(administration)
    return await sizes(administration)


async def _vacuum(administration: AsyncEngine) -> None:
    async with administration.connect() as connection:
        await connection.exec_driver_sql("VACUUM ANALYZE")


async def sizes(administration: AsyncEngine) -> dict[str, dict[str, float]]:
    """Rows and bytes of each big table, with its indexes."""
    query = sa.text("SELECT pg_table_size(oid), pg_indexes_size(oid) FROM pg_class WHERE relname = :t")
    found = {}
    async with administration.connect() as connection:
        for table in BIG:
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
    """Rows and megabytes in thirty days. Updated rows that are vacuumed add nothing.

    The size of a row comes from the table that has `grown`. If it has too few rows, it comes from the `filled` one.
    """
    chats = DAILY_USERS * CHATS_EACH / 2 * DAYS
    rows = {
        "chats": chats,
        "users": DAILY_USERS * NEW_SHARE * DAYS,
        "blocks": chats * BLOCK_SHARE,
        "complaints": chats * COMPLAINT_SHARE,
    }
    of = {table: grown[table] if grown[table]["rows"] >= ENOUGH_ROWS else filled[table] for table in rows}
    megabytes = {table: count * of[table]["bytes_a_row"] / 1e6 for table, count in rows.items()}
    return {"rows": rows, "megabytes": megabytes, "megabytes_in_all": sum(megabytes.values())}
