"""Writes the reference pages, `.env.example` and the script of the newest tables from the code.

tools/reference.py            write the pages that are not current
tools/reference.py --check    write nothing; name the pages that are not current, and exit with 1
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import typer
from content_kinds import content_kinds_page
from delivery_diagram import architecture_page
from exports_page import exports_page
from monitoring import pages as monitoring_pages
from newest_tables import newest_tables
from schema_page import schema_page
from typer.core import TyperGroup
from typer.main import get_command

from passerby.cli.app import app
from passerby.settings import Settings
from passerby.telemetry import metrics
from passerby.telemetry.instruments import INSTRUMENTS, Counter, Histogram, Instrument

ROOT = Path(__file__).resolve().parent.parent

SETTINGS_HEAD = """\
# Settings

Passerby reads its settings from the environment, and from a file `.env` in the working directory. If both have a
value, the environment wins. An empty value means that the setting is not set. `passerby settings` prints the settings
in effect and hides secrets.

If a setting is wrong, the program ends at once with exit code 2. It prints one line: which setting, what is wrong,
and what to write. An unknown name in `.env` is an error too.
"""

COMMANDS_HEAD = """\
# Commands

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | something failed |
| 2 | a setting or an argument is wrong; this includes an argument that names something that does not exist |
| 3 | it waits: a second member of the team must agree, in the staff bot or in the panel |
| 70 | the event loop was stuck (only processes that serve bots) |
| 130 or 143 | a second Ctrl-C or SIGTERM stopped the command early |

If a library holds the interpreter for too long, a process that serves bots ends by SIGPROF.
"""

METRICS_HEAD = """\
# Metrics

Every process has them at `/metrics`, in Prometheus' text format. Counters start at zero with the process.
`passerby status` and `passerby monit` show the most useful ones. Prometheus' usual process metrics are there too
(`process_resident_memory_bytes`, `process_cpu_seconds_total`, `process_open_fds` and others).

No label contains anything about a person, a chat or a text. Each label has a fixed list of values. `bot` is the id of
one of your bots, and `pool` is the name of a pool. Any other value is counted under `other`.
"""

EXAMPLE_HEAD = """\
# Copy this file to .env and fill in what you need. A line that stays a comment keeps its default.
# One setting in each line. docs/reference/settings.md explains more.
"""


def settings_page() -> str:
    parts = [SETTINGS_HEAD]
    for setting in Settings.describe():
        facts = [f"Default: `{setting.default}`." if setting.default else "No default."]
        if setting.limits:
            facts.append(f"Accepts {setting.limits}.")
        parts.append(f"## {setting.name}\n\n{setting.description}\n\n{' '.join(facts)} Example: `{setting.example}`\n")
    return "\n".join(parts)


def env_example() -> str:
    parts = [EXAMPLE_HEAD]
    for setting in Settings.describe():
        limits = f" Accepts {setting.limits}." if setting.limits else ""
        parts.append(f"# {setting.description}{limits}\n#{setting.name}={setting.default or setting.example}\n")
    return "\n".join(parts)


def commands_page() -> str:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    # A fixed width, so that the page does not depend on the terminal.
    context = typer.Context(group, info_name="passerby", terminal_width=200)
    parts = [COMMANDS_HEAD]
    for name, command, parent in _commands(group, context):
        inner = typer.Context(command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=200)
        usage = command.get_usage(inner).removeprefix("Usage: ")
        parts.append(f"## {name}\n\n```\n{usage}\n```\n\n{command.help}\n")
        options = [record for option in command.params if (record := option.get_help_record(inner)) is not None]
        if options:
            parts.append("\n".join(f"- `{option}`: {text}" for option, text in options) + "\n")
    return "\n".join(parts)


def _commands(group: TyperGroup, context: typer.Context) -> Iterator[tuple[str, Any, typer.Context]]:
    """Each command with its whole name and the context of its group. Groups themselves are left out."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, TyperGroup):
            inner = typer.Context(command, info_name=name, parent=context, terminal_width=200)
            yield from ((f"{name} {each}", *rest) for each, *rest in _commands(command, inner))
        else:
            yield name, command, context


def metrics_page() -> str:
    return "\n".join([METRICS_HEAD, *map(_metric, INSTRUMENTS)])


def _metric(instrument: Instrument) -> str:
    name = f"{instrument.name}_total" if isinstance(instrument, Counter) else instrument.name
    parts = [f"## {name}\n", f"{instrument.kind.capitalize()}. {instrument.meaning}\n"]
    for label, values in instrument.labels.items():
        known = not any(values is open_list for open_list in (metrics.BOTS, metrics.POOLS, metrics.STATEMENT_NAMES))
        parts.append(f"- `{label}`: {', '.join(f'`{value}`' for value in values)}" if known else f"- `{label}`")
    if isinstance(instrument, Histogram):
        parts.append(f"- Bucket limits: {', '.join(f'{bound:g}' for bound in instrument.bounds_s)} s.")
    if len(parts) > 2:
        parts.append("")
    return "\n".join(parts)


PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/settings.md": settings_page,
    "docs/reference/commands.md": commands_page,
    "docs/reference/content-kinds.md": content_kinds_page,
    "docs/reference/metrics.md": metrics_page,
    ".env.example": env_example,
    "docs/reference/schema.md": schema_page,
    "docs/reference/exports.md": exports_page,
    "docs/explanation/architecture.md": architecture_page,
    "src/passerby/adapters/sql/migrations/newest.sqlite.sql": newest_tables,
    **{name: partial(str, page) for name, page in monitoring_pages().items()},
}


def main(arguments: list[str]) -> int:
    stale = [
        name for name, page in PAGES.items() if not (ROOT / name).exists() or (ROOT / name).read_text("utf-8") != page()
    ]
    if arguments == ["--check"]:
        for name in stale:
            print(f"{name} is not current: run make docs")
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(PAGES[name](), "utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
