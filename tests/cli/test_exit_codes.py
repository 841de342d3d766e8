"""A wrong argument ends with exit code 2 and one sentence; a fault of the installation ends with 1."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from passerby.cli.app import app
from tests.cli.command import TOKEN, passerby

SENTENCE = 300


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("people", "show", "WRONG-CODE"), id="an unknown support code"),
        pytest.param(("staff", "revoke", "7"), id="nobody with this number", marks=pytest.mark.long),
        pytest.param(("money", "show", "WRONGCODE2"), id="an unknown purchase", marks=pytest.mark.long),
        pytest.param(("move", "--to", "nowhere/at/all.db"), id="no such directory", marks=pytest.mark.long),
        pytest.param(("import", "nothing.csv"), id="no such file", marks=pytest.mark.long),
        pytest.param(("import", "strange.csv"), id="no column that is known", marks=pytest.mark.long),
    ],
)
def test_a_wrong_argument_is_told_in_one_sentence_with_exit_code_2(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "passerby.db").touch()
    (tmp_path / "strange.csv").write_text("colour,size\nred,5\n")
    done = passerby(tmp_path, *command, BOT_TOKENS=TOKEN)
    assert done.returncode == 2, done.stderr
    assert 0 < len(done.stderr) < SENTENCE
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["x", "2026-02-30", "01.02.2026", ""])
@pytest.mark.parametrize("command", ["report transparency", "money report", "funnel", "promo create --days 3"])
def test_a_day_that_is_none_is_refused_with_an_example(command: str, words: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--from", words, "--to", "2026-01-02"])
    assert (result.exit_code, "is not a day. Write it like 2026-12-31" in result.output) == (2, True)
