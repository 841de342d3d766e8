"""The records' contract while others read and write beside us, and about times that are kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, SqlRecords
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.tables import users
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant, Profile
from passerby.ports.facts import Fact
from passerby.ports.records import Records, RecordsLost
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
from tests.contract.records_places import MemoryPlace, Place, SqlPlace, trying
from tests.staged import staged


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return MemoryPlace()
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@asynccontextmanager
async def beside(database: SqlPlace, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
    """Another program's transaction. It is rolled back."""
    engine = connect(database_url(database.database), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(writes=writes)
            await connection.begin()
            yield connection
            await connection.rollback()
    finally:
        await engine.dispose()


@staged(trying, "database")
async def test_a_long_read_does_not_hold_up_the_recorder(records: SqlRecords, /, database: SqlPlace) -> None:
    """A rebuild, or a backup, may read for minutes."""
    await records.apply("g", numbered(changed(person(1, 1))))
    async with beside(database) as reader:
        version = sa.select(users.c.version)
        assert await reader.scalar(version) == 1
        await records.apply("g", numbered(changed(person(1, 2)), after=1))
        assert await records.people([PersonId(1)]) == {1: person(1, 2)}


@staged(trying, "database")
async def test_readers_do_not_wait_for_a_writer(records: SqlRecords, /, database: SqlPlace) -> None:
    await records.apply("g", numbered(changed(searching(1, 1))))
    async with beside(database, writes=True) as writer:
        await writer.execute(sa.update(users).values(version=99))
        async with asyncio.timeout(60):
            assert await records.people([PersonId(1)]) == {1: searching(1, 1)}
            assert [each.version for each in (await records.active()).people] == [1]
            assert await records.applied("g") == 1


@staged(trying, "database")
async def test_a_batch_that_waits_for_another_writer_is_lost_and_not_half_stored(
    records: SqlRecords,
    /,
    database: SqlPlace,
) -> None:
    """Nobody waits longer than the time limit, also not for a lock that is never released."""
    await records.apply("g", numbered(changed(person(1, 1)), opened("c")))
    hurried = SqlRecords.at(database.database, ConnectionPool(timeout_s=0.2))
    async with beside(database, writes=True) as writer:
        await writer.execute(sa.update(users).values(version=users.c.version))
        async with asyncio.timeout(60):
            with pytest.raises(RecordsLost):
                await hurried.apply("g", numbered(closed("c"), changed(person(1, 2)), after=2))
    assert await records.applied("g") == 2
    assert (await records.active()).chats == ["c"]
    await hurried.aclose()


@staged(trying, "database")
async def test_the_time_when_somebody_first_came_is_kept(records: SqlRecords, /, database: SqlPlace) -> None:
    """Whatever comes later: in the same batch, in another one, or again from another generation."""
    first: list[Fact] = [changed(person(1, 1), NOW), changed(person(2, 5), NOW + 1)]
    await records.apply("g", numbered(*first, changed(person(1, 2), NOW + 5), changed(person(2, 3), NOW + 6)))
    for generation, version in (("g", 7), ("h", 8), ("h", 8), ("i", 1)):
        await records.apply(generation, [(90 + version, changed(person(1, version), NOW + 100 * version))])
    async with beside(database) as reader:
        rows = (await reader.execute(sa.select(users.c.id, users.c.version, users.c.created_at))).all()
    assert sorted(map(tuple, rows)) == [(1, 8, NOW), (2, 5, NOW + 1)]


@pytest.mark.parametrize("many", [4_999, 5_000, 5_001, 10_002])
@staged(trying, "place")
async def test_everybody_is_found_however_many_are_asked_for(records: Records, /, many: int) -> None:
    known = [number for number in (1, 4_999, 5_000, 5_001, 5_002, 10_000, 10_001, 10_002) if number <= many]
    await records.apply("g", numbered(*(changed(person(number)) for number in known)))
    found = await records.people([PersonId(number) for number in range(1, many + 1)])
    assert sorted(found) == known


@staged(trying, "database")
async def test_an_error_quotes_no_row(records: SqlRecords, /) -> None:
    """Errors go to the log. Their text is the driver's, and SQLAlchemy would add the values of the row."""
    broken = Participant(PersonId(1), profile=Profile(language=None, country="Atlantis"))  # type: ignore[arg-type]
    with pytest.raises(IntegrityError) as failed:
        await records.apply("g", numbered(changed(broken)))
    assert "parameters" in str(failed.value)
    assert "[parameters: (" not in str(failed.value)
    assert await records.applied("g") == 0, "nothing of the batch is stored"


@staged(trying, "place")
async def test_one_sides_opinion_leaves_the_other_sides_as_it_was(records: Records, /, place: Place) -> None:
    """Also in one batch, in either order, and for a chat of an earlier batch."""
    await records.apply("g", numbered(opened("c", 2, 1), opened("d", 1, 2), rated("c", 1), told("c", 2, message=6)))
    await records.apply("g", numbered(rated("d", 2), told("d", 1, message=7), told("c", 1, message=8), after=4))
    found = await place.chats()
    assert {
        name: (row.rating1 is not None, row.rating2 is not None, row.told1 is not None, row.told2 is not None)
        for name, row in found.items()
    } == {"c": (False, True, True, True), "d": (False, True, True, False)}


@staged(trying, "place")
async def test_a_chat_that_changes_hands_between_two_batches_has_only_its_own_people(
    records: Records,
    /,
    place: Place,
) -> None:
    """Facts of the chat before may still come after those of the next one. They change neither."""
    first: list[Fact] = [changed(chatting(1, 2, "c", 1)), changed(chatting(2, 1, "c", 1)), opened("c", 1, 2)]
    await records.apply("g", numbered(*first, told("c", 1, message=5)))
    moved: list[Fact] = [changed(chatting(1, 3, "d", 2)), changed(chatting(3, 1, "d", 1)), opened("d", 3, 1)]
    await records.apply("g", numbered(*moved, after=4))
    assert (await records.active()).told == [], "what was said of the chat before does not count, though it is open"
    await records.apply("g", numbered(told("d", 1, message=9), told("c", 2, message=6), closed("c"), after=7))
    await records.apply("g", numbered(told("c", 3), rated("c", 3), closed("c", 3, "late"), block(1, 2), after=10))
    row = (await place.chats())["c"]  # type: ignore[index]
    assert (row.rating1, row.rating2, row.closed_by, row.reason) == (None, None, 1, "left")
    active = await records.active()
    assert active.chats == ["d"]
    assert [(each.chat, each.person, each.at.message) for each in active.told] == [("d", 1, 9)]


@staged(trying, "place")
async def test_the_first_words_about_a_complaint_and_the_first_unblock_count(records: Records, /, place: Place) -> None:
    """Whether the second come in the same batch, in the next one, or again from another generation."""
    first = [complaint("c", 1), explained("c", 1, b"one"), explained("c", 1, b"two"), block(1, 2)]
    await records.apply("g", numbered(*first, block(1, 2, False, NOW + 5)))
    again = [explained("c", 1, b"three"), complaint("c", 1, 9), block(1, 2, False, NOW + 50)]
    await records.apply("g", numbered(*again, after=5))
    await records.apply("h", numbered(*again))
    (row,) = (await place.complaints()).values()
    assert (row.accused, row.words) == (2, b"one")
    assert await place.blocks() == {(1, 2): BlockRow(NOW, NOW + 5)}
