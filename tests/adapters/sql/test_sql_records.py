"""Tests beside the contract: the number of statements, columns, indexes, and a real kill."""

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.rows import READ, participant, row
from passerby.adapters.sql.samples import SAMPLES
from passerby.adapters.sql.tables import blocks, broadcast_targets, broadcasts, chats, complaints, sanctions, users
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Chatting, Complaint, LastChat, Rating
from passerby.ports.facts import Fact
from passerby.ports.records import Active
from tests.contract.records_facts import (
    NOW,
    block,
    changed,
    chatting,
    closed,
    complaint,
    numbered,
    opened,
    person,
    rated,
    searching,
    told,
)
from tests.contract.records_places import make_tables
from tests.size import size
from tests.staged import in_a_loop

WITHOUT_A_TABLE = ("BEGIN", "PRAGMA", "SHOW", "select pg_catalog", "select current_schema")


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[tuple[str, bool]]]:
    """The statements about tables that are sent meanwhile, and whether each has many rows."""
    seen: list[tuple[str, bool]] = []

    def note(_: object, __: object, statement: str, ___: object, ____: object, many: bool) -> None:
        if not statement.startswith(WITHOUT_A_TABLE):
            seen.append((statement, many))

    sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine.sync_engine, "before_cursor_execute", note)


@in_a_loop
async def test_many_people_are_read_by_one_query_that_names_its_columns(database: str) -> None:
    await make_tables(database)
    records = SqlRecords.at(database)
    await records.apply("g", numbered(*(changed(person(number)) for number in range(1, 1_001))))
    with statements(records.engine) as seen:
        assert len(await records.people([PersonId(number) for number in range(1, 1_001)])) == 1_000
    assert len(seen) == 1
    assert "*" not in seen[0][0]
    assert all(f"users.{column.name}" in seen[0][0] for column in READ)
    with statements(records.engine) as again:
        await records.people([PersonId(5)])
    assert again == seen, "the same statement, however many they are"
    await records.aclose()


@in_a_loop
async def test_any_batch_is_written_with_a_few_statements(database: str) -> None:
    await make_tables(database)
    records = SqlRecords.at(database)
    people = [changed(searching(number)) for number in range(1, 200)]
    chats = [f"c{number}" for number in range(100)]
    more = [opened(chat) for chat in chats]
    end = [closed(chat) for chat in chats[::2]]
    said = [told(chat, 1) for chat in chats] + [rated(chat, 1) for chat in chats[::2]]
    blocks = [block(1, number) for number in range(2, 9)] + [block(2, number, False) for number in range(3, 9)]
    reports = [complaint(chat, 1) for chat in chats]
    facts = [*people, *more, *end, *said, *blocks, *reports]
    with statements(records.engine) as seen:
        await records.apply("g", numbered(*facts))
    assert [(" ".join(statement.split()[:3]), many) for statement, many in seen] == [
        ("INSERT INTO journal_positions", False),
        ("DELETE FROM journal_positions", False),
        ("SELECT journal_positions.applied FROM", False),
        ("INSERT INTO users", records.engine.dialect.name == "sqlite"),
        ("INSERT INTO chats", True),
        ("UPDATE chats SET", True),
        ("UPDATE chats SET", True),
        ("UPDATE chats SET", True),
        ("INSERT INTO blocks", True),
        ("UPDATE blocks SET", True),
        ("INSERT INTO complaints", True),
        ("UPDATE journal_positions SET", False),
    ]
    with statements(records.engine) as seen:
        await records.apply("g", numbered(*people[:2]))
    assert [statement.split()[0] for statement, _ in seen] == ["INSERT", "SELECT"], "applied before"
    await records.aclose()


@in_a_loop
async def test_a_person_stays_as_old_as_their_first_value(database: str) -> None:
    await make_tables(database)
    records = SqlRecords.at(database)
    await records.apply("g", numbered(changed(person(1), NOW), changed(person(1, 1), NOW + 1)))
    columns = (users.c.created_at, users.c.version)
    async with records.engine.begin() as connection:
        assert (await connection.execute(sa.select(*columns))).one() == (NOW, 1)
    await records.apply("g", numbered(changed(person(1, 2), NOW + 2), after=2))
    async with records.engine.connect() as connection:
        assert (await connection.execute(sa.select(*columns))).one() == (NOW, 2)
    await records.aclose()


@in_a_loop
async def test_the_columns_for_operators_hold_what_their_names_say(database: str) -> None:
    await make_tables(database)
    records = SqlRecords.at(database)
    facts: list[Fact] = [
        changed(searching(1)),
        changed(chatting(2, 3, "c")),
        changed(person(4, bot=None)),
        opened("c", 2, 3),
    ]
    await records.apply("g", numbered(*facts))
    columns = ("id", "bot_id", "has_started", "gender", "state", "pool", "searching_since", "last_active_date")
    async with records.engine.connect() as connection:
        found = (await connection.execute(sa.select(*(users.c[name] for name in columns)).order_by("id"))).all()
        chat = (await connection.execute(sa.select(chats.c.user1, chats.c.user2, chats.c.active))).one()
    assert list(map(tuple, found)) == [
        (1, 1, True, "unsaid", "searching", "adults", NOW, NOW),
        (2, 1, True, "unsaid", "chatting", None, None, NOW),
        (4, None, False, "unsaid", "idle", None, None, NOW),
    ]
    assert tuple(chat) == (2, 3, True)
    await records.aclose()


def test_the_journal_writes_every_column() -> None:
    written = set(row(changed(person(1))))
    assert written == {column.name for column in users.c}
    assert {column.name for column in READ} <= written


def test_a_row_read_is_the_participant_written() -> None:
    values = row(changed(searching(3, 4)))
    assert participant([values[column.name] for column in READ]) == searching(3, 4)


def test_notes_about_one_chat_do_not_count_for_another_one() -> None:
    """A release that does not know `details` changes the chat and leaves them as they were."""
    nudged = person(3, 4, Chatting(ChatId("c"), PersonId(5), NOW, NOW + 9))
    last = LastChat(ChatId("b"), PersonId(6), NOW, "left", True, Rating.BAD, NOW + 3, Complaint.RUDE)
    whole = msgspec.structs.replace(nudged, last=last)
    values = row(changed(whole))
    assert participant([values[column.name] for column in READ]) == whole
    moved = values | {"chat": "d", "last_chat": "c"}
    found = participant([moved[column.name] for column in READ])
    assert found.state == Chatting(ChatId("d"), PersonId(5), NOW)
    assert found.last == LastChat(ChatId("c"), PersonId(6), NOW, "left", True)


QUERIES = {
    "ix_users_occupied": "SELECT id FROM users WHERE state != 'idle' AND id > 5 ORDER BY id LIMIT 1000",
    "ix_users_searching": "SELECT id FROM users WHERE state = 'searching' AND pool = 'adults' ORDER BY searching_since",
    "ix_users_bot_audience": "SELECT count(*) FROM users WHERE bot_id = 1 AND has_started = true "
    "AND gender = 'female' AND vip_gender = 'male' AND last_active_date > 9",
    "ix_users_audience": "SELECT id FROM users WHERE has_started = true AND last_active_date > 9",
    **{
        f"ix_users_sample_{below}": f"SELECT count(*) FROM users WHERE has_started = true AND id % 8191 < {below}"
        for below in SAMPLES
    },
    "ix_users_created_at": "SELECT count(*) FROM users WHERE created_at > 9",
    "ix_users_support_code": "SELECT id FROM users WHERE support_code IS NOT NULL AND support_code = 'x'",
    "ix_sanctions_user_id": "SELECT id FROM sanctions WHERE user_id = 5 AND since > 9",
    "ix_sanctions_since": "SELECT count(*) FROM sanctions WHERE since > 9",
    "ix_users_vip_until": "SELECT id FROM users WHERE vip_until > 0 AND vip_until < 9",
    "ix_blocks_blocked_id": "SELECT count(*) FROM blocks WHERE blocked_id = 5 AND blocked_at > 9",
    "ix_complaints_accused_id": "SELECT count(*) FROM complaints WHERE accused_id = 5 AND filed_at > 9",
    "ix_complaints_user_id": "SELECT reason FROM complaints WHERE user_id = 5 ORDER BY filed_at",
    "ix_complaints_new": "SELECT chat_id FROM complaints WHERE case_number IS NULL ORDER BY filed_at LIMIT 50",
    "ix_complaints_case": "SELECT chat_id FROM complaints WHERE case_number IS NOT NULL AND case_number = 5",
    "ix_sanctions_appealed": "SELECT id FROM sanctions WHERE appeal = 'open' ORDER BY appealed_at",
    "ix_users_copy_asked_at": "SELECT id FROM users WHERE copy_asked_at IS NOT NULL",
    "ix_users_erase_at": "SELECT id FROM users WHERE erase_at IS NOT NULL AND erase_at < 9",
    "ix_chats_user1": "SELECT id FROM chats WHERE user1 = 5 AND active = true",
    "ix_chats_user2": "SELECT id FROM chats WHERE user2 = 5 AND active = true",
    "ix_chats_open": "SELECT id FROM chats WHERE active ORDER BY opened_at",
    "ix_broadcasts_open": "SELECT body FROM broadcasts WHERE is_open ORDER BY number",
    "ix_broadcast_targets_waiting": "SELECT person_id FROM broadcast_targets WHERE broadcast = 1 AND state = 'waiting' "
    "AND bot_id = 5 AND due_at <= 9 AND place < 7 ORDER BY place LIMIT 20",
    "ix_broadcast_targets_sending": "SELECT person_id FROM broadcast_targets WHERE state = 'sending' AND claim != 'x'",
    "ix_broadcast_targets_sample": "SELECT count(*) FROM broadcast_targets WHERE broadcast = 1 AND place < 200000000 "
    "AND place < 9",
    "ix_broadcast_targets_person_id": "SELECT state FROM broadcast_targets WHERE person_id = 5 AND at > 9",
    "ix_chats_opened_at": "SELECT count(*) FROM chats WHERE opened_at > 9",
}


@in_a_loop
async def test_each_index_is_used_by_its_query(database: str) -> None:
    await make_tables(database)
    records = SqlRecords.at(database)
    async with records.engine.begin() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if records.engine.dialect.name == "postgresql":
            explain = "EXPLAIN"
            # PostgreSQL scans an empty table, whatever indexes it has.
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            await connection.exec_driver_sql("SET LOCAL enable_sort = off")
        for index, query in QUERIES.items():
            plan = (await connection.exec_driver_sql(f"{explain} {query}")).all()
            # PostgreSQL may take a larger sample's index, because an empty one is not larger.
            wanted = index.rstrip("0123456789") if "_sample_" in index else index
            assert wanted in str(plan), query
    assert QUERIES.keys() == {
        index.name
        for table in (users, chats, blocks, complaints, sanctions, broadcasts, broadcast_targets)
        for index in table.indexes
    }
    await records.aclose()


@in_a_loop
async def test_a_rebuild_reads_the_partial_indexes(database: str) -> None:
    """With the statements that are really sent, and their parameters."""
    await make_tables(database)
    records = SqlRecords.at(database)
    with statements(records.engine) as seen:
        assert await records.active() == Active([], [], [])
    (open_chats, _), (people, _) = seen
    # SQLite's LIMIT comes with an OFFSET, which is a parameter too.
    sent = (5, 0)[: people.count("?")] or (5,)
    plans = []
    async with records.engine.begin() as connection:
        for statement, values in ((open_chats, ()), (people, sent)):
            if records.engine.dialect.name == "postgresql":
                await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
                plans.append(str((await connection.exec_driver_sql(f"EXPLAIN {statement}", values)).all()))
            else:
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans.append(str(plan.all()))
    assert "ix_chats_open" in plans[0]
    assert "ix_users_occupied" in plans[1]
    await records.aclose()


@pytest.mark.services
@in_a_loop
async def test_a_recorder_that_is_behind_cannot_undo_what_another_one_stores(
    postgres_database: str,
) -> None:
    await make_tables(postgres_database)
    ahead, behind = SqlRecords.at(postgres_database), SqlRecords.at(postgres_database)
    history = numbered(*(changed(person(1, version)) for version in range(3)))
    await ahead.apply("g", history[:1])
    waiting = sa.text(
        "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )

    async def blocked(many: int) -> list[str]:
        async with behind.engine.connect() as watching:
            while len(queries := (await watching.scalars(waiting)).all()) != many:
                await watching.rollback()
                await asyncio.sleep(0.01)
        return sorted(query.split()[0] for query in queries)

    async with ahead.engine.begin() as blocking:
        await blocking.execute(sa.update(users).values(age=31))
        first = asyncio.ensure_future(ahead.apply("g", history))
        assert await blocked(1) == ["INSERT"]
        second = asyncio.ensure_future(behind.apply("g", history[:2]))
        assert await blocked(2) == ["INSERT", "SELECT"], "the second has not even read the position"
    await asyncio.gather(first, second)
    assert await behind.people([PersonId(1)]) == {1: person(1, 2)}
    assert await behind.applied("g") == 3
    await ahead.aclose()
    await behind.aclose()


# Entry n writes version n of the person n % 7. So `applied` tells everything that must be stored.
ENDLESS = """
import asyncio, sys
from passerby.adapters.sql import SqlRecords
from passerby.kernel.participant import Participant
from passerby.ports.facts import PersonChanged

async def run():
    records = SqlRecords.at(sys.argv[1])
    at = await records.applied("g")
    print(at, flush=True)
    while True:
        batch = [(n, PersonChanged(Participant(1 + n % 7, n), 1.0)) for n in range(at + 1, at + 41)]
        await records.apply("g", batch)
        at += 40
        print(at, flush=True)

asyncio.run(run())
"""


@pytest.mark.sized
def test_a_kill_at_any_moment_leaves_whole_batches(database: str) -> None:
    asyncio.run(make_tables(database))
    chance = random.Random(4)
    seen = 0
    for _ in range(size(2, 4)):
        writer = subprocess.Popen([sys.executable, "-c", ENDLESS, database], stdout=subprocess.PIPE, text=True)
        try:
            assert writer.stdout is not None
            start = int(writer.stdout.readline())
            for _ in range(chance.randrange(2, 30)):
                seen = int(writer.stdout.readline())
        finally:
            writer.send_signal(signal.SIGKILL)
            rest, _ = writer.communicate()
        assert seen > start, "it was killed at work"
        seen = int(rest.split()[-1]) if rest.split() and rest.endswith("\n") else seen

        async def look() -> int:
            records = SqlRecords.at(database)
            applied = await records.applied("g")
            people = await records.people([PersonId(number) for number in range(1, 8)])
            await records.aclose()
            assert {each.version for each in people.values()} == set(range(applied - 6, applied + 1))
            return applied

        applied = asyncio.run(look())
        assert applied % 40 == 0
        assert applied >= seen, "what was answered is there"


@pytest.mark.parametrize("people", [0, 1, 999, 1_000, 1_001, 2_000])
@in_a_loop
async def test_a_rebuild_finds_everybody_also_at_the_edge_of_a_chunk(tmp_path: object, people: int) -> None:
    file = f"{tmp_path}/records.db"
    await make_tables(file)
    records = SqlRecords.at(file)
    await records.apply("g", numbered(*(changed(searching(number)) for number in range(1, people + 1))))
    assert [each.person for each in (await records.active()).people] == list(range(1, people + 1))
    await records.aclose()
