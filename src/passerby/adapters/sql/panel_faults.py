"""Writes the faults of a process to the records."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby import __version__
from passerby.adapters.sql.dialects import insert_into
from passerby.adapters.sql.failures import losses, to_the_end
from passerby.adapters.sql.panel_tables import faults
from passerby.telemetry.faults import SeenFault


async def keep_faults(engine: AsyncEngine, seen: list[SeenFault], now: float) -> None:
    """Add them to what is known. Raises: RecordsLost."""
    if not seen:
        return
    made = insert_into(faults, engine.dialect.name)
    keep = made.on_conflict_do_update(
        index_elements=("fingerprint",),
        set_={
            "frames": made.excluded.frames,
            "last_at": made.excluded.last_at,
            "version": made.excluded.version,
            "count": faults.c.count + made.excluded.count,
        },
    )
    rows = [
        {
            "fingerprint": each.fingerprint,
            "event": each.event,
            "error": each.error,
            "frames": msgspec.json.encode(each.frames).decode(),
            "first_at": now,
            "last_at": now,
            "count": each.times,
            "version": __version__,
            "resolved_at": None,
        }
        for each in seen
    ]

    async def write() -> None:
        async with engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                await connection.execute(keep, rows)

    with losses():
        await to_the_end(write())
