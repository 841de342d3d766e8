"""Cases in both databases: reports are gathered, claimed by one, measured by a rule once, and leave with the erased."""

import asyncio
from collections.abc import Callable
from random import Random

import msgspec
import sqlalchemy as sa

from passerby.adapters.sql import SqlRecords, SqlStaff
from passerby.adapters.sql.tables import cases, complaints, evidence
from passerby.kernel.case import Case, CaseAsked, CaseFile, LegalHold
from passerby.kernel.decision import Env
from passerby.kernel.event import ButtonPressed
from passerby.kernel.facts_wanted import FactsWanted
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId, UpdateRef
from passerby.kernel.participant import Complaint, Met
from passerby.kernel.staff import AuditNote, Role, SanctionOrder, StaffDecision, StaffFacts, StaffMember
from passerby.kernel.text import text
from passerby.ports.facts import ComplaintFiled, EvidenceKept, Fact
from passerby.runtime.staff.decisions import StaffDecisions
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from passerby.staff.cases.measures import rule
from tests.contract.records_facts import NOW, changed, erased, numbered, person
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop

BOT = BotId(1000009)
ACCUSED = 66


def reporter(number: int) -> Fact:
    met = tuple(Met(PersonId(1000 * number + other), NOW) for other in range(5))
    known = msgspec.structs.replace(person(number), recent=met)
    return changed(known, NOW - 90 * 86_400)


def report(by: int, reason: Complaint = Complaint.RUDE) -> tuple[Fact, ...]:
    chat, at = ChatId(f"c{by}"), NOW + 600 * by
    filed = ComplaintFiled(chat, PersonId(by), PersonId(ACCUSED), reason, at, 0.5)
    return filed, EvidenceKept(chat, PersonId(by), PersonId(ACCUSED), 1, b"sealed", "digest", at)


async def filled(database: str, *facts: Fact) -> tuple[SqlRecords, SqlStaff]:
    await make_tables(database)
    records = SqlRecords.at(database)
    people = [changed(person(ACCUSED)), *map(reporter, range(1, 5))]
    await records.apply("g", numbered(*people, *facts))
    return records, SqlStaff(records.engine)


def hired(number: int, role: Role = Role.MODERATOR) -> Callable[[StaffFacts], StaffDecision]:
    return lambda facts: StaffDecision((StaffMember(facts.next_number, PersonId(9000 + number), role, NOW),))


async def looks(staff: SqlStaff, number: int, update: int) -> Case | None:
    """The case that a member gets, taken."""
    press = ButtonPressed(PersonId(9000 + number), BOT, "q", MessageId(5), "case_next", "")
    decisions = StaffDecisions(staff, StaffRouter(ALL), lambda: Env(NOW + 9000, Random(update)))
    await decisions.on_event(press, UpdateRef(BOT, update))
    found: list[Case] = []

    def look(facts: StaffFacts) -> StaffDecision:
        assert facts.desk is not None
        found.extend(each for each in facts.desk.waiting if each.claimed_by == number)
        return StaffDecision(reply=text("cases.over"))

    await staff.decide(
        PersonId(9000 + number), UpdateRef(BOT, update + 500), look, NOW + 9000, FactsWanted(case=CaseAsked())
    )
    return found[0] if found else None


@in_a_loop
async def test_reports_about_a_person_are_one_case_that_one_member_gets(database: str) -> None:
    records, staff = await filled(database, *report(1), *report(2, Complaint.THREAT))
    for number in (1, 2):
        await staff.decide(None, UpdateRef(BOT, number), hired(number), NOW)
    one, two = await asyncio.gather(looks(staff, 1, 11), looks(staff, 2, 12))
    assert (one is None) != (two is None)
    case = one or two
    assert case is not None
    assert (case.number, case.lane) == (1, 0), "a threat goes first"
    async with records.engine.connect() as connection:
        joined = (await connection.execute(sa.select(complaints.c.case_number))).scalars().all()
    assert joined == [1, 1]
    await records.apply("g", numbered(*report(3), after=100))
    again = await looks(staff, case.claimed_by or 0, 21)
    assert again is not None
    assert again.number == 1
    assert again.version > case.version, "a further report is seen before anybody decides"
    await records.aclose()


@in_a_loop
async def test_a_rule_acts_once_on_three_reporters_and_nobody_is_its_actor(database: str) -> None:
    records, staff = await filled(database, *report(1), *report(2))

    def now(file: CaseFile) -> StaffDecision:
        return rule(file, NOW + 9000)

    assert await staff.measure(now, NOW + 9000) == 0
    await records.apply("g", numbered(*report(3), after=100))
    counts = await asyncio.gather(staff.measure(now, NOW + 9000), staff.measure(now, NOW + 9000))
    assert sorted(counts) == [0, 1]
    ((_, order),) = await staff.orders(9)
    assert isinstance(order, SanctionOrder)
    assert (order.sanction.id, order.sanction.by, order.person) == ("m1", None, ACCUSED)
    (row,) = await staff.audit(0, 9)
    assert (row.actor, row.action, row.subject) == (None, "case.measure", "case 1")
    assert await staff.exhibit(ChatId("c1"), PersonId(1), 1) == b"sealed"
    assert await staff.exhibit(ChatId("c1"), PersonId(1), 0) is None
    await records.aclose()


@in_a_loop
async def test_evidence_that_is_held_for_the_law_outlasts_its_case_and_the_people_until_it_is_released(
    database: str,
) -> None:
    records, staff = await filled(database, *report(1))
    await staff.measure(lambda file: StaffDecision(), NOW)

    async def holds(update: int, held: bool) -> None:
        note = AuditNote("evidence.held")
        await staff.decide(
            None, UpdateRef(BOT, update), lambda facts: StaffDecision(holds=(LegalHold(1, held),), notes=(note,)), NOW
        )

    await holds(1, True)
    closed = CaseAsked(1, closed=True)
    seen: list[StaffFacts] = []

    def look(facts: StaffFacts) -> StaffDecision:
        seen.append(facts)
        return StaffDecision()

    await records.apply("g", numbered(erased(1), after=100))
    async with records.engine.connect() as connection:
        (kept,) = (await connection.execute(sa.select(evidence))).mappings().all()
    assert kept["held"]
    await staff.decide(None, UpdateRef(BOT, 2), look, NOW, FactsWanted(case=closed))
    assert seen[0].desk is not None
    assert seen[0].desk.file is not None
    await records.apply("g", numbered(erased(ACCUSED), after=101))
    await staff.decide(None, UpdateRef(BOT, 3), look, NOW, FactsWanted(case=closed))
    assert seen[1].desk is not None
    assert seen[1].desk.file is not None, "a decided case is found, too"
    await records.aclose()


@in_a_loop
async def test_the_erasure_of_the_accused_or_a_reporter_takes_the_evidence_and_ends_the_case(database: str) -> None:
    records, staff = await filled(database, *report(1), *report(2))
    await staff.measure(lambda file: StaffDecision(), NOW)
    await records.apply("g", numbered(erased(1), after=100))
    async with records.engine.connect() as connection:
        assert len((await connection.execute(sa.select(evidence))).all()) == 1
    await records.apply("g", numbered(erased(ACCUSED), after=101))
    async with records.engine.connect() as connection:
        assert (await connection.execute(sa.select(evidence))).all() == []
        (case,) = (await connection.execute(sa.select(cases))).mappings().all()
    assert (case["accused_id"], case["outcome"], case["state"]) == (0, "erased", "decided")
    await staff.measure(lambda file: StaffDecision(), NOW)
    period = await staff.period(NOW - 9e6, NOW + 9e6)
    assert period.appeals == 0
    await records.aclose()
