"""Cases about farms in both databases: one for each farm, and none about accounts that staff decided on."""

import sqlalchemy as sa

from passerby.adapters.sql import SqlRecords, SqlStaff
from passerby.adapters.sql.farm_cases import SETTLED_S
from passerby.adapters.sql.tables import cases, farm_accounts
from passerby.kernel.farm import FarmSeen, FarmSign, Measured
from passerby.kernel.ids import PersonId
from tests.contract.records_facts import NOW, changed, erased, numbered, person
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop


def farm(*accounts: int, recruits: tuple[int, ...] = ()) -> FarmSeen:
    measured = Measured(FarmSign.PLACE, "a", NOW, 10 * len(accounts))
    return FarmSeen(measured, tuple(map(PersonId, accounts)), tuple(map(PersonId, recruits)))


async def filled(database: str) -> tuple[SqlRecords, SqlStaff]:
    await make_tables(database)
    records = SqlRecords.at(database)
    await records.apply("g", numbered(*(changed(person(number)) for number in range(1, 9))))
    return records, SqlStaff(records.engine)


async def listed(records: SqlRecords) -> list[tuple[int, int, bool]]:
    asked = sa.select(farm_accounts.c.case_number, farm_accounts.c.user_id, farm_accounts.c.is_recruit)
    async with records.engine.connect() as connection:
        return sorted((row[0], row[1], bool(row[2])) for row in await connection.execute(asked))


async def decided(records: SqlRecords, outcome: str) -> None:
    async with records.engine.begin() as connection:
        closed = {"state": "decided", "outcome": outcome, "decided_at": NOW}
        await connection.execute(sa.update(cases).where(cases.c.decided_at.is_(None)).values(closed))


@in_a_loop
async def test_a_case_grows_with_its_farm_and_a_recruit_may_become_an_account(database: str) -> None:
    records, staff = await filled(database)
    assert await staff.open_farm_cases([farm(1, 2, recruits=(3,))], NOW) == 1
    assert await staff.open_farm_cases([farm(1, 2, recruits=(3,)), farm(2, 3, 4)], NOW) == 1
    assert await listed(records) == [(1, 1, False), (1, 2, False), (1, 3, False), (1, 4, False)]
    await records.aclose()


@in_a_loop
async def test_recruits_alone_and_erased_people_make_no_case(database: str) -> None:
    records, staff = await filled(database)
    assert await staff.open_farm_cases([farm(99), farm(recruits=(1,)), farm(98, recruits=(1,))], NOW) == 0
    assert await listed(records) == []
    await records.aclose()


@in_a_loop
async def test_nobody_in_a_case_that_was_decided_is_in_another_one_within_a_week(database: str) -> None:
    records, staff = await filled(database)
    await staff.open_farm_cases([farm(1, 2, recruits=(3,))], NOW)
    await decided(records, "dismissed")
    assert await staff.open_farm_cases([farm(1, 2, 3)], NOW + 60) == 0
    assert await staff.open_farm_cases([farm(1, 2, 3, 4)], NOW + 60) == 1
    assert await listed(records) == [(1, 1, False), (1, 2, False), (1, 3, True), (2, 4, False)]
    await decided(records, "dismissed")
    assert await staff.open_farm_cases([farm(1, 2)], NOW + SETTLED_S + 1) == 1
    await records.aclose()


@in_a_loop
async def test_a_recruit_of_a_farm_that_is_barred_gets_a_case_if_they_become_an_account(database: str) -> None:
    records, staff = await filled(database)
    await staff.open_farm_cases([farm(1, 2, recruits=(3,))], NOW)
    await decided(records, "sanctioned")
    assert await staff.open_farm_cases([farm(1, 2, recruits=(3,))], NOW + 60) == 0
    assert await staff.open_farm_cases([farm(1, 2, 3)], NOW + 60) == 1
    assert (2, 3, False) in await listed(records)
    await records.aclose()


@in_a_loop
async def test_an_account_that_is_erased_leaves_its_case(database: str) -> None:
    records, staff = await filled(database)
    await staff.open_farm_cases([farm(1, 2)], NOW)
    await records.apply("g", numbered(erased(1), after=100))
    assert await listed(records) == [(1, 2, False)]
    await records.aclose()
