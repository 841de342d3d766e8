"""Options that several commands have."""

from datetime import UTC, datetime
from typing import Annotated

import typer

Name = Annotated[str, typer.Option(help="The name of this process in RUN_DIR. Each process needs its own.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV instead.")]


def choose_format(*, json: bool, as_csv: bool) -> None:
    """Raises: BadParameter, if both are asked for."""
    if json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")


def read_day(words: str) -> datetime:
    """The beginning of a day, UTC. Raises: BadParameter."""
    try:
        return datetime.strptime(words, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"{words!r} is not a day. Write it like 2026-12-31") from None
