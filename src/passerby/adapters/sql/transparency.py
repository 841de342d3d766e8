"""Reads what the transparency report counts."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.tables import cases, complaints, evidence, sanctions
from passerby.domain.transparency import CaseLine, Period, ReportLine, SanctionLine


async def period(connection: AsyncConnection, since: float, until: float) -> Period:
    """Return the counts from `since` until before `until`, in Unix seconds."""

    def within(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
        return sa.and_(column >= since, column < until)

    filed = await connection.execute(sa.select(complaints.c.reason).where(within(complaints.c.filed_at)))
    decided = await connection.execute(
        sa.select(cases.c.about, cases.c.outcome, cases.c.opened_at, cases.c.decided_at).where(
            within(cases.c.decided_at)
        )
    )
    imposed = await connection.execute(
        sa.select(sanctions.c.kind, sanctions.c.reason, sanctions.c.by_staff.is_(None), sanctions.c.appeal).where(
            within(sanctions.c.since)
        )
    )
    appeals = sa.select(sa.func.count()).where(within(sanctions.c.appealed_at))
    chosen = sa.select(sa.func.count()).where(within(evidence.c.chosen_at))
    return Period(
        [ReportLine(*row) for row in filed],
        [CaseLine(*row) for row in decided],
        [SanctionLine(kind, reason, bool(automatic), appeal) for kind, reason, automatic, appeal in imposed],
        await connection.scalar(appeals) or 0,
        await connection.scalar(chosen) or 0,
    )
