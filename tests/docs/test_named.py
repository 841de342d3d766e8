"""Everything that the pages tell people to type exists: commands, options, make targets, modules, settings, metrics."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

import passerby
from passerby.cli.app import app
from passerby.settings import Settings
from passerby.telemetry import metrics

ROOT = Path(passerby.__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

IN_CODE = re.compile(r"^```\w*\n(.*?)^```$|`([^`\n]+)`|^ {4}([^\s-][^\n]*)$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?<![\w./-])(?<!--owner )(?:\.venv/bin/)?passerby ([a-z][a-z-]*)([^\n;&|)]*)")
OPTION = re.compile(r"(?<!\S)--?[a-z][a-z-]*")

OTHERS = {"REQUIRE_SERVICES", "TEST_SEED", "TEST_SIZE", "TEST_UNTIL"}
"""Names in capitals that are not settings of Passerby."""
DATABASE = "passerby_restored"


def code(page: Path) -> list[str]:
    """Everything on a page that is set as code."""
    found = IN_CODE.finditer(page.read_text("utf-8"))
    return [next(group for group in match.groups() if group is not None) for match in found]


@cache
def commands() -> dict[str, set[str]]:
    """The options of each command."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return {name: options(command) for name, command in group.commands.items()}


def options(command: Any) -> set[str]:
    """The options of a command, or of all commands of a group together."""
    inner = command.commands.values() if isinstance(command, TyperGroup) else ()
    return {name for each in command.params for name in each.opts}.union(*map(options, inner))


def _id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_command_and_option_that_a_page_shows_exists(page: Path) -> None:
    wrong = []
    for text in code(page):
        for match in COMMAND.finditer(text.replace("\\\n", " ")):
            name, rest = match.groups()
            known = commands().get(name)
            if known is None or (name != "sandbox" and set(OPTION.findall(rest)) - known - {"--help"}):
                wrong.append(match[0])
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_make_target_and_module_that_a_page_shows_exists(page: Path) -> None:
    text = "\n".join(code(page))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|\s)make ([a-z-]+)", text, re.MULTILINE)) - targets == set()
    modules = set(re.findall(r"python -m ((?:benchmarks|tests|botapi_sandbox|passerby)[\w.]*)", text))
    assert [module for module in modules if not _is_module(module)] == []


def _is_module(name: str) -> bool:
    path = Path(*name.split("."))
    return any(
        (root / path).with_suffix(".py").exists() or (root / path / "__main__.py").exists()
        for root in (ROOT, ROOT / "src")
    )


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_setting_that_a_page_shows_exists(page: Path) -> None:
    names = {name.upper() for name in Settings.model_fields}
    shown = {name for text in code(page) for name in re.findall(r"(?<![\w$<{])[A-Z]+(?:_[A-Z]+)+\b", text)}
    assert shown - names - OTHERS == set()


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_metric_that_a_page_shows_exists(page: Path) -> None:
    names = {f"{each.name}{end}" for each in metrics.INSTRUMENTS for end in ("", "_total", "_sum", "_count", "_bucket")}
    shown = {name for text in code(page) for name in re.findall(r"\bpasserby_[a-z_]+", text)}
    assert shown - names - {DATABASE} == set()
