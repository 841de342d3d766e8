"""Reads what PostgreSQL and Redis did during a load test. For our own fleet, it makes a separate database.

It only reads, except for that database. It reads nothing from a Redis cluster or through Sentinels.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from passerby.loadtest.report import SlowCommand, StatementCost, Stores

PATIENCE_S: Final = 10.0
MOST: Final = 15
MOST_SLOW: Final = 512
LONGEST_TEXT: Final = 300
PLAIN: Final = ("redis://", "rediss://", "unix://")
_STATEMENTS: Final = """
    SELECT queryid, left(query, 1000) AS text, calls, total_exec_time, max_exec_time FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = $1)
"""
ABSENT: Final = (
    "pg_stat_statements is not present, so the slowest SQL is not known: add it to shared_preload_libraries and run "
    "CREATE EXTENSION pg_stat_statements."
)


class StoreFault(Exception):
    """A store cannot be used for this. `setting` names it. The text is for the person at the terminal."""

    def __init__(self, setting: str, problem: str, remedy: str) -> None:
        super().__init__(f"{setting}: {problem}; {remedy}")
        self.setting, self.problem, self.remedy = setting, problem, remedy


def _dsn(uri: str) -> str:
    return uri.replace("postgresql+asyncpg://", "postgresql://", 1)


def of_database(uri: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlsplit(_dsn(uri))._replace(path=f"/{name}").geturl()


def database_in(uri: str) -> str:
    return urlsplit(uri).path[1:]


@asynccontextmanager
async def _connected(uri: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(_dsn(uri), timeout=PATIENCE_S, command_timeout=PATIENCE_S)
    try:
        yield connection
    finally:
        await connection.close(timeout=PATIENCE_S)


@asynccontextmanager
async def own_database(uri: str) -> AsyncIterator[str]:
    """Make a database on the server of `uri` for the block, so that simulated people are never among real ones.

    Raises: StoreFault.
    """
    name = f"passerby_loadtest_{secrets.token_hex(4)}"
    try:
        async with _connected(uri) as connection:
            await connection.execute(f"CREATE DATABASE {name}")
    except asyncpg.InsufficientPrivilegeError:
        remedy = "give this user CREATEDB, or name a server where it has that"
        raise StoreFault(
            "POSTGRES_URI", "a load test needs a database of its own and may not create one", remedy
        ) from None
    except (asyncpg.PostgresError, OSError, TimeoutError) as error:
        raise StoreFault(
            "POSTGRES_URI", f"the database does not answer ({type(error).__name__})", "start it, or correct the address"
        ) from None
    try:
        yield of_database(uri, name)
    finally:
        with suppress(asyncpg.PostgresError, OSError, TimeoutError):
            async with _connected(uri) as connection:
                await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@asynccontextmanager
async def own_keys(url: str) -> AsyncIterator[str]:
    """A new REDIS_NAME for the block. Its keys are deleted at the end. Raises: StoreFault."""
    if not url.startswith(PLAIN):
        remedy = "name a single server, as in redis://localhost:6379/0"
        raise StoreFault(
            "REDIS_URL", "a load test cannot clean up behind itself in a cluster or through Sentinels", remedy
        )
    name = f"passerby-loadtest-{secrets.token_hex(4)}"
    try:
        async with _redis(url) as redis:
            await redis.ping()
    except (RedisError, OSError) as error:
        raise StoreFault(
            "REDIS_URL", f"Redis does not answer ({type(error).__name__})", "start it, or correct the address"
        ) from None
    try:
        yield name
    finally:
        with suppress(RedisError, OSError):
            async with _redis(url) as redis:
                async for key in redis.scan_iter(match=f"*{name}*", count=1000):
                    await redis.unlink(key)


@asynccontextmanager
async def _redis(url: str) -> AsyncIterator[Any]:
    redis = Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
    try:
        yield redis
    finally:
        await redis.aclose()


@dataclass(slots=True)
class _Before:
    statements: Mapping[int, tuple[int, float]]
    slow_id: int
    commands: int
    commits: int


class Looker:
    """Reads before and after. `name`: the start of our keys in Redis, to leave out the commands of others.

    `is_own`: the database was made for this test, so the extension may be created in it.
    """

    def __init__(self, postgres: str | None, redis: str | None, name: str, *, is_own: bool = False) -> None:
        self._is_own = is_own
        self._postgres = postgres
        self._redis = redis if redis is not None and redis.startswith(PLAIN) else None
        self._name = name
        self._before = _Before({}, -1, 0, 0)
        self._connection: Any = None

    async def aclose(self) -> None:
        if self._connection is not None:
            await self._connection.close(timeout=PATIENCE_S)

    async def begin(self) -> None:
        """Remember the state at the beginning."""
        if self._postgres is not None:
            # Kept open all the time: under load, the fleet may use all connections that the server allows.
            with suppress(asyncpg.PostgresError, OSError, TimeoutError):
                self._connection = await asyncpg.connect(_dsn(self._postgres), timeout=PATIENCE_S)
        statements = {row["queryid"]: (row["calls"], row["total_exec_time"]) for row in await self._statements() or ()}
        slow_id, commands = -1, 0
        if self._redis is not None:
            with suppress(RedisError, OSError):
                async with _redis(self._redis) as redis:
                    entries = await redis.slowlog_get(1)
                    slow_id = entries[0]["id"] if entries else -1
                    commands = (await redis.info("stats"))["total_commands_processed"]
        self._before = _Before(statements, slow_id, commands, await self._commits())

    async def end(self, seconds: float) -> Stores:
        """Return the work of the stores since `begin`, which was `seconds` ago."""
        sql, sql_note = await self._sql()
        slowlog, slowlog_note, figures = await self._slow(seconds)
        commits = await self._commits()
        if self._postgres is not None and commits:
            figures["PostgreSQL"] = f"{(commits - self._before.commits) / max(seconds, 1):,.0f} transactions/s"
        return Stores(sql, sql_note, slowlog, slowlog_note, figures)

    async def _statements(self) -> list[Any] | None:
        """The statistics of statements. None without the extension."""
        if self._connection is None or self._postgres is None:
            return None
        try:
            if self._is_own:
                # The extension does not exist in this database yet. We may lack the right to create it.
                with suppress(asyncpg.PostgresError):
                    await self._connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            rows: list[Any] = await self._connection.fetch(_STATEMENTS, database_in(self._postgres))
            return rows
        except (asyncpg.PostgresError, OSError, TimeoutError):
            return None

    async def _sql(self) -> tuple[tuple[StatementCost, ...], str]:
        if self._postgres is None:
            return (), ""
        rows = await self._statements()
        if self._connection is None:
            return (), "PostgreSQL had no connection left for a look at its slowest SQL."
        if rows is None:
            return (), ABSENT
        found = []
        for row in rows:
            calls_before, total_before = self._before.statements.get(row["queryid"], (0, 0.0))
            calls, total_ms = row["calls"] - calls_before, row["total_exec_time"] - total_before
            if calls > 0:
                text = " ".join(row["text"].split())[:LONGEST_TEXT]
                found.append(StatementCost(text, calls, total_ms, total_ms / calls, row["max_exec_time"]))
        found.sort(key=lambda each: each.total_ms, reverse=True)
        return tuple(found[:MOST]), ""

    async def _commits(self) -> int:
        if self._connection is None or self._postgres is None:
            return 0
        with suppress(asyncpg.PostgresError, OSError, TimeoutError):
            counted = "SELECT xact_commit FROM pg_stat_database WHERE datname = $1"
            return int(await self._connection.fetchval(counted, database_in(self._postgres)) or 0)
        return 0

    async def _slow(self, seconds: float) -> tuple[tuple[SlowCommand, ...], str, dict[str, str]]:
        if self._redis is None:
            return (), "", {}
        try:
            async with _redis(self._redis) as redis:
                entries = await redis.slowlog_get(MOST_SLOW)
                info = await redis.info()
                above_us = await _above_us(redis)
        except (RedisError, OSError) as error:
            return (), f"Redis does not let its SLOWLOG be read ({type(error).__name__}).", {}
        ours = [
            SlowCommand(_readable(entry["command"]), entry["duration"] / 1000)
            for entry in entries
            if entry["id"] > self._before.slow_id and self._name.encode() in entry["command"]
        ]
        ours.sort(key=lambda each: each.took_ms, reverse=True)
        note = (
            f"Redis notes in its SLOWLOG what takes longer than {above_us / 1000:g} ms" if above_us is not None else ""
        )
        if note:
            note += "." if ours else ": nothing of ours did."
        return tuple(ours[:MOST]), note, {"Redis": told_of_redis(self._before.commands, info, seconds)}


def told_of_redis(commands_before: int, info: Mapping[str, Any], seconds: float) -> str:
    """The figures of Redis in one line. Each has its unit, because a number after a rate is easily read as a rate.

    The peak is since the server's start, from any program. If a counter went back, the server was restarted or its
    statistics were reset, and there is no rate.
    """
    commands = int(info["total_commands_processed"]) - commands_before
    rate = f"{commands / seconds:,.0f} commands/s on average" if commands >= 0 and seconds > 0 else "started again"
    memory = f"{int(info['used_memory_peak']) / 1024**2:,.1f} MiB of memory at its peak"
    return f"{rate}, {memory}"


async def _above_us(redis: Any) -> int | None:
    try:
        return int((await redis.config_get("slowlog-log-slower-than"))["slowlog-log-slower-than"])
    except (RedisError, KeyError):
        return None


def _readable(command: bytes) -> str:
    """The beginning of a command, without bytes that are not text."""
    text = command.decode("utf-8", "replace")
    return " ".join("".join(sign for sign in text if sign.isprintable()).split())[:LONGEST_TEXT]
