"""Rows that go straight to the driver are stored as SQLAlchemy would store them."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.sql.driver_rows import DriverRows
from passerby.adapters.sql.engine import connect, database_url
from tests.staged import in_a_loop

things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("is_new", sa.Boolean),
    sa.Column("at", sa.Double),
    sa.Column("said", sa.Text),
    sa.Column("sealed", sa.LargeBinary),
)
ROWS: list[dict[str, Any]] = [
    {"id": 1, "is_new": True, "at": 5, "said": "a", "sealed": b"1"},
    {"id": 2, "is_new": False, "at": 0.1, "said": None, "sealed": None},
]
CHANGE = (
    sa.update(things)
    .where(things.c.id == sa.bindparam("of"), things.c.id < 2)
    .values(said=sa.bindparam("new"), at=sa.case((things.c.at > sa.bindparam("of"), 9.5), else_=things.c.at))
)


@pytest.mark.parametrize("straight", [False, True])
@in_a_loop
async def test_rows_are_the_same_either_way(tmp_path: Path, straight: bool) -> None:
    engine = connect(database_url(tmp_path / "p.db"), poolclass=NullPool)
    rows = DriverRows()
    async with engine.begin() as connection:
        await connection.run_sync(things.metadata.create_all)
        changes: list[dict[str, Any]] = [{"of": 1, "new": "b"}, {"of": 2, "new": "b"}]
        steps: list[tuple[sa.Executable, list[dict[str, Any]]]] = [
            (sa.insert(things), ROWS),
            (CHANGE, changes),
            (CHANGE, changes[:1]),
        ]
        for statement, values in steps:
            if straight:
                await rows.send(connection, statement, values)
            else:
                await connection.execute(statement, values)
        found = (await connection.exec_driver_sql("SELECT *, typeof(is_new), typeof(at) FROM things")).all()
    await engine.dispose()
    assert [tuple(each) for each in found] == [
        (1, 1, 9.5, "b", b"1", "integer", "real"),
        (2, 0, 0.1, None, None, "integer", "real"),
    ]
