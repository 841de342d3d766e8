"""The commands and their options. Each one is a few lines here and calls the module that does the work."""

from typing import Annotated

import typer

from passerby.cli import backup
from passerby.cli.approvals import approvals
from passerby.cli.bots import bots
from passerby.cli.broadcast import broadcast
from passerby.cli.cases import cases
from passerby.cli.drill import drill
from passerby.cli.growth import growth
from passerby.cli.money import money
from passerby.cli.options import Json, Name
from passerby.cli.panel import panel
from passerby.cli.people import people
from passerby.cli.playing import playing
from passerby.cli.process import DEFAULT_NAMES, begin, settled
from passerby.cli.promo import promo
from passerby.cli.records import records
from passerby.cli.reporting import report
from passerby.cli.staff import audit, staff
from passerby.cli.webhook import Action

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
app.add_typer(approvals, name="approvals")
app.add_typer(cases, name="cases")
app.add_typer(people, name="people")
app.add_typer(report, name="report")
app.add_typer(broadcast, name="broadcast")
app.add_typer(panel, name="panel")
app.add_typer(money, name="money")
app.add_typer(promo, name="promo")

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


@app.command()
def run(name: Name = DEFAULT_NAMES["all"]) -> None:
    """Serve the bots in BOT_TOKENS with one process, until SIGTERM or Ctrl-C."""
    begin("all", name)


@app.command()
def worker(name: Name = DEFAULT_NAMES["worker"]) -> None:
    """Run one of several processes that share the bots, for systemd or Kubernetes. Needs REDIS_URL and POSTGRES_URI.

    It polls its share of the bots, pairs people, and writes the records. It ends with code 0 when it is told to, and
    when it uses 80 % of MAX_MEMORY_MB. Always start it again.
    """
    begin("worker", name)


@app.command()
def web(name: Name = DEFAULT_NAMES["web"]) -> None:
    """Run a process that receives webhooks, for systemd or Kubernetes. You also need workers."""
    begin("web", name)


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

    start(settled(), workers, foreground=foreground)


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

    reload(settled())


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
    """Set, delete or show the webhooks of the bots.

    Telegram then sends updates to WEBHOOK_URL (set), or keeps them for polling (delete). `info` only shows the state of
    each bot. Waiting updates are never dropped. Exit code 1 means that it failed for a bot.
    """
    from passerby.cli.webhook import webhook

    raise typer.Exit(webhook(settled(), action, bots or [], max_connections))


@app.command()
def doctor(
    json: Json = False,
    processes: Annotated[
        int | None,
        typer.Option(
            help="How many processes share the stores, on all machines. Default: those of this machine.", min=1
        ),
    ] = None,
    poll: Annotated[
        bool,
        typer.Option(
            "--poll",
            help="While nothing runs here: poll each bot for five seconds, to find another program that polls it. "
            "This interrupts that program.",
        ),
    ] = False,
) -> None:
    """Check what production needs: settings, stores, schema, tokens, clocks, disk. Exit code 1: something fails."""
    from passerby import settings
    from passerby.cli.doctor import examine

    raise typer.Exit(examine(settings.read(), processes, json=json, polls=poll))


@app.command()
def slow(json: Json = False) -> None:
    """Show what is slow or large in the stores, and what to do about it. Exit code 1: something needs a look."""
    from passerby import settings
    from passerby.cli.slow import examine

    raise typer.Exit(examine(settings.read(), json=json))


app.add_typer(playing)
app.add_typer(records)
app.add_typer(growth)


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
