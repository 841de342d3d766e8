"""Decides how many connections a process has to PostgreSQL: some are always open, more open on demand, idle ones are
closed.

SQLAlchemy's pool lends, waits and counts. It neither opens connections ahead nor closes idle ones, so `Keeper` does
both from outside, through the pool's public interface. The pool's events tell what is open and what is idle. An idle
entry that is *invalidated* closes its connection, and opens a new one when it is lent again. The pool is last in, first
out, so entries that nobody needs stay idle.
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
class ConnectionPool:
    """Connections of one process.

    PostgreSQL: at most `most`. `least` are opened at the start and kept. Connections above that are closed after they
    were idle for `idle_s`, checked every `evict_every_s`. `timeout_s` limits the wait for a connection, and each
    statement. `connect_s` limits the opening of a connection, if it is shorter.

    SQLite: `timeout_s` limits the wait for another process's lock. The rest is not used.
    """

    most: int = 100
    least: int = 20
    timeout_s: float = 3.0
    evict_every_s: float = 1.0
    idle_s: float = 30.0
    connect_s: float = 5.0


class Keeper:
    """Maintains the pool of `engine`. It opens nothing before `tend` or `warm`."""

    def __init__(self, engine: AsyncEngine, pool: ConnectionPool) -> None:
        self._engine = engine
        self._pool = pool
        self._open: set[ConnectionPoolEntry] = set()
        self._round = 0
        self._is_bounded = engine.dialect.name == "postgresql"
        self._idle: dict[ConnectionPoolEntry, int] = {}
        """Idle entries, the longest idle first, each with the round in which it became idle."""
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
        """Keep `least` open and close idle ones, until cancelled. If the server is away, the next round tries again."""
        while True:
            self.bury()
            with suppress(RecordsLost):
                await self.warm()
            self.evict()
            await clock.sleep(self._pool.evict_every_s)

    async def warm(self) -> None:
        """Open connections until there are `least`. Raises: RecordsLost."""
        async with AsyncExitStack() as held:
            # Hold each until the last one is open. Otherwise the pool would lend the same one again.
            for _ in range(self._pool.most):
                if self.open >= self._pool.least:
                    return
                with losses():
                    await held.enter_async_context(self._engine.connect())

    def bury(self) -> None:
        """Drop idle connections that are closed, so that new ones are opened in their place."""
        for entry in list(self._idle):
            driver: Any = entry.driver_connection
            if driver is None or driver.is_closed():
                entry.invalidate()

    def evict(self) -> None:
        """One round: close connections above `least` that were idle for too long, the longest idle first.

        There is no await, so no half-closed connection is lent. The server sees a connection end between two
        transactions, which is harmless.
        """
        self._round += 1
        patience = self._pool.idle_s / self._pool.evict_every_s
        for entry, since in list(self._idle.items()):
            if self._round - since <= patience or self.open <= self._pool.least:
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
        # A broken entry comes back without its connection.
        if connection is not None:
            self._idle[entry] = self._round
        self._tell()

    def _tell(self) -> None:
        metrics.RECORDS_CONNECTIONS.set(self.open, "open")
        metrics.RECORDS_CONNECTIONS.set(self.idle, "idle")
        if self._is_bounded:
            metrics.POSTGRES_SHARE.set(100 * (self.open - self.idle) / self._pool.most, "pool")


async def connections_allowed(engine: AsyncEngine) -> int | None:
    """How many connections the server allows to all our processes together. None behind a pooler, which decides that.

    Raises: RecordsLost.
    """
    with losses():
        async with engine.connect() as connection:
            if await is_pooled(connection):
                return None
            limits = (await connection.execute(_LIMITS)).one()
    return min(int(limit) for limit in limits if limit >= 0)


async def connections_percent(engine: AsyncEngine) -> float | None:
    """The share of the server's connections that are in use, in percent. None behind a pooler. Raises: RecordsLost."""
    with losses():
        async with engine.connect() as connection:
            if await is_pooled(connection):
                return None
            used, most = (await connection.execute(_USED)).one()
    return 100 * float(used) / float(most)


def shortage(pool: ConnectionPool, processes: int, allowed: int | None) -> str | None:
    """A sentence for the operator if this many processes may want more connections than `allowed`; otherwise None."""
    if allowed is None or pool.most * processes <= allowed:
        return None
    return (
        f"the pools may want {pool.most * processes} connections (DB_POOL_MAX={pool.most}, processes: {processes}), "
        f"but the server allows {allowed}; set DB_POOL_MAX to {max(1, allowed // processes)} or raise max_connections"
    )


_USED = sa.text(
    "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
    " current_setting('max_connections')::int"
)
_LIMITS = sa.text(
    "SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END)::int AS server,"
    " (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database,"
    " (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role"
    " FROM pg_settings WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"
)
"""-1: no limit. The server itself always has one."""
