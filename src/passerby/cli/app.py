"""The commands and their options. Each is a few lines here; what it does has a module of its own or lies further in."""

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passerby.cli.webhook import Action

if TYPE_CHECKING:
    from passerby.cli.serving import Role
    from passerby.settings import Settings

app = typer.Typer(
    help="Anonymous one-to-one chat between strangers on Telegram, over a fleet of bots that share one pool of people.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # An exception's text and its variables may hold a token or a message.
    pretty_exceptions_enable=False,
)


NAMES = r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}"
"""It becomes part of the names of files in RUN_DIR. systemd's instances may have an @."""

Name = Annotated[str, typer.Option(help="What this process is called in RUN_DIR; each has a name of its own.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


@app.command()
def run(name: Name = "passerby") -> None:
    """Serve the bots that BOT_TOKENS names, until SIGTERM or Ctrl-C: one process that does everything."""
    _serve("all", name)


@app.command()
def worker(name: Name = "worker") -> None:
    """Run one of several processes that share the bots, for systemd or Kubernetes. Needs REDIS_URL and POSTGRES_URI.

    It polls its share of the bots, pairs people, and writes the records. It ends with code 0 when it was told to, or
    when it needs 80 % of MAX_MEMORY_MB: let it be started again always.
    """
    _serve("worker", name)


@app.command()
def web(name: Name = "web") -> None:
    """Run a process that takes webhooks, for systemd or Kubernetes. Workers are needed beside it."""
    _serve("web", name)


@app.command()
def cluster(
    workers: Annotated[
        int | None, typer.Option(help="How many. Default: one for each bot, up to the cores.", min=1, max=256)
    ] = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Do not return; end with SIGTERM or Ctrl-C.")
    ] = False,
) -> None:
    """Start several processes on this machine and keep them running. Returns once each is ready."""
    from passerby.cli.cluster import start

    start(_settled(), workers, foreground=foreground)


@app.command()
def status(json: Json = False) -> None:
    """Show each process, each bot and the stores. Exit code 1 if something needs a look."""
    from passerby import settings
    from passerby.cli.status import show

    raise typer.Exit(show(settings.read(), json=json))


@app.command()
def monit() -> None:
    """Watch it live in the terminal; q quits. Without a terminal: one picture."""
    from passerby import settings
    from passerby.cli.monit import watch

    watch(settings.read())


@app.command(name="logs")
def logs_command(
    name: Annotated[str | None, typer.Argument(help="A process, as `passerby status` calls it. Default: all.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is added, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.", min=0)] = 20,
) -> None:
    """Print the cluster's logs."""
    from passerby import settings
    from passerby.cli.cluster import logs

    logs(settings.read(), name, lines, follow=follow)


@app.command()
def reload() -> None:
    """Replace the cluster's processes one after the other, each ready before the next. `.env` is read anew."""
    from passerby.cli.cluster import reload

    reload(_settled())


@app.command()
def stop() -> None:
    """End the cluster in good order."""
    from passerby import settings
    from passerby.cli.cluster import stop

    stop(settings.read())


@app.command()
def webhook(
    action: Annotated[Action, typer.Argument(help="What to do.")],
    bots: Annotated[list[str] | None, typer.Argument(help="Their numbers or @names. Default: all.")] = None,
    max_connections: Annotated[
        int, typer.Option(help="How many updates of a bot Telegram brings at once.", min=1, max=100)
    ] = 100,
) -> None:
    """Have Telegram bring updates to WEBHOOK_URL (set), or keep them until they are asked for (delete).

    Shows what is then so; `info` only shows. Updates that wait are never dropped. Exit code 1 if it failed for a bot.
    """
    from passerby.cli.webhook import webhook

    raise typer.Exit(webhook(_settled(), action, bots or [], max_connections))


@app.command()
def doctor(
    json: Json = False,
    processes: Annotated[
        int | None, typer.Option(help="How many share the stores, over all machines. Default: this machine's.", min=1)
    ] = None,
) -> None:
    """Tick the production checklist: settings, stores, schema, tokens, clocks, disk. Exit code 1 if something fails."""
    from passerby import settings
    from passerby.cli.doctor import examine

    raise typer.Exit(examine(settings.read(), processes, json=json))


def _settled() -> "Settings":
    """The settings, which name a bot."""
    from passerby import settings

    settled = settings.read()
    if not settled.bot_tokens:
        remedy = "write BOT_TOKENS=<what @BotFather gave you>, or try `passerby demo`, which needs none"
        raise settings.WrongSetting("BOT_TOKENS", "no bot is named", remedy)
    return settled


def _serve(role: "Role", name: str) -> None:
    from passerby import logs, settings
    from passerby.cli.serving import serve
    from passerby.cli.unfailing import unfailing

    settled = _settled()
    if not re.fullmatch(NAMES, name):
        raise settings.WrongSetting(
            "--name", "is not a name of 1 to 64 letters, digits, _, -, . or @", "write --name worker-1"
        )
    if role != "all" and not settled.is_shared:
        remedy = "set REDIS_URL and POSTGRES_URI, or use `passerby run`"
        raise settings.WrongSetting("REDIS_URL", "is not set: this process would be alone", remedy)
    if role == "web" and settled.update_mode != "webhook":
        remedy = "set it and WEBHOOK_URL, or start a `passerby worker`"
        raise settings.WrongSetting("UPDATE_MODE", "is not webhook: there would be nothing to do", remedy)
    logs.set_up(settled.log_level, settled.log_format, stream=unfailing(sys.stderr))
    for wrong, meant in settings.doubts():
        logs.record("settings.doubtful", "warning", setting=wrong, reason=f"it is no setting: did you mean {meant}?")
    if role == "all" and not settled.is_shared:
        from passerby.cli.cluster import where_else

        if beside := where_else(settled):
            # Each of the two would get some of the updates, and know nothing about the other's chats.
            logs.record("bots.served_twice", "warning", reason=beside)
    serve(settled, role=role, name=name)


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
def loadtest(
    users: Annotated[
        int | None, typer.Option(help="So many people, who stay. Default: 100.", min=2, max=20_000, show_default=False)
    ] = None,
    searching: Annotated[bool, typer.Option("--searching", help="All of them search at the same moment.")] = False,
    dau: Annotated[
        int | None, typer.Option(help="Instead: the busiest hour of a day with so many people.", min=1)
    ] = None,
    compress: Annotated[
        float | None,
        typer.Option(help="How many times as dense that hour is played. Default: so that its people fit in.", min=0.01),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="How long it takes. Default: 1, with --dau 5.", min=0.05, max=720)
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="The same in seconds.", min=3, max=43_200)] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="So many workers, on REDIS_URL and POSTGRES_URI. Default: one process.", min=1, max=64),
    ] = None,
    bots: Annotated[
        int | None, typer.Option(help="How many bots. Default: as the load asks for.", min=1, max=100)
    ] = None,
    no_budgets: Annotated[
        bool, typer.Option("--no-budgets", help="Neither Passerby's budgets nor the sandbox's flood limits hold.")
    ] = False,
    chaos: Annotated[bool, typer.Option("--chaos", help="Kill a process now and then, and start it again.")] = False,
    sandbox: Annotated[
        str | None,
        typer.Option(help="A sandbox that runs already, with a staging fleet in front of it.", metavar="URL"),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(help="With --sandbox: where that fleet's /metrics are; again for each.", metavar="URL"),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same people with the same habits.")] = 0,
    report: Annotated[
        Path | None, typer.Option(help="Where the page with charts is written. Default: passerby-loadtest-<time>.html.")
    ] = None,
    json: Json = False,
    keep: Annotated[Path | None, typer.Option(help="Keep logs and data in this directory.", metavar="DIR")] = None,
) -> None:
    """Play simulated people against Passerby and a sandbox of its own, judge what became of every message, and measure.

    Exit code 0 if all promises were kept, 1 if something was lost, misrouted or not decided. No real token and nobody
    real is ever involved. Ctrl-C ends it early, with a report.
    """
    from passerby.cli.loadtest import run_loadtest, wishes

    raise typer.Exit(
        run_loadtest(
            wishes(
                users=users,
                searching=searching,
                dau=dau,
                compress=compress,
                minutes=minutes,
                seconds=seconds,
                workers=workers,
                bots=bots,
                budgets=not no_budgets,
                chaos=chaos,
                sandbox=sandbox,
                metrics=metrics or [],
                seed=seed,
                report=report,
                json=json,
                keep=keep,
            )
        )
    )


@app.command()
def init_schema(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if it is not up to date.")] = False,
) -> None:
    """Bring the database's tables up to date. Safe to repeat."""
    from passerby import settings

    settled = settings.read()  # before the slow import: a wrong setting is told at once
    from passerby import opening

    if check:
        state = asyncio.run(opening.schema_state(settled))
        typer.echo(
            f"up to date ({state.needed})"
            if state.is_current
            else f"at {state.current or 'nothing'}, not {state.needed}"
        )
        raise typer.Exit(0 if state.is_current else 1)
    state = asyncio.run(opening.init_schema(settled))
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
