"""`passerby money`: purchases by their code, and their refunds."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from passerby.cli.options import read_day
from passerby.cli.staff import at_work, say
from passerby.kernel.purchase import RefundReason

money = typer.Typer(help="Show and refund purchases, and report sales.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="The code that the buyer sees in /paysupport.")]


@money.command()
def show(code: Code) -> None:
    """Show a purchase. Nobody can be found by it."""
    say(at_work(lambda office: office.purchase(code)))


@money.command()
def refund(
    code: Code,
    reason: Annotated[RefundReason, typer.Argument(help="Why.")],
    note: Annotated[str, typer.Option(help="A note for the audit.")] = "",
) -> None:
    """Give the Stars of a purchase back. The VIP time from it ends, and its subscription is cancelled.

    The fleet does it within a minute, or when it starts, and tells the buyer.
    """
    say(at_work(lambda office: office.refund(code, reason, note)))


class Form(StrEnum):
    TEXT = "text"
    CSV = "csv"
    JSON = "json"


@money.command()
def report(
    since: Annotated[
        datetime, typer.Option("--from", parser=read_day, metavar="YYYY-MM-DD", help="The first day, UTC.")
    ],
    until: Annotated[
        datetime, typer.Option("--to", parser=read_day, metavar="YYYY-MM-DD", help="The day after the last one, UTC.")
    ],
    form: Annotated[Form, typer.Option("--as", help="How it is printed.")] = Form.TEXT,
) -> None:
    """Print sales, refunds and net Stars, by plan and bot. Also days given away, and the worth of each bot."""
    if until <= since:
        raise typer.BadParameter("--to must be later than --from")
    typer.echo(at_work(lambda office: office.money(since.date(), until.date(), form)), nl=False)
