"""The staff port over SQL: a decision is read, made and stored in one transaction.

The transaction begins with a lock that only one in the database can hold. So no decision is stale, and each row of
the audit follows the one before. Staff act a few times a minute at most, so nobody waits for long.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql import approvals, cases, farm_cases, money_report, transparency
from passerby.adapters.sql.audiences import reach_of
from passerby.adapters.sql.audit import add_to_audit, audit_after, done_alone, newest_of_audit
from passerby.adapters.sql.broadcast_rows import count_targets, seen_broadcasts, store_broadcasts
from passerby.adapters.sql.failures import losses, to_the_end
from passerby.adapters.sql.overrides import add_overrides, newest_override
from passerby.adapters.sql.panel_access import end_access, panel_facts, store_panel
from passerby.adapters.sql.payment_cases import payment_desk, question, store_payment_cases
from passerby.adapters.sql.promos import promo_of, store_promos
from passerby.adapters.sql.staff_orders import add_orders, close_orders, open_orders
from passerby.adapters.sql.staff_rows import invite_row, member_of, member_row, members
from passerby.adapters.sql.staff_subjects import purchase_of_code, subject_of, subject_with
from passerby.adapters.sql.tables import (
    drains,
    staff,
    staff_answers,
    staff_invites,
)
from passerby.adapters.sql.transactions import Transactions
from passerby.adapters.sql.unchanged import Unchanged
from passerby.adapters.sql.unreadable import identifier, readable, text_of
from passerby.domain.approvals import case_about, override_key_of, promo_about, purchase_of
from passerby.domain.audit import AuditRow
from passerby.domain.transparency import Period
from passerby.kernel.broadcast import Reach
from passerby.kernel.case import CaseFile
from passerby.kernel.drain import Drain, RetireBot
from passerby.kernel.effect import Answer, Revise, Say
from passerby.kernel.facts_wanted import NOTHING_WANTED, FactsWanted
from passerby.kernel.farm import FarmSeen
from passerby.kernel.ids import BotId, ChatId, PersonId, UpdateRef
from passerby.kernel.money_report import Ledgered
from passerby.kernel.payment_case import SealedWords
from passerby.kernel.staff import (
    COMMAND_LINE,
    THE_OPERATOR,
    Invite,
    Role,
    ShowExhibit,
    StaffDecision,
    StaffEffect,
    StaffFacts,
    StaffId,
    StaffMember,
    StaffOrder,
    Subject,
)
from passerby.kernel.text import Text

_ANSWERS_KEPT_S: Final = 3 * 86_400.0
"""Longer than Telegram keeps an update."""


class _Answered(msgspec.Struct, omit_defaults=True):
    """The stored part of a decision, to answer the same update again."""

    says: tuple[Say, ...] = ()
    revises: tuple[Revise, ...] = ()
    answers: tuple[Answer, ...] = ()
    shows: tuple[ShowExhibit, ...] = ()
    retires: tuple[RetireBot, ...] = ()
    reply: Text | None = None
    refused: bool = False


class SqlStaff(Transactions):
    """Implements `passerby.ports.staff.StaffRecords`. The tables must exist."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._orders: dict[int, Unchanged[Sequence[tuple[int, StaffOrder]]]] = {}
        self._kept_drains = Unchanged[Sequence[Drain]](engine)

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    async def decide(
        self,
        person: PersonId | None,
        ref: UpdateRef,
        decide: Callable[[StaffFacts], StaffDecision],
        now: float,
        wanted: FactsWanted = NOTHING_WANTED,
    ) -> StaffDecision:
        number = wanted.broadcast
        reach = await self._reach(person, number, now) if number else None

        async def work(connection: AsyncConnection) -> StaffDecision:
            answered = await connection.scalar(_ANSWER, {"bot": ref.bot, "update": ref.update})
            if answered is not None:
                return _again(answered)
            facts = await _facts(connection, person, wanted.digest, number)
            if reach is not None:
                facts = msgspec.structs.replace(facts, reach=reach)
            if (me := facts.me) is not None:
                facts = await _with_wanted(connection, facts, wanted, now)
                if person is not None and wanted.language not in ("", me.language):
                    await connection.execute(_SET_LANGUAGE, {"of": me.number, "language": wanted.language})
            decision = decide(facts)
            if decision.changes:
                await self._store(connection, facts, decision, ref, now)
            return decision

        return await self._write(work, in_audit=True)

    async def _reach(self, person: PersonId | None, number: int, now: float) -> Reach | None:
        """The people whom a broadcast would reach, if it has not started. It is counted before the transaction, so that
        others need not wait for it, and only for staff."""

        async def read(connection: AsyncConnection) -> Reach | None:
            if person is not None and await connection.scalar(_IS_STAFF, {"who": person}) is None:
                return None
            known, _ = await seen_broadcasts(connection, number)
            found = next((each for each in known if each.number == number), None)
            is_asked = found is not None and found.started_at is None and not found.is_over
            return await reach_of(connection, found, now) if found is not None and is_asked else None

        return await self._read(read)

    async def subject(self, code: str, now: float) -> Subject | None:
        """The person with this support code."""

        async def read(connection: AsyncConnection) -> Subject | None:
            return await subject_with(connection, code, now)

        return await self._read(read)

    async def measure(self, rule: Callable[[CaseFile], StaffDecision], now: float) -> int:
        async def work(connection: AsyncConnection) -> int:
            await cases.gather(connection, now)
            decisions = [rule(file) for file in await cases.unmeasured(connection)]
            for decision in decisions:
                await add_to_audit(connection, [(None, note) for note in decision.notes], now)
                await add_orders(connection, decision.orders, now)
                await cases.store(connection, decision.cases, (), (), now)
            return sum(decision.changes for decision in decisions)

        return await self._write(work, in_audit=True)

    async def open_farm_cases(self, farms: Sequence[FarmSeen], now: float) -> int:
        async def work(connection: AsyncConnection) -> int:
            return sum([await farm_cases.gather(connection, each, now) for each in farms])

        return await self._write(work, in_audit=True)

    async def exhibit(self, chat: ChatId, by: PersonId, place: int) -> bytes | None:
        async def read(connection: AsyncConnection) -> bytes | None:
            return await cases.exhibit(connection, chat, by, place)

        return await self._read(read)

    async def question(self, case: str) -> tuple[SealedWords, ...]:
        async def read(connection: AsyncConnection) -> tuple[SealedWords, ...]:
            return await question(connection, case)

        return await self._read(read)

    async def period(self, since: float, until: float) -> Period:
        """Return the counts of the transparency report."""

        async def read(connection: AsyncConnection) -> Period:
            return await transparency.period(connection, since, until)

        return await self._read(read)

    async def ledgered(self, since: float, until: float, now: float) -> Ledgered:
        """Return the figures for the report about money."""

        async def read(connection: AsyncConnection) -> Ledgered:
            return await money_report.ledgered(connection, since, until, now)

        return await self._read(read)

    async def orders(self, limit: int) -> Sequence[tuple[int, StaffOrder]]:
        async def read(connection: AsyncConnection) -> Sequence[tuple[int, StaffOrder]]:
            return await open_orders(connection, limit)

        kept = self._orders.get(limit)
        if kept is None:
            kept = self._orders[limit] = Unchanged(self._engine)
        return await kept.get(lambda: self._read(read))

    async def orders_done(self, numbers: Sequence[int], now: float) -> None:
        async def write() -> None:
            async with self._engine.connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    await close_orders(connection, numbers, now)

        with losses():
            await to_the_end(write())

    async def drains(self) -> Sequence[Drain]:
        return await self._kept_drains.get(lambda: self._read(_drains))

    async def team(self) -> tuple[StaffMember, ...]:
        async def read(connection: AsyncConnection) -> tuple[StaffMember, ...]:
            return await members(connection, _TEAM)

        return await self._read(read)

    async def everybody(self) -> tuple[StaffMember, ...]:
        async def read(connection: AsyncConnection) -> tuple[StaffMember, ...]:
            return await members(connection, _EVERYBODY)

        return await self._read(read)

    async def audit(self, after: int, limit: int) -> Sequence[AuditRow]:
        async def read(connection: AsyncConnection) -> list[AuditRow]:
            return await audit_after(connection, after, limit)

        return await self._read(read)

    async def newest_audit(self, limit: int) -> Sequence[AuditRow]:
        async def read(connection: AsyncConnection) -> list[AuditRow]:
            return await newest_of_audit(connection, limit)

        return await self._read(read)

    async def _store(
        self, connection: AsyncConnection, facts: StaffFacts, decision: StaffDecision, ref: UpdateRef, now: float
    ) -> None:
        shown = facts.invite.digest if facts.invite is not None else None
        for invite in decision.invites:
            is_new = invite.digest != shown
            await connection.execute(_ADD_INVITE if is_new else _CHANGE_INVITE, invite_row(invite, is_new=is_new))
        for member in decision.members:
            is_new = member.number >= facts.next_number
            await connection.execute(_ADD_MEMBER if is_new else _CHANGE_MEMBER, member_row(member, is_new=is_new))
            if member.revoked_at is not None:
                await end_access(connection, member.number, now)
        actor = facts.me.number if facts.me is not None else decision.members[0].number
        await add_to_audit(connection, [(actor, note) for note in decision.notes], now)
        await add_orders(connection, decision.orders, now)
        await cases.store(connection, decision.cases, decision.verdicts, decision.mutes, now)
        await cases.hold(connection, decision.holds, now)
        for bot in (*(each.bot for each in decision.drains), *decision.drains_over):
            await connection.execute(_END_DRAIN, {"of": bot})
        for drain in decision.drains:
            await connection.execute(_ADD_DRAIN, dict(zip(_DRAIN_COLUMNS, msgspec.structs.astuple(drain), strict=True)))
        await approvals.store(connection, decision.approvals, now)
        await store_panel(connection, decision, now)
        await store_broadcasts(connection, decision.broadcasts)
        await add_overrides(connection, decision.overrides)
        await store_promos(connection, decision.promos)
        await store_payment_cases(connection, decision.payment_cases)
        await connection.execute(_FORGET, {"before": now - _ANSWERS_KEPT_S})
        row = {"bot_id": ref.bot, "update_id": ref.update, "answer": _answer(decision), "at": now}
        await connection.execute(_ADD_ANSWER, row)


async def _facts(connection: AsyncConnection, person: PersonId | None, digest: str, broadcast: int) -> StaffFacts:
    team = await members(connection, _TEAM)
    highest = await connection.scalar(_HIGHEST)
    invite = (await connection.execute(_INVITE, {"digest": digest})).first() if digest else None
    former = (await connection.execute(_FORMER, {"who": person})).first() if invite is not None else None
    known, next_broadcast = await seen_broadcasts(connection, broadcast)
    return StaffFacts(
        THE_OPERATOR if person is None else next((each for each in team if each.person == person), None),
        team,
        StaffId((highest or COMMAND_LINE) + 1),
        None
        if invite is None
        else Invite(
            invite.digest,
            Role(invite.role),
            invite.made_by,
            invite.made_at,
            invite.expires_at,
            invite.name,
            invite.used_by,
            invite.used_at,
        ),
        former=None if former is None else member_of(former),
        draining=await _drains(connection),
        broadcasts=known,
        next_broadcast=next_broadcast,
    )


async def _with_wanted(connection: AsyncConnection, facts: StaffFacts, wanted: FactsWanted, now: float) -> StaffFacts:
    """The facts of a member of the team, with what their request names."""
    facts = await approvals.known(connection, facts, wanted.approval, now)
    found: dict[str, Any] = {"proposed": await cases.proposed(connection)}
    approval = facts.approval
    if wanted.broadcast:
        found["progress"] = await count_targets(connection, wanted.broadcast)
    if wanted.code:
        found["subject"] = await subject_with(connection, wanted.code, now)
    if approval is not None and approval.person is not None:
        found["subject"] = await subject_of(connection, approval.person, now)
    if wanted.login:
        found["panel"] = await panel_facts(connection, wanted.login, now)
    case = wanted.case or case_about(approval)
    if case is not None and facts.me is not None:
        found["desk"] = await cases.desk(connection, facts.me, case, now)
    if (key := wanted.override_key or override_key_of(approval)) is not None:
        names = ("override", "next_override", "override_version")
        found |= zip(names, await newest_override(connection, key), strict=True)
    if bought := wanted.purchase or purchase_of(approval):
        found["purchase"] = await purchase_of_code(connection, bought)
    if made := wanted.promo or promo_about(approval):
        found["promo"] = await promo_of(connection, made)
    if wanted.sums and facts.me is not None:
        # Acts of the last day without a second member count toward the limits.
        found["alone"] = await done_alone(connection, facts.me.number, now)
    if wanted.payment_case is not None:
        found["payment_desk"] = await payment_desk(connection, wanted.payment_case)
    return msgspec.structs.replace(facts, **found)


async def _drains(connection: AsyncConnection) -> tuple[Drain, ...]:
    return tuple(readable("drains", await connection.execute(_DRAINS), _drain, lambda row: row[0]))


def _drain(row: Any) -> Drain:
    bot, sister, username, since = row
    return Drain(BotId(identifier(bot)), BotId(identifier(sister)), text_of(username), since)


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()


def _answer(decision: StaffDecision) -> str:
    effects = decision.effects
    return _json(
        _Answered(
            tuple(each for each in effects if isinstance(each, Say)),
            tuple(each for each in effects if isinstance(each, Revise)),
            tuple(each for each in effects if isinstance(each, Answer)),
            tuple(each for each in effects if isinstance(each, ShowExhibit)),
            tuple(each for each in effects if isinstance(each, RetireBot)),
            decision.reply,
            decision.refused,
        )
    )


def _again(answered: str) -> StaffDecision:
    stored = msgspec.json.decode(answered, type=_Answered)
    effects: tuple[StaffEffect, ...] = (*stored.answers, *stored.revises, *stored.says, *stored.shows, *stored.retires)
    return StaffDecision(effects=effects, reply=stored.reply, refused=stored.refused)


_EVERYBODY = sa.select(staff).order_by(staff.c.number)
_TEAM = _EVERYBODY.where(staff.c.revoked_at.is_(None))
_FORMER = (
    sa.select(staff)
    .where(staff.c.user_id == sa.bindparam("who"), staff.c.revoked_at.is_not(None))
    .order_by(staff.c.number.desc())
    .limit(1)
)
_HIGHEST = sa.select(sa.func.max(staff.c.number))
_IS_STAFF = sa.select(staff.c.number).where(staff.c.user_id == sa.bindparam("who"), staff.c.revoked_at.is_(None))
_SET_LANGUAGE = sa.update(staff).where(staff.c.number == sa.bindparam("of")).values(language=sa.bindparam("language"))
_ADD_MEMBER = sa.insert(staff)
_CHANGE_MEMBER = sa.update(staff).where(staff.c.number == sa.bindparam("of"))
_ADD_INVITE = sa.insert(staff_invites)
_CHANGE_INVITE = sa.update(staff_invites).where(staff_invites.c.digest == sa.bindparam("of"))
_INVITE = sa.select(staff_invites).where(staff_invites.c.digest == sa.bindparam("digest"))
_ANSWER = sa.select(staff_answers.c.answer).where(
    staff_answers.c.bot_id == sa.bindparam("bot"), staff_answers.c.update_id == sa.bindparam("update")
)
_DRAIN_COLUMNS = ("bot_id", "sister_id", "sister_username", "since")
_DRAINS = sa.select(*(drains.c[name] for name in _DRAIN_COLUMNS)).order_by(drains.c.bot_id)
_ADD_DRAIN = sa.insert(drains)
_END_DRAIN = sa.delete(drains).where(drains.c.bot_id == sa.bindparam("of"))
_ADD_ANSWER = sa.insert(staff_answers)
_FORGET = sa.delete(staff_answers).where(staff_answers.c.at < sa.bindparam("before"))
