"""A database whose tables are not as we made them is named at the start, not by endless errors later."""

import asyncio
from collections.abc import Iterable

import pytest

from passerby.adapters.sql import DatabaseUnusable, SqlRecords, init_schema
from passerby.adapters.sql.schema import check_tables
from passerby.ports.records import RecordsLost
from tests.adapters.sql.test_schema import execute
from tests.contract.records_facts import changed, numbered, person
from tests.size import in_full
from tests.staged import in_a_loop

COPY = "CREATE TABLE copied AS SELECT * FROM {0}; DROP TABLE {0}; ALTER TABLE copied RENAME TO {0}"
DRAINS_WITH_A_CHECK = (
    "CREATE TABLE drains (bot_id BIGINT PRIMARY KEY, sister_id BIGINT NOT NULL CHECK (sister_id > 9),"
    " sister_username TEXT NOT NULL, since DOUBLE NOT NULL)"
)
TRIGGERS = {
    "sqlite": ("CREATE TRIGGER mine AFTER INSERT ON users BEGIN DELETE FROM users; END",),
    "postgres": (
        "CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER mine BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION mine()",
    ),
}
BOTH = (
    ("primary key of blocks", COPY.format("blocks").split("; ")),
    ("the index ix_chats_user1", ("DROP INDEX ix_chats_user1",)),
    ("the index ix_staff_user_id", ("DROP INDEX ix_staff_user_id", "CREATE INDEX ix_staff_user_id ON staff (user_id)")),
    ("the column users.muted is missing", ("ALTER TABLE users DROP COLUMN muted",)),
    (
        "the column users.karma has another type",
        (
            "ALTER TABLE users DROP COLUMN karma",
            "ALTER TABLE users ADD COLUMN karma TEXT NOT NULL DEFAULT '0'",
        ),
    ),
    ("the table drains is missing", ("DROP TABLE drains",)),
    ("a unique index that is not ours", ("CREATE UNIQUE INDEX mine ON users (bot_id)",)),
)

ONLY = {
    "sqlite": (
        ("a trigger that is not ours", TRIGGERS["sqlite"]),
        ("the trigger audit_append_only_update is missing", ("DROP TRIGGER audit_append_only_update",)),
        (
            "a condition that is not ours",
            (
                "DROP TABLE drains",
                DRAINS_WITH_A_CHECK,
            ),
        ),
    ),
    "postgres": (
        ("a trigger that is not ours", TRIGGERS["postgres"]),
        ("the trigger audit_append_only is missing", ("DROP TRIGGER audit_append_only ON audit",)),
        ("a condition that is not ours", ("ALTER TABLE drains ADD CONSTRAINT mine CHECK (sister_id > 9)",)),
        ("a rule that is not ours", ("CREATE RULE mine AS ON DELETE TO drains DO INSTEAD NOTHING",)),
        ("drains.more is not ours", ("ALTER TABLE drains ADD COLUMN more INTEGER NOT NULL",)),
        ("users.muted may not be empty", ("ALTER TABLE users ALTER COLUMN muted SET NOT NULL",)),
    ),
}


def _refused(database: str, words: str, statements: Iterable[str]) -> None:
    execute(database, *statements)
    for look in (check_tables, init_schema):
        with pytest.raises(DatabaseUnusable, match=words) as refused:
            asyncio.run(look(database))
        assert refused.value.remedy == "undo that, or restore a backup"


def test_tables_that_are_ours_are_accepted_beside_those_of_somebody_else(database: str) -> None:
    asyncio.run(init_schema(database))
    execute(database, "CREATE TABLE mine (id INTEGER, CHECK (id > 1))", "CREATE UNIQUE INDEX their ON mine (id)")
    asyncio.run(check_tables(database))
    asyncio.run(init_schema(database))


@pytest.mark.parametrize(("words", "statements"), in_full(BOTH, 4), ids=[words for words, _ in BOTH])
def test_a_table_that_somebody_has_changed_is_named(database: str, words: str, statements: Iterable[str]) -> None:
    asyncio.run(init_schema(database))
    _refused(database, words, statements)


@pytest.mark.parametrize("number", in_full(range(6), 2))
def test_a_trigger_a_condition_or_a_rule_of_somebody_else_is_named(database: str, number: int) -> None:
    cases = ONLY["postgres" if "://" in database else "sqlite"]
    if number >= len(cases):
        pytest.skip("SQLite has fewer of these")
    asyncio.run(init_schema(database))
    _refused(database, *cases[number])


@pytest.mark.parametrize("change", in_full(["drop", "column", "key", "trigger"], 2))
@in_a_loop
async def test_tables_that_are_changed_while_a_process_runs_count_as_lost_records(database: str, change: str) -> None:
    """So the process waits for the operator, and still ends when it is told to."""
    await init_schema(database)
    records = SqlRecords.at(database)
    statements = {
        "drop": ("DROP TABLE users",),
        "column": ("ALTER TABLE users DROP COLUMN muted",),
        "key": COPY.format("users").split("; "),
        "trigger": (
            ("CREATE TRIGGER mine BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'no'); END",)
            if "://" not in database
            else (
                "CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
                TRIGGERS["postgres"][1],
            )
        ),
    }
    await asyncio.to_thread(execute, database, *statements[change])
    with pytest.raises(RecordsLost, match="somebody has changed the tables"):
        await records.apply("g", numbered(changed(person(1, 1))))
    await records.aclose()
