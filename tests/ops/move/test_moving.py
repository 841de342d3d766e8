"""The records go to another database, whole or not at all."""

import asyncio
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.redis import open_redis
from passerby.adapters.sql import SqlRecords, init_schema
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.tables import users
from passerby.bootstrap.clock import SystemClock
from passerby.cli.moving import run_move
from passerby.ops.move.moving import Moved, MoveFailed, move
from passerby.ops.standstill import FleetRuns
from passerby.ports.facts import Fact, PersonChanged
from passerby.ports.participants import Commit
from passerby.settings import Settings
from tests import warm
from tests.contract.records_facts import (
    NOW,
    banned_for_good,
    block,
    changed,
    chatting,
    closed,
    complaint,
    explained,
    opened,
    person,
    searching,
    told,
)
from tests.contract.records_places import PostgresServer, make_tables
from tests.contract.servers import postgres_uri, start_valkey
from tests.size import in_full, size

CLOCK = SystemClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_uri() as uri:
        yield PostgresServer(uri)


@pytest.fixture
def uri(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as found:
        yield found


def on_file(path: Path) -> Settings:
    return Settings(sqlite_db_path=path)


def on_postgres(uri: str, directory: Path) -> Settings:
    """One process: PostgreSQL, and a live store in a file that does not exist."""
    return Settings(postgres_uri=uri, run_dir=directory / "run").model_copy(
        update={"sqlite_db_path": directory / "beside.db"}
    )


def moved(settings: Settings, to: str | Path) -> Moved:
    return asyncio.run(move(settings, str(to), CLOCK))


async def fill(database: Path) -> None:
    await make_tables(database)
    records = SqlRecords.at(database)
    facts: list[Fact] = [changed(person(number, 1)) for number in range(10, 19)]
    facts += [changed(searching(1, 1)), changed(chatting(2, 3, "open", 1)), changed(chatting(3, 2, "open", 1))]
    facts += [changed(banned_for_good(19, 1))]
    facts += [opened("open", 2, 3), told("open", 2), told("open", 3, 6), opened("old", 10, 11), closed("old", 10)]
    facts += [block(10, 11), complaint("old", 10, 11), explained("old", 10)]
    await records.apply("g", list(enumerate(facts, 1)))
    await records.aclose()


async def active(database: str | Path) -> tuple[object, ...]:
    records = SqlRecords.at(database)
    found = await records.active()
    await records.aclose()
    return found.people, found.told, found.chats


@pytest.mark.services
def test_everything_goes_to_postgresql_and_comes_back_the_same(tmp_path: Path, uri: str) -> None:
    first, third = tmp_path / "passerby.db", tmp_path / "again.db"
    asyncio.run(fill(first))
    there = moved(on_file(first), uri)
    assert asyncio.run(active(uri)) == asyncio.run(active(first))
    back = moved(on_postgres(uri, tmp_path), third)
    assert back.contents.differences(there.contents) == []
    assert asyncio.run(active(third)) == asyncio.run(active(first))
    assert len(asyncio.run(active(third))[0]) == 3  # type: ignore[arg-type]
    # Once more changes nothing.
    assert moved(on_file(first), uri).was_done


async def chat_on(settings: Settings) -> None:
    """A decision that is in the live store's journal only."""
    store = MemoryStore(FileLog(settings.live_path), CLOCK, Random(1))
    await store.adopt((), whole=True)
    value = person(77, 1)
    await store.commit(Commit(puts=(value,), facts=(PersonChanged(value, NOW),)))
    await store.aclose()


def test_changes_that_only_the_live_store_knew_go_along(tmp_path: Path) -> None:
    first, second = tmp_path / "passerby.db", tmp_path / "second.db"
    asyncio.run(fill(first))
    asyncio.run(chat_on(on_file(first)))
    assert moved(on_file(first), second).contents.tables["users"].rows == 14


@pytest.mark.long
@pytest.mark.services
def test_changes_that_only_redis_knew_go_along_to_a_file(tmp_path: Path, uri: str) -> None:
    async def chat_on_redis(url: str) -> None:
        await init_schema(uri)
        opened_store = await open_redis(url, CLOCK, Random(1), name="moving")
        await opened_store.store.adopt((), whole=True)
        value = person(77, 1)
        await opened_store.store.commit(Commit(puts=(value,), facts=(PersonChanged(value, NOW),)))
        await opened_store.store.aclose()

    with start_valkey("--appendonly", "yes", "--appendfsync", "always") as valkey:
        settings = Settings(postgres_uri=uri, redis_url=valkey.url, redis_name="moving", run_dir=tmp_path / "run")
        asyncio.run(chat_on_redis(valkey.url))
        assert moved(settings, tmp_path / "second.db").contents.tables["users"].rows == 1


def test_nothing_moves_while_a_process_runs(tmp_path: Path) -> None:
    first, second = tmp_path / "passerby.db", tmp_path / "second.db"
    asyncio.run(fill(first))
    log = FileLog(on_file(first).live_path)
    with pytest.raises(FleetRuns):
        moved(on_file(first), second)
    log.close()
    assert not second.exists()


def test_a_database_with_other_people_is_never_touched(tmp_path: Path) -> None:
    first, second = tmp_path / "passerby.db", tmp_path / "second.db"
    asyncio.run(fill(first))
    asyncio.run(fill(second))

    async def add() -> None:
        records = SqlRecords.at(second)
        await records.apply("h", [(1, changed(person(99, 1)))])
        await records.aclose()

    asyncio.run(add())
    with pytest.raises(MoveFailed, match="not empty"):
        moved(on_file(first), second)
    with pytest.raises(MoveFailed, match="already"):
        moved(on_file(first), first)


@pytest.mark.parametrize("names", in_full([[], ["SECRET_KEY", "BACKUP_KEY"]], 1))
def test_the_next_step_names_the_keys_that_would_stay_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str]
) -> None:
    asyncio.run(fill(tmp_path / "old.db"))
    for end in ("key", "backup-key") if names else ():
        (tmp_path / f"old.{end}").write_text("x")
    assert run_move(on_file(tmp_path / "old.db"), str(tmp_path / "second.db")) == 0
    told = capsys.readouterr().out
    assert [name for name in ("SECRET_KEY", "BACKUP_KEY") if f"Set {name} to the content of old." in told] == names


def test_the_same_file_by_another_path_is_not_another_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the live store beside it would look like another installation's, which may be removed."""
    monkeypatch.chdir(tmp_path)
    asyncio.run(fill(Path("passerby.db")))
    asyncio.run(chat_on(on_file(Path("passerby.db"))))
    (tmp_path / "link.db").symlink_to("passerby.db")
    for path in ("passerby.db", "./passerby.db", tmp_path / "passerby.db", "link.db"):
        with pytest.raises(MoveFailed, match="already"):
            moved(on_file(Path("passerby.db")), path)


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("", "--to is empty"),
        ("nowhere/x.db", "--to: the directory .*nowhere does not exist"),
        ("postgres//host", "--to: the directory .*postgres does not exist"),
        ("mysql://me:secret@host/db", "--to: this is not the address of a PostgreSQL database"),
        ("sqlite:///x.db", "--to: this is not the address of a PostgreSQL database"),
        ("postgresql://me:secret@127.0.0.1:1/db", "--to: the database does not answer"),
    ],
)
def test_a_wrong_place_to_move_to_is_named_and_nothing_is_made_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    asyncio.run(fill(tmp_path / "passerby.db"))
    with pytest.raises(MoveFailed, match=told) as failed:
        moved(on_file(tmp_path / "passerby.db"), to)
    assert "secret" not in str(failed.value)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(("passerby.", "run"))] == []


@pytest.mark.services
@pytest.mark.parametrize("to", in_full(["server", "file"], 1))
def test_a_kill_in_the_middle_leaves_nothing_and_the_next_run_moves_everything(
    tmp_path: Path, uri: str, to: str
) -> None:
    first = tmp_path / "passerby.db"
    target: str | Path = uri if to == "server" else tmp_path / "second.db"
    asyncio.run(fill(first))
    program = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from passerby.bootstrap.clock import SystemClock\n"
        "from passerby.ops.move.moving import move\n"
        "from passerby.settings import Settings\n"
        "die = lambda table, rows: table == 'users' and os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(move(Settings(sqlite_db_path=Path(sys.argv[1])), sys.argv[2], SystemClock(), die))\n"
    )
    killed = warm.run([sys.executable, "-c", program, str(first), str(target)], timeout=100)
    assert killed.returncode == -9
    done = moved(on_file(first), target)
    assert not done.was_done
    assert asyncio.run(active(target)) == asyncio.run(active(first))


@pytest.mark.long
@pytest.mark.services
@pytest.mark.timeout(600)
def test_a_hundred_thousand_people_move_within_a_minute(tmp_path: Path, uri: str) -> None:
    """With 300,000 chats. The bound is for a machine that does nothing else; this test prints wall and CPU time."""
    people = size(2_000, 100_000)
    first = tmp_path / "passerby.db"
    asyncio.run(fill(first))

    async def multiply() -> None:
        engine = connect(database_url(first), poolclass=NullPool)
        async with engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                names = [column.name for column in users.columns if column.name != "id"]
                columns = ", ".join(names)
                await connection.exec_driver_sql(
                    "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                    f" INSERT INTO users (id, {columns}) SELECT i, {columns} FROM n, users WHERE id = 10",
                    (1000 + people,),
                )
                await connection.exec_driver_sql(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                    " INSERT INTO chats (id, user1, user2, bot1, bot2, active, opened_at)"
                    " SELECT 'c' || i, 1000, 1001, 1, 1, 0, i FROM n",
                    (3 * people,),
                )
        await engine.dispose()

    asyncio.run(multiply())
    began_at, cpu_at = time.monotonic(), time.process_time()
    done = moved(on_file(first), uri)
    took_s, cpu_s = time.monotonic() - began_at, time.process_time() - cpu_at
    print(f"{done.contents.rows} rows to PostgreSQL in {took_s:.1f} s, {cpu_s:.1f} s of CPU")
    began_at, cpu_at = time.monotonic(), time.process_time()
    moved(on_postgres(uri, tmp_path), tmp_path / "back.db")
    print(f"and back in {time.monotonic() - began_at:.1f} s, {time.process_time() - cpu_at:.1f} s of CPU")
    assert done.contents.tables["users"].rows > people


def test_a_move_onto_a_full_disk_removes_what_it_has_made(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "passerby.db"))
    (tmp_path / "empty.db").touch(mode=0o640)
    before = {each.name for each in tmp_path.iterdir()}

    def full(table: str, rows: int) -> None:
        if table == "users":
            raise sa.exc.OperationalError("INSERT", None, _full())

    for name in ("second.db", "empty.db"):
        with pytest.raises(MoveFailed, match="full"):
            asyncio.run(move(on_file(tmp_path / "passerby.db"), str(tmp_path / name), CLOCK, full))
    left = {each.name for each in tmp_path.iterdir() if not each.name.startswith("passerby.")}
    assert left == {each for each in before if not each.startswith("passerby.")}
    found = (tmp_path / "empty.db").stat()
    assert (found.st_size, stat.S_IMODE(found.st_mode)) == (0, 0o640)
    moved(on_file(tmp_path / "passerby.db"), tmp_path / "second.db")
    moved(on_file(tmp_path / "passerby.db"), tmp_path / "empty.db")


def _full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def test_only_this_user_may_read_a_file_that_was_there_and_empty(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "passerby.db"))
    (tmp_path / "second.db").touch(mode=0o644)
    moved(on_file(tmp_path / "passerby.db"), tmp_path / "second.db")
    files = [each for each in tmp_path.iterdir() if each.name.startswith("second.")]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_a_hard_link_is_no_other_database(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "passerby.db"))
    (tmp_path / "linked.db").hardlink_to(tmp_path / "passerby.db")
    with pytest.raises(MoveFailed, match="this is the database that the settings name already"):
        moved(on_file(tmp_path / "passerby.db"), tmp_path / "linked.db")
    (tmp_path / "first.db").touch()
    (tmp_path / "other.db").hardlink_to(tmp_path / "first.db")
    (tmp_path / "linked.db").unlink()
    with pytest.raises(MoveFailed, match=r"other\.db has 2 names"):
        moved(on_file(tmp_path / "passerby.db"), tmp_path / "other.db")


@pytest.mark.long
@pytest.mark.services
def test_the_same_server_by_another_name_is_not_another_database(tmp_path: Path, uri: str) -> None:
    asyncio.run(fill(Path(tmp_path / "passerby.db")))
    moved(on_file(tmp_path / "passerby.db"), uri)
    url = make_url(uri)
    other = url.set(query={**url.query, "target_session_attrs": "any"}).render_as_string(hide_password=False)
    assert other != uri
    with pytest.raises(MoveFailed, match="this is the database that the settings name already"):
        moved(on_postgres(uri, tmp_path), other)
