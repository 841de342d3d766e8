"""Of somebody who is banned and has their data erased, a keyed pseudonym is left, and nothing else."""

import msgspec
import sqlalchemy as sa

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.retention import Kept, Retention
from passerby.adapters.sql.tables import metadata, tombstones
from passerby.adapters.sql.tombstones import keyed
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.spent import Spent
from passerby.ports.facts import PersonErased, SanctionChanged, SanctionLifted
from tests.contract.records_facts import NOW, changed, numbered, person
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop

ANN = PersonId(7_000_000_001)
KEY, FORMER, OTHER = b"k" * 32, b"f" * 32, b"o" * 32
BAN = Sanction("s", SanctionKind.BANNED, Reason.SCAM, NOW, None, 3)
SHORT = msgspec.structs.replace(BAN, id="t", until=NOW + 100)
LEFT = Participant(ANN, 5, sanctions=(BAN,))


async def erased(database: str, left: Participant = LEFT, key: bytes = KEY) -> SqlRecords:
    await make_tables(database)
    records = SqlRecords.at(database, pseudonyms=keyed(key))
    facts = (changed(person(ANN, 4)), SanctionChanged(ANN, BAN, NOW), changed(left), PersonErased(ANN, True, NOW, left))
    await records.apply("g", numbered(*facts))
    return records


async def held(records: SqlRecords) -> str:
    async with records.engine.connect() as connection:
        tables = [list(await connection.execute(sa.select(table))) for table in metadata.sorted_tables]
    return repr(tables)


@in_a_loop
async def test_nothing_else_is_left_and_the_ban_binds_when_they_come_back(database: str) -> None:
    records = await erased(database)
    assert str(ANN) not in await held(records)
    assert await records.people([ANN, PersonId(5)]) == {ANN: LEFT}
    await records.aclose()


@in_a_loop
async def test_an_earlier_key_still_finds_its_own_and_a_foreign_key_finds_nothing(database: str) -> None:
    await (await erased(database, key=FORMER)).aclose()
    for keys, known in (((KEY, FORMER), {ANN: LEFT}), ((OTHER,), {})):
        records = SqlRecords.at(database, pseudonyms=keyed(*keys))
        assert await records.people([ANN]) == known
        await records.aclose()
    without = SqlRecords.at(database)
    assert await without.people([ANN]) == {}
    await without.aclose()


@in_a_loop
async def test_a_freed_person_who_is_back_has_no_tombstone_any_more(database: str) -> None:
    records = await erased(database)
    back = msgspec.structs.replace(LEFT, version=6)
    await records.apply("g", numbered(changed(back), after=50))
    assert await records.people([ANN]) == {ANN: back}
    await records.apply("g", numbered(SanctionLifted("s", NOW, ANN), PersonErased(ANN, False, NOW), after=60))
    assert await records.people([ANN]) == {}
    again = await erased(database)
    await again.apply("g", numbered(SanctionChanged(ANN, SHORT, NOW), after=70))
    async with again.engine.connect() as connection:
        names = (await connection.scalars(sa.select(tombstones.c.pseudonym))).all()
    assert [name.partition(":")[0] for name in names] == ["erased"], "only the note of the erasure"
    await records.aclose()
    await again.aclose()


@in_a_loop
async def test_a_tombstone_goes_when_its_last_restriction_is_over(database: str) -> None:
    records = await erased(database, msgspec.structs.replace(LEFT, sanctions=(SHORT,)))
    retention = Retention(records.engine, Kept(0, 0, 0))
    await retention.forget(NOW + 99)
    assert await records.people([ANN]) != {}
    await retention.forget(NOW + 101)
    assert await records.people([ANN]) == {}
    await records.aclose()


SPENT = Spent(NOW + 200, 16, NOW + 150)


@in_a_loop
async def test_a_tombstone_keeps_what_somebody_had_once_without_their_id(database: str) -> None:
    left = Participant(ANN, 5, spent=SPENT)
    await make_tables(database)
    records = SqlRecords.at(database, pseudonyms=keyed(KEY))
    facts = (changed(person(ANN, 4)), changed(left), PersonErased(ANN, False, NOW, left))
    await records.apply("g", numbered(*facts))
    assert str(ANN) not in await held(records)
    assert await records.people([ANN]) == {ANN: left}
    retention = Retention(records.engine, Kept(0, 0, 0))
    await retention.forget(NOW + 199)
    assert await records.people([ANN]) == {ANN: left}
    await retention.forget(NOW + 201)
    assert await records.people([ANN]) == {}
    await records.aclose()


@in_a_loop
async def test_without_a_key_nothing_is_kept_of_what_somebody_had(database: str) -> None:
    left = Participant(ANN, 5, spent=SPENT)
    await make_tables(database)
    records = SqlRecords.at(database)
    await records.apply("g", numbered(changed(left), PersonErased(ANN, False, NOW, left)))
    assert str(ANN) not in await held(records)
    assert await records.people([ANN]) == {}
    await records.aclose()
