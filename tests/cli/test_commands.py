"""The commands from outside: exit codes and output."""

from pathlib import Path

import pytest

from tests.cli.command import PASSERBY, TOKEN, passerby, running


def test_a_wrong_setting_ends_with_code_2_and_one_line(tmp_path: Path) -> None:
    done = passerby(tmp_path, "run", BOT_TOKENS=f"{TOKEN},{TOKEN[:14]}")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "BOT_TOKENS: token 2 of 2 is malformed; write it as @BotFather gave it: digits, a colon, the rest\n"
    )


def test_a_start_without_a_token_says_what_to_do(tmp_path: Path) -> None:
    done = passerby(tmp_path, "run")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("BOT_TOKENS: no bot is named; write BOT_TOKENS=")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["run", "settings", "init-schema"])
def test_every_command_that_reads_settings_refuses_a_wrong_line_in_the_file(tmp_path: Path, command: str) -> None:
    (tmp_path / ".env").write_text("BOT_TOKENZ=x\n")
    done = passerby(tmp_path, command)
    assert done.returncode == 2
    assert done.stderr == "BOT_TOKENZ: is not a setting (.env, line 1); write BOT_TOKENS\n"


def test_a_file_that_is_not_a_database_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("milk, bread and whatever else is needed")
    done = passerby(tmp_path, "init-schema", SQLITE_DB_PATH="notes.db")
    assert done.returncode == 2
    assert done.stderr.startswith("SQLITE_DB_PATH: ")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "notes.db").read_text().startswith("milk")


def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CHAT_BURST=7\n")
    done = passerby(tmp_path, "settings", BOT_TOKENS=TOKEN, POSTGRES_URI="postgresql://me:hush@host/db")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert "BOT_TOKENS=1 hidden (bots 123456789)" in lines
    assert "POSTGRES_URI=postgresql://host/db" in lines
    assert "CHAT_BURST=7" in lines
    assert "MINIMUM_AGE=18  (default)" in lines
    assert "hush" not in done.stdout
    assert TOKEN.partition(":")[2] not in done.stdout


def test_the_schema_is_made_once_and_checked(tmp_path: Path) -> None:
    before = passerby(tmp_path, "init-schema", "--check")
    assert (before.returncode, list(tmp_path.iterdir())) == (1, []), "a check makes nothing"
    made = passerby(tmp_path, "init-schema")
    assert (made.returncode, made.stdout.startswith("now at ")) == (0, True)
    again = passerby(tmp_path, "init-schema")
    assert (again.returncode, again.stdout.startswith("was up to date")) == (0, True)
    after = passerby(tmp_path, "init-schema", "--check")
    assert (after.returncode, after.stdout.startswith("up to date")) == (0, True)


@pytest.mark.parametrize("arguments", [["walk"], ["run", "--fast"], ["demo", "--port", "0"], []])
def test_an_unknown_command_ends_with_code_2(tmp_path: Path, arguments: list[str]) -> None:
    assert passerby(tmp_path, *arguments).returncode == 2


def test_a_crash_shows_neither_the_text_nor_the_variables(tmp_path: Path) -> None:
    script = "import passerby.settings as s; s.read = lambda: int('canary'); from passerby.cli import main; main()"
    with running(tmp_path, PASSERBY[0], "-c", script, "settings") as process:
        output, _ = process.communicate()
    assert process.returncode == 1
    assert "process.crashed" in output
    assert "ValueError" in output
    assert "canary" not in output


def test_serving_with_files_loads_neither_redis_nor_alembic(tmp_path: Path) -> None:
    script = "import sys, passerby.bootstrap.serving; print(sorted({'redis', 'alembic'} & sys.modules.keys()))"
    with running(tmp_path, PASSERBY[0], "-c", script) as process:
        output, _ = process.communicate()
    assert output.splitlines()[-1] == "[]"


def test_a_command_does_not_load_modules_that_it_does_not_need(tmp_path: Path) -> None:
    heavy = {"sqlalchemy", "passerby.settings.model", "structlog", "uvloop", "passerby.bootstrap.serving"}
    script = (
        "import sys; from passerby.cli.app import app; app(['version'], standalone_mode=False);"
        f"print(sorted({heavy!r} & sys.modules.keys()))"
    )
    with running(tmp_path, PASSERBY[0], "-c", script) as process:
        output, _ = process.communicate()
    assert output.splitlines()[-1] == "[]"
