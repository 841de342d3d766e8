"""The records port over SQL.

A batch of facts is one transaction: the position of the generation is locked and read first, so two recorders that
were given the same journal cannot both store an entry; then a few statements, each sent for all its rows at once
(executemany). `insert().values([...])` with many rows is never used: it compiles anew for each batch, at 15 times the
price.

Of several values for one person in a batch only the last is written. Rows go in the order of their ids, so that two
transactions cannot each wait for a row of the other.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar, assert_never

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.engine import Pool, connect, database_url, losses, to_the_end
from passerby.adapters.sql.rows import READ, participant, row
from passerby.adapters.sql.tables import chats, journal_positions, users
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Participant
from passerby.ports.facts import ChatClosed, ChatOpened, Fact, PersonChanged
from passerby.ports.records import RecordsLost

T = TypeVar("T")

_PERSONS_A_QUERY: Final = 5_000
_ROWS_A_CHUNK: Final = 1_000
"""Decoding this many holds the loop for about 10 ms."""
_TRIES: Final = 3


class SqlRecords:
    """Implements `passerby.ports.records.Records`. The tables must be there: `init_schema` makes them.

    Reads are tried three times at once, which gets over connections that died in the pool. `apply` is tried once:
    after a commit that was not answered nobody knows whether it counts, so it is RecordsLost, and the caller repeats
    the same call. That is right, although the call may have been stored, because the position is stored with it and
    entries up to it are skipped.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_postgres = engine.dialect.name == "postgresql"
        self._upsert_user = _upsert_user(engine.dialect.name)
        self._open_chat = _insert(engine.dialect.name, chats).on_conflict_do_nothing()
        self._begin_generation = _insert(engine.dialect.name, journal_positions).on_conflict_do_nothing()
        self._people = _people(engine.dialect.name)

    @classmethod
    def at(cls, database: str | os.PathLike[str], pool: Pool | None = None) -> "SqlRecords":
        """Over a PostgreSQL URI or the path of an SQLite file. Raises: DatabaseUnusable."""
        return cls(connect(database_url(database), pool))

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    async def people(self, persons: Sequence[PersonId]) -> dict[PersonId, Participant]:
        found: dict[PersonId, Participant] = {}
        for start in range(0, len(persons), _PERSONS_A_QUERY):
            chunk = list(persons[start : start + _PERSONS_A_QUERY])
            ids = chunk if self._is_postgres else msgspec.json.encode(chunk).decode()

            async def query(connection: AsyncConnection, ids: object = ids) -> list[Participant]:
                return [participant(values) for values in await connection.execute(self._people, {"ids": ids})]

            found |= {person.person: person for person in await self._read(query)}
        return found

    async def active(self) -> list[Participant]:
        """One snapshot, read in chunks by id, so that neither the loop nor the server's cursor is held for long."""

        async def query(connection: AsyncConnection) -> list[Participant]:
            if self._is_postgres:
                await connection.execution_options(isolation_level="REPEATABLE READ")
            found: list[Participant] = []
            while True:
                after = found[-1].person if found else -(2**63)
                rows = (await connection.execute(_ACTIVE, {"after": after})).all()
                found += map(participant, rows)
                if len(rows) < _ROWS_A_CHUNK:
                    return found

        return await self._read(query)

    async def applied(self, generation: str) -> int:
        async def query(connection: AsyncConnection) -> int:
            return await connection.scalar(_APPLIED, {"of": generation}) or 0

        return await self._read(query)

    async def apply(self, generation: str, entries: Sequence[tuple[int, Fact]]) -> None:
        if entries:
            with losses():
                await to_the_end(self._apply(generation, entries))

    async def aclose(self) -> None:
        await self._engine.dispose()

    async def _apply(self, generation: str, entries: Sequence[tuple[int, Fact]]) -> None:
        async with self._engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                await connection.execute(self._begin_generation, {"generation": generation, "applied": 0})
                applied = (await connection.execute(_APPLIED_LOCKED, {"of": generation})).scalar_one()
                new = [fact for number, fact in entries if number > applied]
                if new:
                    await self._store(connection, new)
                    await connection.execute(_ADVANCE, {"of": generation, "to": entries[-1][0]})

    async def _read(self, query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        for tries_left in range(_TRIES - 1, -1, -1):
            try:
                with losses():
                    return await to_the_end(self._once(query))
            except RecordsLost:
                if not tries_left:
                    raise
        raise AssertionError("unreachable")

    async def _once(self, query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self._engine.connect() as connection:
            return await query(connection)

    async def _store(self, connection: AsyncConnection, facts: Sequence[Fact]) -> None:
        people: dict[PersonId, dict[str, Any]] = {}
        opened: dict[ChatId, dict[str, Any]] = {}
        # A closing acts on what was open when it came: on a chat of an earlier batch, or on one of this one.
        closed_before: dict[ChatId, dict[str, Any]] = {}
        closed_after: dict[ChatId, dict[str, Any]] = {}
        for fact in facts:
            match fact:
                case PersonChanged(participant=value):
                    earlier = people.get(value.person)
                    people[value.person] = row(fact)
                    if earlier is not None:
                        people[value.person]["created_at"] = earlier["created_at"]
                case ChatOpened():
                    opened.setdefault(fact.chat, _opened(fact))
                case ChatClosed():
                    closed = closed_after if fact.chat in opened else closed_before
                    closed.setdefault(fact.chat, _closed(fact))
                case _:
                    assert_never(fact)
        if people:
            await connection.execute(self._upsert_user, [people[person] for person in sorted(people)])
        for statement, by_chat in (
            (_CLOSE_CHAT, closed_before),
            (self._open_chat, opened),
            (_CLOSE_CHAT, closed_after),
        ):
            if by_chat:
                await connection.execute(statement, [by_chat[chat] for chat in sorted(by_chat)])


def _opened(fact: ChatOpened) -> dict[str, Any]:
    return {
        "id": fact.chat,
        "user1": fact.first,
        "user2": fact.second,
        "bot1": fact.first_bot,
        "bot2": fact.second_bot,
        "active": True,
        "opened_at": fact.at,
    }


def _closed(fact: ChatClosed) -> dict[str, Any]:
    return {"of": fact.chat, "at": fact.at, "by": fact.by, "why": fact.reason}


def _insert(dialect: str, table: sa.Table) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _upsert_user(dialect: str) -> Any:
    """Bans and entitlements are not the journal's, and `created_at` is the first one's: neither is overwritten."""
    insert = _insert(dialect, users)
    kept = {"id", "created_at", "vip_gender", "banned", "banned_until"}
    return insert.on_conflict_do_update(
        index_elements=[users.c.id],
        set_={column.name: insert.excluded[column.name] for column in users.c if column.name not in kept},
    )


def _people(dialect: str) -> sa.Select[Any]:
    """One bind for all the ids, so that there is one statement to prepare, however many they are."""
    if dialect == "postgresql":
        ids = sa.bindparam("ids", type_=postgresql.ARRAY(sa.BigInteger))
        return sa.select(*READ).where(users.c.id == sa.func.any(ids))
    each = sa.func.json_each(sa.bindparam("ids", type_=sa.Text)).table_valued("value")
    return sa.select(*READ).where(users.c.id.in_(sa.select(each.c.value)))


_ACTIVE = (
    sa.select(*READ)
    # Written as in the partial index, or the planners do not see that it is the same.
    .where(users.c.state != sa.literal_column("'idle'"), users.c.id > sa.bindparam("after"))
    .order_by(users.c.id)
    .limit(sa.literal_column(str(_ROWS_A_CHUNK)))
)
_APPLIED = sa.select(journal_positions.c.applied).where(journal_positions.c.generation == sa.bindparam("of"))
_APPLIED_LOCKED = _APPLIED.with_for_update()
_ADVANCE = (
    sa.update(journal_positions)
    .where(journal_positions.c.generation == sa.bindparam("of"))
    .values(applied=sa.bindparam("to"))
)
_CLOSE_CHAT = (
    sa.update(chats)
    # The first ending counts.
    .where(chats.c.id == sa.bindparam("of"), chats.c.active)
    .values(active=sa.false(), closed_at=sa.bindparam("at"), closed_by=sa.bindparam("by"), reason=sa.bindparam("why"))
)
