"""Keeps the records small: chats of earlier days in few bytes, and old rows deleted, a small batch at a time.

    pack       a chat that ended more than a day ago leaves `chats` for `past_chats`: 72 bytes with its indexes instead
               of 420. Nothing of the product needs its id, its bots or its notices any more.
    forget     past chats that are too old; who got a broadcast half a year ago; complaints; blocks that were lifted;
               people who were not seen for very long; evidence whose case is over; cases, sanctions and orders that
               are long over; days of the funnel that are more than a year old, and small sources of older days

Each batch is one short transaction of a few hundred rows that nobody writes any more, so nobody waits for it. Before a
row goes, it is counted in `daily_figures`. One worker at a time does this (see `ops.retention_duty`); if two did for a
moment, one of their batches would fail and be undone.

Rows that bind are kept: blocks, bans, VIP, and people who block somebody, are blocked, or are searching or chatting.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.failures import Refused, losses
from passerby.adapters.sql.funnel import FunnelWriter, fold
from passerby.adapters.sql.packing import lasted_s, pack
from passerby.adapters.sql.tables import (
    blocks,
    broadcast_targets,
    broadcasts,
    cases,
    chats,
    complaints,
    daily_figures,
    evidence,
    farm_accounts,
    muted_reporters,
    past_chats,
    sanctions,
    staff_orders,
    tombstones,
    users,
)

PACK_AFTER_S: Final = 25 * 3600.0
"""After a day, nobody can rate or report a chat any more."""
BATCH: Final = 500
_SLICE_MIN: Final = 5
"""Past chats are deleted by the minutes in which they began: at ten chats a second, 3,000 rows at once."""
_DAY_S: Final = 86_400
ORDERS_KEPT_S: Final = 7 * _DAY_S
"""Longer than done marks, so no order is carried out twice."""
TARGETS_S: Final = 200 * 86_400.0
"""For how long it is known who got a broadcast. The broadcasts that a person may still get depend on half a year (see
`domain.broadcasts.fates`)."""


_SUMMARY_PAGES: Final = 128
"""The pages of one summary: PostgreSQL's default of pages_per_range."""


class Kept(NamedTuple):
    """For how many days rows are kept. 0: for ever."""

    chats: float
    complaints: float
    people: float


class Retention:
    """Raises: RecordsLost from every method; what a batch has done by then stays."""

    def __init__(self, engine: AsyncEngine, kept: Kept) -> None:
        self._engine = engine
        self._kept = kept
        self._funnel = FunnelWriter(engine.dialect.name)
        # Here and not in the module, because only this class sends them.
        self._old_chats = (
            sa.select(chats)
            .where(sa.not_(chats.c.active), chats.c.closed_at < sa.bindparam("before"))
            .order_by(chats.c.opened_at)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        self._drop_chat = sa.delete(chats).where(chats.c.id == sa.bindparam("of"))
        began = past_chats.c.opened_min
        self._oldest = sa.select(sa.func.min(began)).where(began < sa.bindparam("before"))
        self._drop_past = sa.delete(past_chats).where(began >= sa.bindparam("since"), began < sa.bindparam("before"))
        self._unsummarise = sa.text(
            "SELECT brin_desummarize_range('ix_past_chats_opened_min', page) FROM generate_series(0,"
            " pg_relation_size('past_chats') / current_setting('block_size')::bigint, :pages) AS page"
        )
        self._summarise = sa.text("SELECT brin_summarize_new_values('ix_past_chats_opened_min')")
        self._past_since: int | None = None
        """Past chats that began earlier are deleted. None: not known now."""
        self._idle = (
            sa.select(users.c.id, users.c.created_at)
            .where(
                sa.or_(users.c.barred_until.is_(None), users.c.barred_until < sa.bindparam("now")),
                users.c.has_started == sa.bindparam("started"),
                users.c.last_active_date < sa.bindparam("before"),
                users.c.state == "idle",
                users.c.vip_until < sa.bindparam("now"),
                ~sa.exists().where(blocks.c.user_id == users.c.id),
                ~sa.exists().where(blocks.c.blocked_id == users.c.id),
            )
            .limit(BATCH)
        )
        self._drop_person = sa.delete(users).where(
            users.c.id == sa.bindparam("of"), users.c.last_active_date < sa.bindparam("before")
        )

    async def pack(self, now: float) -> int:
        """Move a batch of chats that ended more than a day ago. Returns how many."""

        async def work(connection: AsyncConnection) -> int:
            found = (await connection.execute(self._old_chats, {"before": now - PACK_AFTER_S})).mappings().all()
            if found:
                await connection.execute(sa.insert(past_chats), [pack(dict(row)) for row in found])
                await connection.execute(self._drop_chat, [{"of": row["id"]} for row in found])
                await _count(connection, _figures(found))
            return len(found)

        return await self._batch(work)

    async def forget(self, now: float) -> int:
        """Delete a batch of each kind. Returns how many rows. 0: nothing is too old."""
        kinds: tuple[Callable[[float], Awaitable[int]], ...] = (
            self._forget_chats,
            self._forget_complaints,
            self._forget_blocks,
            self._forget_people,
            self._forget_evidence,
            self._forget_cases,
            self._forget_farm_accounts,
            self._forget_sanctions,
            self._forget_orders,
            self._forget_mutes,
            self._forget_tombstones,
            self._forget_targets,
            self._forget_funnel,
        )
        count = 0
        for forget in kinds:
            count += await forget(now)
            await asyncio.sleep(0)
        return count

    async def _forget_chats(self, now: float) -> int:
        if not self._kept.chats:
            return 0
        before = int((now - self._kept.chats * _DAY_S) // 60)

        async def work(connection: AsyncConnection) -> int:
            since = self._past_since
            if since is None or since >= before:
                since = await connection.scalar(self._oldest, {"before": before})
            if since is None:
                return 0
            upto = min(before, since + _SLICE_MIN)
            count = (await connection.execute(self._drop_past, {"since": since, "before": upto})).rowcount
            # If nothing was there, the next batch looks for the next chat. That reads more than a slice does.
            self._past_since = upto if count else None
            return count

        deleted = await self._batch(work)
        return deleted or (await self._batch(work) if self._past_since is None else 0)

    async def resummarise(self) -> None:
        """Forget in PostgreSQL's summaries of past chats those that were deleted since the last time.

        Otherwise a megabyte with chats of today would count as old for ever, and each batch would read it. Reads the
        table once. Others read and write meanwhile.
        """
        if self._engine.dialect.name != "postgresql":
            return
        with losses(), suppress(Refused):  # only the owner of the table may; others read a little more
            async with self._engine.connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    await connection.execute(self._unsummarise, {"pages": _SUMMARY_PAGES})
                    await connection.execute(self._summarise)

    async def _forget_complaints(self, now: float) -> int:
        where = complaints.c.filed_at < now - self._kept.complaints * _DAY_S
        return await self._forget_keyed(complaints, where, "filed_at") if self._kept.complaints else 0

    async def _forget_blocks(self, now: float) -> int:
        where = blocks.c.lifted_at < now - self._kept.chats * _DAY_S
        return await self._forget_keyed(blocks, where, "blocked_at") if self._kept.chats else 0

    async def _forget_people(self, now: float) -> int:
        if not self._kept.people:
            return 0
        before = now - self._kept.people * _DAY_S

        async def work(connection: AsyncConnection) -> int:
            found: list[Any] = []
            for started in (True, False):
                values = {"started": started, "before": before, "now": now}
                found += (await connection.execute(self._idle, values)).all()
            if found:
                await connection.execute(self._drop_person, [{"of": each.id, "before": before} for each in found])
                await _count(connection, _by_day("people", (each.created_at for each in found)))
            return len(found)

        return await self._batch(work)

    async def _forget_targets(self, now: float) -> int:
        old = sa.select(broadcasts.c.number).where(
            sa.not_(broadcasts.c.is_open), broadcasts.c.made_at < now - TARGETS_S
        )
        keys = (broadcast_targets.c.broadcast, broadcast_targets.c.person_id)
        found = sa.select(*keys).where(keys[0].in_(old)).limit(BATCH)
        drop = sa.delete(broadcast_targets).where(keys[0] == sa.bindparam("of"), keys[1] == sa.bindparam("who"))

        async def work(connection: AsyncConnection) -> int:
            rows = (await connection.execute(found)).all()
            if rows:
                await connection.execute(drop, [{"of": number, "who": person} for number, person in rows])
            return len(rows)

        return await self._batch(work)

    async def _forget_funnel(self, now: float) -> int:
        return await self._batch(lambda connection: fold(connection, self._funnel, now, BATCH))

    async def _forget_evidence(self, now: float) -> int:
        """Erase the evidence that its case no longer needs, unless the law asks to keep it."""
        kept_s = self._kept.complaints * _DAY_S
        too_old = [evidence.c.erase_at < now, *([evidence.c.chosen_at < now - kept_s] if kept_s else [])]
        return await self._drop(evidence, sa.and_(sa.or_(*too_old), sa.not_(evidence.c.held)))

    async def _forget_cases(self, now: float) -> int:
        where = cases.c.decided_at < now - self._kept.complaints * _DAY_S
        return await self._drop(cases, where) if self._kept.complaints else 0

    async def _forget_farm_accounts(self, now: float) -> int:
        """Those whose case is forgotten."""
        return await self._drop(farm_accounts, ~sa.exists().where(cases.c.number == farm_accounts.c.case_number))

    async def _forget_sanctions(self, now: float) -> int:
        """Those that have not bound anybody for as long as complaints are kept. An open appeal keeps its sanction."""
        before = now - self._kept.complaints * _DAY_S
        over = sa.or_(sanctions.c.until < before, sanctions.c.lifted_at < before)
        return await self._drop(sanctions, sa.and_(over, sanctions.c.appeal != "open")) if self._kept.complaints else 0

    async def _forget_orders(self, now: float) -> int:
        """Those that were carried out, except the newest one: numbers count on from it."""
        newest = sa.select(sa.func.max(staff_orders.c.number)).scalar_subquery()
        where = sa.and_(staff_orders.c.done_at < now - ORDERS_KEPT_S, staff_orders.c.number < newest)
        return await self._drop(staff_orders, where)

    async def _forget_tombstones(self, now: float) -> int:
        """Of restrictions that are over."""
        return await self._drop(tombstones, tombstones.c.until < now)

    async def _forget_mutes(self, now: float) -> int:
        return await self._drop(muted_reporters, muted_reporters.c.until < now)

    async def _drop(self, table: sa.Table, where: sa.ColumnElement[bool]) -> int:
        """Delete a batch of rows that nothing counts."""
        keys = list(table.primary_key.columns)

        async def work(connection: AsyncConnection) -> int:
            found = (await connection.execute(sa.select(*keys).where(where).limit(BATCH))).all()
            if found:
                is_it = sa.and_(*(key == sa.bindparam(f"k{number}") for number, key in enumerate(keys)))
                rows = [{f"k{number}": value for number, value in enumerate(each)} for each in found]
                await connection.execute(sa.delete(table).where(is_it, where), rows)
            return len(found)

        return await self._batch(work)

    async def _forget_keyed(self, table: sa.Table, where: sa.ColumnElement[bool], dated: str) -> int:
        """`dated`: the column with the day to which a row counts."""
        keys = list(table.primary_key.columns)

        async def work(connection: AsyncConnection) -> int:
            columns: list[sa.ColumnElement[Any]] = [*keys, table.c[dated]]
            found = (await connection.execute(sa.select(*columns).where(where).limit(BATCH))).all()
            if found:
                is_it = sa.and_(*(key == sa.bindparam(f"k{number}") for number, key in enumerate(keys)))
                rows = [{f"k{number}": value for number, value in enumerate(each[:-1])} for each in found]
                await connection.execute(sa.delete(table).where(is_it, where), rows)
                await _count(connection, _by_day(table.name, (each[-1] for each in found)))
            return len(found)

        return await self._batch(work)

    async def _batch(self, work: Callable[[AsyncConnection], Awaitable[int]]) -> int:
        with losses():
            async with self._engine.connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    return await work(connection)


def _figures(rows: Iterable[Any]) -> dict[int, Counter[str]]:
    days: dict[int, Counter[str]] = {}
    for row in rows:
        ratings = (row["rating1"], row["rating2"])
        days.setdefault(int(row["opened_at"] // _DAY_S), Counter()).update(
            chats=1, chatted_s=lasted_s(row), rated_good=ratings.count("good"), rated_bad=ratings.count("bad")
        )
    return days


def _by_day(name: str, times: Iterable[float]) -> dict[int, Counter[str]]:
    days: dict[int, Counter[str]] = {}
    for at in times:
        days.setdefault(int(at // _DAY_S), Counter()).update({name: 1})
    return days


async def _count(connection: AsyncConnection, days: dict[int, Counter[str]]) -> None:
    names: Sequence[str] = [column.name for column in daily_figures.columns if column.name != "day"]
    for day, figures in sorted(days.items()):
        more = {name: daily_figures.c[name] + figures[name] for name in names if figures[name]}
        updated = await connection.execute(sa.update(daily_figures).where(daily_figures.c.day == day).values(more))
        if not updated.rowcount:
            await connection.execute(
                sa.insert(daily_figures).values({"day": day} | {name: figures[name] for name in names})
            )
