"""Counts for the panel, in the background, what would take too long for a page. One worker does it at a time.

    growth   a row for each day: the people who were new then, and what became of them; also by bot and language
    sources  a row for each day: the same by source
    chats    a row for each day: the chats that began then, how long they lasted, how they ended, blocks, complaints
    minute   a sample of the fleet, for each minute
    release  a row for each release, at the minute in which it was first seen

A day's chats do not change any more when it is three days old, so only newer days are counted again. The numbers of
rows that were deleted by then are added from `daily_figures`.

It counts in parts (people by the day they came, past chats by their place in the table), so that no statement
takes longer than the time-out, however many there are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.dialects import insert_into
from passerby.adapters.sql.failures import losses, to_the_end
from passerby.adapters.sql.funnel import FEW, NAMED_DAYS
from passerby.adapters.sql.packing import REASONS
from passerby.adapters.sql.panel_tables import panel_figures
from passerby.adapters.sql.tables import blocks, chats, complaints, daily_figures, past_chats, users
from passerby.domain.journeys import LONGEST_TAG, OTHER, is_source
from passerby.kernel.ids import BotId
from passerby.kernel.journey import Journey

GROWTH: Final = "growth"
SOURCES: Final = "sources"
"""Apart from the rest of growth, because they are most of it and few pages read them."""
CHATS: Final = "chats"
DAYS: Final = 182
"""Of growth: the longest period of a page is 90 days, and it is compared with the one before."""
CHAT_DAYS: Final = 92
AGAIN_DAYS: Final = 3
BACK: Final = (1, 7, 30)
STEPS: Final = ("people", "consented", "profile", "chatted", "alive", *(f"back{days}" for days in BACK))
LASTED: Final = (("seconds", 60), ("minutes", 300), ("longer", 1800))
"""Chats by how long they lasted: less than a minute, less than five, less than thirty. The rest is "long"."""

MOST_SOURCES: Final = 30
"""Of a day. The smaller ones are summed: strangers can invent tags."""

PAGES_A_PART: Final = 4_000
"""About 600,000 chats. A PostgreSQL page has 8 KiB."""
ROWS_A_PART: Final = 500_000

_DAY_S: Final = 86_400
_KEY: Final = ("kind", "number")
_SNAPSHOT: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ"}


class Growth(msgspec.Struct, frozen=True):
    """`all`, and each of `bots` and `languages`: step -> people."""

    all: dict[str, int]
    bots: dict[str, dict[str, int]]
    languages: dict[str, dict[str, int]]


Sources = dict[str, dict[str, int]]
"""Source -> step -> people."""


class _Details(msgspec.Struct):
    """The part of `users.details` that tells how a person came."""

    journey: Journey | None = None


_details_in: Final = msgspec.json.Decoder(_Details).decode


class PanelCounter:
    """Raises: RecordsLost from every method."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_postgres = engine.dialect.name == "postgresql"
        made = insert_into(panel_figures, engine.dialect.name)
        self._came = _came(is_postgres=self._is_postgres)
        self._keep = made.on_conflict_do_update(
            index_elements=_KEY, set_={"body": made.excluded.body, "at": made.excluded.at}
        )

    async def keep(self, kind: str, number: int, body: str, at: float, drop_before: int | None = None) -> None:
        """Store a figure in place of the one before. Older ones of its kind than `drop_before` are deleted."""
        await self._store({(kind, number): body}, at, {} if drop_before is None else {kind: drop_before})

    async def newest(self, kind: str) -> str | None:
        """The body of the newest figure of a kind."""
        with losses():
            async with self._engine.connect() as connection:
                return await connection.scalar(_NEWEST, {"of": kind})

    async def count(self, now: float) -> None:
        """Count each day that may have changed."""
        today = int(now // _DAY_S)
        found: dict[tuple[str, int], str] = {}
        with losses():
            async with self._engine.connect() as connection:
                if self._is_postgres:  # All parts see the same rows, each in one place.
                    await connection.execution_options(**_SNAPSHOT)
                for day, (growth, sources) in (await self._growth(connection, today)).items():
                    found[GROWTH, day] = msgspec.json.encode(growth).decode()
                    found[SOURCES, day] = msgspec.json.encode(sources).decode()
                known = set(await connection.scalars(_KNOWN, {"of": CHATS}))
                first = today - CHAT_DAYS + 1
                missing = [day for day in range(first, today + 1) if day not in known or day > today - AGAIN_DAYS]
                for day, counts in (await self._chats(connection, min(missing), today)).items():
                    if day in missing:
                        found[CHATS, day] = msgspec.json.encode(counts).decode()
        for day in missing:
            found.setdefault((CHATS, day), "{}")
        await self._store(found, now, {GROWTH: today - DAYS + 1, SOURCES: today - DAYS + 1, CHATS: first})

    async def _store(self, found: Mapping[tuple[str, int], str], at: float, drop_before: Mapping[str, int]) -> None:
        rows = [{"kind": kind, "number": number, "body": body, "at": at} for (kind, number), body in found.items()]

        async def write() -> None:
            async with self._engine.connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    if rows:
                        await connection.execute(self._keep, rows)
                    for kind, before in drop_before.items():
                        await connection.execute(_DROP, {"of": kind, "before": before})

        with losses():
            await to_the_end(write())

    async def _growth(self, connection: AsyncConnection, today: int) -> dict[int, tuple[Growth, Sources]]:
        first = today - DAYS + 1
        days = {
            day: Growth(Counter(dict.fromkeys(STEPS, 0)), defaultdict(Counter), defaultdict(Counter))
            for day in range(first, today + 1)
        }
        sources_of: dict[int, Sources] = {}
        for day, growth in days.items():
            values = {"begin": day * float(_DAY_S), "end": (day + 1) * float(_DAY_S)}
            came = list(await connection.execute(self._came, values))
            left = [(*_came_by(details), *row) for details, *row in await connection.execute(_LEFT, values)]
            sources: dict[str, Counter[str]] = defaultdict(Counter)
            for bot, source, language, *counts in (*came, *left):
                steps = dict(zip(STEPS, map(int, counts), strict=True))
                named = source if is_source(source) else ""
                for table in (growth.all, growth.bots[str(bot)], growth.languages[language or "?"], sources[named]):
                    _add(table, steps)
            sources_of[day] = _named(sources, FEW if day < today - NAMED_DAYS else 0)
        for number, deleted in await connection.execute(_DELETED, {"first": first}):
            if number in days:
                _add(days[number].all, {"people": deleted, "deleted": deleted})
        return {day: (growth, sources_of[day]) for day, growth in days.items()}

    async def _chats(self, connection: AsyncConnection, first: int, today: int) -> dict[int, Counter[str]]:
        days: dict[int, Counter[str]] = defaultdict(Counter)
        for query in (*[_past(first).where(part) for part in await self._parts(connection)], self._recent(first)):
            for number, outcome, reason, closer, lasted, times in await connection.execute(query):
                counts = days[int(number)]
                counts["chats"] += times
                counts[_lasted(lasted)] += times
                name = (REASONS[outcome // 1000] if reason is None else reason) or "other"
                by_one = outcome // 100 % 10 != 0 if reason is None else closer
                counts[f"ended {name}"] += times
                counts["left" if by_one else "nobody left"] += times
                for digit in (outcome // 10 % 10, outcome % 10) if reason is None else ():
                    counts["good"] += times * (digit == 3)
                    counts["bad"] += times * (digit == 1)
        for name, column in (("blocks", blocks.c.blocked_at), ("complaints", complaints.c.filed_at)):
            day = self._day_of(column)
            query = sa.select(day, sa.func.count()).where(column >= first * float(_DAY_S)).group_by(day)
            for number, times in await connection.execute(query):
                days[int(number)][name] += times
        for row in await connection.execute(_GONE, {"first": first}):
            days[row.day]["complaints"] += row.complaints
            days[row.day]["blocks"] += row.blocks
        return days

    async def _parts(self, connection: AsyncConnection) -> list[sa.ColumnElement[bool]]:
        """The past chats in parts: each row fits one of these conditions."""
        size = await connection.scalar(_PAGES if self._is_postgres else _ROWS) or 0
        step = PAGES_A_PART if self._is_postgres else ROWS_A_PART
        begins = range(0, size + 1, step)
        if self._is_postgres:
            return [_place(f"ctid >= '({at},0)'", f"ctid < '({at + step},0)'", at + step > size) for at in begins]
        return [_place(f"rowid >= {at}", f"rowid < {at + step}", at + step > size) for at in begins]

    def _recent(self, first: int) -> sa.Select[Any]:
        """Chats that are not packed yet, in the shape of `_past`; open ones have no end."""
        day = self._day_of(chats.c.opened_at)
        bounds = [(chats.c.closed_at - chats.c.opened_at < most, number) for number, (_, most) in enumerate(LASTED)]
        lasted = sa.case((chats.c.active, -1), *bounds, else_=len(LASTED))
        reason = sa.case((chats.c.active, "open"), else_=sa.func.coalesce(chats.c.reason, ""))
        by_one = chats.c.closed_by.is_not(None)
        return (
            sa.select(day, sa.literal(0), reason, by_one, lasted, sa.func.count())
            .where(chats.c.opened_at >= first * float(_DAY_S))
            .group_by(day, reason, by_one, lasted)
        )

    def _day_of(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Days since 1970. PostgreSQL would round to the nearest one."""
        days = column / float(_DAY_S)
        return sa.cast(sa.func.floor(days) if self._is_postgres else days, sa.Integer)


def _past(first: int) -> sa.Select[Any]:
    day = sa.cast(past_chats.c.opened_min, sa.Integer).op("/")(1440)
    lasted = sa.case(
        *((past_chats.c.lasted_s < most, number) for number, (_, most) in enumerate(LASTED)), else_=len(LASTED)
    )
    return (
        sa.select(day, past_chats.c.outcome, sa.null(), sa.null(), lasted, sa.func.count())
        .where(past_chats.c.opened_min >= first * 1440)
        .group_by(day, past_chats.c.outcome, lasted)
    )


def _came_by(details: str) -> tuple[BotId, str]:
    """The bot and the source by which a person came whom no bot reaches any more. 0: nobody knows the bot."""
    try:
        journey = _details_in(details).journey or Journey()
    except msgspec.DecodeError:  # the row is damaged; the look for damage tells of it
        return BotId(0), ""
    return journey.bot, journey.source


def _named(sources: Mapping[str, dict[str, int]], least: int) -> Sources:
    """The largest sources, as far as they brought `least` people. The others are summed, as in the funnel."""
    tagged = sorted(
        (each for each in sources if each not in ("", OTHER)), key=lambda each: (-sources[each]["people"], each)
    )
    kept = {"", *(each for each in tagged[:MOST_SOURCES] if sources[each]["people"] >= least)}
    found: Sources = defaultdict(Counter)
    for source, steps in sources.items():
        _add(found[source if source in kept else OTHER], steps)
    return found


def _steps() -> Iterable[sa.ColumnElement[Any]]:
    """In the order of STEPS."""
    return (sa.func.count(), *(sa.func.sum(sa.case((each, 1), else_=0)) for each in _conditions()))


def _conditions() -> Iterable[sa.ColumnElement[Any]]:
    """Of all STEPS but the first."""
    seen = users.c.last_active_date - users.c.created_at
    has_chatted = sa.or_(users.c.last_chat.is_not(None), users.c.chat.is_not(None))
    has_profile = sa.and_(users.c.age.is_not(None), users.c.gender.is_not(None))
    return (
        users.c.consented_at.is_not(None),
        sa.and_(users.c.consented_at.is_not(None), has_profile),
        has_chatted,
        users.c.has_started == sa.true(),
        *(seen >= days * float(_DAY_S) for days in BACK),
    )


def _place(begin: str, end: str, is_last: bool) -> sa.ColumnElement[bool]:
    """A part of the past chats, by where the database keeps them."""
    bounds = (begin,) if is_last else (begin, end)
    return sa.and_(*(sa.literal_column(f"past_chats.{each}", sa.Boolean) for each in bounds))


def _add(table: dict[str, int], more: Mapping[str, int]) -> None:
    for name, value in more.items():
        table[name] = table.get(name, 0) + value


def _lasted(number: int) -> str:
    return "open" if number < 0 else LASTED[number][0] if number < len(LASTED) else "long"


_OF_DAY = (users.c.created_at >= sa.bindparam("begin"), users.c.created_at < sa.bindparam("end"))
_JOURNEY: Final = '"journey":["'
"""It stands before the source in `users.details`. A quote that somebody wrote has a backslash there."""


def _came(*, is_postgres: bool) -> sa.Select[Any]:
    source = _source(users.c.details, is_postgres=is_postgres)
    return (
        sa.select(users.c.bot_id, source, users.c.language, *_steps())
        .where(*_OF_DAY, users.c.bot_id.is_not(None))
        .group_by(users.c.bot_id, source, users.c.language)
    )


def _source(details: sa.ColumnElement[Any], *, is_postgres: bool) -> sa.ColumnElement[str]:
    """The source in `details`, without reading the JSON: one damaged row would fail the statement. Empty: none."""
    if is_postgres:
        after = sa.func.split_part(details, sa.literal_column(f"'{_JOURNEY}'"), 2)
        return sa.func.split_part(after, sa.literal_column("'\"'"), 1).label("source")
    at = sa.func.instr(details, sa.literal_column(f"'{_JOURNEY}'"))
    after = sa.func.substr(details, at + len(_JOURNEY), LONGEST_TAG + 1)
    end = sa.func.instr(after, sa.literal_column("'\"'"))
    return sa.case((sa.and_(at > 0, end > 1), sa.func.substr(after, 1, end - 1)), else_="").label("source")


# They have blocked their bots, or lost them. They count for the bot by which they came.
_LEFT = sa.select(
    users.c.details, users.c.language, sa.literal(1), *(sa.case((each, 1), else_=0) for each in _conditions())
).where(*_OF_DAY, users.c.bot_id.is_(None))
_PAGES = sa.text("SELECT pg_relation_size('past_chats') / current_setting('block_size')::bigint")
_ROWS = sa.text("SELECT max(rowid) FROM past_chats")
_NEWEST = (
    sa.select(panel_figures.c.body)
    .where(panel_figures.c.kind == sa.bindparam("of"))
    .order_by(panel_figures.c.number.desc())
    .limit(1)
)
_DROP = sa.delete(panel_figures).where(
    panel_figures.c.kind == sa.bindparam("of"), panel_figures.c.number < sa.bindparam("before")
)
_KNOWN = sa.select(panel_figures.c.number).where(panel_figures.c.kind == sa.bindparam("of"))
_DELETED = sa.select(daily_figures.c.day, daily_figures.c.people).where(
    daily_figures.c.day >= sa.bindparam("first"), daily_figures.c.people > 0
)
_GONE = sa.select(daily_figures.c.day, daily_figures.c.complaints, daily_figures.c.blocks).where(
    daily_figures.c.day >= sa.bindparam("first")
)
