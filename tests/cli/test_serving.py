"""The effect of signals on a process that serves."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.cli.command import PASSERBY, TOKEN, WAIT_S, passerby, running, said
from tests.size import in_full

# A program that stops slowly.
SLOW_TO_STOP = """
from passerby.cli.serving import run_until_signal

async def main(stop):
    print("started", flush=True)
    await stop.wait()
    print("stopping", flush=True)
    await type(stop)().wait()

run_until_signal(main)
"""

# A program in which a disk or a library hangs.
HANGS = """
import time
from passerby.cli.serving import run_until_signal

async def main(stop):
    print("started", flush=True)
    await stop.wait()
    time.sleep(600)

run_until_signal(main, 0.1)
"""

FAILS = """
from passerby.cli.serving import run_until_signal

async def main(stop):
    raise KeyError("canary")

try:
    run_until_signal(main)
except KeyError:
    print("passed on")
"""

NOWHERE = "http://127.0.0.1:1"
"""Nothing listens there, as if Telegram were down."""


@pytest.mark.parametrize("number", in_full([signal.SIGTERM, signal.SIGINT], 1))
def test_a_signal_stops_the_fleet_with_code_0_even_if_telegram_is_away(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as process:
        said(process, "runtime.ready")
        process.send_signal(number)
        said(process, "runtime.stopped")
        assert process.wait(WAIT_S) == 0


@pytest.mark.long
def test_two_processes_cannot_share_a_database_file(tmp_path: Path) -> None:
    with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as first:
        said(first, "runtime.ready")
        with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE) as second:
            output, _ = second.communicate(timeout=WAIT_S)
        assert second.returncode == 2
        assert output.startswith("SQLITE_DB_PATH: another Passerby uses")
        assert output.count("\n") == 1
        assert first.poll() is None


@pytest.mark.long
def test_a_process_that_hangs_at_its_end_is_cut_off_with_code_1(tmp_path: Path) -> None:
    with running(tmp_path, sys.executable, "-c", HANGS) as process:
        said(process, "started")
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 1


def test_no_line_of_a_whole_run_shows_the_token(tmp_path: Path) -> None:
    with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE, LOG_LEVEL="debug") as process:
        heard = said(process, "runtime.ready")
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=WAIT_S)
    assert TOKEN.partition(":")[2] not in heard + rest


@pytest.mark.parametrize(("second", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_the_process_at_once(tmp_path: Path, second: signal.Signals, code: int) -> None:
    with running(tmp_path, sys.executable, "-c", SLOW_TO_STOP) as process:
        said(process, "started")
        os.kill(process.pid, signal.SIGTERM)
        said(process, "stopping")
        os.kill(process.pid, second)
        assert process.wait(WAIT_S) == code


def test_a_failure_is_passed_on(tmp_path: Path) -> None:
    with running(tmp_path, sys.executable, "-c", FAILS) as process:
        said(process, "passed on")


@pytest.mark.parametrize("name", in_full(["../../elsewhere", "two words", "a/b", "", "..", "x" * 300], 2))
def test_a_process_name_that_cannot_be_a_file_name_is_refused(tmp_path: Path, name: str) -> None:
    directory = tmp_path / "one" / "two"
    directory.mkdir(parents=True)
    told = passerby(directory, "run", "--name", name, BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE)
    assert told.returncode == 2
    assert told.stderr.startswith("--name: ")
    assert told.stderr.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["one"]


@pytest.mark.long
def test_a_damaged_database_is_reported_in_one_line(tmp_path: Path) -> None:
    assert passerby(tmp_path, "init-schema").returncode == 0
    with (tmp_path / "passerby.db").open("r+b") as file:
        file.seek(8192)
        file.write(b"\x5a" * 60_000)
    told = passerby(tmp_path, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE)
    assert told.returncode == 2, told.stderr
    assert "SQLITE_DB_PATH: the database file is damaged; " in told.stderr
    assert "crashed" not in told.stderr
    seen = passerby(tmp_path, "doctor", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE)
    assert "the database file is damaged" in seen.stdout


@pytest.mark.long
def test_a_lost_key_file_ends_the_start_unless_the_operator_says_that_it_is_lost(tmp_path: Path) -> None:
    def runs(**settings: str) -> None:
        with running(tmp_path, *PASSERBY, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE, **settings) as process:
            said(process, "runtime.ready")
            process.send_signal(signal.SIGTERM)
            assert process.wait(WAIT_S) == 0

    runs()
    (tmp_path / "passerby.key").unlink()
    told = passerby(tmp_path, "run", BOT_TOKENS=TOKEN, BOT_API_URL=NOWHERE)
    assert told.returncode == 2, told.stderr
    assert "SECRET_KEY: is not set, and passerby.key is gone" in told.stderr
    assert not (tmp_path / "passerby.key").exists()
    runs(SECRET_KEY_PREVIOUS="lost")
