"""`passerby status`: prints the state of the installation as a table, or as JSON."""

import asyncio
import time
from typing import Final

import msgspec
import typer

from passerby.ops.cluster.overview import Bot, Overview, ProcessRow, glance, overview
from passerby.settings import Settings

BETWEEN_LOOKS_S: Final = 0.3
"""The time between two readings of the processes' CPU time. Their difference gives the share."""


def show(settings: Settings, *, json: bool) -> int:
    """Print the state. Returns the exit code: 1 if something needs a look."""
    from passerby.bootstrap.clock import SystemClock
    from passerby.cli.elsewhere import where_else
    from passerby.ops.doctor.telegram import waiting

    before = glance(settings.run_path)
    pending = asyncio.run(waiting(settings)) if before.pids else {}
    time.sleep(BETWEEN_LOOKS_S)
    seen = overview(
        before,
        glance(settings.run_path),
        at=SystemClock().now(),
        bots=tuple(settings.tokens),
        pending=pending,
        polls=settings.update_mode == "polling",
        beside=where_else(settings),
    )
    if json:
        from passerby.ops.slow import read_insights

        inside = asyncio.run(read_insights(settings, SystemClock().now()))
        typer.echo(msgspec.json.encode({**msgspec.to_builtins(seen), "slow": inside}))
    else:
        from rich.console import Console

        from passerby.cli.tables import status_page

        Console(highlight=False).print(status_page(seen))
    return 1 if seen.faults else 0


__all__ = ["Bot", "Overview", "ProcessRow", "show"]
