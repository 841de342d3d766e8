"""The duty that keeps the records small works through everything, in pauses, and outlives a database that is away."""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.retention import BATCH, Kept, Retention
from passerby.adapters.sql.tables import chats, past_chats
from passerby.ops.retention_duty import LOOK_EVERY_S, RetentionDuty
from tests.contract.records_facts import closed, numbered, opened
from tests.contract.records_places import make_tables
from tests.runtime.virtual import EPOCH, VirtualClock
from tests.staged import in_virtual_time

YEAR_S = 365 * 86_400.0


@in_virtual_time
async def test_old_chats_are_packed_and_later_deleted_while_the_duty_runs(tmp_path: Path) -> None:
    await make_tables(tmp_path / "records.db")
    records = SqlRecords.at(tmp_path / "records.db")
    began_at = EPOCH - 3 * 86_400
    facts = [
        fact for n in range(BATCH + 9) for fact in (opened(f"c{n}", at=began_at), closed(f"c{n}", at=began_at + 9))
    ]
    await records.apply("g", numbered(*facts))

    async def count(table: sa.Table) -> int:
        async with records.engine.connect() as connection:
            return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)

    clock = VirtualClock()
    doing = asyncio.ensure_future(RetentionDuty(Retention(records.engine, Kept(90, 365, 730)), clock).run())
    while await count(chats):
        await clock.sleep(0.1)
    assert await count(past_chats) == BATCH + 9
    clock.offset_s += YEAR_S
    while await count(past_chats):
        await clock.sleep(LOOK_EVERY_S)
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)
    await records.aclose()
