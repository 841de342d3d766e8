"""How many connections a process has to PostgreSQL: some kept warm, more as they are needed, idle ones closed.

SQLAlchemy's pool lends, waits and counts; it neither opens ahead nor closes what has been idle. `Keeper` does both from
outside, with the pool's public means alone: its events tell what is open and what is idle, and an idle entry that is
*invalidated* closes its connection and opens a new one when it is next lent. The pool is last in, first out, so the
entries that nobody needs stay at the bottom and grow old.
"""

from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from passerby.adapters.sql.failures import losses
from passerby.adapters.sql.pooler import is_pooled
from passerby.ports.clock import Clock
from passerby.ports.records import RecordsLost
from passerby.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Pool:
    """Connections of one process.

    PostgreSQL: `most` is the ceiling. `least` are opened at the start and kept; what is above them is closed once it
    has been idle for `idle_s`, looked for every `evict_every_s`. `timeout_s` bounds the wait for a connection, and each
    statement; `connect_s` bounds the opening of a connection, if it is shorter.

    SQLite: `timeout_s` bounds the wait for another process's lock; the rest has no meaning.
    """

    most: int = 100
    least: int = 20
    timeout_s: float = 3.0
    evict_every_s: float = 1.0
    idle_s: float = 30.0
    connect_s: float = 5.0


class Keeper:
    """Looks after the pool of `engine`. Nothing is opened before `tend` or `warm`."""

    def __init__(self, engine: AsyncEngine, pool: Pool) -> None:
        self._engine = engine
        self._pool = pool
        self._open: set[ConnectionPoolEntry] = set()
        self._turn = 0
        self._idle: dict[ConnectionPoolEntry, int] = {}
        """Since which turn; in the order that they became it."""
        for name, heard in (
            ("connect", self._opened),
            ("close", self._closed),
            ("checkout", self._lent),
            ("checkin", self._given_back),
        ):
            event.listen(engine.sync_engine, name, heard)

    @property
    def open(self) -> int:
        return len(self._open)

    @property
    def idle(self) -> int:
        return len(self._idle)

    async def tend(self, clock: Clock) -> None:
        """Keep the least open, and close what has long been idle, until cancelled. A server that is away is asked again
        at the next turn."""
        while True:
            self.bury()
            with suppress(RecordsLost):
                await self.warm()
            self.evict()
            await clock.sleep(self._pool.evict_every_s)

    async def warm(self) -> None:
        """Open what is missing to the least. Raises: RecordsLost."""
        async with AsyncExitStack() as held:
            # Each is held until the last is there: the pool would lend the same one again.
            for _ in range(self._pool.most):
                if self.open >= self._pool.least:
                    return
                with losses():
                    await held.enter_async_context(self._engine.connect())

    def bury(self) -> None:
        """Let go of idle connections whose server has gone, so that others are opened in their place."""
        for entry in list(self._idle):
            driver: Any = entry.driver_connection
            if driver is None or driver.is_closed():
                entry.invalidate()

    def evict(self) -> None:
        """A turn: close what is above the least and has been idle for too long, the coldest first.

        Without an await, so that nobody is lent one half-closed: the server sees the connection end between two
        transactions, which is nothing to it.
        """
        self._turn += 1
        patience = self._pool.idle_s / self._pool.evict_every_s
        for entry, since in list(self._idle.items()):
            if self._turn - since <= patience or self.open <= self._pool.least:
                return
            entry.invalidate()

    def _opened(self, _connection: Any, entry: ConnectionPoolEntry) -> None:
        self._open.add(entry)
        self._tell()

    def _closed(self, _connection: Any, entry: ConnectionPoolEntry) -> None:
        self._open.discard(entry)
        self._idle.pop(entry, None)
        self._tell()

    def _lent(self, _connection: Any, entry: ConnectionPoolEntry, _proxy: sa.PoolProxiedConnection) -> None:
        self._idle.pop(entry, None)
        self._tell()

    def _given_back(self, connection: Any, entry: ConnectionPoolEntry) -> None:
        # One that broke comes back without its connection.
        if connection is not None:
            self._idle[entry] = self._turn
        self._tell()

    def _tell(self) -> None:
        metrics.RECORDS_CONNECTIONS.set(self.open, "open")
        metrics.RECORDS_CONNECTIONS.set(self.idle, "idle")


async def room(engine: AsyncEngine) -> int | None:
    """How many connections the server allows for all our processes together; None behind a pooler, which owns them.

    Raises: RecordsLost.
    """
    with losses():
        async with engine.connect() as connection:
            if await is_pooled(connection):
                return None
            limits = (await connection.execute(_LIMITS)).one()
    return min(int(limit) for limit in limits if limit >= 0)


def shortage(pool: Pool, processes: int, room: int | None) -> str | None:
    """What is wrong with so many processes at one server, as a sentence; None: nothing."""
    if room is None or pool.most * processes <= room:
        return None
    return (
        f"{processes} processes with up to {pool.most} connections each may want {pool.most * processes}, "
        f"and the server lets in {room}; set DB_POOL_MAX to {max(1, room // processes)} or raise max_connections"
    )


_LIMITS = sa.text(
    "SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END)::int AS server,"
    " (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database,"
    " (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role"
    " FROM pg_settings WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"
)
"""-1: no limit. The one of the server always is."""
