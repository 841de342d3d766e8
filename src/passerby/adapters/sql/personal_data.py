"""Reads what the records hold about one person, and removes it."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.approvals import FORGET_ABOUT
from passerby.adapters.sql.money_tables import (
    charges,
    grants,
    orders,
    payment_cases,
    referral_links,
    referrals,
    star_rows,
    subscriptions,
)
from passerby.adapters.sql.packing import unpack, without_side
from passerby.adapters.sql.past_money import past_money
from passerby.adapters.sql.promos import DROP_USES
from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.salvage import person_of, sanction_of
from passerby.adapters.sql.tables import (
    blocks,
    broadcast_targets,
    broadcasts,
    cases,
    chats,
    complaints,
    evidence,
    farm_accounts,
    muted_reporters,
    past_chats,
    sanctions,
    users,
)
from passerby.adapters.sql.transactions import Transactions
from passerby.domain.personal_data import ERASED_PERSON, refers_to
from passerby.kernel.broadcast import Category, TargetState
from passerby.kernel.history import History, PastBlock, PastBroadcast, PastChat, PastEvidence, PastReport, PastSanction
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Complaint, Participant, Rating

NOBODY: Final = ERASED_PERSON


class SqlPersonalData(Transactions):
    """Implements `passerby.ports.personal_data.PersonalData`."""

    async def requests(self, now: float, limit: int) -> Sequence[Participant]:
        async def query(connection: AsyncConnection) -> list[Participant]:
            rows = await connection.execute(_REQUESTS, {"now": now, "most": limit})
            return [person_of(values) for values in rows]

        return await self._read(query)

    async def history(self, person: PersonId) -> History:
        async def query(connection: AsyncConnection) -> History:
            who = {"who": person}
            return History(
                await connection.scalar(_CREATED_AT, who),
                (
                    *(unpack(dict(row), person) for row in (await connection.execute(_PAST_CHATS, who)).mappings()),
                    *(_chat(row, person) for row in (await connection.execute(_CHATS, who)).mappings()),
                ),
                tuple(_block(row) for row in (await connection.execute(_BLOCKS, who)).mappings()),
                tuple(_report(row) for row in (await connection.execute(_REPORTS, who)).mappings()),
                tuple(_sanction(row) for row in (await connection.execute(_SANCTIONS, who)).mappings()),
                await past_money(connection, person),
                tuple(_past_broadcast(row) for row in (await connection.execute(_BROADCASTS, who)).mappings()),
                tuple(_evidence(row) for row in (await connection.execute(_EVIDENCE, who)).mappings()),
                await connection.scalar(_MUTED_UNTIL, who),
            )

        return await self._read(query)

    async def acquaintances(self, person: PersonId, limit: int) -> Sequence[PersonId]:
        async def query(connection: AsyncConnection) -> list[PersonId]:
            # The text search also finds the number inside other numbers, and in lists of blocks.
            rows = await connection.execute(_MENTIONS, {"who": person, "number": f"%{person}%"})
            found = (person_of(values) for values in rows)
            return [each.person for each in found if refers_to(each, person)][:limit]

        return await self._read(query)


def _chat(row: Any, person: PersonId) -> PastChat:
    mine, theirs = ("1", "2") if row["user1"] == person else ("2", "1")
    rating = row[f"rating{mine}"]
    return PastChat(
        chat=ChatId(row["id"]),
        partner=PersonId(row[f"user{theirs}"]),
        bot=BotId(row[f"bot{mine}"]),
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        left=row["closed_by"] == person,
        reason=row["reason"],
        rating=None if rating is None else Rating(rating),
    )


def _block(row: Any) -> PastBlock:
    return PastBlock(whom=PersonId(row["blocked_id"]), blocked_at=row["blocked_at"], lifted_at=row["lifted_at"])


def _report(row: Any) -> PastReport:
    return PastReport(
        chat=ChatId(row["chat_id"]),
        whom=PersonId(row["accused_id"]),
        reason=Complaint(row["reason"]),
        filed_at=row["filed_at"],
        words=row["words"],
        verdict=row["verdict"],
        decided_at=row["decided_at"],
    )


def _evidence(row: Any) -> PastEvidence:
    return PastEvidence(
        chat=ChatId(row["chat_id"]),
        place=row["place"],
        chosen_at=row["chosen_at"],
        erase_at=row["erase_at"],
        held=row["held"],
    )


def _past_broadcast(row: Any) -> PastBroadcast:
    return PastBroadcast(
        number=row["broadcast"],
        category=Category(row["category"]),
        state=TargetState(row["state"]),
        bot=BotId(row["bot_id"]),
        at=row["at"],
        message=row["message_id"],
        arm=row["arm"] or "",
        language=row["language"] or "",
    )


def _sanction(row: Any) -> PastSanction:
    return PastSanction(sanction=sanction_of(row), lifted_at=row["lifted_at"])


_WHO = sa.bindparam("who", type_=sa.BigInteger)
_REQUESTS = (
    sa.select(*READ)
    .where(sa.or_(users.c.copy_asked_at.is_not(None), users.c.erase_at <= sa.bindparam("now", type_=sa.Double)))
    .order_by(users.c.id.asc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_CREATED_AT = sa.select(users.c.created_at).where(users.c.id == _WHO)
_CHATS = sa.select(chats).where(sa.or_(chats.c.user1 == _WHO, chats.c.user2 == _WHO)).order_by(chats.c.opened_at)
_PAST_CHATS = (
    sa.select(past_chats)
    .where(sa.or_(past_chats.c.user1 == _WHO, past_chats.c.user2 == _WHO))
    .order_by(past_chats.c.opened_min)
)
_BLOCKS = sa.select(blocks).where(blocks.c.user_id == _WHO).order_by(blocks.c.blocked_at)
_REPORTS = sa.select(complaints).where(complaints.c.user_id == _WHO).order_by(complaints.c.filed_at)
_SANCTIONS = sa.select(sanctions).where(sanctions.c.user_id == _WHO).order_by(sanctions.c.since)
_BROADCASTS = (
    sa.select(
        broadcast_targets.c.broadcast,
        broadcasts.c.category,
        broadcast_targets.c.state,
        broadcast_targets.c.bot_id,
        broadcast_targets.c.at,
        broadcast_targets.c.message_id,
        broadcast_targets.c.arm,
        broadcast_targets.c.language,
    )
    .join(broadcasts, broadcasts.c.number == broadcast_targets.c.broadcast)
    .where(broadcast_targets.c.person_id == _WHO)
    .order_by(broadcast_targets.c.broadcast)
)
_EVIDENCE = sa.select(evidence).where(evidence.c.user_id == _WHO).order_by(evidence.c.chosen_at)
_MUTED_UNTIL = sa.select(muted_reporters.c.until).where(muted_reporters.c.user_id == _WHO)
_MENTIONS = sa.select(*READ).where(
    users.c.id != _WHO,
    sa.or_(users.c.last_partner == _WHO, users.c.details.like(sa.bindparam("number", type_=sa.Text))),
)

_earlier = complaints.alias("earlier")


def _without_side(side: int) -> sa.Update:
    """Chats lose this person's side. How they rated the other goes with it."""
    return (
        sa.update(chats)
        .where(chats.c[f"user{side}"] == _WHO)
        .values(
            {
                f"user{side}": NOBODY,
                f"bot{side}": NOBODY,
                f"told{side}_bot": None,
                f"told{side}_message": None,
                f"rating{side}": None,
                "closed_by": sa.case((chats.c.closed_by == _WHO, NOBODY), else_=chats.c.closed_by),
            }
        )
    )


def _without_past_side(side: int) -> sa.Update:
    column = past_chats.c[f"user{side}"]
    return sa.update(past_chats).where(column == _WHO).values({column.name: NOBODY} | without_side(side))


_LEAVE_CHATS_FIRST: Final = _without_side(1)
_LEAVE_CHATS_SECOND: Final = _without_side(2)
_LEAVE_PAST_CHATS_FIRST: Final = _without_past_side(1)
_LEAVE_PAST_CHATS_SECOND: Final = _without_past_side(2)
_DROP_BLOCKS: Final = sa.delete(blocks).where(blocks.c.user_id == _WHO)
# A report stays, because it is about the partner. The reporter's id and comment are deleted.
_DROP_REPORTER: Final = (
    sa.update(complaints)
    .where(
        complaints.c.user_id == _WHO,
        ~sa.exists().where(_earlier.c.chat_id == complaints.c.chat_id, _earlier.c.user_id == NOBODY),
    )
    .values(user_id=NOBODY, words=None)
)
_DROP_REPORTS: Final = sa.delete(complaints).where(complaints.c.user_id == _WHO)
# Also while a broadcast runs. Nobody is added to one after its start, so they get nothing more.
_DROP_TARGETS: Final = sa.delete(broadcast_targets).where(broadcast_targets.c.person_id == _WHO)

# Evidence is about both. Evidence that is kept for the law stays until its hold ends.
_DROP_EVIDENCE: Final = sa.delete(evidence).where(
    sa.or_(evidence.c.user_id == _WHO, evidence.c.accused_id == _WHO), sa.not_(evidence.c.held)
)
_UNMUTE: Final = sa.delete(muted_reporters).where(muted_reporters.c.user_id == _WHO)
_CLOSE_CASES: Final = (
    sa.update(cases)
    .where(cases.c.accused_id == _WHO, cases.c.decided_at.is_(None))
    .values(state="decided", outcome="erased", decided_at=sa.func.coalesce(cases.c.claimed_until, cases.c.opened_at))
)
_LEAVE_FARMS: Final = sa.delete(farm_accounts).where(farm_accounts.c.user_id == _WHO)
_LEAVE_CASES: Final = sa.update(cases).where(cases.c.accused_id == _WHO).values(accused_id=NOBODY)
# The ledger keeps the sums, under nobody's name. A refund or cancellation that we owe keeps the id until it is done.
_DROP_ORDERS: Final = sa.delete(orders).where(orders.c.user_id == _WHO)
_DROP_GRANTS: Final = sa.delete(grants).where(grants.c.user_id == _WHO)
_DROP_SUBSCRIPTIONS: Final = sa.delete(subscriptions).where(subscriptions.c.user_id == _WHO)
_DROP_PAYMENT_CASES: Final = sa.delete(payment_cases).where(payment_cases.c.user_id == _WHO)
_DROP_LINKS: Final = sa.delete(referral_links).where(referral_links.c.user_id == _WHO)
_DROP_REFERRAL: Final = sa.delete(referrals).where(referrals.c.user_id == _WHO)
_DROP_BUYER: Final = sa.update(charges).where(charges.c.user_id == _WHO).values(user_id=NOBODY)
_FORGET_GIFT_ORDERS: Final = sa.delete(orders).where(orders.c.gift_to == _WHO)
_FORGET_GIFTS: Final = sa.update(charges).where(charges.c.gift_to == _WHO).values(gift_to=NOBODY)
_DROP_PAYER: Final = (
    # A sale that the ledger does not know yet needs its payer, to be refunded.
    sa.update(star_rows).where(star_rows.c.user_id == _WHO, star_rows.c.matched_at.is_not(None)).values(user_id=NOBODY)
)

ERASE: Final = (
    _LEAVE_CHATS_FIRST,
    _LEAVE_CHATS_SECOND,
    _LEAVE_PAST_CHATS_FIRST,
    _LEAVE_PAST_CHATS_SECOND,
    _DROP_BLOCKS,
    _DROP_REPORTER,
    _DROP_REPORTS,
    _DROP_EVIDENCE,
    _UNMUTE,
    _CLOSE_CASES,
    _LEAVE_CASES,
    _LEAVE_FARMS,
    FORGET_ABOUT,
    _DROP_ORDERS,
    _DROP_GRANTS,
    _DROP_SUBSCRIPTIONS,
    _DROP_PAYMENT_CASES,
    _DROP_LINKS,
    _DROP_REFERRAL,
    _DROP_BUYER,
    _DROP_PAYER,
    _DROP_TARGETS,
    DROP_USES,
    _FORGET_GIFT_ORDERS,
    _FORGET_GIFTS,
)
"""Remove a person's history. Each takes `who`. Blocks and reports that others made stay: they protect the others."""

ERASE_VALUE: Final = sa.delete(users).where(users.c.id == _WHO)

ERASE_SANCTIONS: Final = sa.delete(sanctions).where(sanctions.c.user_id == _WHO)
"""For a person whom no sanction binds any more."""

ERASE_PAST_SANCTIONS: Final = sa.delete(sanctions).where(
    sanctions.c.user_id == _WHO,
    sa.or_(sanctions.c.lifted_at.is_not(None), sanctions.c.until <= sa.bindparam("at", type_=sa.Double)),
)
"""For a person who stays known, because they are back or a sanction binds them. It takes `at`, too."""
