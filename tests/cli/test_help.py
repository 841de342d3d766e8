"""The help, as somebody reads it who has never seen the commands."""

import re

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from passerby.cli.app import app

WIDTH = 100
GROUPS = sorted(
    name
    for name, each in get_command(app).commands.items()
    if isinstance(each, TyperGroup)  # type: ignore[attr-defined]
)


def shown(*words: str) -> str:
    return CliRunner().invoke(app, [*words, "--help"], terminal_width=WIDTH).output


@pytest.mark.parametrize("group", ["", *GROUPS])
def test_the_help_of_a_command_fits_into_one_line_of_the_list(group: str) -> None:
    lines = shown(*group.split()).partition("Commands:")[2].splitlines()
    assert [line for line in lines if line.endswith("...")] == []


@pytest.mark.parametrize("group", ["backup", "promo", "staff", "audit", "bots", "approvals", "cases"])
def test_the_help_of_a_group_names_its_commands_by_their_names(group: str) -> None:
    """So nobody types `promo make`."""
    command = get_command(app).commands[group]  # type: ignore[attr-defined]
    words = set(re.findall(r"[a-z]+", str(command.help).lower()))
    assert [name for name in command.commands if name not in words | {"role"}] == []


def test_no_metavar_offers_words_that_are_not_taken() -> None:
    told = shown("people", "sanction")
    assert "harassment" in told
    assert "rude" not in told
