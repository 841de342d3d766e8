"""Questions about payments in the records: one list, the oldest first; the words go when staff answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from passerby.adapters.sql.payment_cases import oldest_payment_case
from passerby.adapters.sql.staff import SqlStaff
from passerby.kernel.facts_wanted import FactsWanted
from passerby.kernel.history import PastCase
from passerby.kernel.ids import BotId, PersonId, UpdateRef
from passerby.kernel.money import Charge, ChargeId
from passerby.kernel.payment_case import AnswerOrder, PaymentDesk, SealedWords
from passerby.kernel.staff import StaffDecision, StaffFacts
from passerby.kernel.staff_requests import AnswerAsked
from passerby.ports.facts import ChargeTaken, PersonErased
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from tests.contract.records_facts import NOW, asked, changed, numbered, person
from tests.contract.records_memory import Disk, MemoryRecords
from tests.contract.records_places import SqlPlace, opening
from tests.contract.staff_memory import MemoryStaff
from tests.features.test_staff import ENV

ANN, BOB = PersonId(1), PersonId(2)
FIRST, SECOND = "ABCDEFGHJK", "KLMNPQRSTU"
CHARGE = Charge(ChargeId("c"), BotId(1), "x", "o", "month", 5, NOW)

Scene = Callable[[Any, Any, Callable[[], Awaitable[float | None]]], Awaitable[None]]


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def trying(request: pytest.FixtureRequest) -> Callable[[Scene], None]:
    async def over_memory(scene: Scene) -> None:
        disk = Disk()

        async def oldest() -> float | None:
            return min((case.opened_at for case, words in disk.ledger.cases.values() if words), default=None)

        await scene(MemoryRecords(disk), MemoryStaff(records=disk), oldest)

    async def over_sql(scene: Scene) -> None:
        place: SqlPlace = request.getfixturevalue(f"{request.param}_place")
        async with opening(place) as records:
            engine = records.engine  # type: ignore[attr-defined]
            await scene(records, SqlStaff(engine), lambda: oldest_payment_case(engine))

    run = over_memory if request.param == "memory" else over_sql
    if request.param != "memory":
        request.getfixturevalue(f"{request.param}_place")
    return lambda scene: asyncio.run(run(scene))


async def desk(staff: Any, code: str) -> PaymentDesk:
    """Return the view of staff who name this code."""
    seen: list[PaymentDesk] = []

    def look(facts: StaffFacts) -> StaffDecision:
        assert facts.payment_desk is not None
        seen.append(facts.payment_desk)
        return StaffDecision()

    await staff.decide(None, UpdateRef(BotId(0), 1), look, NOW, FactsWanted(payment_case=code))
    return seen[0]


def test_questions_are_listed_until_they_are_answered_and_only_then_their_words_go(
    trying: Callable[[Scene], None],
) -> None:
    async def scene(records: Any, staff: Any, oldest: Callable[[], Awaitable[float | None]]) -> None:
        assert await oldest() is None
        facts = [
            *(changed(person(who, 1)) for who in (ANN, BOB)),
            ChargeTaken(ANN, CHARGE, NOW),
            asked(BOB, SECOND, NOW + 9),
            asked(ANN, FIRST, NOW),
            replace(asked(ANN, FIRST, NOW + 50), words=b"more"),
        ]
        await records.apply("g", numbered(*facts))
        found = await desk(staff, FIRST)
        assert [(each.code, each.person, each.opened_at) for each in found.waiting] == [
            (FIRST, ANN, NOW),
            (SECOND, BOB, NOW + 9),
        ]
        assert found.case == found.waiting[0]
        assert found.purchases == (CHARGE,)
        assert (await desk(staff, "")).case is None
        assert await oldest() == NOW
        both = (SealedWords(NOW, b"sealed"), SealedWords(NOW + 50, b"more"))
        assert await staff.question(FIRST) == both
        later = replace(asked(ANN, FIRST, NOW + 60), words=b"\x00\xff")
        await records.apply("g", numbered(later, after=len(facts)))
        whole = (*both, SealedWords(NOW + 60, b"\x00\xff"))
        assert await staff.question(FIRST) == whole
        assert (await records.history(ANN)).money.cases == (PastCase(FIRST, NOW, None, whole),)

        def answers(facts: StaffFacts) -> StaffDecision:
            return StaffRouter(ALL).decide(AnswerAsked(FIRST, "Here it is."), facts, ENV)

        done = await staff.decide(None, UpdateRef(BotId(0), 2), answers, ENV.now, FactsWanted(payment_case=FIRST))
        assert not done.refused
        assert [order for _, order in await staff.orders(9)] == [AnswerOrder(ANN, FIRST, "Here it is.")]
        assert await staff.question(FIRST) == ()
        await records.apply("g", numbered(asked(ANN, FIRST, NOW + 70), after=len(facts) + 1))
        assert (await records.history(ANN)).money.cases == (PastCase(FIRST, NOW, ENV.now),), "words came too late"
        again = await staff.decide(None, UpdateRef(BotId(0), 3), answers, ENV.now, FactsWanted(payment_case=FIRST))
        assert again.refused, "nobody is answered twice"
        assert [each.code for each in (await desk(staff, FIRST)).waiting] == [SECOND]
        assert await oldest() == NOW + 9

    trying(scene)


def test_after_an_erasure_nothing_is_left_of_a_question(trying: Callable[[Scene], None]) -> None:
    async def scene(records: Any, staff: Any, oldest: Callable[[], Awaitable[float | None]]) -> None:
        await records.apply("g", numbered(asked(ANN, FIRST), PersonErased(ANN, False, NOW + 5)))
        assert (await desk(staff, FIRST)) == PaymentDesk()
        assert await staff.question(FIRST) == ()
        assert (await records.history(ANN)).money.cases == ()

    trying(scene)
