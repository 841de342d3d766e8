"""Reads people from the database of the Node program AnonStrangerChatbot, in PostgreSQL or SQLite.

Names of tables and columns vary between its versions ("User" and "Users", for example), so they are looked up. Some of
its tables name a person by its own `userId`, which may or may not be Telegram's id; both are tried.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import losses
from passerby.adapters.sql.pool import Pool
from passerby.ops.people_import.files import UnknownForm
from passerby.ops.people_import.incoming import squeezed

_PATIENT: Final = Pool(timeout_s=600.0)
_CHUNK: Final = 5_000
_LEFT_OUT: Final = ("chats", "referrals", "startransactions", "locks", "affiliaterewards")
_COLUMNS: Final = {
    "botid": "bot",
    "gender": "gender",
    "age": "age",
    "language": "language",
    "languagecode": "language",
    "vipgender": "wantsgender",
    "vipagemin": "wantsagemin",
    "vipagemax": "wantsagemax",
    "lastactivedate": "lastactive",
    "banneduntil": "banneduntil",
}


class Left(NamedTuple):
    """A table that is not taken in, and its rows."""

    table: str
    rows: int


class StrangerChatbot:
    """One connection. Open it with `opened`."""

    def __init__(self, connection: AsyncConnection, tables: Mapping[str, str]) -> None:
        self._connection = connection
        self._tables = tables

    async def rows(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Each person, by squeezed names, as `incoming` takes them. Raises: UnknownForm."""
        users = await self._table(("users", "user"))
        if users is None or not {"telegramid", "userid"} & users.keys():
            raise UnknownForm("there is no table of users with telegramId or userId in this database")
        vips, bans = await self._vips(), await self._bans()
        name = self._tables.get("users") or self._tables["user"]
        asked: list[sa.ColumnElement[Any]] = [sa.column(column) for column in users.values()]
        query = sa.select(*asked).select_from(sa.table(name))
        found = await self._connection.stream(query, execution_options={"yield_per": _CHUNK})
        names = list(users)
        async for values in found:
            row = dict(zip(names, values, strict=True))
            own, telegram = row.get("userid"), row.get("telegramid")
            person = telegram if telegram not in (None, "", 0) else own
            keys = [str(each) for each in (own, telegram) if each is not None]
            taken = {_COLUMNS[column]: value for column, value in row.items() if column in _COLUMNS}
            if row.get("hasstarted") in (False, 0):
                taken.pop("bot", None)
            is_banned = row.get("banned") in (True, 1) or any(key in bans for key in keys)
            until = taken.get("banneduntil")
            yield (
                f"user {own if own is not None else person}",
                taken
                | {
                    "telegramid": person,
                    "vipuntil": next((vips[key] for key in keys if key in vips), None),
                    "banneduntil": (until or True) if is_banned else None,
                },
            )

    async def left_out(self) -> list[Left]:
        """What is not taken in, because nothing here holds it."""
        found = []
        for table in _LEFT_OUT:
            if (name := self._tables.get(table)) is not None:
                count = await self._connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name)))
                if count:
                    found.append(Left(name, count))
        return found

    async def _vips(self) -> dict[str, Any]:
        return {str(person): until for person, until in await self._pairs("vipsubscriptions", "expiresat") if until}

    async def _bans(self) -> set[str]:
        return {str(person) for person, _ in await self._pairs("bans", "userid")}

    async def _pairs(self, table: str, column: str) -> list[tuple[Any, Any]]:
        columns = await self._table((table, table.removesuffix("s")))
        if columns is None or "userid" not in columns or column not in columns:
            return []
        name = self._tables.get(table) or self._tables[table.removesuffix("s")]
        pair: list[sa.ColumnElement[Any]] = [sa.column(columns["userid"]), sa.column(columns[column])]
        asked = sa.select(*pair).select_from(sa.table(name))
        return [(person, value) for person, value in await self._connection.execute(asked)]

    async def _table(self, names: tuple[str, ...]) -> dict[str, str] | None:
        """The columns of the first of these tables, by squeezed names. None if there is none."""
        for name in names:
            if (real := self._tables.get(name)) is not None:
                return await self._connection.run_sync(partial(_columns, table=real))
        return None


def _columns(connection: sa.Connection, table: str) -> dict[str, str]:
    return {squeezed(column["name"]): column["name"] for column in sa.inspect(connection).get_columns(table)}


@asynccontextmanager
async def opened(source: str | Path) -> AsyncIterator[StrangerChatbot]:
    """`source`: a PostgreSQL URI or the path of a file. It is only read. Raises: UnknownForm, RecordsLost."""
    if isinstance(source, Path):
        url = sa.URL.create("sqlite+aiosqlite", database=f"file:{source}", query={"mode": "ro", "uri": "true"})
        engine = create_async_engine(url, hide_parameters=True, poolclass=NullPool)
    else:
        engine = connect(database_url(source), _PATIENT, poolclass=NullPool)
    try:
        with losses():
            async with engine.connect() as connection:
                names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
                yield StrangerChatbot(connection, {squeezed(name): name for name in names})
    finally:
        await engine.dispose()
