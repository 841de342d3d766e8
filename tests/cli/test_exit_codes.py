"""A wrong argument ends with exit code 2 and one sentence; a fault of the installation ends with 1."""

from pathlib import Path

import pytest

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
