"""The contract of `passerby.ports.staff.StaffRecords`, for every implementation."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import SqlStaff
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.panel_access import SqlPanelAccess
from passerby.adapters.sql.pool import ConnectionPool
from passerby.adapters.sql.tables import audit, staff_orders
from passerby.domain.audit import AuditRow, first_broken
from passerby.kernel.alone import Alone
from passerby.kernel.approval import Approval, ApprovalState
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.drain import Drain
from passerby.kernel.effect import Answer, Button, Menu, Revise, Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.facts_wanted import FactsWanted
from passerby.kernel.ids import BotId, MessageId, PersonId, UpdateRef
from passerby.kernel.money_report import Ledgered
from passerby.kernel.override import Overridden, Override, OverrideKey
from passerby.kernel.panel import PanelLogin, PanelSession, Passkey
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff import (
    THE_OPERATOR,
    AuditNote,
    Invite,
    LiftOrder,
    Role,
    SanctionOrder,
    StaffDecision,
    StaffFacts,
    StaffId,
    StaffMember,
)
from passerby.kernel.staff_requests import InviteAsked
from passerby.kernel.text import text
from passerby.ports.staff import StaffRecords
from passerby.runtime.staff.decisions import StaffDecisions, digest_of
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from tests.contract.records_places import PostgresServer, empty_postgres, make_tables
from tests.contract.servers import postgres_uri
from tests.contract.staff_memory import MemoryStaff, StaffDisk

NOW = 1_800_000_000.25
ANN, BOB = PersonId(7_000_000_001), PersonId(7_000_000_002)
BOT = BotId(1000009)
PATIENT = ConnectionPool(timeout_s=60.0)
"""For busy machines: here, many wait for each other."""
BAN_ASKED = '{"type":"person.ban","code":"X","kind":"banned","reason":"scam"}'


class StaffPlace:
    """Records that several processes open."""

    def __init__(self, database: str | Path | None) -> None:
        self._database = database
        self._disk = StaffDisk()

    def run(self, scene: Callable[..., Awaitable[None]], processes: int = 1) -> None:
        async def opened() -> None:
            if self._database is None:
                return await scene(*(MemoryStaff(self._disk) for _ in range(processes)))
            engines = [connect(database_url(self._database), PATIENT) for _ in range(processes)]
            try:
                await scene(*map(SqlStaff, engines))
            finally:
                for engine in engines:
                    await engine.dispose()

        asyncio.run(opened())

    def execute(self, *statements: Any) -> None:
        async def run() -> None:
            assert self._database is not None
            engine = connect(database_url(self._database), poolclass=NullPool)
            async with engine.begin() as connection:
                for statement in statements:
                    await connection.execute(statement)
            await engine.dispose()

        asyncio.run(run())


@pytest.fixture(scope="session")
def postgres_staff() -> Iterator[str]:
    with postgres_uri() as uri, PostgresServer(uri).migrated() as database:
        yield database


PLACES = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)]
SQL = PLACES[1:]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StaffPlace:
    if request.param == "memory":
        return StaffPlace(None)
    if request.param == "postgres":
        database = request.getfixturevalue("postgres_staff")
        empty_postgres(database)
        return StaffPlace(database)
    asyncio.run(make_tables(tmp_path / "staff.db"))
    return StaffPlace(tmp_path / "staff.db")


on_all = pytest.mark.parametrize("place", PLACES, indirect=True)
on_sql = pytest.mark.parametrize("place", SQL, indirect=True)


def member(number: int, person: PersonId = ANN, role: Role = Role.OWNER, **more: Any) -> StaffMember:
    return StaffMember(StaffId(number), person, role, NOW, **more)


def ref(update: int) -> UpdateRef:
    return UpdateRef(BOT, update)


def joins(person: PersonId) -> Callable[[StaffFacts], StaffDecision]:
    """The asker becomes a member with the next number."""

    def decide(facts: StaffFacts) -> StaffDecision:
        new = StaffMember(facts.next_number, person, Role.OWNER, NOW)
        note = AuditNote("team.joined", f"#{new.number}", {"role": new.role, "invited_by": 0}, "because")
        return StaffDecision((new,), notes=(note,), effects=(Say(person, text("team.welcome", role="x")),))

    return decide


async def verified(records: StaffRecords) -> list[AuditRow]:
    rows = list(await records.audit(0, 10_000))
    assert first_broken(rows, None) is None  # type: ignore[arg-type]
    return rows  # type: ignore[return-value]


@on_all
def test_a_decision_is_stored_whole_with_its_row_of_the_audit(place: StaffPlace) -> None:
    async def scene(records: StaffRecords) -> None:
        invite = Invite("digest", Role.MODERATOR, StaffId(0), NOW, NOW + 600, "Bob")
        made = StaffDecision(invites=(invite,), notes=(AuditNote("team.invited"),), reply=text("team.invited"))
        assert await records.decide(None, ref(1), lambda facts: made, NOW) == made
        seen: list[StaffFacts] = []

        def joined(facts: StaffFacts) -> StaffDecision:
            seen.append(facts)
            assert facts.invite is not None
            used = msgspec.structs.replace(facts.invite, used_by=facts.next_number, used_at=NOW)
            return msgspec.structs.replace(joins(BOB)(facts), invites=(used,))

        await records.decide(BOB, ref(2), joined, NOW, FactsWanted(digest="digest"))
        assert seen == [StaffFacts(None, (), StaffId(1), invite)]
        assert await records.team() == (member(1, BOB),)
        await records.decide(
            BOB, ref(3), lambda facts: seen.append(facts) or StaffDecision(), NOW, FactsWanted(digest="digest")
        )
        assert seen[1].me == member(1, BOB)
        assert seen[1].invite is not None
        assert (seen[1].invite.used_by, seen[1].next_number) == (1, 2)
        rows = await verified(records)
        assert [(row.number, row.actor, row.action, row.subject, row.reason) for row in rows] == [
            (1, 0, "team.invited", "", ""),
            (2, 1, "team.joined", "#1", "because"),
        ]
        assert msgspec.json.decode(rows[1].details) == {"role": "owner", "invited_by": 0}
        assert list(await records.newest_audit(1)) == rows[1:]

    place.run(scene)


@on_all
def test_a_bot_closes_until_staff_open_it_again(place: StaffPlace) -> None:
    async def scene(records: StaffRecords, other: StaffRecords) -> None:
        first, second = (Drain(BOT, BotId(1000000 + sister), f"sister{sister}", NOW) for sister in (1, 2))
        note = AuditNote("bots.draining", "1")
        for number, drain in enumerate((first, second)):
            made = StaffDecision(drains=(drain,), notes=(note,))
            await records.decide(None, ref(number), lambda facts, made=made: made, NOW)  # type: ignore[misc]
            assert tuple(await other.drains()) == (drain,)
        seen: list[StaffFacts] = []
        over = StaffDecision(drains_over=(BOT,), notes=(note,))
        await other.decide(None, ref(9), lambda facts: seen.append(facts) or over, NOW)  # type: ignore[func-returns-value]
        assert seen[0].draining == (second,)
        assert tuple(await records.drains()) == ()

    place.run(scene, processes=2)


@on_all
def test_the_second_of_two_processes_that_override_a_key_at_once_sees_the_first(place: StaffPlace) -> None:
    """And each key has overrides of its own. Settings and texts have versions of their own."""
    setting, text_ = OverrideKey(Overridden.SETTING, "PATIENCE"), OverrideKey(Overridden.TEXT, "intro.short", BOT, "de")

    def to(value: str | None, at: OverrideKey) -> Callable[[StaffFacts], StaffDecision]:
        def decide(facts: StaffFacts) -> StaffDecision:
            seen.append(facts.override)
            versions.append(facts.override_version)
            new = Override(facts.next_override, at, value, 0, NOW)
            return StaffDecision(overrides=(new,), notes=(AuditNote("setting.changed", at.name),))

        return decide

    seen: list[Override | None] = []
    versions: list[int] = []

    async def scene(one: StaffRecords, two: StaffRecords) -> None:
        await asyncio.gather(
            one.decide(None, ref(1), to("2", setting), NOW, FactsWanted(override_key=setting)),
            two.decide(None, ref(2), to("2", setting), NOW, FactsWanted(override_key=setting)),
        )
        assert seen == [None, Override(1, setting, "2", 0, NOW)]
        await one.decide(None, ref(3), to(None, text_), NOW, FactsWanted(override_key=text_))
        await one.decide(None, ref(4), to("3", setting), NOW, FactsWanted(override_key=setting))
        assert seen[2:] == [None, Override(2, setting, "2", 0, NOW)]
        assert versions == [1, 2, 1, 3]
        await verified(one)

    place.run(scene, processes=2)


@on_all
def test_the_same_update_again_changes_nothing_and_gets_the_same_answer(place: StaffPlace) -> None:
    async def scene(records: StaffRecords, other: StaffRecords) -> None:
        menu = Menu(((Button(text("team.back"), "staff_list"),),))
        effects = (Answer("q"), Revise(ANN, MessageId(4), text("team.list"), menu), Say(ANN, text("team.welcome")))

        def first(facts: StaffFacts) -> StaffDecision:
            decision = msgspec.structs.replace(joins(ANN)(facts), effects=effects)
            return msgspec.structs.replace(decision, reply=text("team.joined", who="#1"))

        await records.decide(ANN, ref(1), first, NOW)
        again = await other.decide(ANN, ref(1), joins(BOB), NOW)
        assert again == StaffDecision(effects=effects, reply=text("team.joined", who="#1"))
        assert await records.team() == (member(1),)
        assert len(await verified(records)) == 1

    place.run(scene, 2)


@on_all
def test_a_revoked_member_is_no_longer_staff_and_their_number_is_not_used_again(place: StaffPlace) -> None:
    async def scene(records: StaffRecords) -> None:
        await records.decide(None, ref(1), joins(ANN), NOW)
        gone = StaffDecision((member(1, revoked_at=NOW + 1),), notes=(AuditNote("team.revoked", "#1"),))
        await records.decide(None, ref(2), lambda facts: gone, NOW + 1)
        assert await records.team() == ()
        await records.decide(None, ref(3), joins(ANN), NOW + 2)
        assert [each.number for each in await records.team()] == [2]
        assert [each.revoked_at for each in await records.everybody()] == [NOW + 1, None]

    place.run(scene)


@on_all
def test_a_person_who_was_staff_before_gets_their_number_again_when_they_open_an_invite(place: StaffPlace) -> None:
    async def scene(records: StaffRecords) -> None:
        env = Env(NOW, Random(1))
        decisions = StaffDecisions(records, StaffRouter(ALL), lambda: env)
        link = MessageReceived(ANN, BOT, (MessageId(5),), (Content(Kind.TEXT, "/start secret"),), NOW)
        await decisions.on_request(InviteAsked(digest_of("secret"), Role.OWNER))
        await decisions.on_event(link, ref(1))
        gone = StaffDecision((member(1, revoked_at=NOW),), notes=(AuditNote("team.revoked", "#1"),))
        await records.decide(None, ref(2), lambda facts: gone, NOW)
        await decisions.on_request(InviteAsked(digest_of("other"), Role.ADMIN))
        again = msgspec.structs.replace(link, contents=(Content(Kind.TEXT, "/start other"),))
        await decisions.on_event(again, ref(3))
        assert [(each.number, each.role, each.revoked_at) for each in await records.everybody()] == [
            (1, Role.ADMIN, None)
        ]

    place.run(scene)


@on_sql
def test_a_member_who_is_revoked_loses_their_sessions_logins_and_passkeys(place: StaffPlace) -> None:
    async def scene(records: SqlStaff) -> None:
        access = SqlPanelAccess(records.engine)
        session = PanelSession(1, "digest", StaffId(1), NOW, NOW, NOW, NOW + 999)
        key = Passkey("key", StaffId(1), "public", 0, "a phone", NOW)
        login = PanelLogin("login", "browser", NOW, NOW + 600, member=StaffId(1))
        opened = StaffDecision((member(1),), sessions=(session,), passkeys=(key,), logins=(login,))
        await records.decide(None, ref(1), lambda facts: opened, NOW)
        assert await access.sessions(NOW)
        gone = StaffDecision((member(1, revoked_at=NOW),), notes=(AuditNote("team.revoked", "#1"),))
        await records.decide(None, ref(2), lambda facts: gone, NOW)
        assert (await access.sessions(NOW), await access.passkeys(), await access.login("login")) == ([], [], None)

    place.run(scene)


@on_all
def test_the_language_of_a_member_is_the_one_that_they_wrote_with_last(place: StaffPlace) -> None:
    async def scene(records: StaffRecords) -> None:
        await records.decide(None, ref(1), joins(ANN), NOW)
        for update, language in ((2, "de"), (3, "")):
            await records.decide(ANN, ref(update), lambda facts: StaffDecision(), NOW, FactsWanted(language=language))
        assert [each.language for each in await records.team()] == ["de"]
        seen: list[StaffMember | None] = []
        await records.decide(
            None, ref(4), lambda facts: seen.append(facts.me) or StaffDecision(), NOW, FactsWanted(language="ru")
        )
        assert seen == [THE_OPERATOR]

    place.run(scene)


@on_all
def test_decisions_of_several_processes_at_once_follow_each_other_in_one_chain(place: StaffPlace) -> None:
    async def scene(*processes: StaffRecords) -> None:
        people = [PersonId(7_000_000_100 + at) for at in range(24)]
        await asyncio.gather(
            *(
                processes[at % len(processes)].decide(None, ref(at), joins(person), NOW + at)
                for at, person in enumerate(people)
            )
        )
        team = await processes[0].team()
        assert [each.number for each in team] == list(range(1, 25))
        assert {each.person for each in team} == set(people)
        rows = await verified(processes[-1])
        assert [row.subject for row in rows] == [f"#{number}" for number in range(1, 25)]

    place.run(scene, 3)


@on_sql
def test_the_database_refuses_to_change_or_delete_rows_of_the_audit(place: StaffPlace) -> None:
    async def scene(records: StaffRecords) -> None:
        await records.decide(None, ref(1), joins(ANN), NOW)

    place.run(scene)
    for statement in (sa.update(audit).values(reason="another"), sa.delete(audit)):
        with pytest.raises(exc.DBAPIError, match="never changed or deleted"):
            place.execute(statement)


def orders_about(person: PersonId) -> Callable[[StaffFacts], StaffDecision]:
    ban = SanctionOrder(person, Sanction("s", SanctionKind.BANNED, Reason.SCAM, NOW))
    note = AuditNote("person.sanctioned", "code ABCD-EFGH")
    return lambda facts: StaffDecision(notes=(note,), orders=(ban, LiftOrder(person, "s")))


@on_all
def test_orders_wait_until_they_are_done(place: StaffPlace) -> None:
    async def scene(records: StaffRecords) -> None:
        await records.decide(None, ref(1), orders_about(BOB), NOW)
        (one, ban), (two, lift) = await records.orders(9)
        assert (ban, lift) == orders_about(BOB)(StaffFacts(THE_OPERATOR)).orders
        await records.orders_done([one], NOW + 1)
        assert list(await records.orders(9)) == [(two, lift)]
        await records.orders_done([two], NOW + 1)
        assert list(await records.orders(9)) == []
        await records.decide(None, ref(2), orders_about(ANN), NOW)
        assert [number for number, _ in await records.orders(9)] == [two + 1, two + 2], "no number is used twice"

    place.run(scene)


@on_sql
def test_an_order_that_is_done_names_the_person_no_more(place: StaffPlace) -> None:
    async def scene(records: SqlStaff) -> None:
        await records.decide(None, ref(1), orders_about(BOB), NOW)
        await records.orders_done([1, 2], NOW + 1)
        async with records._engine.connect() as connection:
            rows = (await connection.execute(sa.select(staff_orders))).all()
        assert len(rows) == 2
        assert str(BOB) not in repr(rows)

    place.run(scene)


@on_all
def test_an_invite_that_two_people_open_at_once_in_two_processes_lets_one_of_them_in(place: StaffPlace) -> None:
    async def scene(*processes: StaffRecords) -> None:
        def asked(records: StaffRecords, seed: int) -> StaffDecisions:
            return StaffDecisions(records, StaffRouter(ALL), lambda: Env(NOW, Random(seed)))

        await asked(processes[0], 1).on_request(InviteAsked(digest_of("secret"), Role.OWNER))
        links = [
            MessageReceived(person, BOT, (MessageId(5),), (Content(Kind.TEXT, "/start secret"),), NOW)
            for person in (ANN, BOB)
        ]
        opened = (asked(one, 2).on_event(link, ref(link.person)) for one, link in zip(processes, links, strict=True))
        said = [done.effects[0].text.key for done in await asyncio.gather(*opened)]  # type: ignore[union-attr]
        assert sorted(said) == ["team.link_useless", "team.welcome"]
        assert len(await processes[0].team()) == 1
        assert [row.action for row in await verified(processes[0])] == ["team.invited", "team.joined"]

    place.run(scene, processes=2)


@on_all
def test_the_money_is_read_only_for_those_who_may_see_it(place: StaffPlace) -> None:
    async def scene(records: StaffRecords) -> None:
        read: list[tuple[float, float, float]] = []

        async def ledger(since: float, until: float, now: float) -> Ledgered:
            read.append((since, until, now))
            return Ledgered([], [], [], [], [], [])

        env = Env(NOW, Random(1))
        decisions = StaffDecisions(records, StaffRouter(ALL), lambda: env, ledger=ledger)

        async def says(person: PersonId, words: str, number: int) -> str:
            event = MessageReceived(person, BOT, (MessageId(5),), (Content(Kind.TEXT, words),), NOW)
            done = await decisions.on_event(event, ref(number))
            return done.effects[0].text.key  # type: ignore[union-attr]

        for person, role in ((ANN, Role.SUPPORT), (BOB, Role.MODERATOR)):
            await decisions.on_request(InviteAsked(digest_of(role), role))
            await says(person, f"/start {role}", person)
        assert await says(PersonId(999), "/money", 101) == "team.stranger"
        assert await says(BOB, "/money", 102) == "team.not_allowed"
        assert await says(ANN, "/help", 103) != "money_report.report"
        assert not read
        assert await says(ANN, "/money", 104) == "money_report.report"
        assert read == [(NOW - 30 * 86_400.0, NOW, NOW)]

    place.run(scene)


def _waiting(number: int, expires_at: float = NOW + 9, person: PersonId | None = None) -> Approval:
    return Approval(number, BAN_ASKED, "ban", "code X", text("people.gone"), 1, NOW, expires_at, person)


@on_all
def test_everybody_sees_what_waits_for_a_second_member_until_it_is_decided_or_over(place: StaffPlace) -> None:
    async def scene(records: StaffRecords) -> None:
        async def known(now: float = NOW, approval: int = 0) -> StaffFacts:
            seen: list[StaffFacts] = []

            def look(facts: StaffFacts) -> StaffDecision:
                seen.append(facts)
                return StaffDecision()

            await records.decide(None, ref(99), look, now, FactsWanted(approval=approval))
            return seen[0]

        def stores(*approvals: Approval) -> Callable[[StaffFacts], StaffDecision]:
            return lambda facts: StaffDecision(approvals=approvals, notes=(AuditNote("approval.asked"),))

        assert (await known()).next_approval == 1
        first, second = _waiting(1), _waiting(2, NOW + 5, BOB)
        await records.decide(None, ref(1), stores(first, second), NOW)
        facts = await known(approval=2)
        assert (facts.approvals, facts.approval, facts.subject, facts.next_approval) == (
            (first, second),
            second,
            None,
            3,
        )
        assert (await known(NOW + 5)).approvals == (first,), "its time is over"
        given = msgspec.structs.replace(first, state=ApprovalState.GIVEN, decided_by=2, decided_at=NOW + 1)
        await records.decide(None, ref(2), stores(given), NOW + 1)
        facts = await known(approval=1)
        assert (facts.approvals, facts.approval) == ((second,), given)

    place.run(scene)


@on_all
def test_acts_of_one_member_alone_in_the_last_day_are_summed_up(place: StaffPlace) -> None:
    def noted(*notes: AuditNote) -> Callable[[StaffFacts], StaffDecision]:
        return lambda facts: StaffDecision(notes=notes)

    async def scene(records: StaffRecords) -> None:
        seen: list[Alone] = []

        def look(facts: StaffFacts) -> StaffDecision:
            seen.append(facts.alone)
            return StaffDecision()

        await records.decide(ANN, ref(1), joins(ANN), NOW)
        await records.decide(None, ref(2), noted(AuditNote("purchase.refunded", "", {"stars": 9})), NOW)
        early = NOW + 1
        await records.decide(ANN, ref(3), noted(AuditNote("purchase.refunded", "", {"stars": 100})), early)
        mine = (
            AuditNote("purchase.refunded", "", {"stars": 20}),
            AuditNote("purchase.refunded", "", {"stars": 5000, "approval": 3}),
            AuditNote("promos.made", "", {"worth_days": 70}),
            AuditNote("person.sanction_lifted", "", {"sanction": "a"}),
            AuditNote("broadcast.start", "", {"people": 30}),
            AuditNote("broadcast.start", "", {"people": 3000, "waits": True}),
            AuditNote("person.looked_at"),
        )
        await records.decide(ANN, ref(4), noted(*mine), NOW + 9)
        wanted = FactsWanted(sums=True)
        for now in (NOW + 10, early + 86_400.0, NOW + 9 + 86_400.0):
            await records.decide(ANN, ref(5), look, now, wanted)
        await records.decide(None, ref(5), look, NOW + 10, wanted)
        await records.decide(ANN, ref(5), look, NOW + 10)
        assert seen == [Alone(120, 70, 1, 30), Alone(20, 70, 1, 30), Alone(), Alone(stars=9), Alone()]

    place.run(scene)
