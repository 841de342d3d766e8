"""Finds every command, and calls one in this process as the shell would. So a new command joins by itself."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from passerby import cli
from passerby.cli.app import app
from tests.cli.command import environment


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def every_command() -> dict[str, Any]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return dict(_within(group, ""))


def _within(group: TyperGroup, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _within(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def arguments(command: Any, known: dict[str, str]) -> list[str]:
    """A value for each argument that must be given: the one that is `known`, or one that its kind allows."""
    context = typer.Context(command, info_name="x", terminal_width=200)
    found = []
    for each in command.params:
        if each.required:
            value = known.get(each.name) or _allowed(each.get_help_record(context)[0])
            found += [each.opts[0], value] if each.param_type_name == "option" else [value]
    return found


def _allowed(shown: str) -> str:
    kind = re.search(r"<(.*)>", shown)
    if kind is None:
        return "2026-01-02" if "--to" in shown else "2026-01-01" if "YYYY" in shown else "x"
    return kind[1].partition("|")[0] if "|" in kind[1] else "1" if "int" in kind[1] else "ABCD2345"


def call(
    words: list[str], directory: Path, given: dict[str, str], capsys: pytest.CaptureFixture[str], patch: Any
) -> Ended:
    """As from a shell in this directory, with these settings."""
    with patch.context() as here:
        here.chdir(directory)
        for name in set(os.environ) - set(environment()):
            here.delenv(name)
        for name, value in given.items():
            here.setenv(name, value)
        here.setattr(sys, "argv", ["passerby", *words])
        capsys.readouterr()
        code = cli._run()
    said = capsys.readouterr()
    return Ended(code, said.out, said.err)
