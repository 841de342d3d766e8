"""Odd names of files, in every argument and setting that takes a path: one sentence, and exit code 2."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from passerby.cli.telling import about_a_file, one_line
from passerby.settings import Settings
from tests.cli.command import TOKEN, passerby
from tests.cli.every_command import Ended, arguments, call, every_command
from tests.size import in_full

MOST = 400
KNOWN = {"source": "people.csv", "to": "other.db", "data": "data", "report": "report.html", "keep": "kept"}


def a_long_name(place: Path) -> str:
    return "n" * 300 + ".csv"


def a_long_path(place: Path) -> str:
    return "/".join(["directory"] * 600)


def a_link_to_itself(place: Path) -> str:
    (place / "loop.csv").symlink_to("loop.csv")
    return "loop.csv"


def within_a_link_to_itself(place: Path) -> str:
    (place / "loop").symlink_to("loop")
    return "loop/other.csv"


def within_a_file(place: Path) -> str:
    (place / "file").write_text("milk")
    return "file/other.csv"


def two_lines(place: Path) -> str:
    return "nowhere/one\ntwo.csv"


def no_text(place: Path) -> str:
    return os.fsdecode(b"nowhere/\xff\xfe.csv")


def of_nobody(place: Path) -> str:
    return "~nobody-of-this-name/other.csv"


ODD: list[Callable[[Path], str]] = [
    *(a_link_to_itself, a_long_name, within_a_link_to_itself, within_a_file),
    *(a_long_path, two_lines, no_text, of_nobody),
]


def _context(command: Any) -> typer.Context:
    return typer.Context(command, info_name="x")


PATHS = sorted(
    (name, each.name)
    for name, command in every_command().items()
    for each in command.params
    if "<path>" in each.get_help_record(_context(command))[0]
    or each.name in {"source", "backup"}
    or (name, each.name) == ("move", "to")
)
"""Each command, and its argument that is a path."""
LATER = {("loadtest", "keep"), ("loadtest", "report"), ("cases export", "to"), ("demo", "data")}
"""Only used after work that a test of names need not do. The demo makes its directory under nearly every name."""
SETTINGS = sorted(name.upper() for name, field in Settings.model_fields.items() if "Path" in str(field.annotation))


def test_every_argument_that_is_a_path_is_tried() -> None:
    assert {name for name, _ in PATHS} >= {"import", "move", "backup verify", "backup restore", "demo", "loadtest"}
    assert len(SETTINGS) >= 6


@pytest.mark.parametrize("odd", in_full(ODD, 1))
@pytest.mark.parametrize(("name", "argument"), [each for each in PATHS if each not in LATER])
def test_an_odd_name_is_told_in_one_sentence_and_nothing_is_made(
    tmp_path: Path,
    name: str,
    argument: str,
    odd: Callable[[Path], str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"BOT_TOKENS": TOKEN, "BACKUP_DIR": str(tmp_path / "backups")}
    (tmp_path / "backups").mkdir()
    assert call(["init-schema"], tmp_path, given, capsys, monkeypatch).code == 0
    words = [*name.split(), *_with(name, argument, odd(tmp_path))]
    before = _files(tmp_path)
    _must_be_a_sentence(call(words, tmp_path, given, capsys, monkeypatch))
    assert _files(tmp_path) == before


@pytest.mark.parametrize("odd", [a_long_name, a_link_to_itself, within_a_file])
def test_a_demo_says_where_it_cannot_keep_its_data(
    tmp_path: Path,
    odd: Callable[[Path], str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _must_be_a_sentence(call(["demo", "--data", odd(tmp_path)], tmp_path, {}, capsys, monkeypatch))


@pytest.mark.parametrize("odd", in_full(ODD, 1))
@pytest.mark.parametrize("setting", SETTINGS)
def test_an_odd_name_in_a_setting_is_told_in_one_sentence(
    tmp_path: Path,
    setting: str,
    odd: Callable[[Path], str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"BACKUP_DIR": "backups", setting: odd(tmp_path)}
    if setting != "BOT_TOKENS_FILE":
        given["BOT_TOKENS"] = TOKEN
    ended = call(["backup", "run"], tmp_path, given, capsys, monkeypatch)
    _must_be_a_sentence(ended)


def test_odd_names_of_files_that_are_there_are_used(tmp_path: Path) -> None:
    """The positive side: all of this is possible, and the output shows it as well as it can."""
    (tmp_path / "two\nlines.csv").write_text("telegram_id,age\n5,20\n")
    told = {"BOT_TOKENS": TOKEN}
    assert passerby(tmp_path, "import", "two\nlines.csv", **told).returncode == 0
    moved = passerby(tmp_path, "move", "--to", os.fsdecode(b"\xff\xfe.db"), **told)
    assert (moved.returncode, moved.stderr) == (0, "")
    assert "SQLITE_DB_PATH=" in moved.stdout


def test_a_fault_that_is_about_no_file_stays_a_fault() -> None:
    assert about_a_file(ConnectionResetError(104, "Connection reset by peer")) is None
    assert about_a_file(OSError(5, "Input/output error")) is not None
    assert one_line("a\nb" + "c" * 300) == "a?b" + "c" * 39 + "…"


def _with(name: str, argument: str, value: str) -> list[str]:
    """The words after a command, with this value for the one argument."""
    command: Any = every_command()[name]
    words = arguments(command, KNOWN | {argument: value})
    param = next(each for each in command.params if each.name == argument)
    if value not in words:
        words += [param.opts[0], value] if param.param_type_name == "option" else [value]
    return words


def _must_be_a_sentence(ended: Ended) -> None:
    assert (ended.code, ended.out) == (2, ""), ended
    assert 0 < len(ended.err) < MOST
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err


def _files(place: Path) -> set[str]:
    return {each.name for each in place.rglob("*") if not each.name.endswith(("-wal", "-shm", ".lock"))}
