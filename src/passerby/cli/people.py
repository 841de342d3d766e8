"""`passerby people`: a person who shows their support code, and what is done about them."""

from typing import Annotated

import typer

from passerby.cli.staff import at_work, say
from passerby.kernel.sanction import Reason, SanctionKind

people = typer.Typer(
    help="Show, restrict or erase one person, by the code that they see in /help. Nobody can be browsed.",
    no_args_is_help=True,
)

Code = Annotated[str, typer.Argument(help="The code that the person sees in /help. Another one follows after a week.")]
WORDS = {reason.word: reason for reason in Reason}
Note = Annotated[str, typer.Option(help="A note for the audit.")]


def _reason(word: str) -> Reason:
    """Raises: BadParameter."""
    found = WORDS.get(word.lower())
    if found is None:
        raise typer.BadParameter(f"{word!r} is none of {', '.join(WORDS)}")
    return found


@people.command()
def show(code: Code) -> None:
    """Show what staff may see of the person. Their sanctions have the ids that `lift` takes."""
    say(at_work(lambda office: office.person(code)))
    for sanction in at_work(lambda office: office.sanctions(code)):
        typer.echo(f"{sanction.id}  {sanction.kind}  {sanction.reason.word}  appeal: {sanction.appeal}")


@people.command()
def sanction(
    code: Code,
    kind: Annotated[SanctionKind, typer.Argument(help="The kind of restriction.")],
    rule: Annotated[str, typer.Argument(help=f"The rule that was broken: {', '.join(WORDS)}.")],
    hours: Annotated[
        float | None, typer.Option(help="For how long. Default: 24.", min=0.01, max=87_600, show_default=False)
    ] = None,
    for_good: Annotated[bool, typer.Option("--for-good", help="Without an end.")] = False,
    note: Note = "",
) -> None:
    """Restrict the person. The fleet does it within a second, or when it starts, and tells them why.

    To a ban without an end, a second member of the team must agree in the staff bot within a day.
    """
    if for_good and hours is not None:
        raise typer.BadParameter("--hours and --for-good exclude each other")
    reason, length = _reason(rule), None if for_good else hours or 24.0
    say(at_work(lambda office: office.sanction(code, kind, reason, length, note)))


@people.command()
def lift(
    code: Code, sanction: Annotated[str, typer.Argument(help="The id that `people show` prints.")], note: Note = ""
) -> None:
    """End a sanction now. The person is told."""
    say(at_work(lambda office: office.lift(code, sanction, note)))


@people.command()
def copy(code: Code, note: Note = "") -> None:
    """Send the person a copy of their data, as /mydata does. The file goes to them, not to you."""
    say(at_work(lambda office: office.data(code, False, note)))


@people.command()
def erase(code: Code, note: Note = "") -> None:
    """Erase the person's data in a day, as /deleteme does. They are told now, and may change their mind."""
    say(at_work(lambda office: office.data(code, True, note)))
