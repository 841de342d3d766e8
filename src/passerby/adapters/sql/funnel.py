"""The funnel: how many people reached each step, by the day, source, bot and language of their start.

Only sums are stored. A person is counted once for each step, when the journal brings it. So the numbers are exact, also
after a kill; only if Redis goes back in time, some count twice. Sources that brought few people on a day become "other"
when the day is a week old: one person alone could be recognised by their source, and strangers can invent tags.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.dialects import insert_into
from passerby.adapters.sql.failures import losses, to_the_end
from passerby.adapters.sql.metadata import metadata
from passerby.domain.journeys import OTHER
from passerby.kernel.ids import BotId
from passerby.kernel.journey import Step
from passerby.ports.facts import StepReached

FEW: Final = 5
"""A source with fewer starts on a day loses its name later."""
NAMED_DAYS: Final = 7
FUNNEL_DAYS: Final = 400
"""A year, and a month to look at it."""
_DAY_S: Final = 86_400

funnel = sa.Table(
    "funnel",
    metadata,
    # Sums. They name nobody.
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False, comment="of the start: days since 1970, UTC"),
    sa.Column("source", sa.Text, primary_key=True, comment="the tag of the link; empty: none"),
    sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False, comment="where they started"),
    sa.Column("language", sa.Text, primary_key=True),
    sa.Column("step", sa.SmallInteger, primary_key=True, autoincrement=False, comment="see kernel.journey.Step"),
    sa.Column("people", sa.BigInteger, nullable=False),
)

Key = tuple[int, str, int, str, int]


class FunnelRow(NamedTuple):
    """People who started on a day (since 1970, UTC), by step."""

    day: int
    source: str
    bot: BotId
    language: str
    people: Mapping[Step, int]


class FunnelWriter:
    """The statement of one dialect. It is built once."""

    def __init__(self, dialect: str) -> None:
        made = insert_into(funnel, dialect)
        self.add: sa.Executable = made.on_conflict_do_update(
            index_elements=list(funnel.primary_key.columns),
            set_={"people": funnel.c.people + made.excluded.people},
        )


def key_of(fact: StepReached) -> Key:
    return int(fact.began_at // _DAY_S), fact.source, fact.bot, fact.language, int(fact.step)


def rows_of(counts: Mapping[Key, int]) -> list[dict[str, Any]]:
    names = ("day", "source", "bot_id", "language", "step")
    return [dict(zip(names, key, strict=True)) | {"people": counts[key]} for key in sorted(counts)]


async def read_funnel(engine: AsyncEngine, first: int, last: int) -> list[FunnelRow]:
    """The funnel of the people who started on these days (days since 1970, both included), in order.

    Raises: RecordsLost.
    """

    async def query() -> list[FunnelRow]:
        async with engine.connect() as connection:
            found: dict[tuple[int, str, int, str], dict[Step, int]] = {}
            for row in await connection.execute(_READ, {"first": first, "last": last}):
                key = (row.day, row.source, row.bot_id, row.language)
                found.setdefault(key, dict.fromkeys(Step, 0))[Step(row.step)] = row.people
        return [
            FunnelRow(day, source, BotId(bot), language, found[day, source, bot, language])
            for day, source, bot, language in sorted(found)
        ]

    with losses():
        return await to_the_end(query())


def summed(rows: Iterable[FunnelRow], by: str) -> dict[str, dict[Step, int]]:
    """The sums for each value of `by`: "source", "bot", "language" or "day". The largest start first."""
    sums: dict[str, Counter[Step]] = {}
    for row in rows:
        sums.setdefault(str(getattr(row, by)), Counter()).update(row.people)
    ordered = sorted(sums.items(), key=lambda each: (-each[1][Step.START], each[0]))
    return {name: {step: counts[step] for step in Step} for name, counts in ordered}


async def fold(connection: AsyncConnection, writer: FunnelWriter, now: float, limit: int) -> int:
    """Rename small sources of older days, and delete what is too old. Returns how many rows."""
    today = int(now // _DAY_S)
    dropped = (await connection.execute(_DROP_OLD, {"before": today - FUNNEL_DAYS})).rowcount
    small = (await connection.execute(_SMALL, {"before": today - NAMED_DAYS, "most": limit})).all()
    counts: Counter[Key] = Counter()
    for day, source in small:
        for row in (await connection.execute(_OF_SOURCE, {"of": day, "named": source})).all():
            counts[row.day, OTHER, row.bot_id, row.language, row.step] += row.people
    if small:
        await connection.execute(_DROP_SOURCE, [{"of": day, "named": source} for day, source in small])
        await connection.execute(writer.add, rows_of(counts))
    return dropped + len(small)


_READ = (
    sa.select(funnel)
    .where(funnel.c.day >= sa.bindparam("first"), funnel.c.day <= sa.bindparam("last"))
    .order_by(funnel.c.day)
)
_DROP_OLD = sa.delete(funnel).where(funnel.c.day < sa.bindparam("before"))
_STARTS = sa.func.sum(sa.case((funnel.c.step == int(Step.START), funnel.c.people), else_=0))
_SMALL = (
    sa.select(funnel.c.day, funnel.c.source)
    .where(funnel.c.day < sa.bindparam("before"), funnel.c.source.not_in(("", OTHER)))
    .group_by(funnel.c.day, funnel.c.source)
    .having(_STARTS < FEW)
    .order_by(funnel.c.day)
    .limit(sa.bindparam("most"))
)
_ONE = sa.and_(funnel.c.day == sa.bindparam("of"), funnel.c.source == sa.bindparam("named"))
_OF_SOURCE = sa.select(funnel).where(_ONE)
_DROP_SOURCE = sa.delete(funnel).where(_ONE)
