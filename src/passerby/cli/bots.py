"""`passerby bots list|add|retire`: the bots of the fleet, in BOT_TOKENS_FILE."""

import asyncio
import sys
from typing import Annotated

import msgspec
import typer

bots = typer.Typer(help="List, add and retire bots. Their tokens are in BOT_TOKENS_FILE.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


@bots.command(name="list")
def list_bots(json: Json = False) -> None:
    """Show each bot: its name, whether Telegram takes its token, and how many updates wait."""
    from passerby import settings
    from passerby.ops.bots import states

    found = asyncio.run(states(settings.read()))
    if json:
        typer.echo(msgspec.json.encode(found))
        return
    for each in found:
        name = f"@{each.username}, {each.pending} updates wait" if not each.fault else f"refused ({each.fault})"
        typer.echo(f"{each.bot}  {name}")


@bots.command()
def add() -> None:
    """Add a bot, or replace its token. The token is read from standard input, and Telegram must take it.

    `passerby reload` then starts to serve it.
    """
    from passerby import settings
    from passerby.ops.bots import username_of
    from passerby.ops.token_file import TokenFile

    settled = settings.read()
    file = TokenFile.of(settled)
    # Not an argument: those are seen by everybody on the machine, and stay in the shell's history.
    given = typer.prompt("Token", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    username = asyncio.run(username_of(settled, given.strip()))
    bot = file.add(given.strip())
    typer.echo(f"added bot {bot} (@{username}); run `passerby reload` to serve it")


@bots.command()
def retire(bot: Annotated[int, typer.Argument(help="The bot's number in `passerby bots list`.")]) -> None:
    """Remove a bot. After `passerby reload` it is not served any more. Its people keep everything, in any other bot."""
    from passerby import settings
    from passerby.kernel.ids import BotId
    from passerby.ops.token_file import TokenFile

    TokenFile.of(settings.read()).remove(BotId(bot))
    typer.echo(f"removed bot {bot}; run `passerby reload` to stop serving it")
