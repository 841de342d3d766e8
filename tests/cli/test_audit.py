"""`passerby audit` on a database that somebody has changed by hand."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.every_command import call
from tests.size import in_full

DROPS = "DROP TRIGGER audit_append_only_update; DROP TRIGGER audit_append_only_delete;"
BACK = (
    "CREATE TRIGGER audit_append_only_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'x'); END;"
    "CREATE TRIGGER audit_append_only_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'x'); END;"
)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """A database whose audit has four rows."""

    def passerby(*words: str) -> object:
        return call(list(words), tmp_path, {}, capsys, monkeypatch)

    for _ in range(4):
        assert call(["broadcast", "new"], tmp_path, {}, capsys, monkeypatch).code == 0
    return passerby


def _change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.executescript(statement)


@pytest.mark.parametrize(
    ("change", "told"),
    in_full(
        [
            (
                "UPDATE audit SET subject = '#9' WHERE number = 3",
                "row 3 was changed later, or the row before it was; rows",
            ),
            ("DELETE FROM audit WHERE number = 2", "row 2 is missing, or was moved: row 3 follows row 1; row 1 is as"),
            (
                (
                    "UPDATE audit SET number = 99 WHERE number = 1; UPDATE audit SET number = 1 WHERE number = 2;"
                    "UPDATE audit SET number = 2 WHERE number = 99"
                ),
                "row 1 was changed later, or the row before it was; no row is surely as written",
            ),
        ],
        1,
    ),
    ids=["changed", "removed", "reordered"],
)
@pytest.mark.parametrize("after", ["", BACK], ids=["triggers dropped", "triggers put back"])
def test_the_first_row_that_does_not_fit_is_named_with_its_meaning(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]], change: str, told: str, after: str
) -> None:
    _change(tmp_path / "passerby.db", DROPS, change, after)
    code, out, err = run("audit", "verify")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(told)


def test_a_dropped_trigger_is_told_although_all_rows_fit(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    assert run("audit", "verify")[0] == 0
    _change(tmp_path / "passerby.db", DROPS)
    code, out, err = run("audit", "verify")
    assert (code, out) == (2, "")
    assert err.startswith("SQLITE_DB_PATH: the trigger audit_append_only_delete is missing, so somebody has changed")


def test_the_command_line_is_called_by_its_name(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = run("audit", "list")
    assert (code, out.count("command line"), "#0" in out) == (0, 4, False)
