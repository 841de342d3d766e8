"""How fast the records grow: what a row takes that came as rows come, times how many come in a month.

A table that is filled in one go is packed more tightly than one that has grown: its indexes are built sorted, and no
row was ever written anew. So people and chats live here in empty tables first, through the product's own way of writing
(opened, told, closed, rated, in the journal's batches), with a VACUUM now and then, as autovacuum would.
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
"""A day, of one of them; two share a chat. An assumption: comparable bots publish no figure."""
NEW_SHARE = 0.03
"""Of a day's people who were never here before. Likewise, as the next two."""
BLOCK_SHARE = 0.02
"""Of chats, after which one blocks the other."""
COMPLAINT_SHARE = 0.01

BATCH = 500
"""As the recorder's."""
CHATS_A_PERSON = 6
VACUUMS = 20
"""In a life. Each row of a twentieth of the chats is written anew some four times, so a fifth of the table is dead
then, which is when autovacuum would come (autovacuum_vacuum_scale_factor)."""
ENOUGH_ROWS = 500
"""Fewer, and the pages that a table has anyway are more than the rows."""


def _facts(chats: int, rng: Random) -> Iterator[Fact]:
    people = max(10, chats * 2 // CHATS_A_PERSON)
    for number in range(people):
        yield PersonChanged(idle(PersonId(person_id(number + 1))), NOW)
    for _ in range(chats):
        one, other = (PersonId(person_id(number + 1)) for number in rng.sample(range(people), 2))
        # Ids as they are: 22 letters at random.
        chat = ChatId(f"{rng.getrandbits(88):022x}")
        yield from a_chat(chat, one, other)
        if rng.random() < BLOCK_SHARE:
            yield BlockChanged(one, other, True, NOW)
        if rng.random() < COMPLAINT_SHARE:
            yield ComplaintFiled(chat, one, other, Complaint.SPAM, NOW)


async def live(records: SqlRecords, administration: AsyncEngine, chats: int) -> dict[str, dict[str, float]]:
    """Let so many chats be opened and closed in empty tables; return what that took of each big table."""
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
    """Rows and bytes of each big table, indexes and all."""
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
    """Rows and megabytes in thirty days. What is written anew in place and vacuumed adds nothing.

    A row takes what it took where it had `grown`; where too few had, as in the table that was `filled`.
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
