"""The broadcasts port over SQL.

A target is a row that is claimed by `UPDATE … WHERE state = 'waiting'` with SKIP LOCKED, and committed, before its copy
is sent. So however many claim, and whenever one is killed, a copy is sent at most once.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.audiences import audience_of, reach_of
from passerby.adapters.sql.audit import add_to_audit
from passerby.adapters.sql.broadcast_figures import arm_figures, canary_figures
from passerby.adapters.sql.broadcast_rows import (
    COUNT_S,
    GOT,
    count_targets,
    in_state,
    random_place,
    read_broadcast,
    read_broadcasts,
    store_broadcasts,
)
from passerby.adapters.sql.dialects import insert_into
from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.salvage import person_of
from passerby.adapters.sql.tables import broadcast_targets as targets
from passerby.adapters.sql.tables import broadcasts, users
from passerby.adapters.sql.transactions import Transactions
from passerby.adapters.sql.unchanged import Unchanged
from passerby.adapters.sql.usual_hours import hours_of
from passerby.domain.broadcasts.actions import needs_second
from passerby.kernel.broadcast import (
    ArmFigures,
    Broadcast,
    BroadcastState,
    CanaryFigures,
    Category,
    Copy,
    Got,
    Progress,
    Reach,
    Settled,
    Target,
    TargetState,
)
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.staff import AuditNote
from passerby.ports.broadcasts import Claimable

FROZEN_AT_ONCE: Final = 20_000
"""People who are looked at in one transaction, so that it does not take longer than the time-out."""

_LATEST_MANY: Final = 500
"""More than anybody starts in a day."""


class SqlBroadcasts(Transactions):
    """Implements `passerby.ports.broadcasts.BroadcastRecords`. The tables must exist."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._open = Unchanged[Sequence[Broadcast]](engine)

    async def open(self) -> Sequence[Broadcast]:
        return await self._open.get(lambda: self._broadcasts(_OPEN, {}))

    async def latest(self, most: int) -> Sequence[Broadcast]:
        return await self._broadcasts(_LATEST, {"most": most})

    async def broadcast(self, number: int) -> Broadcast | None:
        return next(iter(await self._broadcasts(_ONE, {"of": number})), None)

    async def reach(self, broadcast: Broadcast, now: float) -> Reach:
        return await self._read(lambda connection: reach_of(connection, broadcast, now))

    async def freeze(
        self, number: int, now: float, lasts_s: float, canary: Callable[[Broadcast, int], int], alone: int
    ) -> bool:
        async def some(connection: AsyncConnection) -> bool | None:
            """Freeze some people. Returns whether there may be more. None: it is not starting any more."""
            broadcast = await _locked(connection, number)
            if broadcast is None or broadcast.state is not BroadcastState.STARTING:
                return None
            conditions = await audience_of(connection, broadcast, now)
            after = await connection.scalar(_FROZEN_TO, {"number": number}) or 0
            upto = None
            if not broadcast.audience.people:
                upto = await connection.scalar(_FREEZE_TO, {"after": after, "skipped": FROZEN_AT_ONCE - 1})
            conditions += [users.c.id > after, *([users.c.id <= upto] if upto is not None else ())]
            await connection.execute(_freezing(connection.dialect.name, number, conditions))
            return upto is not None

        async def run(connection: AsyncConnection) -> bool:
            broadcast = await _locked(connection, number)
            if broadcast is None or broadcast.state is not BroadcastState.STARTING:
                return False
            count = await connection.scalar(_FROZEN, {"number": number}) or 0
            others = read_broadcasts(await connection.scalars(_LATEST, {"most": _LATEST_MANY}))
            if needs_second(broadcast, count, others, alone, now):
                waiting = msgspec.structs.replace(broadcast, state=BroadcastState.SUBMITTED)
                await store_broadcasts(connection, (waiting,))
                return True
            running = msgspec.structs.replace(
                broadcast,
                state=BroadcastState.RUNNING,
                people=count,
                started_at=now,
                ends_at=now + lasts_s,
                canary_below=(below := canary(broadcast, count)),
                wave=0 if below else 1,
            )
            await store_broadcasts(connection, (running,))
            return True

        is_more = await self._write(some)
        return bool(is_more) or (is_more is not None and await self._write(run, in_audit=True))

    async def change(
        self, number: int, change: Callable[[Broadcast, int], Sequence[Broadcast]], note: AuditNote, now: float
    ) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            broadcast = await _locked(connection, number)
            highest = await connection.scalar(_HIGHEST) or 0
            changed = change(broadcast, highest + 1) if broadcast is not None else ()
            if changed:
                await store_broadcasts(connection, changed)
                await add_to_audit(connection, [(None, note)], now)
            return bool(changed)

        return await self._write(work, in_audit=True)

    async def claim(self, claimable: Claimable, by: str, most: int) -> Sequence[Target]:
        async def work(connection: AsyncConnection) -> list[Target]:
            values = {
                "number": claimable.broadcast,
                "through": claimable.bot,
                "below": claimable.below,
                "now": claimable.now,
                "who": by,
                "most": most,
            }
            claimed = (await connection.execute(_CLAIM, values)).all()
            if not claimed:
                return []
            ids = [row.person_id for row in claimed]
            rows = await connection.execute(_PEOPLE, {"ids": ids})
            people = {person.person: person for person in map(person_of, rows)}
            got = defaultdict(list)
            earlier = {"ids": ids, "number": claimable.broadcast, "after": claimable.now - COUNT_S}
            for whom, category, at in await connection.execute(_GOT, earlier):
                got[whom].append(Got(Category(category), at))
            hours = await hours_of(connection, ids) if claimable.with_hours else {}
            return [
                Target(
                    PersonId(row.person_id),
                    claimable.bot,
                    people.get(PersonId(row.person_id)),
                    tuple(got[row.person_id]),
                    row.is_planned,
                    tuple(hours.get(row.person_id, ())),
                )
                for row in claimed
            ]

        return await self._write(work)

    async def settle(self, broadcast: int, by: str, settled: Sequence[Settled]) -> None:
        rows = [
            {
                "number": broadcast,
                "who": by,
                "whom": each.whom,
                "becomes": each.state.value,
                "through": each.bot,
                "when": each.at,
                "message": each.message,
                "due": each.due_at,
                "planned": each.is_planned,
                "in_arm": each.arm,
                "said_in": each.language,
            }
            for each in settled
        ]
        late = [row for row in rows if row["becomes"] == TargetState.SENT.value]

        async def work(connection: AsyncConnection) -> None:
            if rows:
                await connection.execute(_SETTLE, rows)
            if late:
                await connection.execute(_SETTLE_LATE, late)

        await self._write(work)

    async def disown(self, by: str) -> int:
        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(_DISOWN, {"who": by})).rowcount

        return await self._write(work)

    async def reassign(self, broadcast: int, served: Sequence[BotId]) -> int:
        async def work(connection: AsyncConnection) -> int:
            rows = (await connection.execute(_NOT_SERVED, {"number": broadcast, "served": list(served)})).all()
            moved = []
            for row in rows:
                bots = msgspec.json.decode(row.bots) if row.bots else ()
                bot = next((each for each in bots if each in served), None)
                state = TargetState.WAITING if bot is not None else TargetState.UNREACHABLE
                moved.append(
                    {"number": broadcast, "whom": row.person_id, "bot": bot or row.bot_id, "becomes": state.value}
                )
            if moved:
                await connection.execute(_MOVE, moved)
            return len(moved)

        return await self._write(work)

    async def expire(self, broadcast: int, now: float) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(_EXPIRE, {"number": broadcast, "now": now})

        await self._write(work)

    async def due(self, broadcast: int, below: int, now: float) -> int:
        async def query(connection: AsyncConnection) -> int:
            return await connection.scalar(_DUE, {"number": broadcast, "below": below, "now": now}) or 0

        return await self._read(query)

    async def progress(self, broadcast: int) -> Progress:
        return await self._read(lambda connection: count_targets(connection, broadcast))

    async def watched(self, broadcast: int, below: int) -> CanaryFigures:
        async def query(connection: AsyncConnection) -> CanaryFigures:
            return await canary_figures(connection, broadcast, below, await _people_of(connection, broadcast))

        return await self._read(query)

    async def arms(self, broadcast: int) -> Sequence[ArmFigures]:
        async def query(connection: AsyncConnection) -> Sequence[ArmFigures]:
            return await arm_figures(connection, broadcast, await _people_of(connection, broadcast))

        return await self._read(query)

    async def copies(self, broadcast: int, revision: int, after: float, most: int) -> Sequence[Copy]:
        async def query(connection: AsyncConnection) -> list[Copy]:
            values = {"number": broadcast, "revision": revision, "after": after, "most": most}
            return [Copy(*row) for row in await connection.execute(_COPIES, values)]

        return await self._read(query)

    async def followed(
        self, broadcast: int, done: Sequence[Copy], failed: Sequence[Copy], revision: int | None
    ) -> None:
        async def work(connection: AsyncConnection) -> None:
            if failed:
                await connection.execute(_LOSE, [{"number": broadcast, "whom": each.whom} for each in failed])
            if done and revision is None:
                await connection.execute(_RECALL, [{"number": broadcast, "whom": each.whom} for each in done])
            elif done:
                rows = [{"number": broadcast, "whom": each.whom, "to": revision} for each in done]
                await connection.execute(_CORRECT, rows)

        await self._write(work)

    async def _broadcasts(self, query: sa.Select[Any], values: dict[str, Any]) -> list[Broadcast]:
        async def read(connection: AsyncConnection) -> list[Broadcast]:
            return read_broadcasts(await connection.scalars(query, values))

        return await self._read(read)


async def _locked(connection: AsyncConnection, number: int) -> Broadcast | None:
    body = await connection.scalar(_ONE.with_for_update(), {"of": number})
    return read_broadcast(body) if body is not None else None


async def _people_of(connection: AsyncConnection, number: int) -> int:
    """How many people were frozen for it."""
    body = await connection.scalar(_ONE, {"of": number})
    return read_broadcast(body).people if body is not None else 0


def _freezing(dialect: str, number: int, conditions: list[sa.ColumnElement[bool]]) -> Any:
    """Stores a target for each of these people. Nobody gets a second one."""
    people = sa.select(
        sa.literal(number, sa.BigInteger),
        users.c.id,
        users.c.bot_id,
        random_place(dialect),
        sa.literal(TargetState.WAITING.value, sa.Text),
    ).where(*conditions)
    columns = ("broadcast", "person_id", "bot_id", "place", "state")
    return insert_into(targets, dialect).from_select(columns, people).on_conflict_do_nothing()


def _p(name: str, kind: Any = None) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)


_FREEZE_TO = (
    sa.select(users.c.id)
    .where(users.c.id > _p("after", sa.BigInteger))
    .order_by(users.c.id.asc())
    .offset(_p("skipped", sa.Integer))
    .limit(1)
)
_THIS = targets.c.broadcast == _p("number", sa.BigInteger)
_FROZEN = sa.select(sa.func.count()).select_from(targets).where(_THIS)
_FROZEN_TO = sa.select(sa.func.max(targets.c.person_id)).where(_THIS)
_MINE = sa.and_(_THIS, targets.c.person_id == _p("whom", sa.BigInteger))
_WAITING, _SENDING, _SENT = map(in_state, (TargetState.WAITING, TargetState.SENDING, TargetState.SENT))
_UNKNOWN = in_state(TargetState.UNKNOWN)

_ONE = sa.select(broadcasts.c.body).where(broadcasts.c.number == _p("of", sa.BigInteger))
_OPEN = sa.select(broadcasts.c.body).where(broadcasts.c.is_open).order_by(broadcasts.c.number)
_LATEST = (
    sa.select(broadcasts.c.body)
    .where(sa.not_(broadcasts.c.is_test))
    .order_by(broadcasts.c.number.desc())
    .limit(_p("most", sa.Integer))
)
_HIGHEST = sa.select(sa.func.max(broadcasts.c.number))

_claimable = (
    sa.select(targets.c.person_id)
    .where(
        _THIS,
        _WAITING,
        targets.c.bot_id == _p("through", sa.BigInteger),
        targets.c.due_at <= _p("now", sa.Double),
        targets.c.place < _p("below", sa.BigInteger),
    )
    .order_by(targets.c.place)
    .limit(_p("most", sa.Integer))
    .with_for_update(skip_locked=True)
    # As a plain subquery, PostgreSQL may run it once for each row of the table. Each run takes further rows, so the
    # limit would not hold.
    .cte("claimable")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
_CLAIM = (
    sa.update(targets)
    .where(_THIS, targets.c.person_id.in_(sa.select(_claimable.c.person_id)))
    .values(state=TargetState.SENDING.value, claim=_p("who", sa.Text), at=_p("now", sa.Double))
    .returning(targets.c.person_id, targets.c.is_planned)
)
_PEOPLE = sa.select(*READ).where(users.c.id.in_(sa.bindparam("ids", expanding=True)))
_GOT = (
    sa.select(targets.c.person_id, broadcasts.c.category, targets.c.at)
    .join(broadcasts, broadcasts.c.number == targets.c.broadcast)
    .where(
        targets.c.person_id.in_(sa.bindparam("ids", expanding=True)),
        targets.c.broadcast != _p("number", sa.BigInteger),
        targets.c.at > _p("after", sa.Double),
        sa.or_(*map(in_state, GOT)),
        sa.not_(broadcasts.c.is_test),
    )
)

_OUTCOME: Final = {
    "state": _p("becomes", sa.Text),
    "bot_id": _p("through", sa.BigInteger),
    "at": _p("when", sa.Double),
    "message_id": _p("message", sa.BigInteger),
    "due_at": _p("due", sa.Double),
    "is_planned": _p("planned", sa.Boolean),
    "arm": _p("in_arm", sa.Text),
    "language": _p("said_in", sa.Text),
}
_OF_CLAIMER = targets.c.claim == _p("who", sa.Text)
_SETTLE = sa.update(targets).where(_MINE, _OF_CLAIMER, _SENDING).values(_OUTCOME)
_SETTLE_LATE = sa.update(targets).where(_MINE, _OF_CLAIMER, _UNKNOWN).values(_OUTCOME)
_DISOWN = (
    sa.update(targets).where(_SENDING, targets.c.claim != _p("who", sa.Text)).values(state=TargetState.UNKNOWN.value)
)
_NOT_SERVED = (
    sa.select(targets.c.person_id, targets.c.bot_id, users.c.bots)
    .outerjoin(users, users.c.id == targets.c.person_id)
    .where(_THIS, _WAITING, targets.c.bot_id.not_in(sa.bindparam("served", expanding=True)))
    .limit(1_000)
)
_MOVE = sa.update(targets).where(_MINE, _WAITING).values(bot_id=_p("bot", sa.BigInteger), state=_p("becomes", sa.Text))
_EXPIRE = sa.update(targets).where(_THIS, _WAITING).values(state=TargetState.EXPIRED.value, at=_p("now", sa.Double))
_DUE = (
    sa.select(sa.func.count())
    .select_from(targets)
    .where(
        _THIS,
        targets.c.place < _p("below", sa.BigInteger),
        sa.or_(sa.and_(_WAITING, targets.c.due_at <= _p("now", sa.Double)), _SENDING),
    )
)

_COPIES = (
    sa.select(targets.c.person_id, targets.c.bot_id, targets.c.message_id, targets.c.arm, targets.c.language)
    .where(
        _THIS,
        _SENT,
        targets.c.message_id.is_not(None),
        targets.c.revision < _p("revision", sa.Integer),
        targets.c.at > _p("after", sa.Double),
    )
    .limit(_p("most", sa.Integer))
)
_LOSE = sa.update(targets).where(_MINE).values(message_id=None)
_RECALL = sa.update(targets).where(_MINE, _SENT).values(state=TargetState.RECALLED.value, message_id=None)
_CORRECT = sa.update(targets).where(_MINE, _SENT).values(revision=_p("to", sa.Integer))
