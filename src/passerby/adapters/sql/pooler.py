"""Connections that may lead through a pooler such as PgBouncer, Odyssey or a cloud's proxy.

A pooler in transaction mode gives each transaction any free server connection. A prepared statement belongs to one
server connection, so a name prepared in one transaction may be missing in the next, or belong to somebody else. So we
keep no prepared statements through a pooler: each is sent unnamed, within its own transaction. On a direct connection
they are kept, which saves a round trip and 150 µs of CPU for each small statement.

A pooler can be recognised: it invents the process id in its greeting, because the client has no server connection yet.
So every new connection compares that id with the server's own. Nothing else of ours outlives a transaction: the lock
and the time limits of `schema` belong to one too.
"""

from itertools import count
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import await_only

_UNNAMED: Final[dict[str, Any]] = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}
"""The empty name means the unnamed statement, which the next one replaces."""

_CONSOLE: Final = "pgbouncer"
"""PgBouncer's own database. There, the server version is PgBouncer's: 1.24.1/bouncer."""


def look_out(engine: AsyncEngine) -> None:
    """Check each new connection of `engine` for a pooler. Keep prepared statements only if there is none."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def opened(dialect: sa.Dialect, _entry: Any, args: Any, params: Any) -> Any:
        driver, error, pooled = await_only(_open(args, params))

        async def as_it_was(*_: Any, **__: Any) -> Any:
            # The dialect translates the driver's errors only if it opens the connection itself.
            if error is not None:
                raise error
            return driver

        return dialect.connect(*args, **params, async_creator_fn=as_it_was, **(_UNNAMED if pooled else _named()))


async def is_pooled(connection: AsyncConnection) -> bool:
    """Whether this connection leads through a pooler."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return bool(driver.get_server_pid() != await connection.scalar(_OWN_PID))


async def name_of_pooler(url: URL, timeout_s: float) -> str:
    """PgBouncer with its version, or "a connection pooler" if it does not say.

    PgBouncer tells its version to users who may read its statistics (`admin_users`, `stats_users`).
    """
    import asyncpg

    _, params = url.get_dialect()().create_connect_args(url.set(database=_CONSOLE))
    try:
        driver = await asyncpg.connect(**params, timeout=timeout_s, statement_cache_size=0)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError):
        return "a connection pooler"
    version = str(driver.get_settings().server_version)
    driver.terminate()
    number, _, program = version.partition("/")
    return f"PgBouncer {number}" if program == "bouncer" else "a connection pooler"


def _named() -> dict[str, Any]:
    """Named statements, for one direct connection."""
    numbers = count(1)
    return {"prepared_statement_name_func": lambda: f"passerby_{next(numbers)}"}


async def _open(args: Any, params: Any) -> tuple[Any, Exception | None, bool]:
    import asyncpg

    driver = None
    try:
        driver = await asyncpg.connect(*args, **params)
        pooled = driver.get_server_pid() != await driver.fetchval(_OWN_PID.text)
    except BaseException as error:
        if driver is not None:
            driver.terminate()
        if not isinstance(error, Exception):
            raise  # cancelled
        return None, error, False  # the caller raises it where it can be translated
    return driver, None, pooled


_OWN_PID: Final = sa.text("SELECT pg_backend_pid()")
