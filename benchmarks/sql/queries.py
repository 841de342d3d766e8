"""Every query of the product on the records, made by the product's own code. `named` catches the statements.

`OPERATORS` are the queries of an operator's panel. They are written here, because nothing in the product asks them yet.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from random import Random

import msgspec

from benchmarks.sql.fill import FIRST_BOT, NOW, Size, person_id
from passerby.adapters.sql import SqlRecords, SqlStaff
from passerby.adapters.sql.pool import connections_percent
from passerby.kernel.facts_wanted import FactsWanted
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.kernel.participant import Chatting, Complaint, Gender, Idle, Met, Participant, Profile, Rating
from passerby.kernel.sanction import Reason, Sanction, SanctionKind, SupportCode
from passerby.kernel.staff import AuditNote, Invite, LiftOrder, Role, StaffDecision, StaffFacts, StaffId, StaffMember
from passerby.ports.facts import (
    BlockChanged,
    ChatClosed,
    ChatOpened,
    ChatRated,
    ChatTold,
    ComplaintExplained,
    ComplaintFiled,
    Fact,
    PersonChanged,
    PersonErased,
    SanctionChanged,
    SanctionLifted,
)

CODE = "ABCDEFGH"
"""The support code of somebody."""


@dataclass(frozen=True, slots=True)
class Question:
    """`facts`: how many facts one call writes. 0 means that it reads."""

    name: str
    ask: Callable[[], Awaitable[object]]
    runs: int
    facts: int = 0


def questions(records: SqlRecords, size: Size, rng: Random, runs: int) -> list[Question]:
    position = count(1)
    chat = count(1)

    def somebody() -> PersonId:
        return PersonId(person_id(rng.randint(1, size.users)))

    def anybody(many: int) -> list[PersonId]:
        return [somebody() for _ in range(many)]

    def apply(facts: list[Fact]) -> Awaitable[None]:
        return records.apply("bench", [(next(position), fact) for fact in facts])

    def some_chats(many: int) -> list[Fact]:
        """Two people find each other, are told, part, and rate each other."""
        facts: list[Fact] = []
        for _ in range(many):
            facts += a_chat(ChatId(f"new-{next(chat)}"), somebody(), somebody())
        one, other = somebody(), somebody()
        return [
            *facts,
            BlockChanged(one, other, True, NOW),
            BlockChanged(other, one, False, NOW),
            ComplaintFiled(reported := ChatId(f"new-{next(chat)}"), one, other, Complaint.SPAM, NOW),
            ComplaintExplained(reported, one, b"sealed words", NOW),
            SanctionChanged(other, Sanction(reported, SanctionKind.WARNING, Reason.SPAM, NOW), NOW),
            SanctionLifted(reported, NOW),
        ]

    def changes() -> list[Fact]:
        return [PersonChanged(idle(each), NOW) for each in anybody(500)]

    def show_code() -> Awaitable[None]:
        person = msgspec.structs.replace(idle(somebody()), support=SupportCode(CODE, NOW + 600))
        return apply([PersonChanged(person, NOW)])

    few = max(3, runs // 50)
    some = max(5, runs // 5)
    return [
        Question("one person", lambda: records.people(anybody(1)), runs),
        Question("100 people", lambda: records.people(anybody(100)), runs),
        Question("5,000 people", lambda: records.people(anybody(5_000)), few),
        Question("position", lambda: records.applied("bench"), runs),
        Question("500 people changed", lambda: apply(changes()), some, facts=500),
        Question("a chat, opened to rated", lambda: apply(some_chats(1)), some, facts=len(some_chats(1))),
        Question("40 chats, opened to rated", lambda: apply(some_chats(40)), some, facts=len(some_chats(40))),
        Question("everybody active", records.active, few),
        Question("the newest change", records.changed_at, some),
        Question("who asked about their data", lambda: records.requests(NOW, 100), some),
        Question("a person's history", lambda: records.history(somebody()), some),
        Question("who refers to a person", lambda: records.acquaintances(somebody(), 100), few),
        Question("a person erased", lambda: apply([PersonErased(somebody(), False, NOW)]), few, facts=1),
        Question("a person erased who is back", lambda: apply([PersonErased(somebody(), True, NOW)]), few, facts=1),
        Question("room for connections", lambda: records.shortage(1), few),
        Question("connections in use", lambda: connections_percent(records.engine), few),
        Question("an invite, a member, another role", staff_joins(SqlStaff(records.engine), show_code), few),
    ]


def staff_joins(staff: SqlStaff, show_code: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[object]]:
    """Somebody is invited to the team, joins it, gets another role, and reads the audit."""
    number = count(1)

    async def ask() -> None:
        await show_code()
        digest, person = f"digest {next(number)}", PersonId(person_id(next(number)))

        def invited(facts: StaffFacts) -> StaffDecision:
            made = Invite(digest, Role.OWNER, StaffId(0), NOW, NOW + 600)
            return StaffDecision(invites=(made,), notes=(AuditNote("team.invited"),))

        def joined(facts: StaffFacts) -> StaffDecision:
            assert facts.invite is not None
            new = StaffMember(facts.next_number, person, Role.OWNER, NOW)
            return StaffDecision((new,), (facts.invite,), (AuditNote("team.joined"),))

        def left(facts: StaffFacts) -> StaffDecision:
            assert facts.me is not None
            gone = StaffMember(facts.me.number, person, Role.ADMIN, NOW, revoked_at=NOW)
            order = LiftOrder(person, "sanction")
            return StaffDecision((gone,), notes=(AuditNote("team.revoked"),), orders=(order,))

        for decide, whose in ((invited, None), (joined, person), (left, person)):
            ref = UpdateRef(BotId(FIRST_BOT), next(number))
            await staff.decide(whose, ref, decide, NOW, FactsWanted(digest=digest, code=CODE, language="en"))
        await staff.orders_done([number for number, _ in await staff.orders(10)], NOW)
        await staff.team()
        await staff.everybody()
        await staff.audit(0, 10)
        await staff.newest_audit(10)

    return ask


def a_chat(name: ChatId, one: PersonId, other: PersonId) -> list[Fact]:
    """All facts about one chat."""
    bots = (BotId(FIRST_BOT), BotId(FIRST_BOT + 1))
    return [
        PersonChanged(_changed(one, Chatting(name, other, NOW)), NOW),
        PersonChanged(_changed(other, Chatting(name, one, NOW)), NOW),
        ChatOpened(name, one, other, *bots, NOW),
        *(ChatTold(name, who, MessageRef(BotId(FIRST_BOT), MessageId(9)), NOW + 1) for who in (one, other)),
        PersonChanged(idle(one), NOW + 60),
        PersonChanged(idle(other), NOW + 60),
        ChatClosed(name, one, "left", NOW + 60),
        ChatRated(name, other, Rating.GOOD, NOW + 70),
    ]


def idle(person: PersonId) -> Participant:
    return _changed(person, Idle())


def _changed(person: PersonId, state: Idle | Chatting) -> Participant:
    met = tuple(Met(PersonId(person_id(number)), NOW) for number in (1, 2, 3))
    profile = Profile(NOW, 30, NOW, Gender.MALE, "en", None, ("en",), ("music", "films"))
    bot = BotId(FIRST_BOT)
    return Participant(person, 901, bot, (bot,), profile, state, None, NOW, recent=met)


OPERATORS = {
    "somebody's chats": (
        f"SELECT id, user2, opened_at, closed_at FROM chats WHERE user1 = {person_id(77)} "
        "ORDER BY opened_at DESC LIMIT 50"
    ),
    "reported by how many lately": (
        f"SELECT count(*) FROM complaints WHERE accused_id = {person_id(30)} AND filed_at > {NOW - 2_592_000}"
    ),
    "blocked by how many lately": (
        f"SELECT count(*) FROM blocks WHERE blocked_id = {person_id(30)} AND blocked_at > {NOW - 2_592_000}"
    ),
    "entitlements that end": (
        f"SELECT id, vip_until FROM users WHERE vip_until > 0 AND vip_until < {NOW + 3600} "
        "ORDER BY vip_until LIMIT 1000"
    ),
    "who has waited longest": (
        "SELECT id, searching_since FROM users WHERE state = 'searching' AND pool = 'adults' "
        "ORDER BY searching_since LIMIT 20"
    ),
    "new people of a day": f"SELECT count(*) FROM users WHERE created_at > {NOW - 86_400}",
    "chats of a day": f"SELECT count(*) FROM chats WHERE opened_at > {NOW - 86_400}",
    "open chats": "SELECT count(*) FROM chats WHERE active",
}
