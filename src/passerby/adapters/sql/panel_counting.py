"""Counts for the panel, in the background, what would take too long for a page. One worker does it at a time."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql.dialects import insert_into
from passerby.adapters.sql.failures import losses, to_the_end
from passerby.adapters.sql.panel_tables import panel_figures

_KEY: Final = ("kind", "number")


class PanelCounting:
    """Raises: RecordsLost from every method."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        made = insert_into(panel_figures, engine.dialect.name)
        self._keep = made.on_conflict_do_update(
            index_elements=_KEY, set_={"body": made.excluded.body, "at": made.excluded.at}
        )

    async def keep(self, kind: str, number: int, body: str, at: float, drop_before: int | None = None) -> None:
        """Store a figure in place of the one before. Older ones of its kind than `drop_before` are deleted."""

        async def write() -> None:
            async with self._engine.connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    row = {"kind": kind, "number": number, "body": body, "at": at}
                    await connection.execute(self._keep, row)
                    if drop_before is not None:
                        await connection.execute(_DROP, {"of": kind, "before": drop_before})

        with losses():
            await to_the_end(write())

    async def count(self, now: float) -> None:
        """Count the figures of each day again that may have changed."""


_DROP = sa.delete(panel_figures).where(
    panel_figures.c.kind == sa.bindparam("of"), panel_figures.c.number < sa.bindparam("before")
)
