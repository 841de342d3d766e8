"""The commands and their options. Each one is a few lines here and calls the module that does the work."""

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passerby.cli import backup
from passerby.cli.bots import bots
from passerby.cli.drill import drill
from passerby.cli.importing import lean_imports
from passerby.cli.people import people
from passerby.cli.staff import audit, staff
from passerby.cli.webhook import Action

if TYPE_CHECKING:
    from passerby.cli.serving import Role
    from passerby.settings import Settings

app = typer.Typer(
    help="Anonymous one-to-one chats between strangers on Telegram, over several bots that share their people.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # An exception's text and its variables may contain a token or a message.
    pretty_exceptions_enable=False,
)
app.add_typer(staff, name="staff")
app.add_typer(audit, name="audit")
app.add_typer(bots, name="bots")
app.add_typer(drill, name="drill")
app.add_typer(people, name="people")

app.add_typer(backup.app, name="backup")


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def passerby(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and exit.")
    ] = False,
) -> None:
    """Every command has its own --help."""


NAMES = r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}"
"""The name becomes part of file names in RUN_DIR. Names of systemd instances may contain an @."""

Name = Annotated[str, typer.Option(help="The name of this process in RUN_DIR. Each process needs its own.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


@app.command()
def run(name: Name = "passerby") -> None:
    """Serve the bots in BOT_TOKENS with one process that does everything, until SIGTERM or Ctrl-C."""
    _serve("all", name)


@app.command()
def worker(name: Name = "worker") -> None:
    """Run one of several processes that share the bots, for systemd or Kubernetes. Needs REDIS_URL and POSTGRES_URI.

    It polls its share of the bots, pairs people, and writes the records. It ends with code 0 when it is told to, and
    when it uses 80 % of MAX_MEMORY_MB. Always start it again.
    """
    _serve("worker", name)


@app.command()
def web(name: Name = "web") -> None:
    """Run a process that receives webhooks, for systemd or Kubernetes. You also need workers."""
    _serve("web", name)


@app.command()
def cluster(
    workers: Annotated[
        int | None,
        typer.Option(help="How many processes. Default: one for each bot, but not more than cores.", min=1, max=256),
    ] = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Do not return. Stop with SIGTERM or Ctrl-C.")
    ] = False,
) -> None:
    """Start several processes on this machine and keep them running. Returns when all of them are ready."""
    from passerby.cli.cluster import start

    start(_settled(), workers, foreground=foreground)


@app.command()
def status(json: Json = False) -> None:
    """Show each process, each bot and the stores. Exit code 1 means that something needs a look."""
    from passerby import settings
    from passerby.cli.status import show

    raise typer.Exit(show(settings.read(), json=json))


@app.command()
def monit() -> None:
    """Show rates live in the terminal. Press q to quit. Without a terminal, print them once."""
    from passerby import settings
    from passerby.cli.monit import watch

    watch(settings.read())


@app.command(name="logs")
def logs_command(
    name: Annotated[
        str | None, typer.Argument(help="A process, by its name in `passerby status`. Default: all.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Continue with new lines, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines to print.", min=0)] = 20,
) -> None:
    """Print the cluster's logs."""
    from passerby import settings
    from passerby.cli.cluster import logs

    logs(settings.read(), name, lines, follow=follow)


@app.command()
def reload() -> None:
    """Replace the cluster's processes one by one. Each is ready before the next one ends. `.env` is read again."""
    from passerby.cli.cluster import reload

    reload(_settled())


@app.command()
def stop() -> None:
    """Stop the cluster cleanly."""
    from passerby import settings
    from passerby.cli.cluster import stop

    stop(settings.read())


@app.command()
def webhook(
    action: Annotated[Action, typer.Argument(help="The action.")],
    bots: Annotated[list[str] | None, typer.Argument(help="Ids or @names of bots. Default: all.")] = None,
    max_connections: Annotated[
        int, typer.Option(help="How many updates of a bot Telegram sends at once.", min=1, max=100)
    ] = 100,
) -> None:
    """Tell Telegram to send updates to WEBHOOK_URL (set), or to keep them for polling (delete).

    Then shows the state of each bot; `info` only shows it. Waiting updates are never dropped. Exit code 1 means that it
    failed for a bot.
    """
    from passerby.cli.webhook import webhook

    raise typer.Exit(webhook(_settled(), action, bots or [], max_connections))


@app.command()
def doctor(
    json: Json = False,
    processes: Annotated[
        int | None,
        typer.Option(
            help="How many processes share the stores, on all machines. Default: those of this machine.", min=1
        ),
    ] = None,
) -> None:
    """Check what production needs: settings, stores, schema, tokens, clocks, disk. Exit code 1: something fails."""
    from passerby import settings
    from passerby.cli.doctor import examine

    raise typer.Exit(examine(settings.read(), processes, json=json))


@app.command()
def slow(json: Json = False) -> None:
    """Look into the stores: what is slow or large, and what to do about it. Exit code 1: something needs a look."""
    from passerby import settings
    from passerby.cli.slow import examine

    raise typer.Exit(examine(settings.read(), json=json))


def _settled() -> "Settings":
    """The settings. They name at least one bot."""
    from passerby import settings

    settled = settings.read()
    if not settled.bot_tokens:
        remedy = "write BOT_TOKENS=<what @BotFather gave you>, or try `passerby demo`, which needs none"
        raise settings.WrongSetting("BOT_TOKENS", "no bot is named", remedy)
    return settled


def _serve(role: "Role", name: str) -> None:
    with lean_imports():
        from passerby import settings
        from passerby.cli.safe_stderr import safe
        from passerby.cli.serving import serve
        from passerby.telemetry import logs

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
    logs.set_up(settled.log_level, settled.log_format, stream=safe(sys.stderr))
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
    data: Annotated[Path, typer.Option(help="The directory that keeps chats and searches for the next start.")] = Path(
        "var/demo"
    ),
    port: Annotated[
        int | None, typer.Option(help="The port of the page. Default: 8081, or another free one.", min=1, max=65535)
    ] = None,
) -> None:
    """Try Passerby without a token: three bots in a sandbox, and a page with phones to chat on."""
    from passerby.cli.demo import run_demo

    run_demo(data, port)


@app.command(
    # Everything after the name is the sandbox's, `--help` included.
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    options_metavar="[ARGUMENTS]...",
)
def sandbox(context: typer.Context) -> None:
    """Run only the Bot API sandbox. It has arguments of its own: `passerby sandbox --help`."""
    from passerby.cli.sandbox import run_sandbox

    raise typer.Exit(run_sandbox(context.args))


@app.command()
def loadtest(
    users: Annotated[
        int | None,
        typer.Option(
            help="How many people take part. They stay until the end. Default: 100.",
            min=2,
            max=20_000,
            show_default=False,
        ),
    ] = None,
    searching: Annotated[bool, typer.Option("--searching", help="All of them search at the same moment.")] = False,
    dau: Annotated[
        int | None, typer.Option(help="Play the busiest hour of a day with this many people instead.", min=1)
    ] = None,
    compress: Annotated[
        float | None,
        typer.Option(
            help="How many times faster people arrive in that hour. Default: so that all of them fit in.", min=0.01
        ),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="How long to play. Default: 1, or 5 with --dau.", min=0.05, max=720)
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="How long to play, in seconds.", min=3, max=43_200)] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="How many workers, on REDIS_URL and POSTGRES_URI. Default: one process without them.", min=1, max=64
        ),
    ] = None,
    bots: Annotated[
        int | None, typer.Option(help="How many bots. Default: as many as the load needs.", min=1, max=100)
    ] = None,
    no_budgets: Annotated[
        bool, typer.Option("--no-budgets", help="Turn off Passerby's budgets and the sandbox's flood limits.")
    ] = False,
    chaos: Annotated[bool, typer.Option("--chaos", help="Kill a process now and then, and start it again.")] = False,
    sandbox: Annotated[
        str | None,
        typer.Option(help="A running sandbox, with a staging fleet on it.", metavar="URL"),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            help="With --sandbox: the address of a process's /metrics. Repeat it for each process.", metavar="URL"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people with the same habits.")] = 0,
    report: Annotated[
        Path | None, typer.Option(help="The file for the page with charts. Default: passerby-loadtest-<time>.html.")
    ] = None,
    json: Json = False,
    keep: Annotated[Path | None, typer.Option(help="Keep logs and data in this directory.", metavar="DIR")] = None,
) -> None:
    """Play simulated people against Passerby and a sandbox of its own, check every message, and measure.

    Exit code 0 means that all promises were kept; 1 means that a message was lost, misrouted or not decided. No real
    token and no real person is involved. Ctrl-C ends it early, with a report.
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
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing. Exit code 1 means that the tables are not up to date.")
    ] = False,
) -> None:
    """Create the database's tables, or bring them up to date. You may repeat it."""
    from passerby import settings

    settled = settings.read()  # before the slow import: a wrong setting is told at once
    from passerby.bootstrap import stores

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
    state = asyncio.run(stores.init_schema(settled))
    typer.echo(f"was up to date ({state.needed})" if state.is_current else f"now at {state.needed}")


@app.command()
def move(
    to: Annotated[
        str, typer.Option("--to", help="postgresql://…, or the path of a database file.", metavar="DATABASE")
    ],
) -> None:
    """Move the records to another database, from SQLite to PostgreSQL or back, while nothing runs.

    Open chats and searches go along. The new database must be empty. The old one stays as it is. You may repeat it.
    """
    from passerby import settings
    from passerby.cli.moving import run_move

    raise typer.Exit(run_move(settings.read(), to))


@app.command(name="import")
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
    """Take in people from CSV, JSON lines, or the database of AnonStrangerChatbot, while nothing runs.

    Names each row that is refused, and why. Everybody is asked for consent at their next visit. You may repeat it.
    """
    from passerby import settings
    from passerby.cli.people_import import run_import

    raise typer.Exit(run_import(settings.read(), source, dry_run=dry_run, bot=bot, json=json))


@app.command()
def version() -> None:
    """Print the version."""
    from passerby import __version__

    typer.echo(__version__)


@app.command()
def settings() -> None:
    """Print the settings in effect, with secrets hidden."""
    from passerby.settings import read

    settled = read()
    for name, value in settled.shown().items():
        typer.echo(f"{name}={value}" + ("" if name.lower() in settled.model_fields_set else "  (default)"))
