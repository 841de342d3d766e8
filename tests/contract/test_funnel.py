"""The funnel in the records: sums that stay exact when a batch comes again, and that lose small sources in time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from passerby.adapters.sql.funnel import FEW, FUNNEL_DAYS, FunnelRow, funnel, read_funnel, summed
from passerby.adapters.sql.records import SqlRecords
from passerby.adapters.sql.retention import Kept, Retention
from passerby.kernel.ids import BotId
from passerby.kernel.journey import Step
from passerby.ports.facts import StepReached
from tests.contract.records_facts import numbered
from tests.contract.records_memory import Disk, MemoryRecords
from tests.contract.records_places import SqlPlace, trying

DAY_S = 86_400.0
TODAY = 20_000
NOW = TODAY * DAY_S + 5


def step(which: Step, source: str = "spring", *, days_ago: int = 0, bot: int = 1, language: str = "en") -> StepReached:
    return StepReached(source, BotId(bot), language, NOW - days_ago * DAY_S, which, NOW)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest) -> SqlPlace:
    found: SqlPlace = request.getfixturevalue(f"{request.param}_place")
    return found


def keeping(place: SqlPlace, body: Callable[[SqlRecords], Coroutine[Any, Any, None]]) -> None:
    trying(place, body)


def test_steps_are_summed_by_day_source_bot_and_language_and_counted_once(place: SqlPlace) -> None:
    facts = [step(Step.START), step(Step.START), step(Step.PROFILE), step(Step.START, "", bot=2, language="de")]
    fake = MemoryRecords(Disk())

    async def scene(records: SqlRecords) -> None:
        for each in (records, fake):
            await each.apply("g", numbered(*facts))
            await each.apply("g", numbered(*facts, step(Step.PROFILE), step(Step.START, days_ago=1)))
        none = dict.fromkeys(Step, 0)
        rows = await read_funnel(records.engine, TODAY - 1, TODAY)
        assert rows == [
            FunnelRow(TODAY - 1, "spring", BotId(1), "en", none | {Step.START: 1}),
            FunnelRow(TODAY, "", BotId(2), "de", none | {Step.START: 1}),
            FunnelRow(TODAY, "spring", BotId(1), "en", none | {Step.START: 2, Step.PROFILE: 2}),
        ]
        held = {
            (row.day, row.source, row.bot, row.language, each): count
            for row in rows
            for each, count in row.people.items()
            if count
        }
        assert held == dict(fake.disk.funnel)
        assert await read_funnel(records.engine, TODAY + 1, TODAY + 9) == []
        by_source = summed(rows, "source")
        assert list(by_source) == ["spring", ""], "the largest first"
        assert by_source["spring"][Step.START] == 3
        assert list(summed(rows, "bot")) == ["1", "2"]

    keeping(place, scene)


def test_small_sources_lose_their_name_after_a_week_and_old_days_go(place: SqlPlace) -> None:
    large = [step(Step.START, "large", days_ago=9) for _ in range(FEW)]
    small = [step(Step.START, "mine", days_ago=9), step(Step.PROFILE, "mine", days_ago=9)]
    other = [step(Step.START, "yours", days_ago=9), step(Step.START, days_ago=2)]
    old = [step(Step.START, "large", days_ago=FUNNEL_DAYS + 1)]

    async def scene(records: SqlRecords) -> None:
        await records.apply("g", numbered(*large, *small, *other, *old))
        retention = Retention(records.engine, Kept(0, 0, 0))
        while await retention.forget(NOW):
            pass
        rows = await read_funnel(records.engine, 0, TODAY)
        assert {(row.day, row.source): row.people[Step.START] for row in rows} == {
            (TODAY - 9, "large"): FEW,
            (TODAY - 9, "other"): 2,
            (TODAY - 2, "spring"): 1,
        }
        # Later steps of the same people are folded, too.
        await records.apply("g", numbered(step(Step.PAID, "mine", days_ago=9), after=20))
        await retention.forget(NOW)
        found = {row.source: row.people for row in await read_funnel(records.engine, TODAY - 9, TODAY - 9)}
        assert (found["other"][Step.START], found["other"][Step.PROFILE], found["other"][Step.PAID]) == (2, 1, 1)

    keeping(place, scene)
    assert len(asyncio.run(place.rows(funnel))) == 5
