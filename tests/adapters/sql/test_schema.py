"""Creating the tables: on both databases, repeatedly, and in two processes at once."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import DatabaseUnusable, SchemaState, init_schema, schema, schema_state
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.schema import _LOCK
from passerby.adapters.sql.tables import metadata
from passerby.adapters.sql.upgrading import configuration
from passerby.ports.records import RecordsLost
from tests import warm
from tests.contract.records_places import make_tables
from tests.size import in_full, size


def execute(database: str, *statements: str) -> None:
    async def run() -> None:
        engine = connect(database_url(database), poolclass=NullPool)
        async with engine.begin() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)
        await engine.dispose()

    asyncio.run(run())


def differences(database: str) -> list[object]:
    def compare(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async def run() -> list[object]:
        engine = connect(database_url(database), poolclass=NullPool)
        async with engine.connect() as connection:
            found = await connection.run_sync(compare)
        await engine.dispose()
        return found

    return asyncio.run(run())


def partial_indexes(database: str) -> dict[str, str]:
    """The condition of each partial index, by its name. Alembic does not compare these."""

    def look(connection: sa.Connection) -> dict[str, str]:
        inspector = sa.inspect(connection)
        found = {}
        for table in metadata.tables:
            for index in inspector.get_indexes(table):
                options = index.get("dialect_options", {})
                where = options.get(f"{connection.dialect.name}_where")
                if where is not None:
                    found[str(index["name"])] = str(where)
        return found

    async def run() -> dict[str, str]:
        engine = connect(database_url(database), poolclass=NullPool)
        async with engine.connect() as connection:
            found = await connection.run_sync(look)
        await engine.dispose()
        return found

    return asyncio.run(run())


def test_the_migrations_create_exactly_the_tables_of_the_code(database: str) -> None:
    asyncio.run(init_schema(database))
    assert differences(database) == []


def test_the_newest_revision_is_known_from_the_names_of_the_files() -> None:
    assert schema._needed() == ScriptDirectory.from_config(configuration()).get_current_head()


def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    asyncio.run(init_schema(tmp_path / "p.db"))
    code = (
        "import asyncio, sys; from passerby.adapters.sql import init_schema;"
        "print(asyncio.run(init_schema(sys.argv[1])).is_current, 'alembic' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code, tmp_path / "p.db"], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "False"]


def test_the_comparison_notices_an_extra_column_and_a_missing_index(database: str) -> None:
    asyncio.run(make_tables(database))
    execute(database, "ALTER TABLE users ADD COLUMN surprise INTEGER", "DROP INDEX ix_chats_user2")
    assert {change[0] for change in differences(database)} == {"remove_column", "add_index"}  # type: ignore[index]


def test_partial_indexes_have_the_conditions_of_the_code(database: str, tmp_path: Path) -> None:
    asyncio.run(make_tables(database))
    migrated = partial_indexes(database)
    assert {"ix_users_occupied", "ix_users_searching", "ix_chats_open"} < migrated.keys()

    async def from_the_code() -> None:
        engine = connect(database_url(database), poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(metadata.drop_all)
            await connection.run_sync(metadata.create_all)
        await engine.dispose()

    asyncio.run(from_the_code())
    assert {name: where.replace("users.", "") for name, where in partial_indexes(database).items()} == migrated


def test_the_schema_state_names_the_current_and_the_needed_revision(database: str) -> None:
    before = asyncio.run(schema_state(database))
    assert before.current is None
    assert not before.is_current
    assert asyncio.run(init_schema(database)) == before
    after = asyncio.run(schema_state(database))
    assert after == SchemaState(before.needed, before.needed)
    assert after.is_current


def test_asking_for_the_schema_state_creates_no_file(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    asyncio.run(schema_state(file))
    assert not file.exists()


def test_creating_the_tables_again_changes_nothing(database: str) -> None:
    asyncio.run(make_tables(database))
    execute(database, "INSERT INTO journal_positions (generation, applied) VALUES ('g', 3)")
    again = asyncio.run(init_schema(database))
    assert again.current == again.needed
    assert differences(database) == []
    with pytest.raises(sa.exc.IntegrityError):
        execute(database, "INSERT INTO journal_positions (generation, applied) VALUES ('g', 3)")


def test_two_rows_about_the_revision_are_one_too_many(database: str) -> None:
    execute(
        database,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('0001'), ('0002')",
    )
    for look in (init_schema, schema_state):
        with pytest.raises(DatabaseUnusable, match="its table alembic_version has 2 rows"):
            asyncio.run(look(database))


def test_a_database_of_a_newer_release_is_not_changed(database: str) -> None:
    asyncio.run(make_tables(database))
    execute(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnusable, match="newer release"):
        asyncio.run(init_schema(database))
    assert asyncio.run(schema_state(database)).current == "9999"


@pytest.mark.parametrize("revision", ["", "0005x", "00"])
def test_a_revision_that_never_existed_is_named(database: str, revision: str) -> None:
    asyncio.run(make_tables(database))
    execute(database, f"UPDATE alembic_version SET version_num = '{revision}'")
    with pytest.raises(DatabaseUnusable, match=f"revision '{revision}', which never existed; restore a backup"):
        asyncio.run(init_schema(database))


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ("DROP TABLE past_chats", "the table past_chats is missing"),
        ("ALTER TABLE users RENAME COLUMN age_given_at TO given", r"the column users\.age_given_at is missing"),
    ],
)
def test_a_missing_table_or_column_is_named(database: str, change: str, missing: str) -> None:
    asyncio.run(make_tables(database))
    execute(database, change)
    with pytest.raises(DatabaseUnusable, match=missing):
        asyncio.run(init_schema(database))


@pytest.mark.services
def test_a_locked_table_counts_as_a_database_that_does_not_answer(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that upgrades waits without a limit, so it must not begin to upgrade."""
    upgrades: list[bool] = []

    async def run() -> None:
        for _ in range(2):
            await init_schema(postgres_database, lambda: upgrades.append(True))
        engine = connect(database_url(postgres_database), poolclass=NullPool)
        async with engine.begin() as other:
            await other.execute(sa.text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
            monkeypatch.setattr(schema, "_ANSWER_S", 0.5)
            with pytest.raises(RecordsLost):
                await init_schema(postgres_database, lambda: upgrades.append(True))
        await engine.dispose()

    asyncio.run(run())
    assert upgrades == [True]


@pytest.mark.services
def test_a_second_migration_waits_for_the_first(postgres_database: str) -> None:
    async def run() -> None:
        engine = connect(database_url(postgres_database), poolclass=NullPool)
        asking = sa.text(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE query LIKE '%pg_try_advisory_xact_lock%' AND datname = current_database()"
        )
        async with engine.begin() as first:
            await first.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            second = asyncio.ensure_future(init_schema(postgres_database))
            async with engine.connect() as watching:
                # Within one transaction PostgreSQL repeats the first result of pg_stat_activity.
                await watching.execution_options(isolation_level="AUTOCOMMIT")
                while not second.done() and await watching.scalar(asking) < 2:  # the one that looks is one of them
                    await asyncio.sleep(0.01)
            assert not second.done()
            assert (await schema_state(postgres_database)).current is None
        await second
        await engine.dispose()

    asyncio.run(run())
    assert asyncio.run(schema_state(postgres_database)).is_current


START = """
import asyncio, sys
from passerby.adapters.sql import init_schema
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(init_schema(sys.argv[1]))
"""


@pytest.mark.sized
def test_several_processes_can_start_at_once(database: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", START, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(size(2, 3))
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert (process.returncode, errors) == (0, "")
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert asyncio.run(schema_state(database)).is_current
    assert differences(database) == []


KILLED = """\
import asyncio, os, re, signal, sys
import sqlalchemy as sa
from passerby.adapters.sql import init_schema
left = int(sys.argv[2])

@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def die(connection, cursor, statement, *more):
    global left
    if re.match(r"\\s*(CREATE|ALTER|DROP|INSERT|UPDATE)\\b", statement):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(init_schema(sys.argv[1]))
"""


@pytest.mark.parametrize("step", in_full([90, 2, 40, 150], 1))
def test_an_upgrade_that_is_killed_goes_on_where_it_was(database: str, step: int) -> None:
    """`step`: the number of the statement that changes something, before which the process is killed."""
    killed = warm.run([sys.executable, "-c", KILLED, database, str(step)], timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert not asyncio.run(schema_state(database)).is_current
    asyncio.run(init_schema(database))
    assert asyncio.run(schema_state(database)).is_current
    assert differences(database) == []
