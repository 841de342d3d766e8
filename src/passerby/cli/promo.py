"""`passerby promo`: codes that give VIP days, or take something off the first purchase."""

import csv
import io
from datetime import UTC, datetime
from typing import Annotated

import typer

from passerby.cli.options import Csv, Json, choose_format, read_day
from passerby.cli.staff import WAITS, at_work, say

promo = typer.Typer(
    help="Create, list and revoke promo codes, for VIP days or a discount.",
    no_args_is_help=True,
)


@promo.command()
def create(
    code: Annotated[str, typer.Option(help="The code: 4 to 32 letters, digits and hyphens. Default: random.")] = "",
    days: Annotated[int, typer.Option(help="How many VIP days it gives.", min=0, max=3650, show_default=False)] = 0,
    percent: Annotated[
        int, typer.Option(help="Or: how many percent the first purchase is cheaper.", min=0, max=99, show_default=False)
    ] = 0,
    uses: Annotated[int, typer.Option(help="How many people may use it.", min=1, max=100_000_000)] = 1,
    since: Annotated[
        datetime | None, typer.Option("--from", parser=read_day, metavar="YYYY-MM-DD", help="The first day, UTC.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", parser=read_day, metavar="YYYY-MM-DD", help="The day after the last one, UTC."),
    ] = None,
    first_purchase: Annotated[
        bool, typer.Option("--first-purchase", help="Only for people who have bought nothing yet.")
    ] = False,
    count: Annotated[int, typer.Option(help="How many random codes to make.", min=1, max=10_000)] = 1,
    as_csv: Csv = False,
) -> None:
    """Create a code, or many random ones. Each person can use a code once, in any bot: /promo CODE.

    A link that brings a code ends in ?start=p_CODE.
    """
    if (days > 0) == (percent > 0):
        raise typer.BadParameter("say either --days or --percent")
    if code and count > 1:
        raise typer.BadParameter("--code names one code; leave it out for many")
    starts_at, ends_at = (0.0 if day is None else day.replace(tzinfo=UTC).timestamp() for day in (since, until))
    if ends_at and ends_at <= starts_at:
        raise typer.BadParameter("--to must be later than --from")
    from passerby.bootstrap.clock import SystemClock

    if ends_at and ends_at <= SystemClock().now():
        raise typer.BadParameter("--to is over already, so nobody could use the code; name a later day")
    new_buyers = first_purchase or percent > 0
    done = at_work(
        lambda office: office.promos.make(
            code,
            count,
            days=days,
            percent=percent,
            most_uses=uses,
            starts_at=starts_at,
            ends_at=ends_at,
            new_buyers=new_buyers,
        ),
        makes_tables=True,
    )
    if done.waits:
        # The codes do not exist yet.
        typer.echo(f"{done.said} No code was made. Once they agree, `passerby promo list` shows them.", err=as_csv)
        raise typer.Exit(WAITS)
    if done.refused or not as_csv:
        say(done)
    else:
        typer.echo(done.said, err=True)
    _print_csv([{"code": each, "link_ends_in": f"?start=p_{each}"} for each in done.codes])


@promo.command(name="list")
def list_promos(json: Json = False, as_csv: Csv = False) -> None:
    """List every code, the newest first. It shows what each gives, how often it was used, and until when it counts."""
    choose_format(json=json, as_csv=as_csv)
    rows = at_work(lambda office: office.promos.listed())
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(rows))
    elif as_csv:
        _print_csv(rows)
    else:
        for row in rows:
            gives = f"{row['days']} day{'' if row['days'] == 1 else 's'}" if row["days"] else f"{row['percent']} % off"
            first = "first purchase only" if row["first_purchase"] else ""
            line = (
                f"{row['code']:<32}  {gives:>9}  {row['uses']:>6} of {row['most_uses']:<6}  {row['state']:<8}  {first}"
            )
            typer.echo(line.rstrip())
        if not rows:
            typer.echo("None yet. Make one: passerby promo create --days 7 --uses 100")


@promo.command()
def revoke(code: Annotated[str, typer.Argument(help="The code.")]) -> None:
    """Revoke a code now. People who used it keep what they got."""
    say(at_work(lambda office: office.promos.revoke(code)), "`passerby promo list` shows all codes")


def _print_csv(rows: list[dict[str, object]]) -> None:
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    typer.echo(written.getvalue(), nl=False)
