"""`passerby report`: what the operator publishes."""

from datetime import datetime
from typing import Annotated

import typer

from passerby.cli.options import read_day
from passerby.cli.staff import at_work

report = typer.Typer(help="Print reports to publish.", no_args_is_help=True)


@report.callback()
def reports() -> None:
    """Print reports to publish. They name nobody."""


@report.command()
def transparency(
    since: Annotated[
        datetime, typer.Option("--from", parser=read_day, metavar="YYYY-MM-DD", help="The first day, UTC.")
    ],
    until: Annotated[
        datetime, typer.Option("--to", parser=read_day, metavar="YYYY-MM-DD", help="The day after the last one, UTC.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of Markdown.")] = False,
) -> None:
    """Count reports, decisions, appeals and what a rule did in a period."""
    if until <= since:
        raise typer.BadParameter("--to must be later than --from")
    typer.echo(at_work(lambda office: office.transparency(since.date(), until.date(), as_json=json)), nl=json)
