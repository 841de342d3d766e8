"""Acts that wait for a second member of the team, in SQL. Changes run in a staff transaction (see `staff`)."""

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.failures import losses, to_the_end
from passerby.adapters.sql.metadata import ROW_ID, metadata, partial_index
from passerby.adapters.sql.unreadable import readable
from passerby.domain.approvals import KEPT_S
from passerby.kernel.approval import Approval, ApprovalState
from passerby.kernel.staff import StaffFacts

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
    sa.Column("person_id", sa.BigInteger, comment="whom it is about, if it is about a person"),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Column("decided_at", sa.Double),
    sa.Column("body", sa.Text, nullable=False, comment="JSON: what is asked for, and by whom; empty: forgotten"),
)
partial_index("ix_approvals_open", approvals.c.number, where=approvals.c.decided_at.is_(None))
partial_index("ix_approvals_person_id", approvals.c.person_id, where=approvals.c.person_id.is_not(None))

_read = msgspec.json.Decoder(Approval)


class SqlApprovals:
    """Return the waiting acts, for lists. Raises: RecordsLost."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    async def waiting(self, now: float) -> Sequence[Approval]:
        async def read() -> list[Approval]:
            async with self._engine.connect() as connection:
                return await _waiting(connection, now)

        with losses():
            return await to_the_end(read())


async def known(connection: AsyncConnection, facts: StaffFacts, number: int, now: float) -> StaffFacts:
    """The facts with what waits, and with the approval of this number (0: none)."""
    waiting = tuple(await _waiting(connection, now))
    body = await connection.scalar(_ONE, {"of": number}) if number else None
    return msgspec.structs.replace(
        facts,
        approvals=waiting,
        approval=_read.decode(body) if body else None,
        next_approval=(await connection.scalar(_HIGHEST) or 0) + 1,
    )


async def _waiting(connection: AsyncConnection, now: float) -> list[Approval]:
    found = await connection.scalars(_OPEN, {"now": now})
    return readable("approvals", found, _read.decode, lambda _: "an approval that waits")


async def store(connection: AsyncConnection, changed: Iterable[Approval], now: float) -> None:
    for approval in changed:
        row = {
            "number": approval.number,
            "person_id": approval.person,
            "expires_at": approval.expires_at,
            "decided_at": approval.decided_at,
            "body": msgspec.json.encode(approval).decode(),
        }
        is_new = approval.state is ApprovalState.WAITING
        if is_new:
            await connection.execute(_FORGET, {"before": now - KEPT_S})
        else:
            row["of"] = row.pop("number")
        await connection.execute(_ADD if is_new else _CHANGE, row)


_OPEN = (
    sa.select(approvals.c.body)
    .where(approvals.c.decided_at.is_(None), approvals.c.expires_at > sa.bindparam("now", type_=sa.Double))
    .order_by(approvals.c.number)
)
_ONE = sa.select(approvals.c.body).where(approvals.c.number == sa.bindparam("of"))
_HIGHEST = sa.select(sa.func.max(approvals.c.number))
_ADD = sa.insert(approvals)
_CHANGE = sa.update(approvals).where(approvals.c.number == sa.bindparam("of"))
# The numbers stay, because the audit has them.
_FORGET = (
    sa.update(approvals)
    .where(
        approvals.c.expires_at < sa.bindparam("before", type_=sa.Double), approvals.c.body != sa.literal_column("''")
    )
    .values(person_id=None, body="")
)
FORGET_ABOUT = (
    sa.update(approvals)
    .where(approvals.c.person_id == sa.bindparam("who", type_=sa.BigInteger))
    .values(person_id=None, body="", decided_at=sa.func.coalesce(approvals.c.decided_at, approvals.c.expires_at))
)
"""For a person whose data is erased."""
