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
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import losses
from passerby.adapters.sql.pool import Pool
from passerby.ops.people_import.files import UnknownForm
from passerby.ops.people_import.incoming import NotReadable, squeezed, yes_or_no

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
_READ: Final = _COLUMNS.keys() | {"userid", "telegramid", "hasstarted", "banned"}
_EMPTY: Final = (None, "", 0, "0")


class Left(NamedTuple):
    """A table that is not taken in, and its rows."""

    table: str
    rows: int


class StrangerChatbot:
    """One connection. Open it with `opened`."""

    def __init__(self, connection: AsyncConnection, tables: Mapping[str, str]) -> None:
        self._connection = connection
        self._tables = tables

    async def rows(self) -> AsyncIterator[tuple[str, dict[str, Any] | str]]:
        """Each person, by squeezed names, as `incoming` takes them; a text instead if the row cannot be read.

        They come in the order of their ids. Raises: UnknownForm.
        """
        users = await self._table(("users", "user"))
        if users is None or not {"telegramid", "userid"} & users.keys():
            raise UnknownForm("there is no table of users with telegramId or userId in this database")
        vips, bans = await self._vips(), await self._bans()
        name = self._tables.get("users") or self._tables["user"]
        users = {squeeze: column for squeeze, column in users.items() if squeeze in _READ}
        asked = [self._as_written(column) for column in users.values()]
        order: list[sa.ColumnElement[Any]] = [sa.column(users[key]) for key in ("userid", "telegramid") if key in users]
        query = sa.select(*asked).select_from(sa.table(name)).order_by(*order)
        found = await self._connection.stream(query, execution_options={"yield_per": _CHUNK})
        names = list(users)
        number = 0
        async for values in found:
            number += 1
            row = dict(zip(names, values, strict=True))
            own, telegram = row.get("userid"), row.get("telegramid")
            person = telegram if telegram not in _EMPTY else own
            keys = [str(each) for each in (own, telegram) if each is not None]
            taken = {_COLUMNS[column]: value for column, value in row.items() if column in _COLUMNS}
            until = taken.get("banneduntil") if taken.get("banneduntil") not in _EMPTY else None
            try:
                if yes_or_no(row.get("hasstarted"), "hasStarted") is False:
                    taken.pop("bot", None)
                banned = yes_or_no(row.get("banned"), "banned")
            except NotReadable as error:
                yield f"row {number}", str(error)
                continue
            # A time without a yes or no is a ban, too.
            is_banned = banned or (banned is None and until is not None) or any(key in bans for key in keys)
            yield (
                f"row {number}",
                taken
                | {
                    "telegramid": person,
                    "vipuntil": next((vips[key] for key in keys if key in vips), None),
                    "banneduntil": (until or True) if is_banned else None,
                },
            )

    async def left_out(self) -> list[Left]:
        """The things that are not taken in, because Passerby has no place for them."""
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
        pair = [self._as_written(columns["userid"]), self._as_written(columns[column])]
        asked = sa.select(*pair).select_from(sa.table(name))
        return [(person, value) for person, value in await self._connection.execute(asked)]

    def _as_written(self, column: str) -> sa.ColumnElement[Any]:
        """PostgreSQL holds times that Python cannot (infinity, 4000 BC), so there every value is read as a text."""
        plain: sa.ColumnElement[Any] = sa.column(column)
        return sa.cast(plain, sa.Text) if self._connection.dialect.name == "postgresql" else plain

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
        engine = create_async_engine(_only_read(source), hide_parameters=True, poolclass=NullPool)
        sa.event.listen(engine.sync_engine, "connect", _read_any_text)
    else:
        engine = connect(database_url(source), _PATIENT, poolclass=NullPool)
    try:
        with losses():
            async with engine.connect() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(sa.text("SET datestyle = 'ISO'"))
                names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
                yield StrangerChatbot(connection, {squeezed(name): name for name in names})
    except (exc.DBAPIError, OverflowError, UnicodeError) as error:
        raise UnknownForm(f"this database cannot be read ({type(error).__name__})") from None
    finally:
        await engine.dispose()


def _only_read(file: Path) -> sa.URL:
    query = {"mode": "ro", "uri": "true"}
    return sa.URL.create("sqlite+aiosqlite", database=file.absolute().as_uri(), query=query)


def _read_any_text(connection: Any, _: object) -> None:
    """Bytes that are not UTF-8 do not stop the other rows."""
    connection.driver_connection.text_factory = partial(str, encoding="utf-8", errors="replace")
