"""Promo codes and who used them. A use is counted and noted in one transaction, which locks the code's row."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.failures import losses, to_the_end
from passerby.adapters.sql.money_tables import charges, grants
from passerby.adapters.sql.promo_tables import promo_codes, promo_uses
from passerby.adapters.sql.transactions import Transactions
from passerby.kernel.ids import PersonId
from passerby.kernel.promo import PromoCode, Redemption, RedemptionOutcome


class SqlPromos(Transactions):
    """Implements `passerby.ports.promos.PromoRecords`."""

    async def redeem(self, code: str, person: PersonId, now: float, *, has_bought: bool, grant: str) -> Redemption:
        async def work(connection: AsyncConnection) -> Redemption:
            row = (await connection.execute(_LOCKED, {"of": code})).first()
            if row is None:
                return Redemption(RedemptionOutcome.UNKNOWN)
            is_buyer = has_bought or (await connection.execute(_BOUGHT, {"who": person})).first() is not None
            used = (await connection.execute(_USE, {"of": code, "who": person})).first()
            if used is not None:
                settled = (await connection.execute(_SETTLED, {"who": person, "named": used.grant_code})).first()
                is_over = settled is not None or (row.percent > 0 and is_buyer)
                return Redemption(RedemptionOutcome.MINE) if is_over else _granted(row, used.grant_code)
            refusal = _refusal(row, is_buyer, now)
            if refusal is not None:
                return Redemption(refusal)
            await connection.execute(_COUNT, {"of": code})
            await connection.execute(_ADD_USE, {"code": code, "user_id": person, "grant_code": grant, "at": now})
            return _granted(row, grant)

        return await self._write(work)


def _granted(row: Any, grant: str) -> Redemption:
    return Redemption(RedemptionOutcome.OK, row.code, grant, row.days, row.percent, row.ends_at)


def _refusal(row: Any, is_buyer: bool, now: float) -> RedemptionOutcome | None:
    if row.revoked_at is not None or (row.ends_at and now >= row.ends_at):
        return RedemptionOutcome.OVER
    if now < row.starts_at:
        return RedemptionOutcome.EARLY
    if row.new_buyers and is_buyer:
        return RedemptionOutcome.BUYER
    return RedemptionOutcome.USED_UP if row.uses >= row.most_uses else None


async def promo_of(connection: AsyncConnection, code: str) -> PromoCode | None:
    row = (await connection.execute(_CODE, {"of": code})).first()
    return None if row is None else _promo(row)


async def store_promos(connection: AsyncConnection, promos: Iterable[PromoCode]) -> None:
    """Add codes, or revoke those that exist. Nothing else of a code changes."""
    rows = [msgspec.structs.asdict(each) for each in promos]
    revoked = [{"of": row["code"], "at": row["revoked_at"]} for row in rows if row["revoked_at"] is not None]
    made = [row for row in rows if row["revoked_at"] is None]
    if revoked:
        await connection.execute(_REVOKE, revoked)
    if made:
        await connection.execute(_ADD, made)


async def all_promos(engine: AsyncEngine) -> Sequence[PromoCode]:
    """Every code, the newest first. Raises: RecordsLost."""

    async def query() -> list[PromoCode]:
        async with engine.connect() as connection:
            return [_promo(row) for row in await connection.execute(_ALL)]

    with losses():
        return await to_the_end(query())


def _promo(row: Any) -> PromoCode:
    return PromoCode(**{name: getattr(row, name) for name in PromoCode.__struct_fields__})


_IS_IT = promo_codes.c.code == sa.bindparam("of")
_WHO = sa.bindparam("who", type_=sa.BigInteger)
_COUNT = sa.update(promo_codes).where(_IS_IT).values(uses=promo_codes.c.uses + 1)
_CODE = sa.select(promo_codes).where(_IS_IT)
_LOCKED = _CODE.with_for_update()
_USE = sa.select(promo_uses.c.grant_code).where(promo_uses.c.code == sa.bindparam("of"), promo_uses.c.user_id == _WHO)
_BOUGHT = sa.select(charges.c.id).where(charges.c.user_id == _WHO).limit(1)
_SETTLED = sa.select(grants.c.code).where(grants.c.user_id == _WHO, grants.c.code == sa.bindparam("named"))
_ADD_USE = sa.insert(promo_uses)
_ADD = sa.insert(promo_codes)
_REVOKE = sa.update(promo_codes).where(_IS_IT, promo_codes.c.revoked_at.is_(None)).values(revoked_at=sa.bindparam("at"))
_ALL = sa.select(promo_codes).order_by(promo_codes.c.made_at.desc(), promo_codes.c.code)
DROP_USES = sa.delete(promo_uses).where(promo_uses.c.user_id == _WHO)
