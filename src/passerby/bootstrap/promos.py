"""Promo codes for the command line."""

from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql.promos import all_promos
from passerby.domain.money.promos import read_code
from passerby.domain.money.wallets import new_code
from passerby.kernel.promo import PromoCode
from passerby.kernel.staff import StaffRequest
from passerby.kernel.staff_requests import PromoMade, PromoRevoked
from passerby.ports.clock import Clock
from passerby.settings import WrongSetting


class Made(NamedTuple):
    """The answer to the operator, and the codes. `refused`: nothing was done. `is_unknown`, `waits`: as in `Done`."""

    said: str
    refused: bool
    codes: tuple[str, ...] = ()
    is_unknown: bool = False
    waits: bool = False


class PromoOffice:
    """`do` decides on a request with the rights of an owner, and returns the answer as `Done` does."""

    def __init__(
        self, engine: AsyncEngine, do: Callable[[StaffRequest], Awaitable[tuple[str, bool, bool, bool]]], clock: Clock
    ) -> None:
        self._engine = engine
        self._do = do
        self._clock = clock
        self._rng = SystemRandom()

    async def make(
        self,
        code: str,
        count: int,
        *,
        days: int,
        percent: int,
        most_uses: int,
        starts_at: float,
        ends_at: float,
        new_buyers: bool,
    ) -> Made:
        """Raises: WrongSetting, RecordsLost."""
        names = [_named(code)] if code else [new_code(self._rng) for _ in range(count)]
        codes = tuple(PromoCode(name, days, percent, most_uses, starts_at, ends_at, new_buyers) for name in names)
        said, refused, _, waits = await self._do(PromoMade(names[0], codes))
        return Made(said, refused, () if waits else tuple(names), waits=waits)

    async def revoke(self, code: str) -> Made:
        """Raises: WrongSetting, RecordsLost."""
        said, refused, is_unknown, _ = await self._do(PromoRevoked(_named(code)))
        return Made(said, refused, is_unknown=is_unknown)

    async def listed(self) -> list[dict[str, object]]:
        """Every code, the newest first. Raises: RecordsLost."""
        now = self._clock.now()
        return [
            {
                "code": each.code,
                "days": each.days,
                "percent": each.percent,
                "uses": each.uses,
                "most_uses": each.most_uses,
                "state": _state(each, now),
                "first_purchase": each.new_buyers,
                "starts_at": each.starts_at,
                "ends_at": each.ends_at,
                "made_at": each.made_at,
            }
            for each in await all_promos(self._engine)
        ]


def _named(code: str) -> str:
    name = read_code(code)
    if name is None:
        remedy = "write 4 to 32 letters A-Z, digits and hyphens, with no hyphen at the ends"
        raise WrongSetting("CODE", f"{code!r} cannot be a promo code", remedy)
    return name


def _state(promo: PromoCode, now: float) -> str:
    if promo.revoked_at is not None:
        return "revoked"
    if promo.ends_at and now >= promo.ends_at:
        return "over"
    if promo.uses >= promo.most_uses:
        return "used up"
    return "early" if now < promo.starts_at else "open"
