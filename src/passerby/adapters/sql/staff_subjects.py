"""The person or the purchase that a staff member has named by a code, with the staff orders that wait."""

from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.past_money import purchase_with
from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.salvage import person_of
from passerby.adapters.sql.staff_orders import open_orders
from passerby.adapters.sql.tables import complaints, users
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant
from passerby.kernel.purchase import Purchase, RefundOrder
from passerby.kernel.staff import SanctionOrder, Subject

_REPORTED_S: Final = 90 * 86_400.0
"""Reports that are older than this do not count."""


async def subject_with(connection: AsyncConnection, code: str, now: float) -> Subject | None:
    values = (await connection.execute(_BY_CODE, {"code": code, "now": now})).first()
    return await _as_subject(connection, person_of(values), now) if values is not None else None


async def subject_of(connection: AsyncConnection, who: PersonId, now: float) -> Subject | None:
    values = (await connection.execute(_BY_ID, {"who": who})).first()
    return await _as_subject(connection, person_of(values), now) if values is not None else None


async def _as_subject(connection: AsyncConnection, person: Participant, now: float) -> Subject:
    reported = await connection.scalar(_REPORTED, {"whom": person.person, "after": now - _REPORTED_S})
    waiting = [order for _, order in await open_orders(connection)]
    ordered = (each.sanction for each in waiting if isinstance(each, SanctionOrder) and each.person == person.person)
    code = person.support.code if person.support is not None else ""
    return Subject(code, person, reported or 0, tuple(ordered))


async def purchase_of_code(connection: AsyncConnection, code: str) -> Purchase | None:
    found = await purchase_with(connection, code)
    if found is None:
        return None
    waiting = [order for _, order in await open_orders(connection)]
    key = (found.charge.bot, found.charge.id)
    ordered = any(isinstance(each, RefundOrder) and (each.charge.bot, each.charge.id) == key for each in waiting)
    return msgspec.structs.replace(found, ordered=ordered)


_BY_CODE = (
    sa.select(*READ)
    .where(users.c.support_code == sa.bindparam("code"), users.c.support_until > sa.bindparam("now"))
    .order_by(users.c.support_until.desc())
    .limit(1)
)
_BY_ID = sa.select(*READ).where(users.c.id == sa.bindparam("who", type_=sa.BigInteger))
_REPORTED = sa.select(sa.func.count()).where(
    complaints.c.accused_id == sa.bindparam("whom"), complaints.c.filed_at > sa.bindparam("after")
)
