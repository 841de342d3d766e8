"""The records' contract about time, order and concurrency."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.writer import Writer
from passerby.kernel.ids import ChatId, MessageRef, PersonId
from passerby.kernel.participant import Rating
from passerby.ports.facts import Fact
from passerby.ports.records import Records, Told
from tests.contract.records_facts import (
    NOW,
    block,
    changed,
    chatting,
    closed,
    complaint,
    explained,
    numbered,
    opened,
    person,
    rated,
    searching,
    told,
)
from tests.contract.records_memory import BlockRow
from tests.contract.records_places import MemoryPlace, Place, SqlPlace, opening, trying
from tests.staged import staged

DAY_S = 86_400.0
ONE, TWO, THREE = PersonId(1), PersonId(2), PersonId(3)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return MemoryPlace()
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@pytest.mark.parametrize("apart_s", [0.0, 5.0], ids=["in one moment", "one after the other"])
@pytest.mark.parametrize(
    ("known", "said", "is_blocked"),
    [
        ([True], [False, True], True),
        ([True], [False, True, False], False),
        ([True], [True, False, True], True),
        ([True, False], [True], True),
        ([True, False], [True, False, True], True),
        ([], [False, True], True),
        ([], [True, False, True], True),
        ([], [True, False], False),
    ],
)
@staged(trying, "place")
async def test_the_last_block_or_unblock_counts(
    records: Records, /, place: Place, known: list[bool], said: list[bool], is_blocked: bool, apart_s: float
) -> None:
    """However often somebody changed their mind within one batch."""
    await records.apply("g", numbered(*(block(1, 2, each) for each in known)))
    facts = [block(1, 2, each, at=NOW + apart_s * number) for number, each in enumerate(said, 1)]
    await records.apply("g", numbered(*facts, after=len(known)))
    row = (await place.blocks())[ONE, TWO]
    assert (row.lifted_at is None) is is_blocked
    assert row.blocked_at <= NOW + apart_s * len(said)


@staged(trying, "place")
async def test_an_old_block_that_is_applied_again_changes_nothing(records: Records, /, place: Place) -> None:
    """As when a journal is applied again under another generation."""
    history: list[Fact] = [block(1, 2, at=NOW), block(1, 2, False, at=NOW + 5), block(1, 3, at=NOW + 9)]
    await records.apply("g", numbered(*history))
    third = {(ONE, THREE): BlockRow(NOW + 9)}
    for entry in numbered(*history):
        await records.apply("h", [entry])
        assert await place.blocks() == {(ONE, TWO): BlockRow(NOW, NOW + 5), **third}
    await records.apply("g", numbered(block(1, 2, at=NOW + 20), after=3))
    for entry in numbered(*history):
        await records.apply("i", [entry])
        assert await place.blocks() == {(ONE, TWO): BlockRow(NOW + 20), **third}


@staged(trying, "place")
async def test_a_chat_opened_and_closed_in_one_batch_is_closed_and_keeps_its_facts(
    records: Records, /, place: Place
) -> None:
    said: list[Fact] = [told("c", 1), rated("c", 2, Rating.BAD), closed("c", 2), closed("c", 1, "late")]
    await records.apply("g", numbered(opened("c"), *said, rated("c", 2, Rating.GOOD)))
    row = (await place.chats())[ChatId("c")]
    assert (row.active, row.closed_by, row.reason, row.rating2) == (False, TWO, "left", Rating.GOOD)
    assert row.told1 is not None


@staged(trying, "place")
async def test_the_newest_value_of_a_person_in_a_batch_counts(records: Records, /) -> None:
    values = [changed(person(1, version)) for version in (3, 7, 5)]
    await records.apply("g", numbered(*values, changed(person(2, 1)), changed(searching(2, 1))))
    assert await records.people([ONE, TWO]) == {1: person(1, 7), 2: searching(2, 1)}, "of two alike, the later"


@staged(trying, "database")
async def test_a_generation_is_remembered_for_a_month_after_its_last_facts(records: SqlRecords, /) -> None:
    """Otherwise the facts of a store that exists longer would be applied again after another store begins."""
    await records.apply("living", numbered(changed(person(1), NOW)))
    await records.apply("silent", numbered(changed(person(3), NOW)))
    await records.apply("living", numbered(changed(person(1, 1), NOW + 25 * DAY_S), after=1))
    await records.apply("new", numbered(changed(person(2), NOW + 40 * DAY_S)))
    assert [await records.applied(each) for each in ("living", "silent", "new")] == [2, 0, 1]
    await records.apply("newer", numbered(changed(person(2, 1), NOW + 56 * DAY_S)))
    assert [await records.applied(each) for each in ("living", "new", "newer")] == [0, 1, 1]


@staged(trying, "place")
async def test_applied_entries_are_known_even_if_the_response_was_lost(records: Records, /, place: Place) -> None:
    """Repeating the same entries, or these and more, changes nothing twice."""
    entries = numbered(changed(person(1, 1)), opened("c"), closed("c"), changed(person(1, 2)))
    for upto in (2, 2, 4, 3, 4):
        await records.apply("g", entries[:upto])
    assert await records.applied("g") == 4
    assert await records.people([ONE]) == {1: person(1, 2)}
    assert not (await place.chats())[ChatId("c")].active


@staged(trying, "database")
async def test_a_rebuild_reads_one_snapshot(records: SqlRecords, /, database: SqlPlace) -> None:
    """Otherwise it may find a chat without its people, or people in a chat that is not open."""
    before: list[Fact] = [
        changed(chatting(1, 2, "c", 1)),
        changed(chatting(2, 1, "c", 1)),
        opened("c"),
        told("c", 1),
    ]
    await records.apply("g", numbered(*before))
    async with in_between(database, records):
        active = await records.active()
    assert active.chats == ["c"]
    assert {each.person: each for each in active.people} == {1: chatting(1, 2, "c", 1), 2: chatting(2, 1, "c", 1)}
    assert [each[:2] for each in active.told] == [("c", 1)]
    active = await records.active()
    assert (active.chats, active.people) == ([], []), "that was another moment"


_MOVED = ("UPDATE chats SET active = false", "UPDATE users SET state = 'idle', chat = NULL, version = version + 1")


@asynccontextmanager
async def in_between(place: SqlPlace, records: SqlRecords) -> AsyncIterator[None]:
    """Between the first and the second read, everybody leaves and the chat closes."""
    if "://" in str(place.database):
        # While we lock a table, no reader gets in. A reader before us has already read the other table.
        engine = connect(database_url(place.database), poolclass=NullPool)
        async with engine.connect() as connection:
            await connection.begin()
            await connection.exec_driver_sql("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
            letting = asyncio.ensure_future(_once_waited_for(connection))
            yield
            await letting
        await engine.dispose()
        return
    read = []

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT") and not read:
            read.append(statement)
            with sqlite3.connect(place.database) as other:
                for each in _MOVED:
                    other.execute(each)
            other.close()

    sa.event.listen(records.engine.sync_engine, "after_cursor_execute", look)
    yield
    sa.event.remove(records.engine.sync_engine, "after_cursor_execute", look)


async def _once_waited_for(connection: Any) -> None:
    """Release the table once somebody waits for it. By then, everybody has moved."""
    waiting = (
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database AND datname = current_database() "
        "WHERE NOT granted AND relation = 'users'::regclass"
    )
    while not await connection.scalar(sa.text(waiting)):
        await asyncio.sleep(0.01)
    for each in _MOVED:
        await connection.exec_driver_sql(each)
    await connection.commit()


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_rows_are_written_in_the_order_of_their_ids(dialect: str) -> None:
    """Two transactions that lock the same rows in different orders may deadlock."""
    facts: list[Fact] = []
    for number in (3, 1, 2):
        chat = f"chat {number}"
        facts += [
            changed(person(number, 1)),
            closed(f"of old {number}"),
            told(f"of old {number}", 1),
            rated(f"of old {number}", 1),
            closed(chat),
            told(chat, number),
            rated(chat, number),
            opened(chat, number, 9),
            told(chat, 9),
            rated(chat, 9),
            closed(chat),
            block(number, 9),
            block(9, number, blocked=False),
            complaint(f"of old {number}", number),
            explained(f"of old {number}", number),
            explained(f"still older {number}", number),
        ]
    steps = Writer(dialect).steps(facts)
    assert len(steps) == 13, "each kind of step has something to do"
    for _, rows in steps:
        values = rows["id"] if isinstance(rows, dict) else [tuple(row.values())[:2] for row in rows]
        assert len(values) >= 3
        assert all(one <= next_one for one, next_one in pairwise(values))


@staged(trying, "database")
async def test_two_recorders_writing_the_same_rows_do_not_deadlock(records: SqlRecords, /, database: SqlPlace) -> None:
    """Neither waits for ever, and the newest version of each person stays."""
    async with opening(database) as other:
        for turn in range(4):
            forth = [changed(searching(number, 2 * turn)) for number in range(1, 120)]
            back = [changed(person(number, 2 * turn + 1)) for number in range(119, 0, -1)]
            await asyncio.gather(
                records.apply("forth", numbered(*forth, after=119 * turn)),
                other.apply("back", numbered(*back, after=119 * turn)),
            )
        people = await records.people([PersonId(number) for number in range(1, 120)])
        assert people == {number: person(number, 7) for number in range(1, 120)}


@staged(trying, "database")
async def test_readers_see_a_batch_completely_or_not_at_all(records: SqlRecords, /, database: SqlPlace) -> None:
    """A pair with only one side would look like a difference between the two stores."""
    async with opening(database) as other:
        reading = True

        async def watch() -> None:
            while reading:
                found = await other.people([ONE, TWO])
                assert len({each.version for each in found.values()}) <= 1

        watching = asyncio.ensure_future(watch())
        for version in range(25):
            both = [changed(chatting(1, 2, f"{version}", version)), changed(chatting(2, 1, f"{version}", version))]
            await records.apply("g", numbered(*both, after=2 * version))
        reading = False
        await watching


@staged(trying, "place")
async def test_each_side_of_a_chat_has_its_own_anchor(records: Records, /) -> None:
    people: list[Fact] = [changed(chatting(1, 2, "c", 1)), changed(chatting(2, 1, "c", 1)), opened("c", 2, 1)]
    await records.apply("g", numbered(*people, told("c", 1, message=5), told("c", 2, message=6)))
    found = {each.person: each for each in (await records.active()).told}
    assert {who: each.at.message for who, each in found.items()} == {1: 5, 2: 6}
    assert all(isinstance(each, Told) and isinstance(each.at, MessageRef) for each in found.values())
