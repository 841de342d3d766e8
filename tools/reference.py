"""Writes the pages that are generated from the code, and `.env.example`.

tools/reference.py            write what is not current
tools/reference.py --check    write nothing; exit 1 and name what is not current
"""

import sys
from collections.abc import Callable
from pathlib import Path

import typer
from content_kinds import content_kinds_page
from schema_page import schema_page
from typer.core import TyperGroup
from typer.main import get_command

from passerby import metrics
from passerby.cli.app import app
from passerby.instruments import INSTRUMENTS, Counter, Histogram, Instrument
from passerby.settings import Settings

ROOT = Path(__file__).resolve().parent.parent

SETTINGS_HEAD = """\
# Settings

Read from the environment, and from a file `.env` in the working directory; the environment wins. Empty means unset.
`passerby settings` prints those in effect, secrets hidden. A wrong one ends the program at once with exit code 2 and
one line: which setting, what is wrong, what to write. In `.env` a name that is no setting is an error, too.
"""

COMMANDS_HEAD = """\
# Commands

Exit codes: 0 done, 1 a fault, 2 a wrong setting or argument; 130 or 143 if a second Ctrl-C or SIGTERM cut it short.
A process that serves bots ends with 70 when its event loop is stuck, or by SIGPROF if a library holds the interpreter.
"""

METRICS_HEAD = """\
# Metrics

At `/metrics` of every process, in Prometheus' text format; counts begin with the process. `passerby status` and
`passerby monit` show the most telling ones. Beside these there are Prometheus' usual figures of a process
(`process_resident_memory_bytes`, `process_cpu_seconds_total`, `process_open_fds` and so on).

No label tells of a person, a chat or a text: each has a closed list of values. `bot` is the id of one of your bots,
`pool` the name of a pool; whatever is none of a label's values is counted under `other`.
"""

EXAMPLE_HEAD = """\
# Copy this file to .env and fill in what you need; what stays commented out keeps its default.
# One setting a line. docs/reference/settings.md says more.
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
    # A width of its own: the page must not depend on whose terminal it was made in.
    context = typer.Context(group, info_name="passerby", terminal_width=200)
    parts = [COMMANDS_HEAD]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = typer.Context(command, info_name=name, parent=context, terminal_width=200)
        usage = command.get_usage(inner).removeprefix("Usage: ")
        parts.append(f"## {name}\n\n```\n{usage}\n```\n\n{command.help}\n")
        options = [record for option in command.params if (record := option.get_help_record(inner)) is not None]
        if options:
            parts.append("\n".join(f"- `{option}`: {text}" for option, text in options) + "\n")
    return "\n".join(parts)


def metrics_page() -> str:
    return "\n".join([METRICS_HEAD, *map(_metric, INSTRUMENTS)])


def _metric(instrument: Instrument) -> str:
    name = f"{instrument.name}_total" if isinstance(instrument, Counter) else instrument.name
    parts = [f"## {name}\n", f"{instrument.kind.capitalize()}. {instrument.meaning}\n"]
    for label, values in instrument.labels.items():
        known = values is not metrics.BOTS and values is not metrics.POOLS
        parts.append(f"- `{label}`: {', '.join(f'`{value}`' for value in values)}" if known else f"- `{label}`")
    if isinstance(instrument, Histogram):
        parts.append(f"- Buckets up to {', '.join(f'{bound:g}' for bound in instrument.bounds_s)} s.")
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
