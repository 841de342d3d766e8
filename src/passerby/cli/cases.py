"""`passerby cases`: what only an owner does with a case, and a second member of the team agrees to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passerby.cli.staff import at_work, say

if TYPE_CHECKING:
    from passerby.bootstrap.staff import Exported

cases = typer.Typer(
    help="Hold or export the evidence of a case, or unmask the accused. A second member must agree.",
    no_args_is_help=True,
)

CASES = "/cases in the staff bot and the panel's page Safety show the cases"
APPROVALS = "`passerby approvals list` shows what still waits"

Number = Annotated[int, typer.Argument(help="The number of the case, as the staff bot and the audit show it.", min=1)]
Note = Annotated[str, typer.Option(help="A note for the audit.")]
Agreed = Annotated[
    int, typer.Option("--approval", help="The number of the approval, once it is given.", min=0, show_default=False)
]


@cases.command()
def hold(
    number: Number,
    release: Annotated[bool, typer.Option("--release", help="End the hold instead.")] = False,
    note: Note = "",
) -> None:
    """Ask to keep the evidence of a case until it is released. Neither its age nor an erasure of data ends that."""
    say(at_work(lambda office: office.hold(number, not release, note)), CASES)


@cases.command()
def unmask(number: Number, approval: Agreed = 0, note: Note = "") -> None:
    """Ask who the accused is on Telegram. With the number of the approval, print it."""
    say(at_work(lambda office: office.unmask(number, approval, note)), APPROVALS if approval else CASES)


@cases.command()
def export(
    number: Number,
    to: Annotated[Path, typer.Option("--to", help="The file to write, as JSON. It must not exist.")] = Path(
        "evidence.json"
    ),
    approval: Agreed = 0,
    note: Note = "",
) -> None:
    """Ask to export the evidence of a case. With the number of the approval, write it to a file for your eyes only."""
    import msgspec

    if approval:
        # The approval counts once, so the file must be possible before it is used.
        if to.exists() or to.is_symlink():
            raise typer.BadParameter(f"{to} exists already", param_hint="--to")
        to.touch(mode=0o600, exist_ok=False)
    found: list[Exported] = []
    try:
        done, found = at_work(lambda office: office.export(number, approval, note))
        if found:
            written = {"case": number, "approval": approval, "evidence": [each.written for each in found]}
            to.write_bytes(msgspec.json.format(msgspec.json.encode(written), indent=2))
            typer.echo(f"Written to {to}. Media are named by Telegram's file ids.")
    finally:
        if approval and not found:
            to.unlink(missing_ok=True)
    say(done, APPROVALS if approval else CASES)
