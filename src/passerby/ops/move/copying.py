"""Copies every row of our tables from one connection to another, as a stream. Memory holds two chunks.

PostgreSQL gets the rows by COPY, SQLite by one prepared statement for all rows of a chunk.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.tables import metadata

CHUNK: Final = 5_000


async def copy_all(source: AsyncConnection, target: AsyncConnection, copied: Callable[[str, int], object]) -> None:
    """`copied` hears of each table when all its rows are there. The transaction of `target` is the caller's."""
    for table in metadata.sorted_tables:
        count = 0
        rows = await source.stream(sa.select(table), execution_options={"yield_per": CHUNK})
        async for chunk in rows.partitions(CHUNK):
            await _write(target, table, chunk)
            count += len(chunk)
        if target.dialect.name == "postgresql":
            await _follow(target, table)
        copied(table.name, count)


async def _write(target: AsyncConnection, table: sa.Table, rows: Sequence[sa.Row[Any]]) -> None:
    names = [column.name for column in table.columns]
    if target.dialect.name == "postgresql":
        await target.execute(sa.select(1))  # the driver must be in the transaction
        driver: Any = (await target.get_raw_connection()).driver_connection
        await driver.copy_records_to_table(table.name, records=map(tuple, rows), columns=names)
        return
    marks = ", ".join("?" * len(names))
    columns = ", ".join(f'"{name}"' for name in names)
    statement = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608  # the names are our own
    await target.exec_driver_sql(statement, [tuple(row) for row in rows])


async def _follow(target: AsyncConnection, table: sa.Table) -> None:
    """Let the numbers that PostgreSQL gives out go on above those that came along."""
    for column in table.primary_key.columns:
        name = {"table": table.name, "column": column.name}
        sequence = await target.scalar(sa.text("SELECT pg_get_serial_sequence(:table, :column)"), name)
        if sequence is not None:
            top = await target.scalar(sa.select(sa.func.max(column)))
            if top is not None:
                await target.execute(sa.text("SELECT setval(:sequence, :top)"), {"sequence": sequence, "top": top})
