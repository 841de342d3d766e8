"""`passerby import`: what it prints."""

import asyncio
from typing import TYPE_CHECKING

import msgspec
import typer

from passerby.cli.telling import tell
from passerby.ops.counting import counted
from passerby.settings import Settings

if TYPE_CHECKING:
    from passerby.ops.people_import.import_run import Outcome


def run_import(settings: Settings, source: str, *, dry_run: bool, bot: int | None, json: bool) -> int:
    """Returns the exit code."""
    from passerby.bootstrap.clock import SystemClock
    from passerby.ops.people_import.import_run import ImportFailed, WrongSource, bring
    from passerby.ops.standstill import FleetRuns

    refusals: list[tuple[str, str]] = []

    def refused(where: str, reason: str) -> None:
        if json:
            refusals.append((where, reason))
        else:
            typer.echo(f"{where}: refused: {reason}")

    try:
        outcome = asyncio.run(bring(settings, source, SystemClock(), dry_run=dry_run, bot=bot, refused=refused))
    except (ImportFailed, FleetRuns) as failed:
        tell(failed)
        return 2 if isinstance(failed, WrongSource) else 1
    if json:
        typer.echo(msgspec.json.encode({"refusals": refusals, "dry_run": dry_run} | msgspec.to_builtins(outcome)))
        return 0
    _tell(outcome, "would be taken in" if dry_run else "taken in")
    return 0


def _tell(outcome: "Outcome", taken: str) -> None:
    people = counted(outcome.taken, "person", "people")
    typer.echo(f"{counted(outcome.rows, 'row')}: {people} {taken}, {outcome.refused} refused")
    known = counted(outcome.known, "person was here already and stays", "people were here already and stay")
    typer.echo(f"{known} unchanged; {counted(outcome.banned, 'person is', 'people are')} banned")
    for question, count in outcome.asked.items():
        if count:
            asked = counted(count, "person is", "people are")
            typer.echo(f"{asked} asked for {question} at the next visit")
    if outcome.lifetime:
        lifetime = counted(outcome.lifetime, "person has", "people have")
        typer.echo(f"{lifetime} VIP for ever: it is stored until the end of the year 2999")
    if outcome.unreachable:
        without = counted(outcome.unreachable, "person has", "people have")
        typer.echo(f"{without} no bot of this fleet, and can come back by writing to one")
    for table, rows in outcome.left:
        typer.echo(f"not taken in: {counted(rows, 'row')} of {table}")
