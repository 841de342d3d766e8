"""Upgrades from the previous release, with its data, and while it keeps working."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import SqlRecords, init_schema, schema_state
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.rows import row
from passerby.adapters.sql.tables import journal_positions
from passerby.adapters.sql.upgrading import upgrade
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, PoolId
from passerby.kernel.participant import Chatting, Gender, Karma, Met, Participant, Preferences, Searching, Ticket
from passerby.ports.records import Told
from tests.adapters.sql.test_schema import differences
from tests.contract.records_facts import NOW, changed, chatting, numbered, opened, person, searching, told
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop

FIRST_RELEASE = (
    *("id", "version", "bot_id", "bots", "has_started", "consented_at", "age", "age_given_at", "too_young_at"),
    *("gender", "language", "state", "pool", "searching_since", "ticket", "chat", "partner", "chatting_since"),
    *("last_chat", "last_partner", "last_closed_at", "last_reason", "last_left", "last_active_date", "created_at"),
)
"""The columns that the first release writes."""
UPSERT = sa.text(
    f"INSERT INTO users ({', '.join(FIRST_RELEASE)}) VALUES ({', '.join(f':{name}' for name in FIRST_RELEASE)}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in FIRST_RELEASE[1:-1])}"
)
OPEN = sa.text(
    "INSERT INTO chats (id, user1, user2, bot1, bot2, active, opened_at) VALUES ('c', 2, 3, 11, 12, true, :at) "
    "ON CONFLICT DO NOTHING"
)
CLOSE = sa.text(
    "UPDATE chats SET active = false, closed_at = :at, closed_by = 2, reason = 'left' WHERE id = 'c' AND active"
)
POSITION = sa.text("INSERT INTO journal_positions (generation, applied) VALUES ('old', 7) ON CONFLICT DO NOTHING")


class OldTicket(msgspec.Struct, frozen=True):
    """A ticket as the first release reads it."""

    person: int
    pool: str
    since: float
    gender: Gender
    age: int
    recent: tuple[int, ...] = ()


def as_written_then(each: Participant) -> dict[str, Any]:
    values = {name: value for name, value in row(changed(each)).items() if name in FIRST_RELEASE}
    if isinstance(each.state, Searching):
        ticket = each.state.ticket
        old = OldTicket(
            ticket.person, ticket.pool, ticket.since, ticket.gender, ticket.age, tuple(m.person for m in ticket.recent)
        )
        values["ticket"] = msgspec.json.encode(old).decode()
    return values


async def first_release(database: str, *statements: tuple[sa.TextClause, dict[str, Any]]) -> None:
    """Give an empty database the schema of the first release."""
    engine = connect(database_url(database), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            await connection.run_sync(lambda sync: upgrade(sync, "0001"))
    await engine.dispose()
    await write(database, *statements)


async def write(database: str, *statements: tuple[sa.TextClause, dict[str, Any]]) -> None:
    engine = connect(database_url(database), poolclass=NullPool)
    async with engine.begin() as connection:
        for statement, values in statements:
            await connection.execute(statement, values)
    await engine.dispose()


EVERYBODY = (person(1, 4), chatting(2, 3, "c", 2), chatting(3, 2, "c", 2), searching(4, 1))


def data() -> list[tuple[sa.TextClause, dict[str, Any]]]:
    return [*((UPSERT, as_written_then(each)) for each in EVERYBODY), (OPEN, {"at": NOW}), (POSITION, {})]


def test_an_upgrade_keeps_everybody_and_what_they_are_doing(database: str) -> None:
    async def run() -> None:
        await first_release(database, *data())
        before = await schema_state(database)
        assert (before.current, before.is_current) == ("0001", False)
        assert await init_schema(database) == before
        records = SqlRecords.at(database)
        # The first release did not store when they met. It was before the search began.
        met = tuple(Met(met.person, NOW) for met in searching(4).state.ticket.recent)  # type: ignore[union-attr]
        waiting = searching(4, 1)
        ticket = Ticket(PersonId(4), PoolId("adults"), NOW, Gender.FEMALE, 30, met)
        waiting = msgspec.structs.replace(waiting, state=Searching(ticket))
        assert await records.people([each.person for each in EVERYBODY]) == {
            **{each.person: each for each in EVERYBODY},
            4: waiting,
        }
        assert (await records.active()).told == []
        await records.apply("new", numbered(told("c", 2)))
        told_now = [Told(ChatId("c"), PersonId(2), MessageRef(BotId(11), MessageId(5)))]
        assert (await records.active()).told == told_now
        assert await records.applied("old") == 7
        await records.aclose()

    asyncio.run(run())
    assert differences(database) == []


@in_a_loop
async def test_the_previous_release_can_still_write_and_read(database: str) -> None:
    await init_schema(database)
    await write(database, *data(), *data())
    records = SqlRecords.at(database)
    assert (await records.people([PersonId(1), PersonId(3)])) == {1: EVERYBODY[0], 3: EVERYBODY[2]}
    mine = msgspec.structs.replace(
        searching(5, 1),
        preferences=Preferences((Gender.MALE, Gender.OTHER), 20, 40, other_languages=False),
        vip_until=NOW,
        karma=Karma(1.5, NOW),
        blocked=(PersonId(9),),
    )
    await records.apply("new", numbered(changed(mine)))
    async with records.engine.connect() as connection:
        stored = (await connection.execute(sa.text("SELECT ticket FROM users WHERE id = 5"))).scalar_one()
    old = msgspec.json.decode(stored, type=OldTicket)
    assert (old.person, old.recent) == (5, (7, 8))
    # Details that it does not know stay, and do not count for another chat.
    nudged = msgspec.structs.replace(mine, version=2, state=Chatting(ChatId("d"), PersonId(6), NOW, nudged_at=NOW + 60))
    await records.apply("new", numbered(changed(nudged), after=1))
    await write(database, (UPSERT, as_written_then(chatting(5, 7, "e", 3))))
    expected = msgspec.structs.replace(
        chatting(5, 7, "e", 3), preferences=mine.preferences, vip_until=NOW, karma=mine.karma, blocked=mine.blocked
    )
    assert await records.people([PersonId(5)]) == {5: expected}
    await write(database, (CLOSE, {"at": NOW}))
    await records.aclose()


def test_an_aborted_upgrade_is_finished_by_the_next_one(database: str) -> None:
    async def run() -> None:
        await first_release(database, *data())
        await init_schema(database)
        # As an aborted index leaves it: everything but the index is done, and the revision is not stored.
        await write(
            database,
            (sa.text("DROP INDEX ix_users_vip_until"), {}),
            (sa.text("UPDATE alembic_version SET version_num = '0001'"), {}),
        )
        assert (await init_schema(database)).current == "0001"
        assert (await schema_state(database)).is_current

    asyncio.run(run())
    assert differences(database) == []


@pytest.mark.services
@in_a_loop
async def test_an_invalid_index_is_rebuilt(postgres_database: str) -> None:
    await make_tables(postgres_database)
    engine = connect(database_url(postgres_database), poolclass=NullPool)
    valid = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_users_vip_until'::regclass")
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_users_vip_until'::regclass"
        )
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    await init_schema(postgres_database)
    async with engine.connect() as connection:
        assert await connection.scalar(valid) is True
    await engine.dispose()


@in_a_loop
async def test_generations_that_sent_no_facts_for_long_are_dropped_when_a_new_one_begins(database: str) -> None:
    await make_tables(database)
    records = SqlRecords.at(database)
    day = 86_400.0
    await records.apply("dead", numbered(changed(person(1), NOW)))
    await records.apply("silent", numbered(changed(person(1), NOW + 10 * day)))
    await records.apply("dead", numbered(changed(person(1), NOW + day), after=1))
    await records.apply("new", numbered(opened("c", at=NOW + 32 * day)))
    async with records.engine.connect() as connection:
        left = set((await connection.scalars(sa.select(journal_positions.c.generation))).all())
    assert left == {"silent", "new"}
    await records.aclose()


def test_this_test_writes_the_same_data_as_the_first_release() -> None:
    ticket = json.loads(as_written_then(searching(4))["ticket"])
    assert ticket == {"person": 4, "pool": "adults", "since": NOW, "gender": "female", "age": 30, "recent": [7, 8]}
