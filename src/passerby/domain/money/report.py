"""The operator's report about money: what was sold and given back, and what each bot would take along if it were lost.

It names nobody. Stars that Telegram reports may have a fraction (`nanostars`), because of affiliates.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from passerby.domain.money.timeline import pieces
from passerby.kernel.drain import KnownBots
from passerby.kernel.ids import BotId
from passerby.kernel.money import VipGrant
from passerby.kernel.money_report import Ledgered

DAY_S: Final = 86_400.0
HOLD_S: Final = 21 * DAY_S
"""Stars younger than this cannot be withdrawn (source: Telegram's Terms of Service for Stars)."""
PERIOD_S: Final = 30 * DAY_S
"""The period of the staff bot's report."""
NANO: Final = 1_000_000_000


def days_left(grants: Iterable[VipGrant], now: float) -> dict[str, float]:
    """How many days of each grant of one person are still to come, by its code."""
    left: dict[str, float] = {}
    for piece in pieces(grants):
        if piece.until > now:
            left[piece.code] = left.get(piece.code, 0.0) + (piece.until - max(piece.since, now)) / DAY_S
    return left


def figures(read: Ledgered, since: str, until: str, fleet: Collection[BotId], now: float) -> dict[str, Any]:
    """The report. `fleet`: the bots that run, as far as is known."""
    owed_days: dict[int, float] = {}
    for each in read.open:
        owed_days[each.bot] = owed_days.get(each.bot, 0.0) + each.days_left
    balances = {each.bot: each for each in read.balances}
    oldest = min((at for _, _, at in read.owed), default=None)
    return {
        "from": since,
        "to": until,
        "by_plan": [each._asdict() for each in sorted(read.sold)],
        "by_source": [each._asdict() for each in sorted(read.sources)],
        "given": [each._replace(days=round(each.days, 1))._asdict() for each in sorted(read.given)],
        "net": [
            {"bot": each.bot, "stars": each.nanostars / NANO, "affiliates": each.affiliates / NANO}
            for each in sorted(read.net)
        ],
        "exposure": [
            {
                "bot": bot,
                "runs": bot in fleet,
                "held_stars": balances[bot].held if bot in balances else 0,
                "days_owed": round(owed_days.get(bot, 0.0), 1),
                "subscriptions": balances[bot].subscriptions if bot in balances else 0,
                "swept_minutes_ago": _minutes(balances[bot].swept_at, now) if bot in balances else None,
                "unknown_transactions": balances[bot].unknown if bot in balances else 0,
            }
            for bot in sorted({*balances, *owed_days})
        ],
        "owed": {
            "calls": len(read.owed),
            "oldest_hours": round((now - oldest) / 3600.0, 1) if oldest is not None else None,
        },
        "cases": {
            "open": len(read.cases),
            "oldest_hours": round((now - read.cases[0]) / 3600.0, 1) if read.cases else None,
        },
        "cannot_be_refunded": [
            {
                "code": each.code,
                "bot": each.bot,
                "plan": each.plan,
                "stars": each.stars,
                "days_left": round(each.days_left, 1),
            }
            for each in sorted(read.open)
            if each.bot not in fleet
        ],
    }


def _minutes(at: float, now: float) -> int | None:
    return round((now - at) / 60.0) if at else None


def named(report: Mapping[str, Any], fleet: KnownBots) -> dict[str, Any]:
    """The report with the name of each bot behind its number, for programs: without the @, and empty if unknown."""
    return {
        part: [_with_name(line, fleet) for line in lines] if isinstance(lines, list) else lines
        for part, lines in report.items()
    }


def _with_name(line: Mapping[str, Any], fleet: KnownBots) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in line.items():
        found[key] = value
        if key == "bot":
            known = fleet.bot(value)
            found["bot_name"] = known.username if known is not None else ""
    return found


def rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The report as one table, for a spreadsheet."""
    parts = ("by_plan", "by_source", "given", "net", "exposure", "cannot_be_refunded")
    listed = [{"part": part, **line} for part in parts for line in report[part]]
    return [*listed, *({"part": part, **report[part]} for part in ("owed", "cases"))]


def in_words(report: Mapping[str, Any], fleet: KnownBots) -> str:
    """The report as text for a terminal. A bot that is not known has its number."""
    lines = [f"Money from {report['from']} to {report['to']} (Stars)", ""]
    for part, title in (
        ("by_plan", "Sold and given back, by plan and bot"),
        ("by_source", "Sold, by the tag of the link by which the buyer came"),
        ("given", "VIP that nobody paid for"),
        ("net", "Net, as Telegram counts it: without refunds, and without what affiliates got"),
        ("exposure", "If a bot were lost"),
        ("cannot_be_refunded", "Cannot be refunded any more: the bot that sold it is gone"),
    ):
        table = [line | {"bot": fleet.name(line["bot"])} if "bot" in line else line for line in report[part]]
        lines += [title, *_columns(table), ""]
    owed, cases = report["owed"], report["cases"]
    return "\n".join(
        [
            *lines,
            f"Refunds and cancellations that Telegram has not confirmed: {owed['calls']}{_oldest(owed)}",
            f"Questions about payments that wait for an answer: {cases['open']}{_oldest(cases)}",
        ]
    )


def _oldest(waiting: Mapping[str, Any]) -> str:
    hours = waiting["oldest_hours"]
    return "" if hours is None else f", the oldest for {number(hours)} h"


_HEADINGS: Final = {
    "sales": "sold",
    "stars": "Stars",
    "gifts": "of them gifts",
    "refunds": "given back",
    "refunded": "Stars given back",
    "source": "from",
    "grants": "times",
    "days": "VIP days",
    "affiliates": "to affiliates",
    "runs": "runs",
    "held_stars": "Stars not paid out yet",
    "days_owed": "VIP days owed",
    "swept_minutes_ago": "compared, minutes ago",
    "unknown_transactions": "payments we do not know",
    "days_left": "VIP days left",
}
"""The heading of each column in a terminal. A spreadsheet has the fields' own names, which stay the same."""


def _columns(table: Sequence[Mapping[str, Any]]) -> list[str]:
    if not table:
        return ["  none"]
    names = list(table[0])
    headings = [_HEADINGS.get(name, name) for name in names]
    cells = [headings, *([_shown(row[name]) or "no tag" for name in names] for row in table)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(names))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def _shown(value: object) -> str:
    if value is None:
        return "never"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """An amount with at most two digits after the point, and never with an exponent."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
