"""Overrides in SQL: rows that only grow. The newest row of a key counts."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.failures import losses, to_the_end
from passerby.adapters.sql.panel_tables import overrides
from passerby.adapters.sql.unchanged import Unchanged
from passerby.adapters.sql.unreadable import identifier, readable, text_of
from passerby.kernel.ids import BotId
from passerby.kernel.override import Overridden, Override, OverrideKey, wordings_in

_COLUMNS: Final = (
    *(overrides.c.number, overrides.c.what, overrides.c.name, overrides.c.bot_id),
    *(overrides.c.language, overrides.c.value, overrides.c.by, overrides.c.at),
)


class SqlOverrides:
    """Raises: RecordsLost from every method."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._newest = Unchanged[int](engine)

    async def newest(self) -> int:
        """The number of the newest override; 0: there is none. It is one look at an index."""

        async def read() -> int:
            return int((await self._rows(_HIGHEST, {}))[0][0] or 0)

        return await self._newest.get(read)

    async def current(self) -> Sequence[Override]:
        """The newest override of each key, also those that gave the default back."""
        return _overrides(await self._rows(_CURRENT, {}))

    async def versions(self, what: Overridden, name: str, limit: int) -> Sequence[Override]:
        """Of one setting or text, for all bots and languages, the newest first."""
        return _overrides(await self._rows(_VERSIONS, {"what": what, "name": name, "most": limit}))

    async def latest(self, what: Overridden, limit: int) -> Sequence[Override]:
        """The newest first."""
        return _overrides(await self._rows(_LATEST, {"what": what, "most": limit}))

    async def labels(self) -> Sequence[tuple[str, str]]:
        """(key, label) of each label that staff ever gave to a reply key: phones may still show it."""
        rows = await self._rows(_LABELS, {"what": Overridden.TEXT})
        keyed = readable("overrides", rows, lambda row: [(row[0], label) for label in wordings_in(row[1])], _label)
        return list(chain.from_iterable(keyed))

    async def one(self, number: int) -> Override | None:
        rows = await self._rows(_ONE, {"of": number})
        return _override(rows[0]) if rows else None

    async def _rows(self, query: sa.Executable, values: dict[str, Any]) -> list[Any]:
        async def read() -> list[Any]:
            async with self._engine.connect() as connection:
                return list(await connection.execute(query, values))

        with losses():
            return await to_the_end(read())


async def newest_override(connection: AsyncConnection, key: OverrideKey) -> tuple[Override | None, int, int]:
    """The newest override of a key, the next free number, and the version that it gets. For a staff transaction."""
    values = {"what": key.what, "name": key.name, "bot": key.bot, "language": key.language}
    row = (await connection.execute(_OF_PLACE, values)).first()
    highest = await connection.scalar(_HIGHEST)
    earlier = await connection.scalar(_COUNT, {"what": key.what})
    return (_override(row) if row is not None else None), (highest or 0) + 1, (earlier or 0) + 1


async def add_overrides(connection: AsyncConnection, new: Sequence[Override]) -> None:
    if new:
        await connection.execute(sa.insert(overrides), [_row(each) for each in new])


def _label(_: object) -> str:
    return "a label"


def _overrides(rows: Iterable[Any]) -> list[Override]:
    return readable("overrides", rows, _override, lambda row: row[0])


def _override(row: Any) -> Override:
    number, what, name, bot, language, value, by, at, *version = row
    key = OverrideKey(Overridden(what), text_of(name), BotId(identifier(bot)), text_of(language))
    if value is not None:
        text_of(value)
    if key.what is Overridden.TEXT and value is not None:
        wordings_in(value)
    return Override(number, key, value, by, at, *version)


def _row(each: Override) -> dict[str, Any]:
    key = each.key
    values = (each.number, key.what.value, key.name, key.bot, key.language, each.value, each.by, each.at)
    return {column.name: value for column, value in zip(_COLUMNS, values, strict=True)}


_COUNT = sa.select(sa.func.count()).select_from(overrides).where(overrides.c.what == sa.bindparam("what"))
_HIGHEST = sa.select(sa.func.max(overrides.c.number))
_ALL = sa.select(*_COLUMNS)
_CURRENT = _ALL.where(
    overrides.c.number.in_(
        sa.select(sa.func.max(overrides.c.number)).group_by(
            overrides.c.what, overrides.c.name, overrides.c.bot_id, overrides.c.language
        )
    )
).order_by(overrides.c.number)
_OTHERS = overrides.alias("others")
_VERSION = (
    sa.select(sa.func.count())
    .where(_OTHERS.c.what == overrides.c.what, _OTHERS.c.number <= overrides.c.number)
    .scalar_subquery()
)
"""Settings and texts are counted apart: whoever changes the first text makes version 1."""
_NEWEST_FIRST = (
    sa.select(*_COLUMNS, _VERSION).order_by(overrides.c.number.desc()).limit(sa.bindparam("most", type_=sa.Integer))
)
_LATEST = _NEWEST_FIRST.where(overrides.c.what == sa.bindparam("what"))
_VERSIONS = _LATEST.where(overrides.c.name == sa.bindparam("name"))
_LABELS = sa.select(overrides.c.name, overrides.c.value).where(
    overrides.c.what == sa.bindparam("what"), overrides.c.name.like("keys.%"), overrides.c.value.is_not(None)
)
_ONE = sa.select(*_COLUMNS, _VERSION).where(overrides.c.number == sa.bindparam("of"))
_OF_PLACE = (
    _ALL.where(
        overrides.c.what == sa.bindparam("what"),
        overrides.c.name == sa.bindparam("name"),
        overrides.c.bot_id == sa.bindparam("bot"),
        overrides.c.language == sa.bindparam("language"),
    )
    .order_by(overrides.c.number.desc())
    .limit(1)
)
