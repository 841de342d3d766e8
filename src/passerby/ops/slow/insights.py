"""Reads the insights into all stores, side by side."""

import asyncio
import sqlite3

import msgspec
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from passerby.ops.doctor.finding import Finding, fail
from passerby.ops.slow import postgres, processes, sqlite
from passerby.ops.slow.insight import Insight
from passerby.settings import Settings

PATIENCE_S = 20.0


class Insights(msgspec.Struct, frozen=True):
    """`processes`: what those on this machine have counted. `records` and `live`: the stores. None: it is a file."""

    processes: Insight
    records: Insight
    live: Insight | None

    @property
    def findings(self) -> list[Finding]:
        return [*self.processes.findings, *self.records.findings, *(self.live.findings if self.live else ())]


async def read_insights(settings: Settings, now: float) -> Insights:
    """`now` in Unix seconds."""
    records, live = await asyncio.gather(_records(settings), _live(settings, now))
    return Insights(await asyncio.to_thread(processes.counted, settings.run_path), records, live)


async def _records(settings: Settings) -> Insight:
    try:
        if settings.postgres_uri is None:
            return await asyncio.to_thread(sqlite.insight, settings.sqlite_db_path)
        async with asyncio.timeout(PATIENCE_S):
            return await postgres.insight(settings)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        # Only the type: the text may quote the address.
        return _unseen("database", error)


async def _live(settings: Settings, now: float) -> Insight | None:
    if not settings.is_shared:
        return None
    # Imported here because it is slow, and one process with its state in memory does not need it.
    from passerby.ops.slow import redis

    try:
        async with asyncio.timeout(PATIENCE_S):
            return await redis.insight(settings, now)
    except (RedisError, OSError) as error:
        return _unseen("redis", error)


def _unseen(what: str, error: Exception) -> Insight:
    told = f"it cannot be looked into ({type(error).__name__})"
    return Insight(findings=[fail(f"{what} statistics", told, "see whether it can be reached: passerby doctor")])
