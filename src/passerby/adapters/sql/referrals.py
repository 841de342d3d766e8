"""Referrals: friends who came by somebody's link. The rules are in `domain.money.referrals`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.money_tables import grants, referral_links, referrals, star_rows
from passerby.adapters.sql.tables import blocks, chats, past_chats, users
from passerby.domain.money.referrals import MONTH_S, WEEK_S
from passerby.kernel.ids import PersonId
from passerby.kernel.referral import Referral, ReferralOutcome, Reward
from passerby.ports.money import GrantOver

T = TypeVar("T")

GIVEN: Final = ReferralOutcome.GIVEN.value
TAKEN_BACK: Final = ReferralOutcome.TAKEN_BACK.value


class SqlReferrals:
    """Implements `passerby.ports.referrals.ReferralRecords`. `_read` and `_write` come from `SqlRecords`."""

    async def _read(self, query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        raise NotImplementedError

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        raise NotImplementedError

    async def referrals_due(self, before: float, now: float, limit: int) -> Sequence[Referral]:
        async def query(connection: AsyncConnection) -> list[Referral]:
            rows = (await connection.execute(_DUE, {"before": before, "most": limit})).all()
            return [await _referral(connection, row, now) for row in rows]

        return await self._read(query)

    async def decide_referral(
        self, friend: PersonId, outcome: ReferralOutcome, now: float, grants: tuple[str, str] = ("", "")
    ) -> None:
        async def work(connection: AsyncConnection) -> None:
            decided = {"who": friend, "what": outcome.value, "at": now}
            if outcome is ReferralOutcome.TAKEN_BACK:
                await connection.execute(_TAKE_BACK, decided)
            else:
                mine, theirs = grants
                await connection.execute(_DECIDE, decided | {"mine": mine or None, "theirs": theirs or None})

        await self._write(work)

    async def rewards(self, after: float, limit: int) -> Sequence[Reward]:
        async def query(connection: AsyncConnection) -> list[Reward]:
            found = await connection.execute(_REWARDS, {"after": after, "most": limit})
            return [Reward(PersonId(who), grant, bool(for_friend)) for who, grant, for_friend in found]

        return await self._read(query)

    async def referrals_given(self, after: float) -> Sequence[PersonId]:
        async def query(connection: AsyncConnection) -> list[PersonId]:
            return [PersonId(who) for who in await connection.scalars(_GIVEN_TO, {"after": after})]

        return await self._read(query)

    async def rewards_over(self, after: float, now: float, limit: int) -> Sequence[GrantOver]:
        async def query(connection: AsyncConnection) -> list[GrantOver]:
            found = await connection.execute(_OVER, {"after": after, "now": now, "most": limit})
            return [GrantOver(PersonId(who), grant) for who, grant in found]

        return await self._read(query)


async def _referral(connection: AsyncConnection, row: Any, now: float) -> Referral:
    since = row.reached_at - WEEK_S
    who = {"who": row.user_id, "since": since, "minute": int(since // 60)}
    return Referral(
        PersonId(row.user_id),
        PersonId(row.inviter or 0),
        row.reached_at,
        await connection.scalar(_MET, who) or 0,
        await connection.scalar(_BLOCKED_BY, {"who": row.user_id}) or 0,
        await connection.scalar(_GIVEN_BY, {"inviter": row.inviter or 0, "after": now - MONTH_S}) or 0,
        await connection.scalar(_AFFILIATE, {"who": row.user_id}) is not None,
    )


_WHO = sa.bindparam("who", type_=sa.BigInteger)
_MOST = sa.bindparam("most", type_=sa.Integer)
_AFTER = sa.bindparam("after", type_=sa.Double)
_DUE = (
    sa.select(referrals.c.user_id, referrals.c.reached_at, referral_links.c.user_id.label("inviter"))
    .outerjoin_from(referrals, referral_links, referral_links.c.token == referrals.c.token)
    .where(referrals.c.decided_at.is_(None), referrals.c.reached_at < sa.bindparam("before", type_=sa.Double))
    .order_by(referrals.c.reached_at, referrals.c.user_id)
    .limit(_MOST)
)


def _met_in(table: sa.Table, is_new: sa.ColumnElement[bool]) -> tuple[sa.Select[Any], ...]:
    one, other = table.c.user1, table.c.user2
    return sa.select(other.label("met")).where(one == _WHO, is_new), sa.select(one).where(other == _WHO, is_new)


_PARTNERS = sa.union(
    *_met_in(chats, chats.c.opened_at >= sa.bindparam("since", type_=sa.Double)),
    *_met_in(past_chats, past_chats.c.opened_min >= sa.bindparam("minute", type_=sa.Integer)),
).subquery()
_MET = sa.select(sa.func.count()).select_from(_PARTNERS)
_BLOCKED_BY = sa.select(sa.func.count()).where(blocks.c.blocked_id == _WHO, blocks.c.lifted_at.is_(None))
_GIVEN_BY = (
    sa.select(sa.func.count())
    .select_from(referrals)
    .join(referral_links, referral_links.c.token == referrals.c.token)
    .where(
        referral_links.c.user_id == sa.bindparam("inviter", type_=sa.BigInteger),
        referrals.c.outcome == GIVEN,
        referrals.c.decided_at > _AFTER,
    )
)
_AFFILIATE = sa.select(star_rows.c.id).where(star_rows.c.user_id == _WHO, star_rows.c.affiliate > 0).limit(1)
_DECIDE = (
    sa.update(referrals)
    .where(referrals.c.user_id == _WHO, referrals.c.decided_at.is_(None))
    .values(
        decided_at=sa.bindparam("at", type_=sa.Double),
        outcome=sa.bindparam("what"),
        grant_code=sa.bindparam("mine"),
        friend_grant=sa.bindparam("theirs"),
    )
)
_TAKE_BACK = (
    sa.update(referrals)
    .where(referrals.c.user_id == _WHO, referrals.c.outcome == GIVEN)
    .values(decided_at=sa.bindparam("at", type_=sa.Double), outcome=sa.bindparam("what"))
)
_BOTH = sa.union_all(
    sa.select(
        referral_links.c.user_id.label("who"),
        referrals.c.grant_code.label("code"),
        sa.literal_column("0").label("for_friend"),
        referrals.c.outcome,
        referrals.c.decided_at,
    ).join_from(referrals, referral_links, referral_links.c.token == referrals.c.token),
    sa.select(
        referrals.c.user_id,
        referrals.c.friend_grant,
        sa.literal_column("1"),
        referrals.c.outcome,
        referrals.c.decided_at,
    ),
).subquery()
_ITS_GRANT = sa.and_(grants.c.user_id == _BOTH.c.who, grants.c.code == _BOTH.c.code)
_REWARDS = (
    sa.select(_BOTH.c.who, _BOTH.c.code, _BOTH.c.for_friend)
    .select_from(_BOTH)
    .join(users, users.c.id == _BOTH.c.who)
    .outerjoin(grants, _ITS_GRANT)
    .where(_BOTH.c.outcome == GIVEN, _BOTH.c.decided_at > _AFTER, grants.c.code.is_(None))
    .order_by(_BOTH.c.decided_at)
    .limit(_MOST)
)
_GIVEN_TO = sa.select(referrals.c.user_id).where(referrals.c.outcome == GIVEN, referrals.c.decided_at > _AFTER)
_NOW = sa.bindparam("now", type_=sa.Double)
_OVER = (
    sa.select(_BOTH.c.who, _BOTH.c.code)
    .select_from(_BOTH)
    .join(grants, _ITS_GRANT)
    # A person who is no VIP now has nothing left to take.
    .join(users, sa.and_(users.c.id == _BOTH.c.who, users.c.vip_until > _NOW))
    .where(_BOTH.c.outcome == TAKEN_BACK, _BOTH.c.decided_at > _AFTER, grants.c.lasts_s > 0)
    .limit(_MOST)
)
