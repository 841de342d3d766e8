"""Which failures are temporary: the table, and real answers of the servers."""

import asyncio
import os
import socket
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.util import await_only

from passerby.adapters.sql import DatabaseUnusable, SqlRecords, init_schema, schema_state
from passerby.adapters.sql.failures import Fate, Refused, Undone, fate, losses
from passerby.adapters.sql.schema import is_damaged
from passerby.kernel.ids import PersonId
from passerby.ports.records import RecordsLost
from passerby.telemetry import metrics
from tests.contract.records_facts import changed, numbered, person
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop


class Said(Exception):
    """A driver's error, with what the table looks at."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("row (5, female) of users")
        self.sqlstate = sqlstate


def wrapped(sqlstate: str | None) -> exc.DBAPIError:
    return exc.DBAPIError("INSERT", {}, Said(sqlstate))


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        ("26000", Fate.UNDONE),
        ("42P05", Fate.UNDONE),
        ("40001", Fate.UNDONE),
        ("40P01", Fate.UNDONE),
        ("40003", Fate.LOST),
        ("08006", Fate.LOST),
        ("53300", Fate.LOST),
        ("57P01", Fate.LOST),
        ("25006", Fate.LOST),
        ("28P01", Fate.REFUSED),
        ("3D000", Fate.REFUSED),
        ("42501", Fate.REFUSED),
        ("23505", Fate.OURS),
        ("25P02", Fate.OURS),
        ("42P01", Fate.CHANGED),
        ("42703", Fate.CHANGED),
        ("42P10", Fate.CHANGED),
        ("42601", Fate.OURS),
        ("55000", Fate.OURS),
        ("4000", Fate.LOST),
        ("", Fate.OURS),
        (None, Fate.OURS),
    ],
)
def test_the_longest_matching_sqlstate_prefix_decides(sqlstate: str | None, expected: Fate) -> None:
    assert fate(wrapped(sqlstate)) is expected


@pytest.mark.parametrize(
    ("expected", "states"),
    [
        (Fate.LOST, "08000 08006 25006 25P03 25P04 40003 53100 53300 55P03 57014 57P01 57P03 58030"),
        (Fate.UNDONE, "40001 40P01 26000 42P05"),
        (Fate.REFUSED, "28000 28P01 3D000 42501"),
        (Fate.OURS, "22003 23502 23505 42601 55006"),
    ],
)
def test_each_state_of_postgresql_means_what_its_manual_says(expected: Fate, states: str) -> None:
    assert {state: fate(wrapped(state)) for state in states.split()} == dict.fromkeys(states.split(), expected)


@pytest.mark.parametrize("extension", [0, 1, 3], ids=["primary", "extended", "another extended"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *(
            (code, Fate.LOST)
            for code in ("BUSY", "LOCKED", "NOMEM", "READONLY", "IOERR", "FULL", "CANTOPEN", "PROTOCOL")
        ),
        ("CORRUPT", Fate.DAMAGED),
        ("NOTADB", Fate.DAMAGED),
        ("CONSTRAINT", Fate.OURS),
        ("ERROR", Fate.OURS),
    ],
)
def test_each_code_of_sqlite_means_the_same_whatever_its_extension(code: str, expected: Fate, extension: int) -> None:
    cause = sqlite3.OperationalError("row (5, female) of users")
    cause.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{code}") | extension << 8
    assert fate(exc.OperationalError("UPDATE users", None, cause)) is expected


def test_a_connection_that_breaks_is_a_loss() -> None:
    assert fate(exc.DBAPIError("SELECT", {}, Said(None), connection_invalidated=True)) is Fate.LOST
    assert fate(exc.InterfaceError("SELECT", {}, Said(None))) is Fate.LOST


def test_the_error_of_a_loss_quotes_neither_row_nor_statement() -> None:
    for state, kind in (("40P01", Undone), ("08006", RecordsLost), ("28P01", Refused)):
        with pytest.raises(kind) as caught, losses():
            raise wrapped(state)
        assert "female" not in str(caught.value)
        assert "INSERT" not in str(caught.value)
    with pytest.raises(exc.DBAPIError), losses():
        raise wrapped("23505")


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (exc.InterfaceError("SELECT", {}, Said(None)), "the connection broke"),
        (wrapped("57P01"), "the server was stopped, or ended the connection"),
        (wrapped("53300"), "the server has no connection left"),
        (wrapped("53200"), "the server lacks memory, disk or connections"),
        (wrapped("40003"), "Said"),
        (ConnectionRefusedError(), "nothing listens at its address"),
        (socket.gaierror(), "its host name is not known"),
        (TimeoutError(), "no answer in time"),
        (ConnectionResetError(), "the connection broke"),
        (exc.TimeoutError(), "no connection was free in time"),
    ],
)
def test_a_database_that_does_not_answer_is_described_in_plain_words(failure: Exception, words: str) -> None:
    with pytest.raises(RecordsLost) as caught, losses():
        raise failure
    assert str(caught.value) == words


def test_losses_are_counted_and_undone_transactions_are_not() -> None:
    counted = []
    for failure in (wrapped("08006"), OSError("refused"), wrapped("40P01")):
        before = metrics.STORE_ERRORS.total(kind="records")
        with pytest.raises(RecordsLost), losses():
            raise failure
        counted.append(metrics.STORE_ERRORS.total(kind="records") - before)
    assert counted == [1, 1, 0]


@in_a_loop
async def test_the_error_of_a_bug_quotes_no_row(database: str) -> None:
    records = SqlRecords.at(database)
    with pytest.raises(exc.DBAPIError) as caught, losses():
        async with records.engine.connect() as connection:
            await connection.execute(sa.text("SELECT no_such_function(:id)"), {"id": "987654321"})
    assert "987" not in str(caught.value)
    await records.aclose()


@pytest.mark.services
def test_a_missing_database_is_a_wrong_setting_at_the_start_and_a_loss_later(postgres_database: str) -> None:
    url = sa.make_url(postgres_database)
    nowhere = url.set(database="nowhere", drivername="postgresql").render_as_string(hide_password=False)

    async def run() -> None:
        for starting in (schema_state(nowhere), init_schema(nowhere)):
            with pytest.raises(DatabaseUnusable, match="no database of this name"):
                await starting
        records = SqlRecords.at(nowhere)
        with pytest.raises(RecordsLost):
            await records.applied("g")
        await records.aclose()

    asyncio.run(run())


FAILING = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('tries') <= {times} THEN
    RAISE EXCEPTION 'as another transaction would have it' USING ERRCODE = '{code}';
  END IF;
  RETURN NEW;
END $$
"""


async def failing(records: SqlRecords, times: int, code: str) -> None:
    """Make the next `times` writes of a person fail."""
    async with records.engine.begin() as connection:
        await connection.exec_driver_sql("CREATE SEQUENCE tries")
        await connection.exec_driver_sql(FAILING.format(times=times, code=code))
        await connection.exec_driver_sql("CREATE TRIGGER t BEFORE INSERT ON users EXECUTE FUNCTION fail()")


async def tries(records: SqlRecords) -> int:
    async with records.engine.connect() as connection:
        return int(await connection.scalar(sa.text("SELECT last_value FROM tries")) or 0)


@pytest.mark.services
@pytest.mark.parametrize(("times", "stored"), [(2, True), (3, False)])
@in_a_loop
async def test_a_batch_that_the_server_undid_is_tried_three_times(
    postgres_database: str, times: int, stored: bool
) -> None:
    await make_tables(postgres_database)
    records = SqlRecords.at(postgres_database)
    await failing(records, times, "40001")
    batch = numbered(changed(person(1)))
    if stored:
        await records.apply("g", batch)
        assert await records.people([PersonId(1)]) == {1: person(1)}
    else:
        with pytest.raises(RecordsLost):
            await records.apply("g", batch)
    assert await records.applied("g") == (1 if stored else 0)
    assert await tries(records) == 3
    await records.aclose()


@pytest.mark.services
@in_a_loop
async def test_a_batch_with_an_unknown_outcome_is_not_repeated_by_the_adapter(postgres_database: str) -> None:
    await make_tables(postgres_database)
    records = SqlRecords.at(postgres_database)
    await failing(records, 1, "40003")
    with pytest.raises(RecordsLost):
        await records.apply("g", numbered(changed(person(1))))
    assert await tries(records) == 1
    await records.aclose()


@pytest.mark.services
@in_a_loop
async def test_a_commit_without_an_answer_is_recognised_by_its_position(postgres_database: str) -> None:
    """The server stores the commit, but its answer is lost. The caller repeats, and nothing is stored twice."""
    await make_tables(postgres_database)
    records = SqlRecords.at(postgres_database)

    @sa.event.listens_for(records.engine.sync_engine, "commit")
    def answer_lost(connection: sa.Connection) -> None:
        if losing:
            losing.clear()
            await_only(_commit_and_close(connection))

    losing = [True]
    with pytest.raises(RecordsLost):
        await records.apply("g", numbered(changed(person(1, 1))))
    assert await records.applied("g") == 1
    await records.apply("g", numbered(changed(person(1, 1)), changed(person(1, 2))))
    assert await records.people([PersonId(1)]) == {1: person(1, 2)}
    assert await records.applied("g") == 2
    await records.aclose()


async def _commit_and_close(connection: sa.Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    await driver.execute("COMMIT")
    driver.terminate()


@pytest.mark.parametrize("cut", [5000, None])
@in_a_loop
async def test_the_error_about_a_damaged_file_says_what_to_do(tmp_path: Path, cut: int | None) -> None:
    file = tmp_path / "records.db"
    await make_tables(file)
    assert not await is_damaged(file)
    if cut is not None:
        os.truncate(file, cut)
    else:
        with file.open("r+b") as opened:
            opened.seek(8192)
            opened.write(b"\x5a" * 60_000)
        assert await is_damaged(file)
    records = SqlRecords.at(file)
    try:
        with pytest.raises(DatabaseUnusable, match=r"the database file is damaged; .* and restore") as found:
            await (init_schema(file) if cut is not None else records.active())
        assert isinstance(found.value, RecordsLost), "a process that runs does without the records"
    finally:
        await records.aclose()
