"""`passerby bots list|add|drain|retire`: the bots of the fleet, in BOT_TOKENS_FILE."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from passerby.ops.counting import counted

if TYPE_CHECKING:
    from passerby.kernel.ids import BotId

_CLOSED_H = 24
"""How long a bot should be closed before it is retired. Most people who use a bot come within a day."""

bots = typer.Typer(help="List, add, drain and retire bots. Their tokens are in BOT_TOKENS_FILE.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


@bots.command(name="list")
def list_bots(json: Json = False) -> None:
    """Show each bot: its name, whether Telegram takes its token, and how many updates wait."""
    from passerby import settings
    from passerby.cli.staff import at_work
    from passerby.kernel.ids import BotId
    from passerby.ops.bots import states
    from passerby.ops.stores import must_fit
    from passerby.settings import WrongSetting

    settled = settings.read()
    if not settled.tokens:
        raise settings.no_bot()
    found = asyncio.run(states(settled))
    closing, wrong = {}, None
    try:
        if asyncio.run(must_fit(settled)):
            closing = {each.bot: each.username for each in at_work(lambda office: office.drains())}
    except WrongSetting as error:  # Telegram's answers are of use also while the database is away
        wrong = error
    if json:
        typer.echo(msgspec.json.encode(found))
    else:
        for each in found:
            name = (
                f"@{each.username}, {counted(each.pending, 'update waits', 'updates wait')}"
                if not each.fault
                else f"refused ({each.fault})"
            )
            name += f", closing: its people go to @{closing[BotId(each.bot)]}" if each.bot in closing else ""
            typer.echo(f"{each.bot}  {name}")
    if wrong is not None:
        raise wrong


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
def retire(
    bot: Annotated[int, typer.Argument(help="The bot's number in `passerby bots list`.")],
    now: Annotated[bool, typer.Option("--now", help="Also if it has not been closed for a day.")] = False,
) -> None:
    """Remove a bot. A running fleet stops serving it within seconds. Its people keep everything, in any other bot.

    Close it a day before with `passerby bots drain`, so that more of its people learn where to go on.
    """
    from passerby import settings
    from passerby.cli.staff import at_work, say
    from passerby.kernel.ids import BotId
    from passerby.ops.token_file import TokenFile

    which, file = BotId(bot), TokenFile.of(settings.read())
    # Looked at first, and kept from others: a bot that cannot be removed must not be in the audit.
    with file.removing(which):
        if not now:
            _wait_first(which)
        say(at_work(lambda office: office.retire(which)))


def _wait_first(bot: "BotId") -> None:
    """Raises: BadParameter, if the bot's people have had less than a day to learn where to go on."""
    from passerby.bootstrap.clock import SystemClock
    from passerby.cli.staff import at_work

    since = next((each.since for each in at_work(lambda office: office.drains()) if each.bot == bot), None)
    if since is None:
        raise typer.BadParameter(
            f"bot {bot} is open; close it with `passerby bots drain {bot}` and wait for a day, or add --now"
        )
    hours = (SystemClock().now() - since) / 3600
    if hours < _CLOSED_H:
        raise typer.BadParameter(
            f"bot {bot} was closed {_ago(hours)} ago, so many of its people have no link to its sister yet; "
            f"wait until it has been closed for {_CLOSED_H} hours, or add --now"
        )


def _ago(hours: float) -> str:
    return counted(hours, "hour") if hours >= 2 else counted(hours * 60, "minute")
