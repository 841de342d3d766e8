"""A wrong setting gives one sentence, a temporary failure is a loss, and a bug is neither."""

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, DatabaseUnusable, SqlRecords, init_schema
from passerby.adapters.sql.engine import _OPEN, connect, database_url, postgres_url, sqlite_url
from passerby.adapters.sql.failures import to_the_end
from passerby.kernel.ids import PersonId
from passerby.ports.records import RecordsLost
from tests.contract.records_facts import changed, numbered, person
from tests.contract.records_places import make_tables
from tests.contract.servers import start_postgres
from tests.staged import in_a_loop


def unusable(database: str | Path) -> str:
    with pytest.raises(DatabaseUnusable) as caught:
        connect(database_url(database))
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


_LEAVE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
connection.close()
"""


@in_a_loop
async def test_another_process_that_leaves_a_database_removes_nothing_that_is_in_use(tmp_path: Path) -> None:
    """The last process removes the journal. Whether it is the last one, it learns from the locks of the others."""
    file = tmp_path / "shared.db"
    first = connect(database_url(file))
    async with first.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE words (word TEXT)"))
    second = connect(database_url(file))  # as the panel does beside the worker
    database_url(file)
    leaving = await asyncio.create_subprocess_exec(sys.executable, "-c", _LEAVE, str(file))
    assert await leaving.wait() == 0
    assert file.with_name("shared.db-wal").exists()
    async with first.begin() as connection:
        await connection.execute(sa.text("INSERT INTO words VALUES ('here')"))
    seen = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT word FROM words').fetchall())",
        str(file),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await seen.communicate()
    assert said.decode().strip() == "[('here',)]"
    await first.dispose()
    await second.dispose()
    assert not _OPEN[file.stat().st_dev, file.stat().st_ino], "from now on, its first bytes are looked at again"
    file.write_bytes(b"something else entirely")
    assert "not an SQLite database" in unusable(file)


def test_an_error_separates_the_problem_from_the_remedy() -> None:
    both, alone = DatabaseUnusable("it is full; make room"), DatabaseUnusable("it refuses")
    assert (both.problem, both.remedy) == ("it is full", "make room")
    assert (alone.problem, alone.remedy) == ("it refuses", "")


def test_a_path_that_cannot_be_a_database_is_explained_in_one_sentence(tmp_path: Path) -> None:
    assert unusable(tmp_path) == f"{tmp_path} is a directory; name a file in it"
    os.mkfifo(tmp_path / "pipe.db")
    assert unusable(tmp_path / "pipe.db") == f"{tmp_path}/pipe.db is not a regular file; name another file"
    assert "does not exist" in unusable(tmp_path / "no" / "records.db")
    text = tmp_path / "notes.txt"
    text.write_text("Milk, bread, butter, and a book.")
    assert "is not an SQLite database" in unusable(text)
    assert text.read_text() == "Milk, bread, butter, and a book."
    (tmp_path / "other.db-wal").mkdir()
    assert unusable(tmp_path / "other.db") == "other.db-wal is where SQLite puts a file, and it is none; remove it"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_is_not_a_database_is_explained_in_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "cannot be written" in unusable(tmp_path / "records.db")


def test_only_the_owner_may_read_a_new_database_file(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    asyncio.run(init_schema(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert database_url(file) == sqlite_url(file), "an empty or a made file is as good as none"


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("mysql://u:hidden@h/d", "mysql:// is not PostgreSQL"),
        ("://", "is not a database URL"),
        ("postgresql://u:hidden@h:port/d", "is not a database URL"),
        ("postgresql://u:hidden@h/d?keepalives=1", "keepalives"),
    ],
)
def test_the_error_about_a_wrong_uri_does_not_show_the_password(uri: str, says: str) -> None:
    sentence = unusable(uri)
    assert says in sentence
    assert "hidden" not in sentence


def test_a_libpq_uri_is_translated() -> None:
    url = postgres_url("postgres://u:p%40ss@host:6000/d?sslmode=require&connect_timeout=5")
    assert url.drivername == "postgresql+asyncpg"
    assert (url.username, url.password, url.host, url.port, url.database) == ("u", "p@ss", "host", 6000, "d")
    assert dict(url.query) == {"ssl": "require"}


@in_a_loop
async def test_sqlite_does_not_block_readers_and_syncs_each_commit(tmp_path: Path) -> None:
    engine = connect(sqlite_url(tmp_path / "records.db"))
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar_one() == "wal"
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar_one() == 2
        assert (await connection.exec_driver_sql("PRAGMA busy_timeout")).scalar_one() == 3_000
    await engine.dispose()


@in_a_loop
async def test_a_process_that_writes_for_too_long_is_a_loss_and_does_not_block_readers(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    await make_tables(file)
    records = SqlRecords.at(file, ConnectionPool(timeout_s=0.05))
    await records.apply("g", numbered(changed(person(1))))
    other = connect(sqlite_url(file), poolclass=NullPool)
    async with other.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            with pytest.raises(RecordsLost):
                await records.apply("g", numbered(changed(person(1, 1)), after=1))
            assert await records.people([PersonId(1)]) == {1: person(1)}
    await records.apply("g", numbered(changed(person(1, 1)), after=1))
    assert await records.people([PersonId(1)]) == {1: person(1, 1)}
    await other.dispose()
    await records.aclose()


@in_a_loop
async def test_a_full_disk_is_a_loss_and_nothing_is_stored(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    await make_tables(file)
    records = SqlRecords.at(file)

    @sa.event.listens_for(records.engine.sync_engine, "checkout")
    def shrink(connection: sa.pool.PoolProxiedConnection, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={pages}")
        cursor.close()

    pages = 1
    with pytest.raises(RecordsLost):
        await records.apply("g", numbered(*(changed(person(number)) for number in range(1, 2_001))))
    assert await records.applied("g") == 0
    assert await records.people([PersonId(1)]) == {}
    pages = 100_000
    await records.apply("g", numbered(changed(person(1))))
    assert await records.applied("g") == 1
    await records.aclose()


@in_a_loop
async def test_a_missing_table_counts_as_lost_records_and_says_what_to_do(database: str) -> None:
    records = SqlRecords.at(database)
    with pytest.raises(RecordsLost, match="passerby doctor"):
        await records.applied("g")
    with pytest.raises(RecordsLost, match="passerby doctor"):
        await records.apply("g", numbered(changed(person(1))))
    await records.aclose()


@pytest.mark.services
@in_a_loop
async def test_a_statement_that_takes_too_long_is_a_loss(postgres_database: str) -> None:
    await make_tables(postgres_database)
    records, hasty = SqlRecords.at(postgres_database), SqlRecords.at(postgres_database, ConnectionPool(timeout_s=0.2))
    await records.apply("g", numbered(changed(person(1))))
    other = connect(postgres_url(postgres_database), poolclass=NullPool)
    async with other.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE journal_positions")
        with pytest.raises(RecordsLost):
            await hasty.apply("g", numbered(changed(person(1, 1)), after=1))
        with pytest.raises(RecordsLost):
            await hasty.applied("g")
    await hasty.aclose()
    await records.apply("g", numbered(changed(person(1, 1)), after=1))
    assert await records.people([PersonId(1)]) == {1: person(1, 1)}
    await other.dispose()
    await records.aclose()


@pytest.mark.services
@in_a_loop
async def test_a_batch_undone_by_a_deadlock_is_stored_by_the_next_try(postgres_database: str) -> None:
    await make_tables(postgres_database)
    records = SqlRecords.at(postgres_database, ConnectionPool(timeout_s=30.0))
    await records.apply("g", numbered(changed(person(1)), changed(person(2))))
    other = connect(postgres_url(postgres_database), ConnectionPool(timeout_s=30.0), poolclass=NullPool)
    async with other.connect() as connection, connection.begin():
        # The side whose timeout ends first detects the deadlock. It must be the records.
        await connection.exec_driver_sql("SET LOCAL deadlock_timeout = '60s'")
        await connection.exec_driver_sql("UPDATE users SET age = 31 WHERE id = 2")
        batch = numbered(changed(person(1, 1)), changed(person(2, 1)), after=2)
        applying = asyncio.ensure_future(records.apply("g", batch))
        waiting = sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        async with other.connect() as watching:
            # Within one transaction PostgreSQL repeats the first result of pg_stat_activity.
            await watching.execution_options(isolation_level="AUTOCOMMIT")
            while not await watching.scalar(waiting):
                await asyncio.sleep(0.01)
        await connection.exec_driver_sql("UPDATE users SET age = 31 WHERE id = 1")
        # The next try waits for the other transaction, which continues now.
    await applying
    assert await records.applied("g") == 4
    assert await records.people([PersonId(2)]) == {2: person(2, 1)}
    await other.dispose()
    await records.aclose()


@pytest.mark.services
def test_running_out_of_connections_is_a_loss_in_the_pool_and_at_the_server() -> None:
    with start_postgres("-c", "max_connections=6", "-c", "superuser_reserved_connections=0") as server:

        async def run() -> None:
            await init_schema(server.uri)
            records = SqlRecords.at(server.uri, ConnectionPool(most=1, least=1))
            async with records.engine.connect():
                with pytest.raises(RecordsLost):
                    await records.applied("g")
            await records.aclose()
            others = connect(postgres_url(server.uri), ConnectionPool(most=20, least=20))
            opening = await asyncio.gather(*(others.connect() for _ in range(20)), return_exceptions=True)
            held = [each for each in opening if not isinstance(each, BaseException)]
            assert len(held) < 20
            with pytest.raises(RecordsLost):
                await records.applied("g")
            for connection in held:
                await connection.close()
            await others.dispose()
            assert await records.applied("g") == 0
            await records.aclose()

        asyncio.run(run())


@in_a_loop
async def test_a_server_that_does_not_listen_is_a_loss(tmp_path: Path) -> None:
    for uri in ("postgresql://u@127.0.0.1:1/d", f"postgresql://u@/d?host={tmp_path}"):
        records = SqlRecords.at(uri)
        with pytest.raises(RecordsLost):
            await records.applied("g")
        with pytest.raises(RecordsLost):
            await init_schema(uri)
        await records.aclose()


def test_work_finishes_even_if_its_caller_is_cancelled() -> None:
    ended = []

    async def work() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ended.append(True)
        raise ValueError("nobody is left to be told")

    async def run() -> None:
        calling = asyncio.ensure_future(to_the_end(work()))
        await asyncio.sleep(0)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert ended == [True]
        with pytest.raises(ValueError, match="nobody"):
            await to_the_end(work())

    asyncio.run(run())
