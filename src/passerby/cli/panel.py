"""`passerby panel invite`: a link into the operators' panel, without the staff bot."""

from typing import Annotated

import typer

from passerby.cli.staff import TEAM, at_work

panel = typer.Typer(help="Sign a browser in to the operators' panel at PANEL_URL.", no_args_is_help=True)


@panel.callback()
def _group() -> None:
    """Keeps `invite` a command of its own."""


@panel.command()
def invite(
    member: Annotated[
        int,
        typer.Option(help="The number of a staff member, as whom the browser is signed in.", min=0, show_default=False),
    ] = 0,
) -> None:
    """Print a link that signs one browser in to the panel. It works once, within ten minutes.

    Without --member, the browser may do what an owner may, and the audit names the command line.
    """
    made = at_work(lambda office: office.panel_link(member), makes_tables=True)
    typer.echo(made.said if made.url else f"{made.said} {TEAM}.", err=not made.url)
    if not made.url:
        raise typer.Exit(2)
    typer.echo(made.url)
