"""The number of people in an audience: exact for a few, from a sample for many, in both databases."""

from typing import Any

import pytest
import sqlalchemy as sa

from passerby.adapters.sql import SqlBroadcasts, SqlRecords, audiences
from passerby.adapters.sql.broadcast_rows import store_broadcasts
from passerby.adapters.sql.samples import in_sample
from passerby.adapters.sql.tables import broadcast_targets, users
from passerby.kernel.broadcast import Audience, Broadcast, BroadcastState, Reach, TargetState, Variant
from passerby.kernel.content import Content, Kind
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Gender
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop

NOW = 1_800_000_000.0
PEOPLE = 12_000
HELLO = (Variant(Content(Kind.TEXT, "hello")),)


def draft(**audience: Any) -> Broadcast:
    return Broadcast(9, BroadcastState.DRAFT, 1, NOW, audience=Audience(**audience), variants=HELLO)


async def filled(database: str) -> SqlRecords:
    """Two thirds of the people use bot 1. Every fourth one got two broadcasts this week, and every fifth one left."""
    await make_tables(database)
    records = SqlRecords.at(database)
    people = [
        {
            "id": 6_000_000_000 + 37 * number,
            "version": 1,
            "bot_id": 1 if number % 3 else 2,
            "bots": "[]",
            "has_started": number % 5 != 0,
            "consented_at": NOW - 9,
            "age_given_at": 0.0,
            "gender": "female" if number % 300 == 1 else "male",
            "language": "en",
            "state": "idle",
            "last_active_date": NOW - 9,
            "created_at": NOW - 9,
        }
        for number in range(PEOPLE)
    ]
    copies = [
        {"broadcast": of, "person_id": each["id"], "bot_id": 1, "place": 1, "state": TargetState.SENT, "at": NOW - 5}
        for of in (1, 2)
        for each in people[::4]
    ]
    async with records.engine.begin() as connection:
        await connection.execute(sa.insert(users), people)
        await connection.execute(sa.insert(broadcast_targets), copies)
        for number in (1, 2):
            past = Broadcast(number, BroadcastState.ENDED, 1, NOW - 9, variants=HELLO, started_at=NOW - 9)
            await store_broadcasts(connection, (past,))
        if connection.dialect.name == "postgresql":  # SQLite finds its plan without
            await connection.exec_driver_sql("ANALYZE")
    return records


@in_a_loop
async def test_a_few_people_are_counted_and_many_are_estimated(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    records = await filled(database)
    reach = SqlBroadcasts(records.engine).reach
    exact = await reach(draft(), NOW)
    assert exact == Reach(7_200, ((BotId(1), 4_800), (BotId(2), 2_400)))
    monkeypatch.setattr(audiences, "EXACT_BELOW", 5_000)
    about = await reach(draft(), NOW)
    assert about.spread > 0
    assert abs(about.people - exact.people) <= about.spread
    assert about.spread < exact.people / 4
    (most, first), (_, second) = about.by_bot
    assert (most, abs(first + second - exact.people) <= about.spread) == (BotId(1), True)
    # Few of them fit, so the sample would say nothing.
    women = await reach(draft(genders=(Gender.FEMALE,)), NOW)
    assert (women.spread, women.people) == (0, sum(n % 300 == 1 and n % 5 != 0 and n % 4 != 0 for n in range(PEOPLE)))
    named = await reach(draft(people=(PersonId(6_000_000_000 + 37),)), NOW)
    assert named == Reach(1, ((BotId(1), 1),))
    await records.aclose()


@in_a_loop
async def test_a_sample_is_read_from_its_index(database: str) -> None:
    records = await filled(database)
    is_sqlite = records.engine.dialect.name == "sqlite"
    async with records.engine.connect() as connection:
        conditions = await audiences.audience_of(connection, draft(), NOW)
        asked = sa.select(users.c.bot_id, sa.func.count()).where(*conditions, in_sample(64)).group_by(users.c.bot_id)
        words = asked.compile(connection.sync_connection, compile_kwargs={"literal_binds": True})
        plan = await connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' * is_sqlite}{words}")
        said = " ".join(str(part) for row in plan for part in row)
    assert "ix_users_sample_64" in said, said
    await records.aclose()
