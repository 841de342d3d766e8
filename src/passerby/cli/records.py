"""The commands on the records as a whole: create the tables, move to another database, take in people."""

import asyncio
from typing import Annotated

import typer

from passerby.cli.options import Json

records = typer.Typer(add_completion=False)


@records.command()
def init_schema(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing. Exit code 1 means that the tables are not up to date.")
    ] = False,
    beside: Annotated[
        bool, typer.Option("--beside", help="Also in a PostgreSQL database where another program has its tables.")
    ] = False,
) -> None:
    """Create the database's tables, or bring them up to date. You may repeat it."""
    from passerby import settings

    settled = settings.read()  # before the slow import: a wrong setting is told at once
    from passerby.ops import stores

    if check:
        state = asyncio.run(stores.schema_state(settled))
        typer.echo(
            f"up to date ({state.needed})"
            if state.is_current
            else f"at {state.current}, which is of a newer release: install that one"
            if state.is_newer
            else f"at {state.current or 'nothing'}, not {state.needed}"
        )
        raise typer.Exit(0 if state.is_current else 1)
    state = asyncio.run(stores.init_schema(settled, beside=beside))
    typer.echo(f"was up to date ({state.needed})" if state.is_current else f"now at {state.needed}")


@records.command()
def move(
    to: Annotated[
        str, typer.Option("--to", help="postgresql://…, or the path of a database file.", metavar="DATABASE")
    ],
) -> None:
    """Move the records from SQLite to PostgreSQL or back, while nothing runs.

    Open chats and searches go along. The new database must be empty. The old one stays as it is. You may repeat it.
    """
    from passerby import settings
    from passerby.cli.moving import run_move

    raise typer.Exit(run_move(settings.read(), to))


@records.command(name="import")
def import_(
    source: Annotated[
        str, typer.Argument(help="A file, or the postgresql://… address of a database.", metavar="FILE|URI")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing. Say what would happen.")] = False,
    bot: Annotated[
        int | None, typer.Option(help="The id of the bot of people whose row names none of BOT_TOKENS.")
    ] = None,
    json: Json = False,
) -> None:
    """Take in people from a file or another program's database, while nothing runs.

    It reads CSV, JSON lines, and the database of AnonStrangerChatbot. It names each row that is refused, and why.
    Everybody is asked for consent at their next visit. You may repeat it.
    """
    from passerby import settings
    from passerby.cli.people_import import run_import

    raise typer.Exit(run_import(settings.read(), source, dry_run=dry_run, bot=bot, json=json))
