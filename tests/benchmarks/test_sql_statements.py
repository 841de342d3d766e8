"""The benchmark runs every statement of the SQL adapter, and explains and times each one."""

import ast
import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

import passerby.adapters.sql
from benchmarks.sql.__main__ import faults, measure, percentiles
from benchmarks.sql.fill import Size, fill
from benchmarks.sql.growth import ENOUGH_ROWS, live, month
from benchmarks.sql.named import UNNAMED, asked_here, named
from benchmarks.sql.plans import plan, read_whole, used
from passerby.adapters.sql import ConnectionPool, SqlRecords, records
from passerby.adapters.sql.engine import connect, postgres_url
from tests.contract.records_places import PostgresServer, make_tables
from tests.contract.servers import postgres_uri

ADAPTER = Path(passerby.adapters.sql.__file__).parent


def test_a_statement_is_found_wherever_the_adapter_defines_it(monkeypatch: pytest.MonkeyPatch) -> None:
    some = SqlRecords(connect(postgres_url("postgresql://nobody@localhost/nothing")))
    known = set(named(some))
    assert {"records.active", "records.people", "writer.tell", "writer.upsert_user", "pool.limits"} <= known
    monkeypatch.setattr(records, "_FORGOTTEN", sa.select(sa.literal(1)), raising=False)
    assert set(named(some)) - known == {"records.forgotten"}


@pytest.mark.parametrize("name", ["records.py", "writer.py", "pool.py"])
def test_no_statement_is_built_where_it_is_sent(name: str) -> None:
    """Such a statement would have no name, and nobody would notice that it is not measured."""
    sent = [
        node.args[0]
        for node in ast.walk(ast.parse((ADAPTER / name).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"execute", "scalar", "scalars", "stream", "exec_driver_sql"}
        and node.args
    ]
    assert all(isinstance(each, ast.Name | ast.Attribute) for each in sent)
    assert sent or name == "writer.py"


@pytest.mark.services
def test_the_benchmark_runs_every_statement_and_notices_a_full_table_scan() -> None:
    async def ask(uri: str) -> None:
        await make_tables(uri)
        administration = connect(postgres_url(uri), ConnectionPool(), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        some = SqlRecords.at(uri, ConnectionPool(least=1))
        try:
            grown = await live(some, administration, 20)
            assert grown["chats"]["rows"] == 20
            size = Size(200, 400)
            async with administration.connect() as connection:
                await fill(connection, size)
            timed, asked = await measure(some, size, 2, lambda: 0.0)
            assert asked_here(some) <= set(asked)
            assert UNNAMED not in asked
            assert all(each["p50_ms"] > 0 for row in timed for each in row["statements"].values())
            async with some.engine.connect() as reading:
                whole = await plan(reading, "SELECT * FROM chats WHERE rating1 = 'odd'", ())
                # Even with the best index, PostgreSQL would scan such a small table.
                await reading.exec_driver_sql("SET enable_seqscan = off")
                told = await plan(reading, asked["writer.tell"].statement, asked["writer.tell"].values)
            assert read_whole(whole) == ["chats"]
            assert (read_whole(told), used(told)) == ([], ["pk_chats"])
        finally:
            await some.aclose()
            await administration.dispose()

    with postgres_uri() as server, PostgresServer(server).database() as uri:
        asyncio.run(ask(uri))


def test_statements_that_scan_tables_never_run_or_lack_a_name_are_faults() -> None:
    fine = {"plans": [{"of": "records.people", "read_whole": []}], "never_sent": [], "without_a_name": False}
    assert not faults(fine)
    whole = {"plans": [{"of": "records.active", "read_whole": ["users"]}]}
    assert faults(fine | whole) == ["records.active reads all of users"]
    assert len(faults(fine | whole | {"never_sent": ["pool.limits"], "without_a_name": True})) == 3


def test_a_months_size_comes_from_grown_rows_unless_there_were_too_few() -> None:
    tables = ("chats", "past_chats", "users", "blocks", "complaints")
    filled = {table: {"rows": 1e6, "bytes_a_row": 100.0} for table in tables}
    grown = {table: {"rows": float(ENOUGH_ROWS), "bytes_a_row": 200.0} for table in tables}
    grown["complaints"] = {"rows": 3.0, "bytes_a_row": 10_000.0}
    found = month(grown, filled)
    assert found["megabytes"]["past_chats"] == found["rows"]["past_chats"] * 200 / 1e6
    assert "chats" not in found["megabytes"], "it holds one day, and does not grow"
    assert found["megabytes"]["complaints"] == found["rows"]["complaints"] * 100 / 1e6
    assert found["megabytes_in_all"] == sum(found["megabytes"].values())


def test_percentiles_come_from_the_observed_values() -> None:
    assert percentiles([1.0, 1.0]) == {"p50_ms": 1.0, "p99_ms": 1.0}
    assert percentiles([float(number) for number in range(101)]) == {"p50_ms": 50.0, "p99_ms": 99.0}
