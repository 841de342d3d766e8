"""The output of the commands about growth: links with tags, and the funnel."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from passerby.adapters.sql import ConnectionPool, SqlRecords
from passerby.adapters.sql.funnel import FunnelRow, read_funnel, summed
from passerby.domain.journeys import LONGEST_TAG, SOURCE, tag_of
from passerby.ops.bots import states
from passerby.ops.stores import database, must_exist, sentences
from passerby.settings import Settings, WrongSetting

_FEW: Final = ConnectionPool(2, 1)


class Link(NamedTuple):
    """`link` is empty if Telegram does not answer for the bot."""

    bot: int
    tag: str
    link: str


async def links(settings: Settings, tags: Sequence[str]) -> list[Link]:
    """Each bot's link with each tag; without tags, the plain links. Raises: WrongSetting."""
    named = []
    for written in tags:
        tag = tag_of(written)
        if tag is None:
            remedy = (
                f"use up to {LONGEST_TAG} letters a-z, digits, - and _, and none of: affiliate, invite, promo, other"
            )
            raise WrongSetting("TAG", f"{written!r} cannot be a tag", remedy)
        named.append(tag)
    return [
        Link(bot.bot, tag, f"https://t.me/{bot.username}{f'?start={SOURCE}{tag}' if tag else ''}" * (not bot.fault))
        for bot in await states(settings)
        for tag in named or [""]
    ]


async def funnel_between(settings: Settings, first: int, last: int) -> list[FunnelRow]:
    """The funnel of the people who started on these days (days since 1970). Raises: WrongSetting."""
    await must_exist(settings)
    with sentences(settings):
        records = SqlRecords.at(database(settings), _FEW)
        try:
            return await read_funnel(records.engine, first, last)
        finally:
            await records.aclose()


def lines(rows: Sequence[FunnelRow]) -> list[dict[str, object]]:
    """One line for each day, source, bot and language."""
    return [
        {"day": _date(row.day), "source": row.source, "bot": row.bot, "language": row.language}
        | {step.name.lower(): count for step, count in row.people.items()}
        for row in rows
    ]


def sums(rows: Sequence[FunnelRow], by: str) -> list[dict[str, object]]:
    """One line for each value of `by`: source, bot, language or day."""
    return [
        {by: _date(int(name)) if by == "day" else name or "-"}
        | {step.name.lower(): count for step, count in steps.items()}
        for name, steps in summed(rows, by).items()
    ]


def _date(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat()
