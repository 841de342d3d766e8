"""Both stores of one process, read when it has ended."""

from pathlib import Path
from random import Random

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.sql.records import SqlRecords
from passerby.bootstrap import SystemClock


async def both_stores(directory: Path) -> tuple[int, list[str]]:
    """How many people the live store and the records hold alike, and who differs, in which way.

    The live store may have let go of somebody idle, and of nobody else.
    """
    log = FileLog(directory / "passerby.live")
    records = SqlRecords.at(directory / "passerby.db")
    try:
        live = {
            held.participant.person: held.participant
            for held in await MemoryStore(log, SystemClock(), Random()).everybody()
        }
        recorded = await records.people(list(live))
        forgotten = [each.person for each in (await records.active()).people if each.person not in live]
    finally:
        log.close()
        await records.aclose()
    apart = [
        f"{person}: {here} in the live store, {recorded.get(person)} in the records"
        for person, here in live.items()
        if here != recorded.get(person)
    ]
    alike = len(live) - len(apart)
    return alike, apart + [f"{person} is busy in the records and not in the live store" for person in forgotten]
