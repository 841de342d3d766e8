"""`passerby approvals`: what waits for a second member of the team."""

from typing import Annotated

import typer

from passerby.cli.staff import at_work, say

approvals = typer.Typer(
    help="List and decline what waits for a second member of the team. They agree in the staff bot.",
    no_args_is_help=True,
)


@approvals.command(name="list")
def list_waiting() -> None:
    """List what waits, and for how long."""
    say(at_work(lambda office: office.approvals()))


@approvals.command()
def decline(number: Annotated[int, typer.Argument(help="The number in `passerby approvals list`.", min=1)]) -> None:
    """Decline one request. The member who asked for it is told in the staff bot."""
    say(at_work(lambda office: office.decline(number)), "`passerby approvals list` shows what waits")
