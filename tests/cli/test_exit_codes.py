"""A wrong argument ends with exit code 2 and one sentence; a fault of the installation ends with 1."""

from pathlib import Path

import pytest
from typer.exceptions import TyperException
from typer.testing import CliRunner

from passerby.cli.app import app
from passerby.cli.arguments import sentence
from tests.cli.command import TOKEN, passerby

SENTENCE = 300


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("people", "show", "WRONG-CODE"), id="an unknown support code"),
        pytest.param(("bots", "drain", "x"), id="a number that is none"),
        pytest.param(("staff", "revoke", "7"), id="nobody with this number", marks=pytest.mark.long),
        pytest.param(("money", "show", "WRONGCODE2"), id="an unknown purchase", marks=pytest.mark.long),
        pytest.param(("approvals", "decline", "7"), id="an unknown approval", marks=pytest.mark.long),
        pytest.param(("cases", "hold", "7"), id="an unknown case", marks=pytest.mark.long),
        pytest.param(("broadcast", "show", "7", "--json"), id="an unknown broadcast", marks=pytest.mark.long),
        pytest.param(("promo", "revoke", "NONE"), id="an unknown promo code", marks=pytest.mark.long),
        pytest.param(("panel", "invite", "--member", "7"), id="a link for nobody", marks=pytest.mark.long),
        pytest.param(("backup", "verify", "nothing"), id="an unknown backup", marks=pytest.mark.long),
        pytest.param(("backup", "verify"), id="no backup at all", marks=pytest.mark.long),
        pytest.param(("move", "--to", "nowhere/at/all.db"), id="no such directory", marks=pytest.mark.long),
        pytest.param(("import", "nothing.csv"), id="no such file", marks=pytest.mark.long),
        pytest.param(("import", "strange.csv"), id="no column that is known", marks=pytest.mark.long),
    ],
)
def test_a_wrong_argument_is_told_in_one_sentence_with_exit_code_2(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "passerby.db").touch()
    (tmp_path / "strange.csv").write_text("colour,size\nred,5\n")
    told = {"BOT_TOKENS": TOKEN, "BACKUP_DIR": str(tmp_path), "PANEL_URL": "https://panel.example.org"}
    done = passerby(tmp_path, *command, **told)
    assert done.returncode == 2, done.stderr
    assert 0 < len(done.stderr) < SENTENCE
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["x", "2026-02-30", "01.02.2026", ""])
@pytest.mark.parametrize("command", ["report transparency", "money report", "funnel", "promo create --days 3"])
def test_a_day_that_is_none_is_refused_with_an_example(command: str, words: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--from", words, "--to", "2026-01-02"])
    assert (result.exit_code, "is not a day. Write it like 2026-12-31" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("nothing", "passerby: there is no command 'nothing'; see passerby --help"),
        ("cases hold", "passerby cases hold: number is missing; see passerby cases hold --help"),
        ("cases hold x", "passerby cases hold: number must be a whole number; see passerby cases hold --help"),
        ("cases hold 0", "passerby cases hold: number must be at least 1; see passerby cases hold --help"),
        (
            "cases hold 1 2",
            "passerby cases hold: there are more arguments than it takes; see passerby cases hold --help",
        ),
        ("cases hold 1 --note", "passerby: --note needs a value; see passerby --help"),
        ("logs --nothing", "passerby logs: there is no option --nothing; see passerby logs --help"),
        ("promo create", "passerby promo create: say either --days or --percent; see passerby promo create --help"),
        (
            "promo create --days x",
            "passerby promo create: --days must be a whole number; see passerby promo create --help",
        ),
        (
            "webhook nothing",
            "passerby webhook: action: 'nothing' is not one of 'set', 'delete', 'info'; see passerby webhook --help",
        ),
    ],
)
def test_a_wrong_argument_is_explained_in_one_sentence(command: str, told: str) -> None:
    with pytest.raises(TyperException) as raised:
        app(command.split(), prog_name="passerby", standalone_mode=False)
    assert sentence(raised.value) == told


@pytest.mark.parametrize("command", ["links", "funnel", "promo list"])
def test_two_formats_at_once_are_refused(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--json", "--csv"])
    assert (result.exit_code, "--json and --csv exclude each other" in result.output) == (2, True)
