"""`passerby broadcast`: one message to many people. The same as in the staff bot, for text."""

import sys
from typing import Annotated

import typer

from passerby.cli.options import Json
from passerby.cli.staff import at_work, say
from passerby.kernel.staff_requests import BroadcastAct
from passerby.ops.counting import counted

broadcast = typer.Typer(
    help="Write, set and send messages to many people, with the budget that chats leave.", no_args_is_help=True
)

LISTED = "`passerby broadcast list` shows the latest"

Number = Annotated[int, typer.Argument(help="The number in `passerby broadcast list`.", min=1)]


@broadcast.command(name="list")
def list_broadcasts(json: Json = False) -> None:
    """Show the latest broadcasts, the newest first."""
    from passerby.bootstrap.broadcasts import latest

    found = at_work(lambda office: latest(office.broadcasts))
    if json:
        return _print(found)
    if not found:
        typer.echo("None yet. Make one: passerby broadcast new")
    for each in found:
        people = counted(each["people"], "person", "people")
        typer.echo(f"{each['number']:>5}  {each['state']:<9}  {people:>16}  {each['options']}")
    return None


@broadcast.command()
def show(number: Number, json: Json = False) -> None:
    """Show one broadcast: how many people it would reach, or how far it is and what it did."""
    from passerby.bootstrap.broadcasts import figures

    if json:
        found = at_work(lambda office: figures(office.broadcasts, number))
        if found is None:
            raise typer.BadParameter(f"there is no broadcast {number}; `passerby broadcast list` shows the latest")
        return _print(found)
    say(at_work(lambda office: office.act_on_broadcast(number, BroadcastAct.SHOW)), LISTED)
    looked = at_work(lambda office: figures(office.broadcasts, number)) or {}
    for each in looked["arms"]:
        people = counted(each["people"], "person", "people")
        typer.echo(f"{each['arm']}: {people}, {each['back']} here within a day, {each['left']} left")
    if any(each["share"] < 1 for each in looked["arms"]):
        typer.echo(f"counted in a random sample: {looked['arms'][0]['share']:.1%} of the people")
    for each in looked["compared"]:
        low, high = each["back"]
        typer.echo(f"{each['arm']} against {each['other']}: {low:+.2%} to {high:+.2%} of the people came back")
    return None


@broadcast.command()
def new() -> None:
    """Make a draft, and print its number."""
    say(at_work(lambda office: office.new_broadcast(), makes_tables=True))


@broadcast.command()
def write(
    number: Number,
    words: Annotated[str, typer.Argument(help="The text; - reads it from standard input.")],
    language: Annotated[str, typer.Option(help="The language of the people who get this text. Default: all.")] = "",
    arm: Annotated[str, typer.Option(help="A or B, to compare two texts.")] = "A",
    button: Annotated[list[str] | None, typer.Option(help="A button: label | https://link")] = None,
) -> None:
    """Write the message as plain text. After the start, this corrects a small one for everybody who got it."""
    if arm not in ("A", "B"):
        raise typer.BadParameter("--arm is A or B")
    said = sys.stdin.read() if words == "-" else words
    buttons = "\n".join(button or ())
    say(at_work(lambda office: office.write_broadcast(number, said, language, arm, buttons)), LISTED)


@broadcast.command(name="set")
def set_options(
    number: Number,
    options: Annotated[list[str], typer.Argument(help="For example: language=de,en age=18-30 active=30 silent=off")],
) -> None:
    """Change who gets it, when and how. docs/how-to/broadcast.md names the options."""
    say(at_work(lambda office: office.set_broadcast(number, " ".join(options))), LISTED)


@broadcast.command(name="do")
def act(number: Number, what: Annotated[BroadcastAct, typer.Argument(help="The action.")]) -> None:
    """Test, start, approve, pause, resume, stop, correct or recall a broadcast."""
    say(at_work(lambda office: office.act_on_broadcast(number, what)), LISTED)


def _print(value: object) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(value))
