"""`passerby doctor`: the checklist on the terminal, or as JSON."""

import asyncio
from collections import Counter
from typing import Final

import msgspec
import typer

from passerby.settings import Settings

MARKS: Final = {
    "ok": ("ok  ", typer.colors.GREEN),
    "warn": ("warn", typer.colors.YELLOW),
    "fail": ("FAIL", typer.colors.RED),
}


def examine(settings: Settings, processes: int | None, *, json: bool) -> int:
    """Print every finding. Returns the exit code: 1 if something fails.

    `processes`: how many share the stores, on all machines. None: as many as this machine runs or would run.
    """
    from passerby.bootstrap.clock import SystemClock
    from passerby.ops.doctor import Verdict, everything

    found = asyncio.run(everything(settings, processes=processes or _processes(settings), now=SystemClock().now))
    if json:
        typer.echo(msgspec.json.encode(found))
    else:
        width = max(len(finding.check) for finding in found)
        for finding in found:
            mark, color = MARKS[finding.verdict]
            typer.echo(f"{typer.style(mark, fg=color)}  {finding.check:<{width}}  {finding.told}")
            if finding.remedy:
                typer.echo(f"      {'':<{width}}  -> {finding.remedy}")
        counts = Counter(finding.verdict for finding in found)
        typer.echo(", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict))
    return 1 if any(finding.verdict is Verdict.FAIL for finding in found) else 0


def _processes(settings: Settings) -> int:
    from passerby.cli.cluster import cores, plan
    from passerby.ops.cluster.control import Cluster, NoCluster

    try:
        return len(Cluster(settings.run_path).processes())
    except NoCluster:
        return len(plan(settings, None, cores()))
