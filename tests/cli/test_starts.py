"""Every start succeeds or ends with one sentence, whatever is wrong with its files and servers."""

import fcntl
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from redis import Redis

from passerby.adapters.looking.process import is_installed
from passerby.adapters.memory import FileLog, take_for
from tests import warm
from tests.cli.command import PASSERBY, TOKEN, environment, passerby, running, said
from tests.contract.records_places import SqlPlace
from tests.contract.servers import start_postgres, start_valkey
from tests.size import in_full

NOWHERE = "http://127.0.0.1:1"
ENDS_S = 120
EMPTY = "CREATE TABLE alembic_version (version_num VARCHAR(32)); CREATE TABLE users (id INTEGER)"


def told(directory: Path, *command: str, **given: str) -> str:
    """The one sentence with which a start ended."""
    done = passerby(directory, *(command or ("run",)), BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE, **given)
    assert done.returncode == 2, done.stderr
    return one_sentence(done.stderr)


def one_sentence(words: str) -> str:
    lines = words.strip().splitlines()
    assert "crashed" not in words
    assert "Traceback" not in words
    assert lines, "it said nothing"
    return lines[-1]


def _tables(path: Path, statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statements)


def _no_version(directory: Path) -> None:
    _tables(directory / "passerby.db", EMPTY)


def _newer(directory: Path) -> None:
    _tables(directory / "passerby.db", EMPTY + "; INSERT INTO alembic_version VALUES ('9999')")


def _not_one(directory: Path) -> None:
    (directory / "passerby.db").write_text("milk, bread and whatever else is needed")


def _two_names(directory: Path) -> None:
    (directory / "passerby.db").touch()
    (directory / "other.db").hardlink_to(directory / "passerby.db")


def _live_is_a_directory(directory: Path) -> None:
    (directory / "passerby.live").mkdir()


def _live_is_a_pipe(directory: Path) -> None:
    os.mkfifo(directory / "passerby.live")


def _key_is_a_directory(directory: Path) -> None:
    (directory / "passerby.key").mkdir()


def _newer_live(directory: Path) -> None:
    FileLog(directory / "passerby.live", release=9999).close()


@pytest.mark.parametrize(
    ("made", "setting", "words"),
    in_full(
        [
            (_no_version, "SQLITE_DB_PATH", "does not say which release made them; restore a backup"),
            (_newer, "SQLITE_DB_PATH", "a newer release has changed this database; use that release"),
            (_not_one, "SQLITE_DB_PATH", "is not an SQLite database; name another file"),
            (_newer_live, "SQLITE_DB_PATH", "a newer release of Passerby has used passerby.live; start that release"),
            (_two_names, "SQLITE_DB_PATH", "passerby.db has 2 names (hard links)"),
            (_live_is_a_directory, "SQLITE_DB_PATH", "passerby.live cannot be opened"),
            (_live_is_a_pipe, "SQLITE_DB_PATH", "passerby.live cannot be opened (not a regular file); remove it"),
            (_key_is_a_directory, "SECRET_KEY", "passerby.key is a directory; remove it"),
        ],
        2,
    ),
)
def test_an_unusable_file_is_named_with_a_remedy(
    tmp_path: Path, made: Callable[[Path], None], setting: str, words: str
) -> None:
    made(tmp_path)
    sentence = told(tmp_path)
    assert sentence.startswith(f"{setting}: ")
    assert words in sentence


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.long  # the start waits for fifteen seconds
def test_a_database_that_another_program_has_locked_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    """A signal ends it at once, without another word."""
    with _locked(tmp_path / "passerby.db"):
        with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as process:
            _until((tmp_path / "passerby.live").exists)
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=ENDS_S)
        assert (process.returncode, output) == (0, "")
        sentence = told(tmp_path)
    assert sentence == (
        "SQLITE_DB_PATH: passerby.db cannot be used now: another program has the database file locked; "
        "end the other program, or make room, and start again"
    )


def _until(done: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + ENDS_S
    while not done():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


@pytest.mark.long
@pytest.mark.parametrize("room", [0, 40_000])
def test_a_disk_without_room_ends_the_start_with_a_sentence(tmp_path: Path, room: int) -> None:
    """First there is no room for the key, then there is none for the tables."""
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    done = subprocess.run(
        [*PASSERBY, "run"],
        cwd=tmp_path,
        env=environment(BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE),
        capture_output=True,
        text=True,
        timeout=ENDS_S,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, most)),
    )
    assert done.returncode == 2, done.stderr
    sentence = one_sentence(done.stderr)
    assert sentence.startswith(("SECRET_KEY: ", "SQLITE_DB_PATH: "))
    assert "make room" in sentence


def test_a_database_beside_one_with_the_same_beginning_does_not_use_its_live_store(tmp_path: Path) -> None:
    ours = tmp_path / "x.db"
    _tables(ours, "CREATE TABLE t (x)")
    log = FileLog(tmp_path / "x.live")
    take_for(log, ours)
    log.close()
    sentence = told(tmp_path, SQLITE_DB_PATH=str(tmp_path / "x.sqlite"))
    assert sentence.startswith("SQLITE_DB_PATH: x.live belongs to x.db, which is in the same directory; give")


def test_a_start_says_that_another_process_has_the_live_store(tmp_path: Path) -> None:
    lock = os.open(tmp_path / "passerby.live.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert told(tmp_path).startswith("SQLITE_DB_PATH: another Passerby uses passerby.live now; stop it")
    finally:
        os.close(lock)


@contextmanager
def _silent() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.long
def test_servers_that_never_answer_end_the_start_with_a_sentence(tmp_path: Path) -> None:
    """All at the same time, because each waits for some seconds."""
    with _silent() as silent, start_valkey() as valkey:
        postgres = f"postgresql://me:secret@{silent}/passerby"
        redis = f"redis://{silent}"
        commands = {
            "REDIS_URL": (("worker", "--name", "one"), {"REDIS_URL": redis, "POSTGRES_URI": postgres}),
            "POSTGRES_URI": (("worker", "--name", "two"), {"REDIS_URL": valkey.url, "POSTGRES_URI": postgres}),
            "schema": (("init-schema",), {"POSTGRES_URI": postgres}),
        }
        started = {
            what: warm.start(
                [*PASSERBY, *command],
                cwd=tmp_path,
                env=environment(
                    BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE, RUN_DIR=str(tmp_path), START_TIMEOUT_S="2", **given
                ),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for what, (command, given) in commands.items()
        }
        try:
            with running(
                tmp_path, *PASSERBY, "worker", BOT_TOKENS=TOKEN, REDIS_URL=redis, POSTGRES_URI=postgres
            ) as one:
                assert "REDIS_URL does not answer yet" in said(one, "store.awaited")
                one.send_signal(signal.SIGTERM)
                assert one.wait(ENDS_S) == 0
            for what, process in started.items():
                _, words = process.communicate(timeout=2 * ENDS_S)
                assert process.returncode == 2, words
                sentence = one_sentence(words)
                assert sentence.startswith("REDIS_URL: " if what == "REDIS_URL" else "POSTGRES_URI: ")
                assert "start it, or correct the address" in sentence
                assert "secret" not in words
        finally:
            for process in started.values():
                process.kill()
                process.wait()


@pytest.mark.long
def test_a_server_that_refuses_us_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    with start_valkey() as valkey, start_postgres() as postgres:
        with Redis.from_url(valkey.url) as redis:
            redis.config_set("requirepass", "right")
        refused = valkey.url.replace("redis://", "redis://:wrong@")
        sentence = told(tmp_path, "worker", REDIS_URL=refused, POSTGRES_URI=postgres.uri)
        assert sentence.startswith("REDIS_URL: Redis rejects the user and password of the URL")
        elsewhere = postgres.uri.replace("/postgres?", "/elsewhere?")
        assert elsewhere != postgres.uri
        sentence = told(tmp_path, "init-schema", POSTGRES_URI=elsewhere)
        assert sentence.startswith("POSTGRES_URI: the server has no database of this name")


@pytest.mark.long  # the short form: tests/adapters/redis/test_releases.py
def test_a_worker_ends_with_a_sentence_when_a_newer_release_begins_to_use_its_redis(tmp_path: Path) -> None:
    """Also one that is started afterwards."""
    with start_valkey() as valkey, start_postgres() as postgres, Redis.from_url(valkey.url) as redis:
        redis.config_set("maxmemory-policy", "noeviction")
        stores = {"REDIS_URL": valkey.url, "POSTGRES_URI": postgres.uri}
        given = {"BOT_TOKENS": TOKEN, "BOT_API_URL": NOWHERE, **stores}
        with running(tmp_path, *PASSERBY, "worker", **given) as process:
            _until(lambda: redis.hexists("{passerby}:store", "adopted"))
            redis.hset("{passerby}:store", mapping={"release": 9999, "generation": "of the newer one"})
            output, _ = process.communicate(timeout=ENDS_S)
        assert process.returncode == 2
        sentence = "REDIS_URL: a newer release of Passerby has used this Redis; start that release instead"
        assert one_sentence(output) == sentence
        assert told(tmp_path, "worker", **stores) == sentence
        assert told(tmp_path, "worker", **stores) == sentence
        assert list(tmp_path.rglob("*.crashes")) == [], "a run after it finds no crash, so no alert counts one"


def test_rows_that_cannot_be_read_stop_no_start_and_the_doctor_names_them(tmp_path: Path) -> None:
    given = {"BOT_TOKENS": TOKEN, "BOT_API_URL": NOWHERE}
    SqlPlace.in_file(tmp_path / "passerby.db")
    _tables(
        tmp_path / "passerby.db",
        "INSERT INTO users (id, version, bots, has_started, age_given_at, language, languages, state, ticket, chat,"
        " partner, chatting_since, last_active_date, created_at) VALUES"
        " (1, 'abc', '[]', 1, 1, 'en', 'xx', 'chatting', NULL, 'c', 2, 1, 1, 1),"
        " (2, 9223372036854775807, '[]', 1, 1, 'en', '[]', 'chatting', NULL, 'c', 1, 1, 1, 1),"
        " (3, 7, '[]', 1, 1, 'en', '[]', 'searching', NULL, NULL, NULL, NULL, 1, 1);"
        "INSERT INTO overrides (number, what, name, bot_id, language, value, by, at) VALUES"
        " (1, 'weather', 'x', 'abc', '', 'x', 0, 1)",
    )
    doctor = passerby(tmp_path, "doctor", **given)
    assert "some cannot be read" in doctor.stdout, doctor.stderr
    assert "users.version of p-" in doctor.stdout
    assert "a check broke" not in doctor.stdout
    with running(tmp_path, *PASSERBY, "run", **given) as process:
        said(process, "users.version")
        said(process, "runtime.ready")
        process.terminate()
        output, _ = process.communicate(timeout=ENDS_S)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert "broken" not in output


@pytest.mark.skipif(is_installed(), reason="passerby[images] is installed")
def test_pictures_cannot_be_looked_at_without_the_model(tmp_path: Path) -> None:
    words = told(tmp_path, PICTURES_LOOKED_AT="true")
    assert "PICTURES_LOOKED_AT" in words
    assert "pip install 'passerby[images]'" in words
