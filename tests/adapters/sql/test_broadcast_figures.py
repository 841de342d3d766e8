"""Figures of a large broadcast are those of a random sample. It is read from its index."""

from typing import Any

import pytest
import sqlalchemy as sa

from passerby.adapters.sql import SqlBroadcasts, SqlRecords, broadcast_figures
from passerby.adapters.sql.broadcast_rows import store_broadcasts
from passerby.adapters.sql.tables import broadcast_targets, users
from passerby.domain.broadcasts.canary import PLACES
from passerby.kernel.broadcast import ArmFigures, Broadcast, BroadcastState, CanaryFigures
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop

NOW = 1_790_000_000.0
PEOPLE = 1_000
BELOW = PLACES // 100
NUMBER = 7


def target(number: int) -> dict[str, Any]:
    """The places of all are evenly spread. The canary, of ten people, has got it."""
    place = number * (PLACES // PEOPLE)
    state = "refused" if number == 9 else "sent" if place < BELOW else "waiting"
    arm = "-" if number % 4 == 0 else "AB"[number % 2]
    return {
        "broadcast": NUMBER,
        "person_id": number,
        "bot_id": 1,
        "place": place,
        "state": state,
        "at": NOW,
        "arm": arm,
    }


def person(number: int) -> dict[str, Any]:
    has_left, is_back = number % 3 == 0, number % 5 == 0
    return {
        "id": number,
        "version": 1,
        "bots": "[]" if has_left else "[1]",
        "has_started": not has_left,
        "age_given_at": 0.0,
        "language": "en",
        "state": "idle",
        "last_active_date": NOW + 60 * is_back,
        "created_at": NOW - 60,
    }


async def filled(database: str) -> SqlRecords:
    await make_tables(database)
    records = SqlRecords.at(database)
    # Somebody's data were erased: they count as one who left.
    known = [person(number) for number in range(PEOPLE) if number != 4]
    async with records.engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            await connection.execute(sa.insert(users), known)
            await connection.execute(sa.insert(broadcast_targets), [target(number) for number in range(PEOPLE)])
            await store_broadcasts(
                connection, [Broadcast(NUMBER, BroadcastState.RUNNING, 1, NOW, started_at=NOW, people=PEOPLE)]
            )
    return records


def left(*numbers: int) -> int:
    return sum(number % 3 == 0 or number == 4 for number in numbers)


@in_a_loop
async def test_the_canary_is_compared_with_a_sample_of_many_who_wait(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = await filled(database)
    broadcasts = SqlBroadcasts(records.engine)
    got = (9, left(*range(9)), 1)
    assert await broadcasts.watched(NUMBER, BELOW) == CanaryFigures(*got, PEOPLE - 10, left(*range(10, PEOPLE)))
    monkeypatch.setattr(broadcast_figures, "COUNTED_WHOLE", PEOPLE - 1)
    monkeypatch.setattr(broadcast_figures, "SAMPLE", 50)
    assert await broadcasts.watched(NUMBER, BELOW) == CanaryFigures(*got, 50, left(*range(10, 60)))
    monkeypatch.setattr(broadcast_figures, "SAMPLE", 500)
    whole = await broadcasts.watched(NUMBER, BELOW)
    assert whole.waiting == PEOPLE - 10, "the index does not hold so many"
    await records.aclose()


@in_a_loop
async def test_the_versions_of_a_large_broadcast_are_compared_in_a_sample(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = await filled(database)
    async with records.engine.begin() as connection:
        sent = sa.update(broadcast_targets).where(broadcast_targets.c.state == "waiting").values(state="sent")
        await connection.execution_options(writes=True)
        await connection.execute(sent)
    broadcasts = SqlBroadcasts(records.engine)

    def expected(below: int, share: float) -> list[ArmFigures]:
        found = []
        for arm in "-AB":
            mine = [n for n in range(below) if n != 9 and target(n)["arm"] == arm]
            back = sum(n % 5 == 0 for n in mine)
            found.append(ArmFigures(arm, len(mine), back, left(*mine), share))
        return found

    assert list(await broadcasts.arms(NUMBER)) == expected(PEOPLE, 1.0)
    monkeypatch.setattr(broadcast_figures, "COUNTED_WHOLE", PEOPLE - 1)
    monkeypatch.setattr(broadcast_figures, "SAMPLE", 50)
    assert list(await broadcasts.arms(NUMBER)) == expected(100, 0.1)
    monkeypatch.setattr(broadcast_figures, "SAMPLE", 5_000)
    assert list(await broadcasts.arms(NUMBER)) == expected(200, 0.2), "no more than the index holds"
    await records.aclose()


@in_a_loop
async def test_the_sample_of_a_broadcast_is_read_from_its_index(database: str) -> None:
    records = await filled(database)
    values = {"number": NUMBER, "below": BELOW, "day": 86_400.0, "upto": 2 * BELOW}
    is_sqlite = records.engine.dialect.name == "sqlite"
    async with records.engine.connect() as connection:
        of_sqlite = (broadcast_figures._SAMPLED_CANARY, broadcast_figures._SAMPLED_ARMS)
        for statement in (
            of_sqlite if is_sqlite else (broadcast_figures._POSTGRES_CANARY, broadcast_figures._POSTGRES_ARMS)
        ):
            await connection.exec_driver_sql("ANALYZE broadcast_targets")
            known = {name: value for name, value in values.items() if name in statement.compile().params}
            asked = statement.params(known)
            words = asked.compile(connection.sync_connection, compile_kwargs={"literal_binds": True})
            plan = await connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' * is_sqlite}{words}")
            said = " ".join(str(part) for row in plan for part in row)
            assert "ix_broadcast_targets_sample" in said, said
    await records.aclose()
