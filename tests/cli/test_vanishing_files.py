"""Somebody deletes the files of a running process."""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from passerby.adapters.memory import FileLog
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.files import open_files
from passerby.settings import Settings
from tests.cli.command import PASSERBY, TOKEN, WAIT_S, running, said

NOWHERE = "http://127.0.0.1:1"


def test_deleted_files_are_written_again_and_a_deleted_database_ends_the_process_with_a_sentence(
    tmp_path: Path,
) -> None:
    with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as process:
        said(process, "runtime.ready")
        key = (tmp_path / "passerby.key").read_text()
        (tmp_path / "passerby.key").unlink()
        assert "passerby.key was deleted while it was in use" in said(process, "files.lost")
        assert (tmp_path / "passerby.key").read_text() == key
        (tmp_path / "passerby.live").unlink()
        assert "passerby.live was deleted, replaced or cut off" in said(process, "files.lost")
        said(process, "files.restored")
        (tmp_path / "passerby.live.lock").unlink()
        said(process, "files.lost")
        assert (tmp_path / "passerby.live.lock").exists()
        for name in ("passerby.db", "passerby.db-wal", "passerby.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        assert said(process, "SQLITE_DB_PATH: ") == (
            "SQLITE_DB_PATH: passerby.db was deleted or replaced while it was in use; "
            "start again: what differs is then repaired\n"
        )
        assert process.wait(WAIT_S) == 2
    log = FileLog(tmp_path / "passerby.live")
    assert list(log.records()), "the new log is whole"
    log.close()


def test_an_emptied_shm_file_ends_the_process_and_the_next_start_goes_on(tmp_path: Path) -> None:
    """SQLite maps this file, so that other processes can read beside a writer. The kernel sends SIGBUS."""
    with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as process:
        said(process, "runtime.ready")
        os.truncate(tmp_path / "passerby.db-shm", 0)
        assert process.wait(WAIT_S) == -signal.SIGBUS
    with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as process:
        said(process, "runtime.ready")
        process.terminate()
        assert process.wait(WAIT_S) == 0


@pytest.mark.long
@pytest.mark.parametrize("size", [0, 4096])
def test_a_database_that_is_cut_off_while_it_is_in_use_does_not_end_the_process(tmp_path: Path, size: int) -> None:
    """It says that the database is damaged, and stops when it is told to. The next start makes an emptied database
    whole, and refuses a damaged one."""
    with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as process:
        said(process, "runtime.ready")
        os.truncate(tmp_path / "passerby.db", size)
        said(process, "the database file is damaged")
        assert process.poll() is None
        process.terminate()
        assert process.wait(WAIT_S) == 0
    with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as process:
        if size:
            assert "the database file is damaged" in said(process, "SQLITE_DB_PATH: ")
            assert process.wait(WAIT_S) == 2
        else:
            said(process, "runtime.ready")


def test_a_start_without_the_files_of_an_earlier_run_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(sqlite_db_path=tmp_path / "passerby.db")

    def start() -> str:
        with open_files(settings, "passerby", Random(1), SystemClock()) as files:
            assert files.log is not None
            files.log.close()
        said = capsys.readouterr()
        return said.out + said.err

    assert "files.lost" not in start(), "nothing was ever here"
    assert "files.lost" not in start()
    (tmp_path / "passerby.live").unlink()
    words = start()
    assert "passerby.db and passerby.live are gone, but passerby.key and passerby.live.lock and" in words
    (tmp_path / "passerby.live").unlink()
    (tmp_path / "passerby.db").touch()
    assert "files.lost" not in start()


@pytest.mark.long
def test_a_signal_ends_a_process_whose_database_is_locked(tmp_path: Path) -> None:
    with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as process:
        said(process, "runtime.ready")
        with closing(sqlite3.connect(tmp_path / "passerby.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            process.terminate()
            said(process, "runtime.stopped")
            assert process.wait(WAIT_S) == 0
