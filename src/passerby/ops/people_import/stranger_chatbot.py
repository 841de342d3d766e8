"""Reads people from the database of the Node program AnonStrangerChatbot, in PostgreSQL or SQLite.

Names of tables and columns vary between its versions ("User" and "Users", for example), so they are looked up. Some of
its tables name a person by its own `userId`, which may or may not be Telegram's id; both are tried. Views count as
tables. A table that matters and has none of the columns we know stops the import: nothing is lost in silence.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
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
from passerby.adapters.sql.pool import ConnectionPool
from passerby.ops.people_import.files import UnknownForm
from passerby.ops.people_import.incoming import NotReadable, shown, squeezed, time_of, yes_or_no

_PATIENT: Final = ConnectionPool(timeout_s=600.0)
_CHUNK: Final = 5_000
_USERS: Final = ("users", "user")
_BANS: Final = ("bans", "ban", "bannedusers", "banneduser", "userbans", "userban", "banlist", "blacklist")
_VIPS: Final = ("vipsubscriptions", "vipsubscription", "vips", "vip", "vipusers", "vipuser", "uservips", "uservip")
_LEFT_OUT: Final = (
    *("chats", "chat", "referrals", "referral", "startransactions", "startransaction"),
    *("locks", "lock", "affiliaterewards", "affiliatereward"),
)
_OWN: Final = ("userid", "user")
_TELEGRAM: Final = ("telegramid", "telegramuserid", "tgid", "tguserid")
_ENDS: Final = ("expiresat", "expires", "expiresdate", "expirydate", "expireat", "vipuntil", "until", "validuntil")
_ENDS_TOO: Final = ("enddate", "endsat", "endat", "ends")
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
_ALSO: Final = {"isbanned": "banned", "banuntil": "banneduntil", "banexpiresat": "banneduntil"}
_READ: Final = _COLUMNS.keys() | {"userid", "telegramid", "hasstarted", "banned"}
_MOST_COLUMNS: Final = 30
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
        name = next((self._tables[name] for name in _USERS if name in self._tables), None)
        if name is None:
            raise UnknownForm("there is no table of users in this database")
        columns = await self._columns(name)
        users = _known(columns)
        if not {"telegramid", "userid"} & users.keys():
            raise _unreadable(name, columns, "telegramId or userId")
        vips, bans = await self._named(_VIPS, (*_ENDS, *_ENDS_TOO)), await self._named(_BANS)
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
            vip = vips.of(own, telegram)
            is_listed = bool(bans.of(own, telegram))
            taken = {_COLUMNS[column]: value for column, value in row.items() if column in _COLUMNS}
            until = taken.get("banneduntil") if taken.get("banneduntil") not in _EMPTY else None
            try:
                if yes_or_no(row.get("hasstarted"), "hasStarted") is False:
                    taken.pop("bot", None)
                banned = yes_or_no(row.get("banned"), "banned")
                longest = max(vip, key=lambda until: time_of(until, "vip_until"), default=None)
            except NotReadable as error:
                yield f"row {number}", str(error)
                continue
            # A time without a yes or no is a ban, too.
            is_banned = banned or (banned is None and until is not None) or is_listed
            yield (
                f"row {number}",
                taken
                | {
                    "telegramid": person,
                    "vipuntil": longest,
                    "banneduntil": (until or True) if is_banned else None,
                },
            )
        for where, telegram, _ in bans.unasked():
            yield where, {"telegramid": telegram, "banneduntil": True} if telegram else f"{name} has no such person"
        for where, _, until in vips.unasked():
            if until not in _EMPTY:
                yield where, f"{name} has no such person"

    async def left_out(self) -> list[Left]:
        """The things that are not taken in, because Passerby has no place for them."""
        found = []
        for table in _LEFT_OUT:
            if (name := self._tables.get(table)) is not None:
                count = await self._connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name)))
                if count:
                    found.append(Left(name, count))
        return found

    async def _named(self, tables: tuple[str, ...], values: tuple[str, ...] = ()) -> "Named":
        """Everybody in these tables, with the first of `values` that is a column. Raises: UnknownForm."""
        found = Named()
        for name in (self._tables[table] for table in tables if table in self._tables):
            columns = await self._columns(name)
            own, telegram, value = (_first(columns, names) for names in (_OWN, _TELEGRAM, values))
            table = sa.table(name)
            if (own or telegram) is None or (values and value is None):
                if await self._connection.scalar(sa.select(sa.literal(1)).select_from(table).limit(1)) is None:
                    continue
                raise _unreadable(name, columns, "userId or telegramId" + (" and expiresAt" if values else ""))
            asked = [self._as_written(each) if each is not None else sa.null() for each in (own, telegram, value)]
            rows = await self._connection.execute(sa.select(*asked).select_from(table))
            for number, (by_own, by_telegram, each) in enumerate(rows, 1):
                found.add(f"{name}, row {number}", by_own, by_telegram, each if values else True)
        return found

    def _as_written(self, column: str) -> sa.ColumnElement[Any]:
        """PostgreSQL holds times that Python cannot (infinity, 4000 BC), so there every value is read as a text."""
        plain: sa.ColumnElement[Any] = sa.column(column)
        return sa.cast(plain, sa.Text) if self._connection.dialect.name == "postgresql" else plain

    async def _columns(self, table: str) -> dict[str, str]:
        """By squeezed names."""
        return await self._connection.run_sync(partial(_columns, table=table))


class Named:
    """Rows of a table that name people, by the program's own id or by Telegram's."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, Any, Any]] = []
        """The place, Telegram's id if the row has it, and the value."""
        self._by_own: dict[str, list[int]] = {}
        self._by_telegram: dict[str, list[int]] = {}
        self._asked: set[int] = set()

    def add(self, where: str, own: Any, telegram: Any, value: Any) -> None:
        number = len(self._rows)
        self._rows.append((where, telegram if telegram not in _EMPTY else None, value))
        if own not in _EMPTY:
            self._by_own.setdefault(str(own), []).append(number)
        if telegram not in _EMPTY:
            self._by_telegram.setdefault(str(telegram), []).append(number)

    def of(self, own: Any, telegram: Any) -> list[Any]:
        """All values of a person, without the empty ones. A `userId` may be Telegram's id, too."""
        numbers: set[int] = set()
        for each in (own, telegram):
            if each not in _EMPTY:
                numbers.update(self._by_own.get(str(each), ()))
        for each in (own, telegram) if telegram in _EMPTY else (telegram,):
            numbers.update(self._by_telegram.get(str(each), ()))
        self._asked |= numbers
        return [value for number in sorted(numbers) if (value := self._rows[number][2]) not in _EMPTY]

    def unasked(self) -> Iterator[tuple[str, Any, Any]]:
        """The rows of nobody who was asked for: their place, Telegram's id or None, and the value."""
        return (row for number, row in enumerate(self._rows) if number not in self._asked)


def _first(columns: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((columns[name] for name in names if name in columns), None)


def _known(columns: Mapping[str, str]) -> dict[str, str]:
    """The columns of users that are read, by the names that we give them. Without a userId, the id is the own one."""
    found = {_ALSO[squeeze]: column for squeeze, column in columns.items() if squeeze in _ALSO} | dict(columns)
    for name in _TELEGRAM:
        if "telegramid" not in found and name in columns:
            found["telegramid"] = columns[name]
    if "userid" not in found and "telegramid" in found and "id" in columns:
        found["userid"] = columns["id"]
    return {name: column for name, column in found.items() if name in _READ}


def _unreadable(table: str, columns: Mapping[str, str], wanted: str) -> UnknownForm:
    """The table and its columns, as far as a line can hold them."""
    told = ", ".join(shown(column) for column in list(columns.values())[:_MOST_COLUMNS])
    return UnknownForm(f"the table {shown(table)} has no column {wanted}; its columns are {told}")


def _columns(connection: sa.Connection, table: str) -> dict[str, str]:
    return {squeezed(column["name"]): column["name"] for column in sa.inspect(connection).get_columns(table)}


def _tables(connection: sa.Connection) -> dict[str, str]:
    """Tables and views, by squeezed names. A table comes before a view of the same name."""
    inspector = sa.inspect(connection)
    views = inspector.get_view_names()
    if connection.dialect.name == "postgresql":
        views += inspector.get_materialized_view_names()
    return {squeezed(name): name for name in (*views, *inspector.get_table_names())}


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
                yield StrangerChatbot(connection, await connection.run_sync(_tables))
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
