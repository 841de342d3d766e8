"""`passerby bots list|add|drain|retire`: the bots of the fleet, in BOT_TOKENS_FILE."""

import asyncio
import sys
from contextlib import suppress
from typing import Annotated

import msgspec
import typer

bots = typer.Typer(help="List, add, drain and retire bots. Their tokens are in BOT_TOKENS_FILE.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


@bots.command(name="list")
def list_bots(json: Json = False) -> None:
    """Show each bot: its name, whether Telegram takes its token, and how many updates wait."""
    from passerby import settings
    from passerby.cli.staff import at_work
    from passerby.kernel.ids import BotId
    from passerby.ops.bots import states
    from passerby.settings import WrongSetting

    found = asyncio.run(states(settings.read()))
    closing = {}
    with suppress(WrongSetting):  # Telegram's answers are of use also while the database is away
        closing = {each.bot: each.username for each in at_work(lambda office: office.drains())}
    if json:
        typer.echo(msgspec.json.encode(found))
        return
    for each in found:
        name = f"@{each.username}, {each.pending} updates wait" if not each.fault else f"refused ({each.fault})"
        name += f", closing: its people go to @{closing[BotId(each.bot)]}" if each.bot in closing else ""
        typer.echo(f"{each.bot}  {name}")


@bots.command()
def add() -> None:
    """Add a bot, or replace its token. The token is read from standard input, and Telegram must take it.

    A running fleet serves it within seconds.
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
    typer.echo(f"added bot {bot} (@{username}); a running fleet serves it within seconds")


@bots.command()
def drain(
    bot: Annotated[int, typer.Argument(help="The bot's number in `passerby bots list`.")],
    to: Annotated[int | None, typer.Option(help="The bot where its people go on. Default: another that works.")] = None,
    end: Annotated[bool, typer.Option("--end", help="Open it again instead.")] = False,
) -> None:
    """Close a bot before you retire it. Nobody begins a search there, and its people get a link to a sister bot.

    Its chats go on until they end, or until their people open the sister. The fleet does it within seconds.
    """
    from passerby import settings
    from passerby.cli.staff import at_work, say
    from passerby.kernel.ids import BotId
    from passerby.ops.bots import sister_of

    which = BotId(bot)
    if end:
        say(at_work(lambda office: office.end_drain(which)))
        return
    settled = settings.read()
    closing = {each.bot for each in at_work(lambda office: office.drains())} - {which}
    sister = asyncio.run(sister_of(settled, which, BotId(to) if to is not None else None, closing))
    say(at_work(lambda office: office.drain(which, BotId(sister.bot), sister.username)))


@bots.command()
def retire(bot: Annotated[int, typer.Argument(help="The bot's number in `passerby bots list`.")]) -> None:
    """Remove a bot. A running fleet stops serving it within seconds. Its people keep everything, in any other bot."""
    from passerby import settings
    from passerby.cli.staff import at_work, say
    from passerby.kernel.ids import BotId
    from passerby.ops.token_file import TokenFile

    which, file = BotId(bot), TokenFile.of(settings.read())
    file.without(which)  # a wrong number must not be in the audit
    say(at_work(lambda office: office.retire(which)))
    file.remove(which)
