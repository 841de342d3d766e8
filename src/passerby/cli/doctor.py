"""`passerby doctor`: the checklist on the terminal, or as JSON."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import typer

from passerby.settings import Settings

if TYPE_CHECKING:
    from passerby.ops.doctor import Finding

MARKS: Final = {
    "ok": ("ok  ", typer.colors.GREEN),
    "warn": ("warn", typer.colors.YELLOW),
    "fail": ("FAIL", typer.colors.RED),
}


def examine(settings: Settings, processes: int | None, *, json: bool, polls: bool = False) -> int:
    """Print every finding. Returns the exit code: 1 if something fails.

    `processes`: how many share the stores, on all machines. None: as many as this machine runs or would run. `polls`:
    if nothing runs, poll each bot.
    """
    from passerby.ops.doctor import Verdict

    found = asyncio.run(_everything(settings, processes or _processes(settings), polls=polls))
    if json:
        typer.echo(msgspec.json.encode(found))
    else:
        show(found)
    return 1 if any(finding.verdict is Verdict.FAIL for finding in found) else 0


async def _everything(settings: Settings, processes: int, *, polls: bool) -> list["Finding"]:
    """The checklist, and what `passerby slow` finds wrong."""
    from passerby.bootstrap.clock import SystemClock
    from passerby.ops.doctor import Verdict, everything
    from passerby.ops.slow import read_insights

    now = SystemClock().now
    checks = everything(settings, processes=processes, now=now, polls=polls)
    found, slow = await asyncio.gather(checks, read_insights(settings, now()))
    return [*found, *(finding for finding in slow.findings if finding.verdict is Verdict.WARN)]


def show(found: Sequence["Finding"]) -> None:
    """Print findings, one a line, each with its remedy."""
    width = max((len(finding.check) for finding in found), default=0)
    for finding in found:
        mark, color = MARKS[finding.verdict]
        typer.echo(f"{typer.style(mark, fg=color)}  {finding.check:<{width}}  {finding.told}")
        if finding.remedy:
            typer.echo(f"      {'':<{width}}  -> {finding.remedy}")
    counts = Counter(finding.verdict.value for finding in found)
    typer.echo(", ".join(f"{counts[verdict]} {verdict}" for verdict in MARKS))


def _processes(settings: Settings) -> int:
    from passerby.cli.cluster import cores, plan
    from passerby.ops.cluster.control import Cluster, NoCluster

    try:
        return len(Cluster(settings.run_path).processes())
    except NoCluster:
        return len(plan(settings, None, cores()))
