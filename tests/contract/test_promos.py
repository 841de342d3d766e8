"""Promo codes in the records: nobody uses one twice, and a code is never used more often than it may be."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from passerby.adapters.sql.promos import all_promos
from passerby.adapters.sql.staff import SqlStaff
from passerby.kernel.facts_wanted import FactsWanted
from passerby.kernel.ids import BotId, PersonId, UpdateRef
from passerby.kernel.money import Charge, ChargeId, GrantSource, VipGrant
from passerby.kernel.promo import PromoCode, Redemption, RedemptionOutcome
from passerby.kernel.staff import StaffDecision, StaffFacts, StaffRequest
from passerby.kernel.staff_requests import PromoMade, PromoRevoked
from passerby.ports.facts import ChargeTaken, GrantChanged, PersonErased
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from tests.contract.records_facts import NOW, numbered
from tests.contract.records_memory import Disk, MemoryRecords
from tests.contract.records_places import SqlPlace, opening
from tests.contract.staff_memory import MemoryStaff
from tests.features.test_staff import ENV

ANN, BOB, CEM = PersonId(1), PersonId(2), PersonId(3)
FREE = PromoCode("FREE", days=7, most_uses=2)
O = RedemptionOutcome  # noqa: E741


class Stores:
    """The records, and how staff decide on them."""

    def __init__(self, records: Any, staff: Any, listed: Callable[[], Awaitable[Any]]) -> None:
        self.records, self._staff, self.listed = records, staff, listed
        self._router, self._updates = StaffRouter(ALL), 0

    async def ask(self, request: StaffRequest, code: str) -> StaffDecision:
        self._updates += 1

        def decide(facts: StaffFacts) -> StaffDecision:
            return self._router.decide(request, facts, ENV)

        ref = UpdateRef(BotId(0), self._updates)
        done: StaffDecision = await self._staff.decide(None, ref, decide, NOW, FactsWanted(promo=code))
        return done

    async def make(self, *codes: PromoCode) -> StaffDecision:
        return await self.ask(PromoMade(codes[0].code, codes), codes[0].code)

    async def redeem(self, code: str, who: PersonId, at: float = NOW, **more: Any) -> Redemption:
        asked: dict[str, Any] = {"has_bought": False, "grant": f"{code}-{who}"} | more
        redemption: Redemption = await self.records.redeem(code, who, at, **asked)
        return redemption


Scene = Callable[[Stores], Awaitable[None]]


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def trying(request: pytest.FixtureRequest) -> Callable[[Scene], None]:
    async def over_memory(scene: Scene) -> None:
        disk = Disk()

        async def listed() -> list[PromoCode]:
            return list(disk.promos.values())

        await scene(Stores(MemoryRecords(disk), MemoryStaff(records=disk), listed))

    async def over_sql(scene: Scene) -> None:
        place: SqlPlace = request.getfixturevalue(f"{request.param}_place")
        async with opening(place) as records:
            engine = records.engine  # type: ignore[attr-defined]
            await scene(Stores(records, SqlStaff(engine), lambda: all_promos(engine)))

    run = over_memory if request.param == "memory" else over_sql
    if request.param != "memory":
        request.getfixturevalue(f"{request.param}_place")
    return lambda scene: asyncio.run(run(scene))


def test_a_code_is_used_once_by_each_person_and_no_more_often_than_it_may_be(
    trying: Callable[[Scene], None],
) -> None:
    async def scene(on: Stores) -> None:
        await on.make(FREE)
        first = await on.redeem("FREE", ANN)
        assert first == Redemption(O.OK, "FREE", "FREE-1", 7)
        assert await on.redeem("FREE", ANN, grant="another") == first, "the answer may have been lost"
        assert (await on.redeem("FREE", BOB)).outcome is O.OK
        assert (await on.redeem("FREE", CEM)).outcome is O.USED_UP
        await on.records.apply("g", numbered(GrantChanged(ANN, VipGrant("FREE-1", GrantSource.PROMO, NOW, 7.0), NOW)))
        assert (await on.redeem("FREE", ANN)).outcome is O.MINE
        assert [each.uses for each in await on.listed()] == [2]
        assert (await on.redeem("NONE", ANN)).outcome is O.UNKNOWN

    trying(scene)


def test_when_many_want_the_last_uses_at_once_only_so_many_get_them(trying: Callable[[Scene], None]) -> None:
    async def scene(on: Stores) -> None:
        await on.make(FREE)
        redemptions = await asyncio.gather(*(on.redeem("FREE", PersonId(each)) for each in range(1, 9)))
        assert sorted(each.outcome for each in redemptions) == sorted([O.OK] * 2 + [O.USED_UP] * 6)
        twice = await asyncio.gather(*(on.redeem("FREE", PersonId(1), grant=str(each)) for each in range(4)))
        assert len(set(twice)) == 1
        assert [each.uses for each in await on.listed()] == [2]

    trying(scene)


def test_a_code_has_a_first_and_a_last_day_and_can_be_revoked(trying: Callable[[Scene], None]) -> None:
    async def scene(on: Stores) -> None:
        await on.make(PromoCode("DATED", days=1, most_uses=9, starts_at=NOW + 10, ends_at=NOW + 20))
        assert (await on.redeem("DATED", ANN)).outcome is O.EARLY
        assert (await on.redeem("DATED", ANN, NOW + 10)).outcome is O.OK
        assert (await on.redeem("DATED", BOB, NOW + 20)).outcome is O.OVER
        assert (await on.ask(PromoRevoked("NONE"), "NONE")).refused
        assert not (await on.ask(PromoRevoked("DATED"), "DATED")).refused
        assert (await on.ask(PromoRevoked("DATED"), "DATED")).refused
        assert (await on.redeem("DATED", BOB, NOW + 12)).outcome is O.OVER
        assert (await on.redeem("DATED", ANN, NOW + 12)).outcome is O.OK, "what was redeemed stays"
        assert [each.revoked_at for each in await on.listed()] == [ENV.now]

    trying(scene)


def test_a_discount_is_for_people_who_have_bought_nothing(trying: Callable[[Scene], None]) -> None:
    async def scene(on: Stores) -> None:
        await on.make(PromoCode("CHEAP", percent=30, most_uses=9, new_buyers=True))
        assert (await on.redeem("CHEAP", ANN, has_bought=True)).outcome is O.BUYER
        charge = Charge(ChargeId("c"), BotId(1), "x", "o", "month", 5, NOW)
        await on.records.apply("g", numbered(ChargeTaken(BOB, charge, NOW)))
        assert (await on.redeem("CHEAP", BOB)).outcome is O.BUYER
        assert (await on.redeem("CHEAP", CEM)).percent == 30
        assert (await on.redeem("CHEAP", CEM)).outcome is O.OK
        assert (await on.redeem("CHEAP", CEM, has_bought=True)).outcome is O.MINE
        assert [each.uses for each in await on.listed()] == [1]

    trying(scene)


def test_many_codes_are_made_at_once_and_none_twice(trying: Callable[[Scene], None]) -> None:
    async def scene(on: Stores) -> None:
        codes = [PromoCode(f"BULK{number}", days=3) for number in range(300)]
        made = await on.make(*codes)
        assert (made.refused, [note.action for note in made.notes]) == (False, ["promos.made"])
        assert (await on.make(codes[0])).refused
        assert len(await on.listed()) == 300
        assert {each.made_at for each in await on.listed()} == {ENV.now}

    trying(scene)


def test_after_an_erasure_nothing_says_who_used_a_code(trying: Callable[[Scene], None]) -> None:
    async def scene(on: Stores) -> None:
        await on.make(FREE)
        await on.redeem("FREE", ANN)
        await on.records.apply("g", numbered(PersonErased(ANN, False, NOW)))
        assert [each.uses for each in await on.listed()] == [1]
        assert (await on.redeem("FREE", ANN, grant="new")).grant == "new"

    trying(scene)
