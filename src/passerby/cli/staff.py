"""`passerby staff` and `passerby audit`: who runs the installation, and what they did."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from passerby.kernel.staff import Role
from passerby.ops.counting import counted

if TYPE_CHECKING:
    from passerby.bootstrap.promos import Made
    from passerby.bootstrap.staff import Done, StaffOffice

T = TypeVar("T")

staff = typer.Typer(help="Invite, list and revoke members of the team, and change their roles.", no_args_is_help=True)
audit = typer.Typer(help="List and verify what staff did. No row is ever changed.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The number in `passerby staff list`.", min=1)]
WAITS = 3
"""The exit code of a command whose act waits for a second member of the team."""
TEAM = "`passerby staff list` shows the team"
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


def at_work(
    work: "Callable[[StaffOffice], Awaitable[T]]", *, makes_tables: bool = False, may_be_changed: bool = False
) -> T:
    """Do some work of the staff's, with the rights of an owner.

    `makes_tables`: it makes sense before the first start, too. Everything else needs a database that is there: in a
    wrong directory it would make an empty one, and look into that. `may_be_changed`: it looks for what was changed.
    """
    from passerby import settings

    settled = settings.read()
    from passerby.bootstrap.staff import staff_office

    async def run() -> T:
        async with staff_office(settled, makes_tables=makes_tables, may_be_changed=may_be_changed) as office:
            return await work(office)

    return asyncio.run(run())


def say(done: "Done | Made", look: str = "") -> None:
    """Print the answer. Exit code 2: it was refused, because an argument is wrong. 3: it waits for a second member.

    `look` says where the right ones are, if the argument names nothing.
    """
    names_nothing = done.refused and done.is_unknown
    typer.echo(f"{done.said} {look}." if names_nothing and look else done.said, err=done.refused)
    if done.refused:
        raise typer.Exit(2)
    if done.waits:
        raise typer.Exit(WAITS)


@staff.command()
def invite(
    role: Annotated[Role, typer.Option(help="The role of the new member.")],
    name: Annotated[str, typer.Option(help="How lists show the member. Others of the team see it.")] = "",
) -> None:
    """Print a link that makes one person a member of the team. It works once, within ten minutes."""
    made = at_work(lambda office: office.invite(role, name.strip()[:64]), makes_tables=True)
    typer.echo(made.said)
    if made.link:
        typer.echo(made.link)
    typer.echo(f"Without the link: send the staff bot this message: /start {made.secret}")


@staff.command(name="list")
def list_staff(json: Json = False) -> None:
    """Show the team."""
    team = at_work(lambda office: office.team())
    if json:
        import msgspec

        shown = ("number", "role", "name", "joined_at", "alerts")
        typer.echo(msgspec.json.encode([{name: getattr(each, name) for name in shown} for each in team]))
        return
    if not team:
        typer.echo("Nobody yet. Invite the first owner: passerby staff invite --role owner")
    for each in team:
        bell = "alerts" if each.alerts else ""
        typer.echo(f"{each.number:>4}  {each.role:<9}  since {_day(each.joined_at)}  {bell:<6}  {each.name}".rstrip())


@staff.command()
def role(number: Number, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Change the role of a member."""
    say(at_work(lambda office: office.change_role(number, role)), TEAM)


@staff.command()
def revoke(number: Number) -> None:
    """Revoke the rights of a member. The last owner stays."""
    say(at_work(lambda office: office.revoke(number)), TEAM)


@audit.command(name="list")
def list_audit(
    last: Annotated[int, typer.Option("--last", "-n", help="How many of the newest rows.", min=1, max=10_000)] = 20,
    json: Json = False,
) -> None:
    """List what staff did, the newest last. Each row names a member by their number, the command line, or a rule."""
    rows = at_work(lambda office: office.audit(last))
    if json:
        import msgspec

        typer.echo(msgspec.json.encode([row._asdict() for row in rows]))
        return
    for row in rows:
        actor = "rule" if row.actor is None else f"#{row.actor}" if row.actor else "command line"
        details = "" if row.details == "{}" else row.details
        cells = (f"{row.number:>6}", _time(row.at), actor, row.action, row.subject, details, row.reason)
        typer.echo("  ".join(filter(None, cells)))


@audit.command()
def verify() -> None:
    """Compare each row with the chain. Exit code 1: a row was changed, removed or added later; it is named.

    Note the newest number and hash somewhere else from time to time: if they still fit, nobody rewrote the whole chain.
    """
    from passerby import settings
    from passerby.ops.stores import must_exist

    found = at_work(lambda office: office.verify(), may_be_changed=True)
    if found.broken is not None:
        number, meaning = found.broken
        before = f"rows 1 to {number - 1} are" if number > 2 else "row 1 is" if number == 2 else "no row is surely"
        typer.echo(f"row {number} {meaning}; {before} as written, and nothing after that is certain", err=True)
        raise typer.Exit(1)
    asyncio.run(must_exist(settings.read()))  # without its triggers, rows can be changed from now on
    typer.echo(f"{counted(found.rows, 'row')}, all as written; the newest has the hash {found.newest or '(none)'}")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(" ", "seconds")
