"""`passerby links` and `passerby funnel`: where people come from, and how far they get."""

import asyncio
import csv
import io
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from passerby.cli.options import Csv, Json, choose_format, read_day

growth = typer.Typer(add_completion=False)

_DAY_S = 86_400
_FIRST_DAYS = 30
_BY = ("source", "bot", "language", "day")


@growth.command()
def links(
    tags: Annotated[
        list[str] | None, typer.Argument(help="Names of your choice for where you post the links.", metavar="TAG...")
    ] = None,
    json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Print each bot's link, with a tag for each place where you post it. `passerby funnel` counts people by tag.

    The first link by which somebody comes counts.
    """
    choose_format(json=json, as_csv=as_csv)
    from passerby import settings

    settled = settings.read()
    if not settled.tokens:
        raise settings.no_bot()
    from passerby.bootstrap import growth as office

    found = asyncio.run(office.links(settled, tags or ()))
    _print([each._asdict() for each in found if each.link], json=json, as_csv=as_csv)
    for bot in dict.fromkeys(each.bot for each in found if not each.link):
        typer.echo(f"no link for bot {bot}: Telegram does not answer for it", err=True)


@growth.command()
def funnel(
    since: Annotated[
        datetime | None,
        typer.Option("--from", parser=read_day, metavar="YYYY-MM-DD", help="The first day, UTC. Default: 30 days ago."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", parser=read_day, metavar="YYYY-MM-DD", help="The day after the last one. Default: now."),
    ] = None,
    by: Annotated[str, typer.Option(help=f"One line for each: {', '.join(_BY)}.")] = "source",
    json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Count the people who reached each step, from the start to a payment. Of those who started in a period.

    `talk`: a chat in which both wrote several messages (REAL_CHAT_MESSAGES). `checkout`: we let them pay. `paid`:
    Telegram took their Stars. With --csv or --json: each day, source, bot and language on its own.
    """
    from passerby.bootstrap.clock import SystemClock

    choose_format(json=json, as_csv=as_csv)
    if by not in _BY:
        raise typer.BadParameter(f"--by is one of {', '.join(_BY)}")
    last = _day_of(until) - 1 if until is not None else int(SystemClock().now() // _DAY_S)
    first = _day_of(since) if since is not None else last - _FIRST_DAYS + 1
    if last < first:
        raise typer.BadParameter("--to must be later than --from")
    from passerby import settings

    settled = settings.read()
    from passerby.bootstrap import growth as office

    rows = asyncio.run(office.funnel_between(settled, first, last))
    if json or as_csv:
        _print(office.lines(rows), json=json, as_csv=as_csv)
    elif rows:
        _print(office.sums(rows, by))
    else:
        typer.echo("Nobody started in this period.")


def _day_of(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() // _DAY_S)


def _print(rows: Sequence[dict[str, Any]], *, json: bool = False, as_csv: bool = False) -> None:
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(rows))
    elif as_csv:
        written = io.StringIO()
        writer = csv.DictWriter(written, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        typer.echo(written.getvalue(), nl=False)
    elif rows:
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for name, value in rows[0].items():
            table.add_column(
                name, justify="right" if isinstance(value, int) and name != "bot" else "left", no_wrap=True
            )
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        Console(file=sys.stdout, width=max(120, 40 * len(rows[0]))).print(table)
