"""The panel's reads. Their connections cannot write: the database refuses it.

PostgreSQL: `default_transaction_read_only`, and, with PANEL_POSTGRES_URI, a role that may only read. SQLite:
`query_only`. Every query here has an index or reads `panel_figures`, which the fleet counts in advance.
"""

import os
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.panel_tables import faults, panel_figures
from passerby.adapters.sql.pool import ConnectionPool
from passerby.adapters.sql.tables import audit, users
from passerby.adapters.sql.transactions import Transactions
from passerby.domain.audit import AuditRow

ONLINE_S: Final = 300.0
_FEW: Final = ConnectionPool(4, 1)
_MOST_WAITS: Final = 5_000


class AuditSearch(NamedTuple):
    """`actor`: a member's number, or one of the words below. `action` and `subject`: parts of these. Empty: all."""

    actor: int | Literal["", "rule"] = ""
    action: str = ""
    subject: str = ""


EVERYTHING: Final = AuditSearch()


class Waiting(NamedTuple):
    """People who search, of one pool and gender. `gender` None: not given. Times in seconds."""

    pool: str
    gender: str | None
    people: int
    median_s: float
    p90_s: float


class Fault(NamedTuple):
    fingerprint: str
    event: str
    error: str
    frames: str
    first_at: float
    last_at: float
    times: int
    version: str
    resolved_at: float | None


def reading_engine(database: str | os.PathLike[str]) -> AsyncEngine:
    """An engine whose connections can only read."""
    engine = connect(database_url(database), _FEW)

    if engine.dialect.name == "postgresql":

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    else:

        @event.listens_for(engine.sync_engine, "connect")
        def configure(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA query_only=ON")
            cursor.close()

    return engine


class PanelReader(Transactions):
    """Raises: RecordsLost from every method."""

    @property
    def engine(self) -> AsyncEngine:
        """For other readers on the same connections."""
        return self._engine

    async def aclose(self) -> None:
        await self._engine.dispose()

    async def online(self, now: float) -> int:
        """How many people did something in the last five minutes."""
        return int(await self._scalar(_ONLINE, {"after": now - ONLINE_S}) or 0)

    async def waiting(self, now: float) -> list[Waiting]:
        """Count the waiting people by pool and gender. If there are more than 5,000, count those who wait longest."""

        async def read(connection: AsyncConnection) -> list[Waiting]:
            groups: dict[tuple[str, str | None], list[float]] = {}
            for pool, gender, since in await connection.execute(_SEARCHING, {"most": _MOST_WAITS}):
                groups.setdefault((pool or "", gender), []).append(max(0.0, now - (since or now)))
            return [
                Waiting(pool, gender, len(waits), _part(sorted(waits), 0.5), _part(sorted(waits), 0.9))
                for (pool, gender), waits in sorted(groups.items(), key=lambda each: (each[0][0], each[0][1] or ""))
            ]

        return await self._read(read)

    async def figures(self, kind: str, first: int, last: int) -> list[tuple[int, str, float]]:
        """(number, body, at) of the figures counted in advance, in order."""

        async def read(connection: AsyncConnection) -> list[tuple[int, str, float]]:
            found = await connection.execute(_FIGURES, {"kind": kind, "first": first, "last": last})
            return [(number, body, at) for number, body, at in found]

        return await self._read(read)

    async def audit_before(self, number: int, limit: int, search: AuditSearch = EVERYTHING) -> Sequence[AuditRow]:
        """Rows of the audit with lower numbers that are searched for, the newest first."""
        wanted = _AUDIT.where(*_searched(search))

        async def read(connection: AsyncConnection) -> list[AuditRow]:
            found = await connection.execute(wanted, {"before": number, "most": limit})
            return [AuditRow(*row) for row in found]

        return await self._read(read)

    async def faults(self, limit: int) -> list[Fault]:
        """The newest last."""

        async def read(connection: AsyncConnection) -> list[Fault]:
            return [Fault(*row) for row in await connection.execute(_FAULTS, {"most": limit})]

        return await self._read(read)

    async def _scalar(self, query: sa.Select[Any], values: dict[str, Any]) -> Any:
        async def read(connection: AsyncConnection) -> Any:
            return await connection.scalar(query, values)

        return await self._read(read)


def _part(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed. There must be one at least."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


_ONLINE = (
    sa.select(sa.func.count())
    .select_from(users)
    .where(users.c.has_started == sa.true(), users.c.last_active_date > sa.bindparam("after"))
)
_SEARCHING = (
    sa.select(users.c.pool, users.c.gender, users.c.searching_since)
    # Written as in the partial index.
    .where(users.c.state == sa.literal_column("'searching'"))
    .order_by(users.c.searching_since)
    .limit(sa.bindparam("most"))
)
_FIGURES = (
    sa.select(panel_figures.c.number, panel_figures.c.body, panel_figures.c.at)
    .where(
        panel_figures.c.kind == sa.bindparam("kind"),
        panel_figures.c.number >= sa.bindparam("first"),
        panel_figures.c.number <= sa.bindparam("last"),
    )
    .order_by(panel_figures.c.number)
)
_AUDIT = (
    sa.select(*(audit.c[name] for name in AuditRow._fields))
    .where(audit.c.number < sa.bindparam("before"))
    .order_by(audit.c.number.desc())
    .limit(sa.bindparam("most"))
)


def _searched(search: AuditSearch) -> list[sa.ColumnElement[bool]]:
    found = []
    if search.actor != "":
        found.append(audit.c.actor.is_(None) if search.actor == "rule" else audit.c.actor == search.actor)
    parts = ((audit.c.action, search.action), (audit.c.subject, search.subject))
    return [*found, *(column.icontains(words, autoescape=True) for column, words in parts if words)]


_FAULTS = (
    sa.select(*(faults.c["count" if name == "times" else name] for name in Fault._fields))
    .order_by(faults.c.last_at.desc())
    .limit(sa.bindparam("most"))
)
