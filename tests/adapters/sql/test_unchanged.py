"""The answer of a look for news is kept while nobody writes, and no longer."""

import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from passerby.adapters.sql import SqlBroadcasts, SqlRecords, SqlStaff, init_schema
from passerby.adapters.sql.overrides import SqlOverrides
from passerby.adapters.sql.unchanged import Unchanged
from tests.contract.records_facts import changed, numbered, person
from tests.staged import in_a_loop


async def looks(kept: Unchanged[int]) -> int:
    """How many of three looks ask the database."""
    asked = 0

    async def read() -> int:
        nonlocal asked
        asked += 1
        return asked

    for _ in range(3):
        await kept.get(read)
    return asked


@in_a_loop
async def test_while_nobody_writes_the_third_look_asks_nobody(tmp_path: Path) -> None:
    await init_schema(tmp_path / "p.db")
    records = SqlRecords.at(tmp_path / "p.db")
    await records.applied("g")
    kept = Unchanged[int](records.engine)
    assert [await looks(kept) for _ in range(2)] == [2, 0]
    await records.apply("g", numbered(changed(person(1, 1))))
    assert [await looks(kept) for _ in range(2)] == [2, 0], "a commit of anybody"
    journal = tmp_path / "p.db-wal"
    os.utime(journal, ns=(0, journal.stat().st_mtime_ns + 1))
    assert [await looks(kept) for _ in range(2)] == [2, 0], "a commit that makes the journal no longer"
    await records.aclose()


@in_a_loop
async def test_a_file_that_is_gone_or_was_replaced_is_asked(tmp_path: Path) -> None:
    await init_schema(tmp_path / "p.db")
    records = SqlRecords.at(tmp_path / "p.db")
    kept = Unchanged[int](records.engine)
    assert [await looks(kept) for _ in range(2)] == [2, 0]
    (tmp_path / "p.db").rename(tmp_path / "away.db")
    assert [await looks(kept) for _ in range(2)] == [3, 3]
    (tmp_path / "p.db").write_bytes((tmp_path / "away.db").read_bytes())
    assert [await looks(kept) for _ in range(2)] == [2, 0]
    await records.aclose()


@in_a_loop
async def test_another_server_is_asked_each_time() -> None:
    engine = SqlRecords.at("postgresql://nobody@localhost/nothing").engine
    assert await looks(Unchanged[int](engine)) == 3
    await engine.dispose()


LOOKS: dict[str, Callable[[SqlRecords], Callable[[], Awaitable[object]]]] = {
    "orders": lambda records: partial(SqlStaff(records.engine).orders, 100),
    "drains": lambda records: SqlStaff(records.engine).drains,
    "broadcasts": lambda records: SqlBroadcasts(records.engine).open,
    "overrides": lambda records: SqlOverrides(records.engine).newest,
}


@pytest.mark.parametrize("which", LOOKS)
@in_a_loop
async def test_the_duties_that_look_often_keep_their_answers(tmp_path: Path, which: str) -> None:
    await init_schema(tmp_path / "p.db")
    records = SqlRecords.at(tmp_path / "p.db")
    statements: list[str] = []

    def count(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    sa.event.listen(records.engine.sync_engine, "before_cursor_execute", count)
    look = LOOKS[which](records)
    for _ in range(3):
        await look()
    assert statements
    statements.clear()
    for _ in range(3):
        await look()
    assert statements == []
    await records.aclose()
