"""The honest fake of the staff port: the same promise without SQL. Stored rows are on a `StaffDisk`."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from passerby.domain.alone import COUNTED, DAY_S, summed
from passerby.domain.approvals import override_key_of, promo_about, purchase_of
from passerby.domain.audit import AuditRow, chained
from passerby.domain.panel import is_valid
from passerby.kernel.approval import Approval, ApprovalState
from passerby.kernel.broadcast import BroadcastState
from passerby.kernel.case import CaseFile
from passerby.kernel.drain import Drain
from passerby.kernel.facts_wanted import NOTHING_WANTED, FactsWanted
from passerby.kernel.farm import FarmSeen
from passerby.kernel.ids import BotId, ChatId, PersonId, UpdateRef
from passerby.kernel.money import StarCallKind
from passerby.kernel.override import Override
from passerby.kernel.panel import PanelFacts, PanelLogin, PanelSession
from passerby.kernel.payment_case import PaymentDesk, SealedWords, unpacked
from passerby.kernel.purchase import Purchase, RefundOrder
from passerby.kernel.staff import (
    THE_OPERATOR,
    Invite,
    SanctionOrder,
    StaffDecision,
    StaffFacts,
    StaffId,
    StaffMember,
    StaffOrder,
    Subject,
)
from passerby.ports.records import RecordsLost
from tests.contract.broadcasts_memory import progress_of, reach_in
from tests.contract.records_memory import Disk


@dataclass
class StaffDisk:
    members: dict[StaffId, StaffMember] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)
    answers: dict[UpdateRef, StaffDecision] = field(default_factory=dict)
    audit: list[AuditRow] = field(default_factory=list)
    orders: list[StaffOrder] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    drains: dict[BotId, Drain] = field(default_factory=dict)
    logins: dict[str, PanelLogin] = field(default_factory=dict)
    sessions: dict[int, PanelSession] = field(default_factory=dict)
    approvals: dict[int, Approval] = field(default_factory=dict)
    overrides: list[Override] = field(default_factory=list)


class MemoryStaff:
    """Implements `passerby.ports.staff.StaffRecords`. While `lost` is set, every call raises RecordsLost."""

    def __init__(self, disk: StaffDisk | None = None, records: Disk | None = None) -> None:
        """`records`: where the people are."""
        self.disk = disk or StaffDisk()
        self.records = records or Disk()
        self.lost = False

    async def decide(
        self,
        person: PersonId | None,
        ref: UpdateRef,
        decide: Callable[[StaffFacts], StaffDecision],
        now: float,
        wanted: FactsWanted = NOTHING_WANTED,
    ) -> StaffDecision:
        assert wanted.case is None, "cases are in SQL only: use a place with a database"
        await self._io()
        disk = self.disk
        if ref in disk.answers:
            return disk.answers[ref]
        team = self._team()
        me = THE_OPERATOR if person is None else next((each for each in team if each.person == person), None)
        if me is not None and person is not None and wanted.language:
            disk.members[me.number] = me = msgspec.structs.replace(me, language=wanted.language)
            team = self._team()
        invite = disk.invites.get(wanted.digest)
        gone = [each for each in disk.members.values() if each.person == person and each.revoked_at is not None]
        former = max(gone, key=lambda each: each.number, default=None) if invite is not None else None
        facts = StaffFacts(me, team, StaffId(max(disk.members, default=0) + 1), invite, former)
        facts = msgspec.structs.replace(facts, draining=self._drains())
        facts = msgspec.structs.replace(facts, **self._broadcasts(wanted.broadcast, me, now))
        if wanted.code and me is not None:
            facts = msgspec.structs.replace(facts, subject=self._subject(now, code=wanted.code))
        facts = msgspec.structs.replace(facts, **self._approvals(wanted.approval, me, now))
        purchase = wanted.purchase or purchase_of(facts.approval)
        if purchase and me is not None:
            facts = msgspec.structs.replace(facts, purchase=self._purchase(purchase))
        if wanted.login and me is not None:
            facts = msgspec.structs.replace(facts, panel=self._panel(wanted.login, now))
        key = wanted.override_key or override_key_of(facts.approval)
        if key is not None:
            last = next((each for each in reversed(disk.overrides) if each.key == key), None)
            version = sum(each.key.what is key.what for each in disk.overrides) + 1
            following = len(disk.overrides) + 1
            facts = msgspec.structs.replace(facts, override=last, next_override=following, override_version=version)
        promo = wanted.promo or promo_about(facts.approval)
        if promo and me is not None:
            facts = msgspec.structs.replace(facts, promo=self.records.promos.get(promo))
        if wanted.sums and me is not None:
            mine = (each for each in disk.audit if each.actor == me.number and each.at > now - DAY_S)
            notes = ((each.action, msgspec.json.decode(each.details)) for each in mine if each.action in COUNTED)
            facts = msgspec.structs.replace(facts, alone=summed(notes))
        if wanted.payment_case is not None and me is not None:
            facts = msgspec.structs.replace(facts, payment_desk=self._payments(wanted.payment_case))
        decision = decide(facts)
        if decision.changes:
            disk.invites |= {each.digest: each for each in decision.invites}
            disk.members |= {each.number: each for each in decision.members}
            actor = me.number if me is not None else decision.members[0].number
            rows = [
                AuditRow(0, now, actor, note.action, note.subject, _json(note.details), note.reason)
                for note in decision.notes
            ]
            disk.orders += decision.orders
            disk.drains |= {each.bot: each for each in decision.drains}
            for bot in decision.drains_over:
                disk.drains.pop(bot, None)
            disk.approvals |= {each.number: each for each in decision.approvals}
            disk.logins |= {each.name: each for each in decision.logins}
            disk.sessions |= {each.number: each for each in decision.sessions}
            disk.overrides += decision.overrides
            for each in decision.payment_cases:
                self.records.ledger.answer(each)
            self.records.promos |= {each.code: each for each in decision.promos}
            self.records.broadcasts |= {each.number: each for each in decision.broadcasts}
            disk.audit += chained(rows, disk.audit[-1] if disk.audit else None)
            answer = StaffDecision(effects=decision.effects, reply=decision.reply, refused=decision.refused)
            disk.answers[ref] = answer
        return decision

    async def measure(self, rule: Callable[[CaseFile], StaffDecision], now: float) -> int:
        return 0

    async def open_farm_cases(self, farms: Sequence[FarmSeen], now: float) -> int:
        return 0

    async def exhibit(self, chat: ChatId, by: PersonId, place: int) -> bytes | None:
        return None

    async def question(self, case: str) -> tuple[SealedWords, ...]:
        await self._io()
        _, words = self.records.ledger.cases.get(case, (None, None))
        return unpacked(words or b"")

    async def orders(self, limit: int) -> Sequence[tuple[int, StaffOrder]]:
        await self._io()
        numbered = enumerate(self.disk.orders, 1)
        return [(number, order) for number, order in numbered if number not in self.disk.done][:limit]

    async def orders_done(self, numbers: Sequence[int], now: float) -> None:
        await self._io()
        self.disk.done |= set(numbers)

    async def drains(self) -> Sequence[Drain]:
        await self._io()
        return self._drains()

    def _drains(self) -> tuple[Drain, ...]:
        return tuple(each for _, each in sorted(self.disk.drains.items()))

    def _broadcasts(self, number: int, me: StaffMember | None, now: float) -> dict[str, Any]:
        known = self.records.broadcasts
        highest = max(known, default=0)
        seen = tuple(
            each
            for _, each in sorted(known.items())
            if each.is_open
            or each.number > highest - 20
            or each.number == number
            or each.state is BroadcastState.SUBMITTED
        )
        found: dict[str, Any] = {"broadcasts": seen, "next_broadcast": highest + 1}
        about = known.get(number)
        if about is not None and me is not None:
            if about.started_at is None and not about.is_over:
                found["reach"] = reach_in(self.records, about, now)
            found["progress"] = progress_of(self.records, number)
        return found

    def _approvals(self, number: int, me: StaffMember | None, now: float) -> dict[str, Any]:
        known = self.disk.approvals
        waiting = tuple(
            each for each in known.values() if each.state is ApprovalState.WAITING and now < each.expires_at
        )
        found: dict[str, Any] = {"approvals": waiting, "next_approval": max(known, default=0) + 1}
        about = known.get(number)
        if about is not None and me is not None:
            found["approval"] = about
            found["subject"] = self._subject(now, of=about.person) if about.person is not None else None
        return found

    def _subject(self, now: float, code: str = "", of: PersonId | None = None) -> Subject | None:
        for person in self.records.people.values():
            named = person.support is not None and person.support.code == code and person.support.until > now
            if named or person.person == of:
                filed = [each for each in self.records.complaints.values() if each.accused == person.person]
                ordered = (
                    order.sanction
                    for number, order in enumerate(self.disk.orders, 1)
                    if number not in self.disk.done
                    and isinstance(order, SanctionOrder)
                    and order.person == person.person
                )
                shown = person.support.code if person.support is not None else ""
                return Subject(shown, person, len(filed), tuple(ordered))
        return None

    def _purchase(self, code: str) -> Purchase | None:
        ledger = self.records.ledger
        waiting = [order for number, order in enumerate(self.disk.orders, 1) if number not in self.disk.done]
        for key, (person, charge) in ledger.charges.items():
            if charge.code == code:
                call, refund = ledger.calls.get((*key, StarCallKind.REFUND)), ledger.refunds.get(key)
                known = msgspec.structs.replace(
                    charge,
                    refund_owed_at=call[0].owed_at if call is not None and not call[1] else 0.0,
                    refund_refused_at=call[0].owed_at if call is not None and call[1] and refund is None else 0.0,
                    refunded_at=refund.at if refund is not None else 0.0,
                    refunded_by=refund.by if refund is not None else None,
                )
                keys = [(each.charge.bot, each.charge.id) for each in waiting if isinstance(each, RefundOrder)]
                return Purchase(person, known, key in keys)
        return None

    def _payments(self, code: str) -> PaymentDesk:
        desk = self.records.ledger.payment_desk(code)
        of = self.records.people.get(desk.case.person) if desk.case is not None else None
        return msgspec.structs.replace(desk, language=of.profile.language or "" if of is not None else "")

    def _panel(self, name: str, now: float) -> PanelFacts:
        found = next((each for each in self.disk.logins.values() if name in (each.name, each.link)), None)
        valid = tuple(each for each in self.disk.sessions.values() if is_valid(each, now))
        return PanelFacts(found, valid[::-1], max(self.disk.sessions, default=0) + 1)

    async def team(self) -> tuple[StaffMember, ...]:
        await self._io()
        return self._team()

    async def everybody(self) -> tuple[StaffMember, ...]:
        await self._io()
        return tuple(each for _, each in sorted(self.disk.members.items()))

    async def audit(self, after: int, limit: int) -> Sequence[AuditRow]:
        await self._io()
        return [row for row in self.disk.audit if row.number > after][:limit]

    async def newest_audit(self, limit: int) -> Sequence[AuditRow]:
        await self._io()
        return self.disk.audit[-limit:]

    def _team(self) -> tuple[StaffMember, ...]:
        return tuple(each for _, each in sorted(self.disk.members.items()) if each.revoked_at is None)

    async def _io(self) -> None:
        await asyncio.sleep(0)
        if self.lost:
            raise RecordsLost("switched off")


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
