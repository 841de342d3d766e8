"""The commands that play: the demonstration, the sandbox, and load tests."""

from pathlib import Path
from typing import Annotated

import typer

from passerby.cli.options import Json

playing = typer.Typer(add_completion=False)


@playing.command()
def demo(
    data: Annotated[Path, typer.Option(help="The directory that keeps chats and searches for the next start.")] = Path(
        "var/demo"
    ),
    port: Annotated[
        int | None, typer.Option(help="The port of the page. Default: 8081, or another free one.", min=1, max=65535)
    ] = None,
) -> None:
    """Try Passerby without a token: three bots in a sandbox, and a page with phones."""
    from passerby.cli.demo import run_demo

    run_demo(data, port)


@playing.command(
    # Everything after the name is the sandbox's, `--help` included.
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    options_metavar="[ARGUMENTS]...",
)
def sandbox(context: typer.Context) -> None:
    """Run only the Bot API sandbox. It has arguments of its own: `passerby sandbox --help`."""
    from passerby.cli.sandbox import run_sandbox

    raise typer.Exit(run_sandbox(context.args))


@playing.command()
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
    farm: Annotated[
        str | None,
        typer.Option(
            help="A fifth of them are accounts of a farm: script, templates, paraphrasing or human-timed.",
            metavar="STYLE",
        ),
    ] = None,
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
    """Play simulated people against Passerby and a sandbox of its own. Checks every message, and measures.

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
                farm=farm,
                sandbox=sandbox,
                metrics=metrics or [],
                seed=seed,
                report=report,
                json=json,
                keep=keep,
            )
        )
    )
