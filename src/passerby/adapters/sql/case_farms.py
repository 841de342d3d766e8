"""The accounts of a case about a farm, and what was measured."""

from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.rows import READ, participant
from passerby.adapters.sql.salvage import sanction_of
from passerby.adapters.sql.tables import cases, farm_accounts, sanctions, users
from passerby.kernel.farm import FarmAccount, FarmFile, FarmSign, Measured
from passerby.kernel.ids import PersonId
from passerby.kernel.sanction import Sanction

_measured: Final = msgspec.json.Decoder(Measured)
_NOT_KNOWN: Final = Measured(FarmSign.PLACE, "", 0.0, 0)


async def farm_of(connection: AsyncConnection, number: int) -> tuple[FarmFile, tuple[Sanction, ...]]:
    """Also the sanctions to which the case has led so far."""
    body = await connection.scalar(_MEASURED, {"number": number})
    rows = (await connection.execute(_ACCOUNTS, {"number": number})).all()
    values = await connection.execute(_PEOPLE, {"number": number})
    people = {person.person: person for person in map(participant, values)}
    accounts = tuple(FarmAccount(row.place, row.user_id, row.is_recruit, people.get(row.user_id)) for row in rows)
    imposed = (await connection.execute(_IMPOSED, {"number": number, "evidence": f"case {number}"})).mappings()
    return FarmFile(_measured.decode(body) if body else _NOT_KNOWN, accounts), tuple(map(sanction_of, imposed))


async def known_accounts(connection: AsyncConnection, people: list[PersonId], since: float) -> list[Any]:
    """Those of these people who are in a case that is open, or that was decided after `since`."""
    return list(await connection.execute(_KNOWN, {"ids": people, "since": since}))


async def add_accounts(
    connection: AsyncConnection, number: int, measured: Measured, accounts: dict[PersonId, bool]
) -> None:
    """Add accounts to a case, or change whether they are recruits (the value)."""
    kept = {"of": number, "body": msgspec.json.encode(measured).decode()}
    await connection.execute(_MEASURE, kept)
    erased = {"number": number, "ids": list(accounts)}
    await connection.execute(_OUT, erased)
    highest = await connection.scalar(_HIGHEST, {"number": number}) or 0
    rows = [
        {"case_number": number, "place": place, "user_id": person, "is_recruit": is_recruit}
        for place, (person, is_recruit) in enumerate(accounts.items(), highest + 1)
    ]
    await connection.execute(sa.insert(farm_accounts), rows)


async def existing(connection: AsyncConnection, people: list[PersonId]) -> set[PersonId]:
    return set((await connection.scalars(_EXISTING, {"ids": people})).all())


_NUMBER: Final = sa.bindparam("number", type_=sa.BigInteger)
_IDS: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_MEASURED = sa.select(cases.c.measured).where(cases.c.number == _NUMBER)
_ACCOUNTS = sa.select(farm_accounts).where(farm_accounts.c.case_number == _NUMBER).order_by(farm_accounts.c.place)
_PEOPLE = (
    sa.select(*READ).join(farm_accounts, farm_accounts.c.user_id == users.c.id).where(
        farm_accounts.c.case_number == _NUMBER
    )
)  # fmt: skip
_IMPOSED = sa.select(sanctions).where(
    sanctions.c.evidence == sa.bindparam("evidence"),
    sanctions.c.user_id.in_(sa.select(farm_accounts.c.user_id).where(farm_accounts.c.case_number == _NUMBER)),
)
_KNOWN = (
    sa.select(
        farm_accounts.c.case_number,
        farm_accounts.c.user_id,
        farm_accounts.c.is_recruit,
        cases.c.decided_at,
        cases.c.outcome,
    )
    .join(cases, cases.c.number == farm_accounts.c.case_number)
    .where(
        farm_accounts.c.user_id.in_(_IDS),
        sa.or_(cases.c.decided_at.is_(None), cases.c.decided_at > sa.bindparam("since", type_=sa.Double)),
    )
    .order_by(farm_accounts.c.case_number)
)
_EXISTING = sa.select(users.c.id).where(users.c.id.in_(_IDS))
_MEASURE = (
    sa.update(cases)
    .where(cases.c.number == sa.bindparam("of"))
    .values(measured=sa.bindparam("body"), version=cases.c.version + 1)
)
_OUT = sa.delete(farm_accounts).where(farm_accounts.c.case_number == _NUMBER, farm_accounts.c.user_id.in_(_IDS))
_HIGHEST = sa.select(sa.func.max(farm_accounts.c.place)).where(farm_accounts.c.case_number == _NUMBER)
