"""The commands that serve bots are read without Typer, and mean the same as with it."""

import pytest
from typer.testing import CliRunner

from passerby.cli import app as commands
from passerby.cli.process import plain

PLAIN = [
    (["run"], ("all", "passerby")),
    (["worker"], ("worker", "worker")),
    (["web"], ("web", "web")),
    (["run", "--name", "passerby-2"], ("all", "passerby-2")),
    (["worker", "--name=worker@3"], ("worker", "worker@3")),
]


@pytest.mark.parametrize(("arguments", "meant"), PLAIN, ids=" ".join)
def test_the_short_way_means_what_typer_means(
    arguments: list[str], meant: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[str, str]] = []
    monkeypatch.setattr(commands, "begin", lambda role, name: begun.append((role, name)))
    assert plain(arguments) == meant
    assert CliRunner().invoke(commands.app, arguments).exit_code == 0
    assert begun == [meant]


@pytest.mark.parametrize(
    "words",
    [
        *("", "status", "run --help", "run more", "run --name", "run --name -x", "run --name=", "run --name a/b"),
        *("run --nam x", "worker --name x --name y", "--version", "stop"),
    ],
)
def test_everything_else_is_left_to_typer(words: str) -> None:
    assert plain(words.split()) is None
