"""The honest fake of the records: the same promise without SQL.

Applied facts are on a `Disk`, which outlives the object. To simulate a crash, drop the object and open another one on
the same disk. Atomicity is real: a batch is prepared on a copy, which then replaces the data in one step.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import msgspec

from passerby.domain.personal_data import refers_to
from passerby.domain.sanctions import binds
from passerby.kernel.broadcast import Broadcast
from passerby.kernel.history import (
    History,
    PastBlock,
    PastBroadcast,
    PastChat,
    PastEvidence,
    PastRedemption,
    PastReport,
    PastSanction,
)
from passerby.kernel.ids import BotId, ChatId, MessageRef, PersonId
from passerby.kernel.journey import Step
from passerby.kernel.participant import Chatting, Complaint, Idle, Participant, Rating
from passerby.kernel.promo import PromoCode, Redemption, RedemptionOutcome
from passerby.kernel.sanction import Sanction
from passerby.ports.facts import (
    BlockChanged,
    ChatClosed,
    ChatOpened,
    ChatRated,
    ChatTold,
    ComplaintExplained,
    ComplaintFiled,
    EvidenceKept,
    Fact,
    PersonChanged,
    PersonErased,
    SanctionChanged,
    SanctionLifted,
    StepReached,
)
from passerby.ports.records import Active, Elsewhere, RecordsLost, RecordsOlder, Told
from tests.contract.money_memory import Ledger, MemoryMoney
from tests.contract.referrals_memory import MemoryReferrals


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A chat as the records store it. The columns are the same as in SQL."""

    user1: PersonId
    user2: PersonId
    bot1: BotId
    bot2: BotId
    opened_at: float
    active: bool = True
    closed_at: float | None = None
    closed_by: PersonId | None = None
    reason: str | None = None
    told1: MessageRef | None = None
    told2: MessageRef | None = None
    rating1: Rating | None = None
    rating2: Rating | None = None


class BlockRow(NamedTuple):
    """A block as the records store it. A lifted block stays."""

    blocked_at: float
    lifted_at: float | None = None


NOBODY: Any = 0
"""Stands for a person who was erased."""


class ComplaintRow(NamedTuple):
    accused: PersonId
    reason: Complaint
    filed_at: float
    words: bytes | None = None


class EvidenceRow(NamedTuple):
    """A message that a reporter chose."""

    accused: PersonId
    sealed: bytes
    digest: str
    chosen_at: float


class SanctionRow(NamedTuple):
    """A sanction as the records store it. It stays after its end."""

    person: PersonId
    sanction: Sanction
    lifted_at: float | None = None


@dataclass(slots=True)
class Disk:
    people: dict[PersonId, Participant] = field(default_factory=dict)
    chats: dict[ChatId, ChatRow] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    blocks: dict[tuple[PersonId, PersonId], BlockRow] = field(default_factory=dict)
    complaints: dict[tuple[ChatId, PersonId], ComplaintRow] = field(default_factory=dict)
    created_at: dict[PersonId, float] = field(default_factory=dict)
    sanctions: dict[str, SanctionRow] = field(default_factory=dict)
    evidence: dict[tuple[ChatId, PersonId, int], EvidenceRow] = field(default_factory=dict)
    broadcasts: dict[int, Broadcast] = field(default_factory=dict)
    targets: dict[tuple[int, PersonId], Any] = field(default_factory=dict)
    """By broadcast and person (see `broadcasts_memory`)."""
    ledger: Ledger = field(default_factory=Ledger)
    promos: dict[str, PromoCode] = field(default_factory=dict)
    promo_uses: dict[tuple[str, PersonId], PastRedemption] = field(default_factory=dict)
    funnel: Counter[tuple[int, str, BotId, str, Step]] = field(default_factory=Counter)
    changed_at: dict[str, float] = field(default_factory=dict)
    """By generation."""
    left: dict[PersonId, Participant] = field(default_factory=dict)
    """Of people who were erased. It stands for tombstones, which name nobody."""

    def copy(self) -> "Disk":
        rest = (dict(self.promos), dict(self.promo_uses), Counter(self.funnel), dict(self.changed_at), dict(self.left))
        return Disk(*(dict(each) for each in self._all), self.ledger.copy(), *rest)

    def become(self, other: "Disk") -> None:
        self.people, self.chats, self.positions, *rest = other._all
        self.blocks, self.complaints, self.created_at, self.sanctions, self.evidence, *sent = rest
        self.broadcasts, self.targets = sent
        self.ledger = other.ledger
        self.funnel, self.changed_at = other.funnel, other.changed_at
        self.promos, self.promo_uses, self.left = other.promos, other.promo_uses, other.left

    @property
    def _all(self) -> tuple[dict[Any, Any], ...]:
        opinions = (self.blocks, self.complaints)
        sent = (self.broadcasts, self.targets)
        return self.people, self.chats, self.positions, *opinions, self.created_at, self.sanctions, self.evidence, *sent


def mentions(disk: Disk, person: int) -> list[str]:
    """The tables that hold this number."""
    tables = {"users": disk.people, "chats": disk.chats, "blocks": disk.blocks, "complaints": disk.complaints}
    tables |= {"sanctions": disk.sanctions, "evidence": disk.evidence}
    tables |= {each.name: getattr(disk.ledger, each.name) for each in fields(disk.ledger)}
    tables |= {"broadcast_targets": disk.targets, "promo_uses": disk.promo_uses}
    return [name for name, table in tables.items() if str(person) in repr(table)]


class MemoryRecords(MemoryMoney, MemoryReferrals):
    """Implements `passerby.ports.records.Records`. While `lost` is set, every call raises RecordsLost.

    While `mute` is set, `apply` stores and then raises, like a commit whose answer is lost.
    """

    def __init__(self, disk: Disk | None = None) -> None:
        self.disk = disk or Disk()
        self.lost = False
        self.mute = False

    async def people(self, persons: Sequence[PersonId]) -> dict[PersonId, Participant]:
        await self._io()
        known = self.disk.left | self.disk.people
        return {person: known[person] for person in persons if person in known}

    async def active(self) -> Active:
        await self._io()
        found = Active([], [], [chat for chat, row in self.disk.chats.items() if row.active])
        for person in self.disk.people.values():
            if not isinstance(person.state, Idle):
                found.people.append(person)
                if isinstance(person.state, Chatting) and (at := self._told(person.person, person.state.chat)):
                    found.told.append(Told(person.state.chat, person.person, at))
        return found

    async def elsewhere(self, bots: Sequence[BotId]) -> list[Elsewhere]:
        await self._io()
        return [
            Elsewhere(each.person, each.bot, isinstance(each.state, Chatting))
            for _, each in sorted(self.disk.people.items())
            if each.bot is not None and each.bot not in bots and not isinstance(each.state, Idle)
        ]

    def _told(self, person: PersonId, chat: ChatId) -> MessageRef | None:
        row = self.disk.chats.get(chat)
        if row is None or not row.active:
            return None
        return row.told1 if row.user1 == person else row.told2 if row.user2 == person else None

    async def changed_at(self, until: float = math.inf) -> float | None:
        await self._io()
        return max((each for each in self.disk.changed_at.values() if each <= until), default=None)

    async def apply(self, generation: str, entries: Sequence[tuple[int, Fact]], *, after: int | None = None) -> None:
        await self._io()
        if entries and self.disk.positions.get(generation, 0) < (after or 0):
            raise RecordsOlder("the database was replaced by an older one")
        new = self.disk.copy()
        for number, fact in entries:
            if number > new.positions.get(generation, 0):
                _store(new, fact)
                new.positions[generation] = number
                new.changed_at[generation] = fact.at
        self.disk.become(new)
        if self.mute:
            raise RecordsLost("no answer")

    async def redeem(self, code: str, person: PersonId, now: float, *, has_bought: bool, grant: str) -> Redemption:
        await self._io()
        disk, promo = self.disk, self.disk.promos.get(code)
        if promo is None:
            return Redemption(RedemptionOutcome.UNKNOWN)
        has_bought = has_bought or any(who == person for who, _ in disk.ledger.charges.values())
        used = disk.promo_uses.get((code, person))
        if used is not None:
            is_over = (person, used.grant) in disk.ledger.grants or (promo.percent > 0 and has_bought)
            if is_over:
                return Redemption(RedemptionOutcome.MINE)
        elif promo.revoked_at is not None or (promo.ends_at and now >= promo.ends_at):
            return Redemption(RedemptionOutcome.OVER)
        elif now < promo.starts_at:
            return Redemption(RedemptionOutcome.EARLY)
        elif promo.new_buyers and has_bought:
            return Redemption(RedemptionOutcome.BUYER)
        elif promo.uses >= promo.most_uses:
            return Redemption(RedemptionOutcome.USED_UP)
        else:
            disk.promos[code] = msgspec.structs.replace(promo, uses=promo.uses + 1)
            used = disk.promo_uses[code, person] = PastRedemption(code, grant, now)
        return Redemption(RedemptionOutcome.OK, code, used.grant, promo.days, promo.percent, promo.ends_at)

    async def applied(self, generation: str) -> int:
        await self._io()
        return self.disk.positions.get(generation, 0)

    async def requests(self, now: float, limit: int) -> list[Participant]:
        await self._io()
        waiting = [
            each
            for _, each in sorted(self.disk.people.items())
            if each.requests is not None and (each.requests.copy_at or 0 < each.requests.erase_at <= now)
        ]
        return waiting[:limit]

    async def history(self, person: PersonId) -> History:
        await self._io()
        disk = self.disk
        return History(
            disk.created_at.get(person),
            tuple(_past(chat, row, person) for chat, row in disk.chats.items() if person in (row.user1, row.user2)),
            tuple(
                PastBlock(whom=whom, blocked_at=row.blocked_at, lifted_at=row.lifted_at)
                for (by, whom), row in disk.blocks.items()
                if by == person
            ),
            tuple(
                PastReport(chat=chat, whom=row.accused, reason=row.reason, filed_at=row.filed_at, words=row.words)
                for (chat, by), row in disk.complaints.items()
                if by == person
            ),
            tuple(
                PastSanction(sanction=row.sanction, lifted_at=row.lifted_at)
                for row in disk.sanctions.values()
                if row.person == person
            ),
            msgspec.structs.replace(
                disk.ledger.of(person),
                redemptions=tuple(each for (_, who), each in disk.promo_uses.items() if who == person),
            ),
            tuple(
                PastBroadcast(
                    number=number,
                    category=disk.broadcasts[number].category,
                    state=row.state,
                    bot=row.bot,
                    at=row.at,
                    message=row.message,
                    arm=row.arm,
                    language=row.language,
                )
                for (number, whom), row in sorted(disk.targets.items(), key=lambda each: each[0])
                if whom == person
            ),
            evidence=tuple(
                PastEvidence(chat=chat, place=place, chosen_at=row.chosen_at, erase_at=None, held=False)
                for (chat, by, place), row in disk.evidence.items()
                if by == person
            ),
        )

    async def acquaintances(self, person: PersonId, limit: int) -> list[PersonId]:
        await self._io()
        return [each for each, value in self.disk.people.items() if refers_to(value, person)][:limit]

    async def aclose(self) -> None:
        pass

    async def _io(self) -> None:
        """Take a turn of the loop. Every call to a database takes at least one."""
        await asyncio.sleep(0)
        if self.lost:
            raise RecordsLost("switched off")


def _store(disk: Disk, fact: Fact) -> None:
    match fact:
        case PersonChanged(participant=new):
            known = disk.people.get(new.person)
            if known is None or known.version <= new.version:
                disk.people[new.person] = new
            disk.created_at.setdefault(new.person, fact.at)
        case ChatOpened():
            row = ChatRow(fact.first, fact.second, fact.first_bot, fact.second_bot, fact.at)
            disk.chats.setdefault(fact.chat, row)
        case ChatClosed():
            chat = disk.chats.get(fact.chat)
            if chat is not None and chat.active:
                disk.chats[fact.chat] = replace(
                    chat, active=False, closed_at=fact.at, closed_by=fact.by, reason=fact.reason
                )
        case ChatTold():
            _say(disk, fact.chat, fact.person, told=fact.anchor)
        case ChatRated():
            _say(disk, fact.chat, fact.by, rating=fact.rating)
        case ComplaintFiled():
            disk.complaints.setdefault((fact.chat, fact.by), ComplaintRow(fact.whom, fact.reason, fact.at))
        case ComplaintExplained():
            filed = disk.complaints.get((fact.chat, fact.by))
            if filed is not None and filed.words is None:
                disk.complaints[fact.chat, fact.by] = filed._replace(words=fact.words)
        case EvidenceKept():
            row_of_it = EvidenceRow(fact.whom, fact.sealed, fact.digest, fact.at)
            disk.evidence.setdefault((fact.chat, fact.by, fact.place), row_of_it)
        case SanctionChanged():
            known_row = disk.sanctions.get(fact.sanction.id)
            lifted_at = known_row.lifted_at if known_row is not None else None
            disk.sanctions[fact.sanction.id] = SanctionRow(fact.person, fact.sanction, lifted_at)
        case SanctionLifted():
            begun = disk.sanctions.get(fact.sanction)
            if begun is not None and begun.lifted_at is None:
                disk.sanctions[fact.sanction] = begun._replace(lifted_at=fact.at)
        case BlockChanged(blocked=True):
            block = disk.blocks.get((fact.by, fact.whom))
            if block is None or fact.at >= (block.blocked_at if block.lifted_at is None else block.lifted_at):
                disk.blocks[fact.by, fact.whom] = BlockRow(fact.at)
        case BlockChanged():
            existing = disk.blocks.get((fact.by, fact.whom))
            if existing is not None and existing.lifted_at is None and existing.blocked_at <= fact.at:
                disk.blocks[fact.by, fact.whom] = existing._replace(lifted_at=fact.at)
        case PersonErased():
            _erase(disk, fact)
        case StepReached():
            disk.funnel[int(fact.began_at // 86_400), fact.source, fact.bot, fact.language, fact.step] += 1
        case _:
            disk.ledger.store(fact)


def _erase(disk: Disk, fact: PersonErased) -> None:
    person = fact.person
    disk.ledger.erase(person)
    disk.promo_uses = {key: grant for key, grant in disk.promo_uses.items() if key[1] != person}
    disk.sanctions = {
        name: row
        for name, row in disk.sanctions.items()
        if row.person != person or (fact.is_back and row.lifted_at is None and binds(row.sanction, fact.at))
    }
    disk.left.pop(person, None)
    if not fact.is_back:
        if fact.left is not None:
            disk.left[person] = fact.left
        disk.people.pop(person, None)
        disk.created_at.pop(person, None)
    for chat, row in disk.chats.items():
        for side in ("1", "2"):
            if getattr(row, f"user{side}") == person:
                gone: dict[str, Any] = {f"user{side}": NOBODY, f"bot{side}": NOBODY}
                gone |= {f"told{side}": None, f"rating{side}": None}
                disk.chats[chat] = replace(disk.chats[chat], **gone)
        if row.closed_by == person:
            disk.chats[chat] = replace(disk.chats[chat], closed_by=NOBODY)
    disk.evidence = {key: row for key, row in disk.evidence.items() if person not in (key[1], row.accused)}
    disk.targets = {key: row for key, row in disk.targets.items() if key[1] != person}
    disk.blocks = {key: block for key, block in disk.blocks.items() if key[0] != person}
    for (chat, by), filed in list(disk.complaints.items()):
        if by == person:
            del disk.complaints[chat, by]
            disk.complaints.setdefault((chat, NOBODY), filed._replace(words=None))


def _past(chat: ChatId, row: ChatRow, person: PersonId) -> PastChat:
    is_first = row.user1 == person
    return PastChat(
        chat=chat,
        partner=row.user2 if is_first else row.user1,
        bot=row.bot1 if is_first else row.bot2,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        left=row.closed_by == person,
        reason=row.reason,
        rating=row.rating1 if is_first else row.rating2,
    )


def _say(disk: Disk, chat: ChatId, person: PersonId, **what: object) -> None:
    """Set fields of this person's side of a chat."""
    for side in ("1", "2"):
        row = disk.chats.get(chat)
        if row is not None and getattr(row, f"user{side}") == person:
            disk.chats[chat] = replace(row, **{f"{name}{side}": value for name, value in what.items()})  # type: ignore[arg-type]
