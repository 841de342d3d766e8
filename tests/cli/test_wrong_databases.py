"""Whatever the settings name as the database: every command that needs it says in one sentence why it cannot be."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import init_schema
from passerby.adapters.sql.engine import connect, database_url
from tests.cli.command import TOKEN
from tests.cli.every_command import Ended, arguments, call, every_command
from tests.contract.records_places import PostgresServer
from tests.contract.servers import postgres_uri
from tests.size import in_full

WITHOUT = {
    *("version", "settings", "logs", "stop", "reload", "monit", "status", "webhook", "links"),
    *("bots add", "backup list", "drill failover", "demo", "sandbox", "loadtest"),
    "doctor",  # it says the same among its checks, and ends with 1
    *("run", "worker", "web", "cluster"),  # tests of starts try them
}
"""Every other command needs the database."""
MAKERS = {"staff invite", "panel invite", "broadcast new", "promo create", "import", "init-schema"}
"""They make the tables if there are none."""
ANYWAY = {"bots list"}
"""It says what Telegram says, and then what is wrong. Before the first start, nothing is."""
RESTORES = {"backup verify", "backup restore"}
MORE = {"promo create": ["--days", "7"], "backup restore": ["--replace"]}
KNOWN = {"rule": "spam", "source": "people.csv", "to": "other.db", "bot": TOKEN.partition(":")[0]}
NEEDING = sorted(every_command().keys() - WITHOUT)


def foreign(path: Path) -> None:
    _execute(path, "CREATE TABLE albums (name TEXT)")


def foreign_with_alembic(path: Path) -> None:
    _execute(path, "CREATE TABLE alembic_version (version_num TEXT)", "INSERT INTO alembic_version VALUES ('ab12cd34')")
    _execute(path, "CREATE TABLE users (id INTEGER)")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribbled(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + Random(1).randbytes(len(whole) - 4096))


def only_a_head(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + Random(1).randbytes(8_000))


def a_text(path: Path) -> None:
    path.write_text("milk, bread and whatever else is needed")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def missing(path: Path) -> None:
    path.unlink()


def of_a_newer_release(path: Path) -> None:
    _execute(path, "UPDATE alembic_version SET version_num = '9999'")


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/null")


def a_link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere/at/all")


WRONG: list[tuple[Callable[[Path], None], str]] = [
    (foreign, "it is the database of another program; name a file of Passerby's own"),
    (missing, "name the database of the fleet, or make the tables with passerby init-schema"),
    (cut, "is damaged; "),
    (foreign_with_alembic, "it is the database of another program; name a file of Passerby's own"),
    (scribbled, "is damaged; "),
    (only_a_head, "is damaged; "),
    (a_text, "is not an SQLite database; name another file"),
    (empty, "it has no tables yet; name the database of the fleet, or make the tables with passerby init-schema"),
    (of_a_newer_release, "a newer release has changed this database; use that release"),
    (a_directory, "is a directory; "),
    (a_pipe, "is not a regular file; name another file"),
    (a_device, "is not a regular file; name another file"),
    (a_link_to_nowhere, "is a link that leads nowhere; remove it"),
]
DAMAGED = {cut, scribbled, only_a_head, a_text}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "passerby.db"
    asyncio.run(init_schema(path))
    return path


@pytest.mark.parametrize(("wrong", "words"), in_full(WRONG, 1))
def test_a_file_that_cannot_be_the_database_is_told_by_every_command(
    whole: Path,
    tmp_path: Path,
    wrong: Callable[[Path], None],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    makers: set[str] = MAKERS | RESTORES | ANYWAY if wrong in (empty, missing) else set()
    if wrong in DAMAGED or wrong is of_a_newer_release:
        makers |= RESTORES  # they replace it, and need it no more
    if wrong is not empty:
        makers |= {"backup verify"}  # it restores elsewhere
    for name in NEEDING:
        if name in makers:
            continue
        place = tmp_path / name.replace(" ", "-")
        shutil.copytree(whole.parent, place)
        wrong(place / "passerby.db")
        ended, before, after = _run(name, place, {}, capsys, monkeypatch)
        _must_be_a_sentence(name, ended, "SQLITE_DB_PATH: ", words)
        assert after == before, f"{name} has changed or made a file"


def test_a_whole_database_has_everything_that_the_commands_need(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive side: no command that reads complains about a database that is as it should be."""
    for name in [each for each in NEEDING if each.endswith((" list", " report", "transparency"))] + ["slow", "funnel"]:
        place = tmp_path / name.replace(" ", "-")
        shutil.copytree(whole.parent, place)
        ended, _, _ = _run(name, place, {}, capsys, monkeypatch)
        assert ended.code == 0, (name, ended)


@contextmanager
def _unreachable(server: str) -> Iterator[str]:
    yield "postgresql://somebody@127.0.0.1:1/passerby"


@contextmanager
def _wrong_user(server: str) -> Iterator[str]:
    yield make_url(server).set(username="nobody_of_this_name").render_as_string(hide_password=False)


@contextmanager
def _no_such_database(server: str) -> Iterator[str]:
    yield make_url(server).set(database="nothing_of_this_name").render_as_string(hide_password=False)


@contextmanager
def _foreign(server: str) -> Iterator[str]:
    with PostgresServer(server).database() as uri:
        asyncio.run(_on_postgres(uri, "CREATE TABLE albums (name TEXT)"))
        yield uri


@contextmanager
def _without_tables(server: str) -> Iterator[str]:
    with PostgresServer(server).database() as uri:
        yield uri


@contextmanager
def _newer(server: str) -> Iterator[str]:
    with PostgresServer(server).migrated() as uri:
        asyncio.run(_on_postgres(uri, "UPDATE alembic_version SET version_num = '9999'"))
        yield uri


@pytest.mark.services
@pytest.mark.parametrize(
    ("wrong", "words"),
    in_full(
        [
            (_foreign, "it is the database of another program; name one of Passerby's own, or make the tables there"),
            (_no_such_database, "the server has no database of this name; "),
            (_unreachable, "the database does not answer (nothing listens at its address); start it, or correct"),
            (_wrong_user, "the server refuses this user or password; "),
            (_without_tables, "it has no tables yet; name the database of the fleet, or make the tables with"),
            (_newer, "a newer release has changed this database; use that release"),
        ],
        1,
    ),
)
def test_a_database_of_postgresql_that_cannot_be_ours_is_told_by_every_command(
    tmp_path: Path,
    wrong: Callable[[str], AbstractContextManager[str]],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    makers: set[str] = set()
    if wrong in (_without_tables, _newer):
        makers = MAKERS | RESTORES | ANYWAY if wrong is _without_tables else RESTORES
    with postgres_uri() as server, wrong(server) as uri:
        for name in NEEDING:
            if name not in makers:
                place = tmp_path / name.replace(" ", "-")
                place.mkdir()
                ended, before, after = _run(name, place, {"POSTGRES_URI": uri}, capsys, monkeypatch)
                _must_be_a_sentence(name, ended, "POSTGRES_URI: ", words)
                assert after == before, f"{name} has made a file"


def _run(
    name: str,
    place: Path,
    given: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    patch: pytest.MonkeyPatch,
) -> tuple[Ended, dict[str, object], dict[str, object]]:
    """Also what was in the directory before and afterwards."""
    (place / "people.csv").write_text("telegram_id,age\n5,20\n")
    (place / "tokens").write_text(f"{TOKEN}\n123456780:{'y' * 35}\n")
    (place / "backups").mkdir()
    settings = {
        "BOT_TOKENS_FILE": str(place / "tokens"),
        "STAFF_BOT_TOKEN": "987654321:" + "z" * 35,
        "BOT_API_URL": "http://127.0.0.1:1",
        "PANEL_URL": "https://panel.example.org",
        "BACKUP_DIR": str(place / "backups"),
        "RUN_DIR": str(place / "run"),
    }
    words = [*name.split(), *arguments(every_command()[name], KNOWN), *MORE.get(name, [])]
    before = _files(place)
    ended = call(words, place, settings | given, capsys, patch)
    return ended, before, _files(place)


def _must_be_a_sentence(name: str, ended: Ended, setting: str, words: str) -> None:
    assert ended.code == 2, (name, ended)
    if name not in ANYWAY:
        assert ended.out == "", (name, ended)
    assert ended.err.startswith(setting), (name, ended)
    assert words in ended.err, (name, ended)
    assert ended.err.count("\n") == 1, (name, ended)


def _files(place: Path) -> dict[str, object]:
    """The logs that SQLite keeps while a database is open do not count."""
    return {
        each.name: each.read_bytes() if each.is_file() and not each.is_symlink() else None
        for each in place.iterdir()
        if not each.name.endswith(("-wal", "-shm"))
    }


def _execute(path: Path, *statements: str) -> None:
    if statements[0].startswith("CREATE TABLE a"):
        path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


async def _on_postgres(uri: str, statement: str) -> None:
    engine = connect(database_url(uri), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text(statement))
    finally:
        await engine.dispose()
