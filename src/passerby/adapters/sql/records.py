"""The records port over SQL.

A batch of facts is one transaction. It first locks and reads the position of the generation, so two recorders with the
same journal cannot both store an entry. Then it runs the few statements that `writer` makes of the facts.
"""

import math
import os
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.dialects import insert_into
from passerby.adapters.sql.driver_rows import DriverRows
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import Undone, to_the_end
from passerby.adapters.sql.money import SqlMoney
from passerby.adapters.sql.money_tables import star_rows, star_sweeps
from passerby.adapters.sql.named import measure, named
from passerby.adapters.sql.personal_data import SqlPersonalData
from passerby.adapters.sql.pool import ConnectionPool, Keeper, connections_allowed, connections_percent, shortage
from passerby.adapters.sql.promos import SqlPromos
from passerby.adapters.sql.referrals import SqlReferrals
from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.salvage import people_of
from passerby.adapters.sql.tables import chats, journal_positions, users
from passerby.adapters.sql.tombstones import Pseudonyms, no_pseudonyms, remembered
from passerby.adapters.sql.transactions import retried
from passerby.adapters.sql.unreadable import identifier, is_time, position, readable, text_of
from passerby.adapters.sql.writer import Writer
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.kernel.participant import Chatting, Participant
from passerby.ports.clock import Clock
from passerby.ports.facts import Fact
from passerby.ports.records import Active, Elsewhere, RecordsOlder, Told

_PERSONS_A_QUERY: Final = 5_000
_ROWS_A_CHUNK: Final = 1_000
"""Decoding this many blocks the event loop for about 10 ms."""
_DEAD_AFTER_S: Final = 30 * 86_400.0
"""No store still uses a generation that has sent no facts for this long."""


class SqlRecords(SqlPersonalData, SqlMoney, SqlPromos, SqlReferrals):
    """Implements `passerby.ports.records.Records`. The tables must exist: `init_schema` creates them.

    If the commit of `apply` gets no answer, its outcome is unknown. So the caller gets RecordsLost, and repeats the
    call. This is safe even if the commit was stored: the position is stored with it, and the next call skips entries up
    to the position.
    """

    READ_TRIES = 3
    WRITE_TRIES = 3

    def __init__(
        self, engine: AsyncEngine, pool: ConnectionPool | None = None, pseudonyms: Pseudonyms = no_pseudonyms
    ) -> None:
        """`pseudonyms`: with them, nothing but a tombstone is left of whoever is erased (see `tombstones`)."""
        self._pseudonyms = pseudonyms
        super().__init__(engine)
        self._is_postgres = engine.dialect.name == "postgresql"
        self._pool = pool or ConnectionPool()
        self._keeper = Keeper(engine, self._pool)
        self._writer = Writer(engine.dialect.name, pseudonyms)
        self._driver_rows = DriverRows()
        self._begin_generation = (
            insert_into(journal_positions, engine.dialect.name)
            .on_conflict_do_nothing()
            .returning(journal_positions.c.generation)
        )
        self._people = _people(engine.dialect.name)
        self._put_star_row = insert_into(star_rows, engine.dialect.name).on_conflict_do_nothing()
        put_sweep = insert_into(star_sweeps, engine.dialect.name)
        self._put_sweep = put_sweep.on_conflict_do_update(
            index_elements=[star_sweeps.c.bot_id],
            set_={name: put_sweep.excluded[name] for name in ("rows_seen", "swept_at")},
        )
        measure(engine, lambda: named(self))

    @classmethod
    def at(
        cls,
        database: str | os.PathLike[str],
        pool: ConnectionPool | None = None,
        pseudonyms: Pseudonyms = no_pseudonyms,
    ) -> "SqlRecords":
        """For a PostgreSQL URI or the path of an SQLite file. Raises: DatabaseUnusable."""
        return cls(connect(database_url(database), pool), pool, pseudonyms)

    async def tend(self, clock: Clock) -> None:
        """Maintain the pool of connections until cancelled. With SQLite it returns at once."""
        if self._is_postgres:
            await self._keeper.tend(clock)

    async def shortage(self, processes: int) -> str | None:
        """A sentence for the operator if this many processes may want more connections than the server allows.

        None if there are enough. Raises: RecordsLost.
        """
        return shortage(self._pool, processes, await connections_allowed(self._engine)) if self._is_postgres else None

    async def connections_percent(self) -> float | None:
        """The share of the connections that PostgreSQL allows which are in use. None with SQLite or behind a pooler.

        Raises: RecordsLost.
        """
        return await connections_percent(self._engine) if self._is_postgres else None

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    async def people(self, persons: Sequence[PersonId]) -> dict[PersonId, Participant]:
        found: dict[PersonId, Participant] = {}
        for start in range(0, len(persons), _PERSONS_A_QUERY):
            chunk = list(persons[start : start + _PERSONS_A_QUERY])
            ids = chunk if self._is_postgres else msgspec.json.encode(chunk).decode()

            async def query(connection: AsyncConnection, ids: object = ids) -> list[Participant]:
                return await people_of(connection, (await connection.execute(self._people, {"ids": ids})).all())

            found |= {person.person: person for person in await self._read(query)}
        unknown = [person for person in persons if person not in found]
        if unknown and self._pseudonyms(unknown[0]):
            found |= await self._read(lambda connection: remembered(connection, unknown, self._pseudonyms))
        return found

    async def active(self) -> Active:
        """One snapshot, read in chunks by id, so that neither the event loop nor a cursor is blocked for long."""

        async def query(connection: AsyncConnection) -> Active:
            if self._is_postgres:
                await connection.execution_options(isolation_level="REPEATABLE READ")
            found = Active([], [], [])
            found.chats.extend(readable("chats", await connection.scalars(_OPEN), _chat, _an_open_chat))
            while True:
                after = found.people[-1].person if found.people else -(2**63)
                rows = (await connection.execute(_ACTIVE, {"after": after})).all()
                people = await people_of(connection, [values[: len(READ)] for values in rows])
                found.people.extend(people)
                notices = [(person, *row[len(READ) :]) for person, row in zip(people, rows, strict=True)]
                found.told.extend(filter(None, readable("chats", notices, _told, _an_open_chat)))
                if len(rows) < _ROWS_A_CHUNK:
                    return found

        return await self._read(query)

    async def elsewhere(self, bots: Sequence[BotId]) -> list[Elsewhere]:
        async def query(connection: AsyncConnection) -> list[Elsewhere]:
            rows = await connection.execute(_ELSEWHERE, {"bots": list(bots)})
            return readable("users", rows, _elsewhere, lambda _: "somebody who is busy")

        return await self._read(query)

    async def applied(self, generation: str) -> int:
        async def query(connection: AsyncConnection) -> int:
            return position(await connection.scalar(_APPLIED, {"of": generation}) or 0)

        return await self._read(query)

    async def changed_at(self, until: float = math.inf) -> float | None:
        async def query(connection: AsyncConnection) -> float | None:
            times = filter(is_time, await connection.scalars(_CHANGED_AT))
            return max((each for each in times if each <= until), default=None)

        return await self._read(query)

    async def apply(self, generation: str, entries: Sequence[tuple[int, Fact]], *, after: int | None = None) -> None:
        if entries:
            await retried(Undone, self.WRITE_TRIES, lambda: to_the_end(self._apply(generation, entries, after or 0)))

    async def aclose(self) -> None:
        await self._engine.dispose()

    async def _apply(self, generation: str, entries: Sequence[tuple[int, Fact]], after: int) -> None:
        number, newest = entries[-1]
        async with self._engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                beginning = {"generation": generation, "applied": 0, "touched_at": newest.at}
                if (await connection.execute(self._begin_generation, beginning)).first() is not None:
                    await connection.execute(_FORGET_DEAD, {"before": newest.at - _DEAD_AFTER_S})
                applied = position((await connection.execute(_APPLIED_LOCKED, {"of": generation})).scalar_one())
                if applied < after:
                    raise RecordsOlder("the database was replaced by an older one")
                new = [fact for number, fact in entries if number > applied]
                if new:
                    for statement, rows in self._writer.steps(new):
                        if self._is_postgres or isinstance(rows, dict):
                            await connection.execute(statement, rows)
                        else:
                            await self._driver_rows.send(connection, statement, rows)
                    await connection.execute(_ADVANCE, {"of": generation, "to": number, "at": newest.at})


def _chat(row: object) -> ChatId:
    return ChatId(text_of(row))


def _told(row: tuple[Participant, object, object]) -> Told | None:
    person, bot, message = row
    if bot is None or not isinstance(person.state, Chatting):
        return None
    return Told(person.state.chat, person.person, MessageRef(BotId(identifier(bot)), MessageId(identifier(message))))


def _elsewhere(row: Any) -> Elsewhere:
    person, bot, state = row
    return Elsewhere(person, BotId(identifier(bot)), state == "chatting")


def _an_open_chat(_: object) -> str:
    return "an open chat"


def _people(dialect: str) -> sa.Select[Any]:
    """One parameter holds all ids, so there is one statement to prepare for any number of them."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        ids = sa.bindparam("ids", type_=postgresql.ARRAY(sa.BigInteger))
        return sa.select(*READ).where(users.c.id == sa.func.any(ids))
    each = sa.func.json_each(sa.bindparam("ids", type_=sa.Text)).table_valued("value")
    return sa.select(*READ).where(users.c.id.in_(sa.select(each.c.value)))


_FIRST = chats.c.user1 == users.c.id
_TOLD = (
    sa.case((_FIRST, chats.c.told1_bot), else_=chats.c.told2_bot),
    sa.case((_FIRST, chats.c.told1_message), else_=chats.c.told2_message),
)
"""The notice that told a person about their chat."""
_ACTIVE = (
    sa.select(*READ, *_TOLD)
    .outerjoin_from(
        users,
        chats,
        sa.and_(chats.c.id == users.c.chat, chats.c.active, sa.or_(_FIRST, chats.c.user2 == users.c.id)),
    )
    # Written exactly as in the partial index. Otherwise the planners do not use the index.
    .where(users.c.state != sa.literal_column("'idle'"), users.c.id > sa.bindparam("after"))
    .order_by(users.c.id)
    .limit(sa.literal_column(str(_ROWS_A_CHUNK)))
)
_ELSEWHERE = (
    sa.select(users.c.id, users.c.bot_id, users.c.state)
    .where(users.c.state != sa.literal_column("'idle'"), users.c.bot_id.not_in(sa.bindparam("bots", expanding=True)))
    .order_by(users.c.id)
)
# Written exactly as in the partial index. Otherwise SQLite reads all chats, also closed ones.
_OPEN = sa.select(chats.c.id).where(sa.text("active"))
_APPLIED = sa.select(journal_positions.c.applied).where(journal_positions.c.generation == sa.bindparam("of"))
_CHANGED_AT = sa.select(journal_positions.c.touched_at)
_APPLIED_LOCKED = _APPLIED.with_for_update()
_ADVANCE = (
    sa.update(journal_positions)
    .where(journal_positions.c.generation == sa.bindparam("of"))
    .values(applied=sa.bindparam("to"), touched_at=sa.bindparam("at"))
)
_FORGET_DEAD = sa.delete(journal_positions).where(journal_positions.c.touched_at < sa.bindparam("before"))
