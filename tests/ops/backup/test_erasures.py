"""People who had their data erased after a backup was made do not come back with it."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.tables import charges, metadata, tombstones
from passerby.adapters.sql.tombstones import keyed
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import Charge, ChargeId
from passerby.kernel.participant import DataRequests, Participant
from passerby.kernel.spent import Spent
from passerby.ops.backup import erasures
from passerby.ops.backup.places import directory_of
from passerby.ops.backup.taking import take
from passerby.ops.stores import database
from passerby.ports.facts import ChargeTaken, Fact, PersonErased
from passerby.settings import Settings, open_key
from tests.contract.records_facts import changed, opened, person
from tests.contract.records_places import make_tables
from tests.ops.backup.test_backups import CLOCK, a_second_later, ids, restored
from tests.ops.backup.test_unfinished_restore import killed_at

ANN, BOB, CAT = 7_000_000_001, 7_000_000_002, 7_000_000_003
DAY_S = 86_400.0
SALE = Charge(ChargeId("paid"), BotId(11), "P-1", "order 1", "week", 75, 1_700_000_000.0)


async def told(settings: Settings, name: str, *facts: Fact) -> None:
    records = SqlRecords.at(database(settings), pseudonyms=keyed(open_key(settings)))
    await records.apply(name, list(enumerate(facts, 1)))
    await records.aclose()


async def rows(settings: Settings, *tables: sa.Table) -> list[list[Any]]:
    engine = connect(database_url(database(settings)), poolclass=NullPool)
    async with engine.connect() as connection:
        found = [list(await connection.execute(sa.select(table))) for table in tables]
    await engine.dispose()
    return found


def mentions(settings: Settings, number: int) -> list[str]:
    tables = metadata.sorted_tables
    return [
        table.name
        for table, found in zip(tables, asyncio.run(rows(settings, *tables)), strict=True)
        if any(str(number) in repr(tuple(each)) for each in found)
    ]


def left(number: int, now: float) -> Participant:
    """A value with nothing left but what somebody who bought has spent."""
    return Participant(PersonId(number), 9, spent=Spent(now + DAY_S, 16, now))


def backed_up(settings: Settings) -> float:
    """A backup in which Ann bought something, met Bob, and is known to him. Returns when Ann is erased, later."""

    async def filled() -> None:
        await make_tables(database(settings))
        now = CLOCK.now()
        await told(
            settings,
            "before",
            *(changed(person(each, 1), now - DAY_S) for each in (ANN, BOB, CAT)),
            opened("chat", ANN, BOB, now - 900.0),
            ChargeTaken(PersonId(ANN), SALE, now),
        )
        await take(settings, a_second_later)

    asyncio.run(filled())
    return CLOCK.now()


def erase(settings: Settings, number: int, at: float, name: str = "erased") -> None:
    value = left(number, at)
    asyncio.run(told(settings, name, changed(value, at), PersonErased(PersonId(number), False, at, value)))


def test_a_restore_erases_once_more_who_was_erased_after_the_backup(settings: Settings) -> None:
    at = backed_up(settings)
    erase(settings, ANN, at)
    before = asyncio.run(rows(settings, charges, tombstones))
    assert restored(settings).erased == 1
    (found,) = asyncio.run(requests(settings))
    assert found.requests == DataRequests(erase_at=at, erasing=True)
    assert found.profile.age is None
    assert asyncio.run(ids(settings)) == [ANN, BOB, CAT]
    assert asyncio.run(people(settings, BOB)) == person(BOB, 1), "nothing of the others is lost"
    # The first worker does the rest, as after every erasure.
    erase(settings, ANN, at, "again")
    assert mentions(settings, ANN) == []
    assert asyncio.run(rows(settings, charges, tombstones)) == before, "one sale, and one note of what is spent"


async def requests(settings: Settings) -> list[Participant]:
    records = SqlRecords.at(database(settings))
    found = list(await records.requests(CLOCK.now(), 10))
    await records.aclose()
    return found


async def people(settings: Settings, number: int) -> Participant:
    records = SqlRecords.at(database(settings))
    found = await records.people([PersonId(number)])
    await records.aclose()
    return found[PersonId(number)]


def test_a_kill_in_the_middle_of_the_restore_forgets_no_erasure(settings: Settings) -> None:
    erase(settings, ANN, backed_up(settings))
    for step in ("schema", "erasures"):
        killed_at(settings, step)
    assert restored(settings).erased == 1
    assert len(asyncio.run(requests(settings))) == 1


def test_somebody_who_came_back_before_the_backup_is_left_alone(on_a_file: Settings) -> None:
    erase(on_a_file, ANN, backed_up(on_a_file))
    asyncio.run(told(on_a_file, "back", changed(person(ANN, 20), CLOCK.now() + 1.0)))
    asyncio.run(take(on_a_file, a_second_later))
    assert restored(on_a_file).erased == 0
    assert asyncio.run(people(on_a_file, ANN)) == person(ANN, 20)


def test_if_the_database_is_gone_the_notes_beside_the_backups_count(on_a_file: Settings) -> None:
    erase(on_a_file, ANN, backed_up(on_a_file))
    old = directory_of(on_a_file).backups()[0]
    new = asyncio.run(take(on_a_file, a_second_later)).path
    new.unlink()
    for path in on_a_file.sqlite_db_path.parent.glob("passerby.db*"):
        path.unlink()
    assert restored(on_a_file, old.stem).erased == 1
    assert not any(str(ANN) in path.read_text() for path in old.parent.glob("*.json"))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"x": "y"}', b"[" * 100_000])
def test_notes_that_cannot_be_read_stop_no_restore(on_a_file: Settings, content: bytes) -> None:
    erase(on_a_file, ANN, backed_up(on_a_file))
    (directory_of(on_a_file).path / erasures.FILE).write_bytes(content)
    assert restored(on_a_file).erased == 1
