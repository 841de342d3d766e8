"""The audit: rows that are only added, each bound to the one before it. See `domain.audit`."""

from collections.abc import Iterable
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.tables import audit
from passerby.domain.alone import COUNTED, DAY_S, summed
from passerby.domain.audit import AuditRow, chained
from passerby.kernel.alone import Alone
from passerby.kernel.staff import AuditNote

_LOCK: Final = 0x53746166
"""A number that nothing else in the database locks: "Staf" in ASCII."""


async def lock_audit(connection: AsyncConnection) -> None:
    """Until the transaction ends, nobody else can add to the audit. In SQLite, a transaction that writes has that
    already."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_LOCK_AUDIT)


async def add_to_audit(connection: AsyncConnection, notes: Iterable[tuple[int | None, AuditNote]], now: float) -> None:
    """Add rows to the audit, each with its actor (None: a rule). The transaction must hold the lock of `lock_audit`."""
    rows = [
        AuditRow(
            0,
            now,
            actor,
            note.action,
            note.subject,
            msgspec.json.encode(note.details, order="sorted").decode(),
            note.reason,
        )
        for actor, note in notes
    ]
    if not rows:
        return
    last = (await connection.execute(_NEWEST, {"most": 1})).first()
    linked = chained(rows, AuditRow(*last) if last is not None else None)
    await connection.execute(_ADD_TO_AUDIT, [row._asdict() for row in linked])


async def audit_after(connection: AsyncConnection, after: int, most: int) -> list[AuditRow]:
    """The rows after a number, the oldest first."""
    return [AuditRow(*row) for row in await connection.execute(_AUDIT, {"after": after, "most": most})]


async def newest_of_audit(connection: AsyncConnection, most: int) -> list[AuditRow]:
    """The newest rows, the oldest of them first."""
    return [AuditRow(*row) for row in await connection.execute(_NEWEST, {"most": most})][::-1]


async def done_alone(connection: AsyncConnection, actor: int, now: float) -> Alone:
    """Return the sums of a member's acts of the last day without a second member."""
    rows = await connection.execute(_COUNTED, {"actor": actor, "since": now - DAY_S})
    return summed((action, msgspec.json.decode(details)) for action, details in rows)


_LOCK_AUDIT = sa.select(sa.func.pg_advisory_xact_lock(_LOCK))
_ROW = tuple(audit.c[name] for name in AuditRow._fields)
_ADD_TO_AUDIT = sa.insert(audit)
_AUDIT = (
    sa.select(*_ROW).where(audit.c.number > sa.bindparam("after")).order_by(audit.c.number).limit(sa.bindparam("most"))
)
_NEWEST = sa.select(*_ROW).order_by(audit.c.number.desc()).limit(sa.bindparam("most"))
_COUNTED = sa.select(audit.c.action, audit.c.details).where(
    audit.c.actor == sa.bindparam("actor"),
    audit.c.at > sa.bindparam("since", type_=sa.Double),
    audit.c.action.in_(COUNTED),
)
