"""`passerby money`: purchases by their code, and their refunds."""

from typing import Annotated

import typer

from passerby.cli.staff import at_work, say
from passerby.kernel.purchase import RefundReason

money = typer.Typer(help="What was sold, and what goes back.", no_args_is_help=True)

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
