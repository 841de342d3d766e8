"""The commands and their options. Each is a few lines here; what it does has a module of its own or lies further in."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Anonymous one-to-one chat between strangers on Telegram, over a fleet of bots that share one pool of people.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # An exception's text and its variables may hold a token or a message.
    pretty_exceptions_enable=False,
)


@app.command()
def run() -> None:
    """Serve the bots that BOT_TOKENS names, until SIGTERM or Ctrl-C."""
    from passerby import logs, settings
    from passerby.cli.serving import serve

    settled = settings.read()
    if not settled.bot_tokens:
        remedy = "write BOT_TOKENS=<what @BotFather gave you>, or try `passerby demo`, which needs none"
        raise settings.WrongSetting("BOT_TOKENS", "no bot is named", remedy)
    logs.set_up(settled.log_level, settled.log_format)
    serve(settled)


@app.command()
def demo(
    data: Annotated[Path, typer.Option(help="Where chats and searches are kept for the next time.")] = Path("var/demo"),
    port: Annotated[
        int | None, typer.Option(help="The page's port. Default: 8081, or any free one.", min=1, max=65535)
    ] = None,
) -> None:
    """Try it without a token: three bots in a sandbox, and a page with phones to talk on."""
    from passerby.cli.demo import run_demo

    run_demo(data, port)


@app.command(
    # Everything after the name is the sandbox's, `--help` included.
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    options_metavar="[ARGUMENTS]...",
)
def sandbox(context: typer.Context) -> None:
    """Run the Bot API sandbox alone. Its arguments are its own: `passerby sandbox --help`."""
    from passerby.cli.sandbox import run_sandbox

    raise typer.Exit(run_sandbox(context.args))


@app.command()
def init_schema(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if it is not up to date.")] = False,
) -> None:
    """Bring the database's tables up to date. Safe to repeat."""
    from passerby import settings

    settled = settings.read()  # before the slow import: a wrong setting is told at once
    from passerby import bootstrap

    if check:
        state = asyncio.run(bootstrap.schema_state(settled))
        typer.echo(
            f"up to date ({state.needed})"
            if state.is_current
            else f"at {state.current or 'nothing'}, not {state.needed}"
        )
        raise typer.Exit(0 if state.is_current else 1)
    state = asyncio.run(bootstrap.init_schema(settled))
    typer.echo(f"was up to date ({state.needed})" if state.is_current else f"now at {state.needed}")


@app.command()
def version() -> None:
    """Print the version."""
    from passerby import __version__

    typer.echo(__version__)


@app.command()
def settings() -> None:
    """Print the settings in effect, secrets hidden."""
    from passerby.settings import read

    settled = read()
    for name, value in settled.shown().items():
        typer.echo(f"{name}={value}" + ("" if name.lower() in settled.model_fields_set else "  (default)"))
