"""Payment cases. A person's questions are sealed, and erased when staff answer."""

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.failures import losses
from passerby.adapters.sql.money_tables import charges, payment_cases
from passerby.adapters.sql.past_money import charge_of
from passerby.adapters.sql.tables import users
from passerby.kernel.ids import PersonId
from passerby.kernel.payment_case import PaymentCase, PaymentDesk, SealedWords, unpacked

_LISTED: Final = 100
_PURCHASES: Final = 20


async def payment_desk(connection: AsyncConnection, code: str) -> PaymentDesk:
    """The open cases, and the one with this code, if it is open."""
    waiting = tuple(map(_case, await connection.execute(_WAITING, {"most": _LISTED})))
    row = (await connection.execute(_ONE, {"named": code})).first() if code else None
    if row is None:
        return PaymentDesk(waiting)
    who = {"who": row.user_id}
    bought = await connection.execute(_BOUGHT, who | {"most": _PURCHASES})
    language = await connection.scalar(_LANGUAGE, who)
    return PaymentDesk(waiting, _case(row), tuple(map(charge_of, bought)), language or "")


async def oldest_payment_case(engine: AsyncEngine) -> float | None:
    """When the oldest open one was opened, in Unix seconds. Raises: RecordsLost."""
    with losses():
        async with engine.connect() as connection:
            at: float | None = await connection.scalar(OLDEST_OPEN)
            return at


async def store_payment_cases(connection: AsyncConnection, changed: Iterable[PaymentCase]) -> None:
    """Staff have answered these."""
    for each in changed:
        answered = {"named": each.code, "at": each.answered_at, "by": each.answered_by}
        await connection.execute(_ANSWER, answered)


async def question(connection: AsyncConnection, code: str) -> tuple[SealedWords, ...]:
    """Return the questions, sealed, in order. Empty if they are erased."""
    return unpacked(await connection.scalar(_QUESTION, {"named": code}) or b"")


def _case(row: Any) -> PaymentCase:
    return PaymentCase(row.code, PersonId(row.user_id), row.opened_at, row.answered_at or 0.0, row.answered_by or 0)


_IS_OPEN = payment_cases.c.answered_at.is_(None)
_IS_IT = payment_cases.c.code == sa.bindparam("named")
_WHO = sa.bindparam("who", type_=sa.BigInteger)
_WAITING = (
    sa.select(payment_cases)
    .where(_IS_OPEN)
    .order_by(payment_cases.c.opened_at, payment_cases.c.code)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_ONE = sa.select(payment_cases).where(_IS_IT, _IS_OPEN)
_QUESTION = sa.select(payment_cases.c.words).where(_IS_IT)
_BOUGHT = (
    sa.select(charges)
    .where(charges.c.user_id == _WHO)
    .order_by(charges.c.paid_at.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_LANGUAGE = sa.select(users.c.language).where(users.c.id == _WHO)
_ANSWER = (
    sa.update(payment_cases)
    .where(_IS_IT, _IS_OPEN)
    .values(answered_at=sa.bindparam("at"), answered_by=sa.bindparam("by"), words=None)
)
OLDEST_OPEN = sa.select(sa.func.min(payment_cases.c.opened_at)).where(_IS_OPEN)
