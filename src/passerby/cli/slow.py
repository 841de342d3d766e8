"""`passerby slow`: what is slow or large in the stores, on the terminal or as JSON."""

import asyncio
from typing import TYPE_CHECKING

import msgspec
import typer

from passerby.cli.doctor import show
from passerby.settings import Settings

if TYPE_CHECKING:
    from passerby.ops.slow import Insight, Insights


def examine(settings: Settings, *, json: bool) -> int:
    """Print everything. Returns the exit code: 1 if something needs a look. Raises: WrongSetting."""
    from passerby.bootstrap.clock import SystemClock
    from passerby.ops.doctor import Verdict
    from passerby.ops.slow import read_insights
    from passerby.ops.stores import must_be_undamaged, must_exist

    async def seen() -> "Insights":
        await must_exist(settings)
        await must_be_undamaged(settings)
        return await read_insights(settings, SystemClock().now())

    found = asyncio.run(seen())
    if json:
        typer.echo(msgspec.json.encode(found))
    else:
        parts: list[tuple[str, Insight | None]] = [
            ("This machine's processes, since they started", found.processes),
            ("PostgreSQL" if settings.postgres_uri else "SQLite", found.records),
            ("Redis", found.live),
        ]
        for title, insight in parts:
            if insight is not None:
                _print(title, insight)
        show(found.findings)
    return 1 if any(finding.verdict is not Verdict.OK for finding in found.findings) else 0


def _print(title: str, insight: "Insight") -> None:
    typer.echo(typer.style(title, bold=True))
    for name, value in insight.figures.items():
        typer.echo(f"  {name}: {value}")
    if insight.statements:
        rows = [
            [each.name, str(each.calls), f"{each.mean_ms:.2f}", f"{each.total_s:.2f}"]
            for each in insight.statements[:10]
        ]
        _table(
            f"slowest statements ({insight.statements[0].source})",
            [["statement", "calls", "mean, ms", "total, s"], *rows],
        )
    for name, cells in insight.tables.items():
        if len(cells) > 1:
            _table(name, cells)
    typer.echo()


def _table(title: str, cells: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    typer.echo(f"  {title}")
    for row in cells:
        typer.echo("    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
