"""Reads both stores after every process has ended."""

from pathlib import Path
from random import Random

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.redis import open_redis
from passerby.adapters.sql.records import SqlRecords
from passerby.bootstrap.clock import SystemClock
from passerby.ports.live_store import LiveStore


async def both_stores(directory: Path) -> tuple[int, list[str]]:
    """Compare the stores of one process that stores everything itself. Returns the same as `compared`."""
    log = FileLog(directory / "passerby.live")
    try:
        return await compared(MemoryStore(log, SystemClock(), Random()), SqlRecords.at(directory / "passerby.db"))
    finally:
        log.close()


async def shared_stores(redis_url: str, postgres_uri: str) -> tuple[int, list[str]]:
    """Compare the stores of a fleet. Returns the same as `compared`."""
    store, _ = await open_redis(redis_url, SystemClock(), Random())
    try:
        return await compared(store, SqlRecords.at(postgres_uri))
    finally:
        await store.hang_up()


async def compared(store: LiveStore, records: SqlRecords) -> tuple[int, list[str]]:
    """Return the number of people on whom the live store and the records agree, and the differences of all others.
    Closes the records.

    The live store may have dropped idle people, and nobody else.
    """
    try:
        live = {held.participant.person: held.participant for held in await store.everybody()}
        recorded = await records.people(list(live))
        forgotten = [each.person for each in (await records.active()).people if each.person not in live]
    finally:
        await records.aclose()
    apart = [
        f"{person}: {here} in the live store, {recorded.get(person)} in the records"
        for person, here in live.items()
        if here != recorded.get(person)
    ]
    alike = len(live) - len(apart)
    return alike, apart + [f"{person} is busy in the records and not in the live store" for person in forgotten]
