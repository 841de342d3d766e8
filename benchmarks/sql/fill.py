"""Fills a PostgreSQL as if after years: people, their chats, their blocks, and some who are in a chat right now.

The server makes the rows itself (generate_series). The indexes are built afterwards. Ten million chats take a few
minutes. Ids are spread over the range like Telegram's. Chats are in the order of time.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.tables import blocks, chats, complaints, journal_positions, users

NOW = 1_790_000_000
YEARS_S = 2 * 365 * 86_400
BOTS = 4
FIRST_BOT = 1_000_001
BIG = (users.name, chats.name, blocks.name, complaints.name)


@dataclass(frozen=True, slots=True)
class Size:
    users: int
    chats: int

    @property
    def open(self) -> int:
        """Open chats: at most as many as a rebuild is promised for."""
        return min(10_000, self.users // 20)

    @property
    def searching(self) -> int:
        return self.open // 20

    @property
    def disk(self) -> int:
        """In bytes, with a margin: indexes need space for sorted copies, and WAL is written."""
        return self.users * 4_000 + self.chats * 1_500 + 2**30


def person(number: str | int) -> str:
    """The id of the n-th person, as SQL: a multiplication modulo a prime, so that no two are the same."""
    return f"(({number})::bigint * 2654435761 % 6999999989)"


def person_id(number: int) -> int:
    return number * 2654435761 % 6999999989


def chat_id(number: str | int) -> str:
    return f"substr(md5(({number})::text), 1, 22)"


def _users(size: Size) -> str:
    chatting = size.open * 2
    busy = chatting + size.searching
    is_searching = f"i > {chatting} AND i <= {busy}"
    long_ago = f"{NOW} - i * 7919 % {size.users} * ({YEARS_S}::float8 / {size.users})"
    met = f"'[' || {person('1 + i * 31 % ' + str(size.users))} || ',1789990000.5]'"
    return f"""
    INSERT INTO users (id, version, bot_id, bots, has_started, consented_at, age, age_given_at, gender, language,
        languages, interests, country, vip_gender, vip_until, karma, karma_at, details, state, pool, searching_since,
        ticket, chat, partner, chatting_since, last_chat, last_partner, last_closed_at, last_reason, last_left,
        last_active_date, created_at)
    SELECT {person("i")}, 1 + i % 900, {FIRST_BOT} + i % {BOTS}, '[' || {FIRST_BOT} + i % {BOTS} || ']', i % 9 > 0,
        {NOW} - i % {YEARS_S}, 18 + i % 40, {NOW} - i % {YEARS_S},
        (ARRAY['male','male','male','female','unsaid'])[(1 + i % 5)::int],
        (ARRAY['en','ru','es','pt','hi'])[(1 + i % 5)::int], '["en"]', '["music","films"]', NULL,
        CASE WHEN i % 50 = 0 THEN 'female' END, CASE WHEN i % 50 = 0 THEN {NOW} + i % 2592000 ELSE 0 END,
        (i % 7) / 10.0, {NOW}, '{{"recent":[' || {met} || ',' || {met} || ',' || {met} || ']}}',
        CASE WHEN i <= {chatting} THEN 'chatting' WHEN i <= {busy} THEN 'searching' ELSE 'idle' END,
        CASE WHEN {is_searching} THEN 'adults' END,
        CASE WHEN {is_searching} THEN {NOW} - i % 60 END,
        CASE WHEN i > {chatting} AND i <= {chatting + size.searching}
            THEN '{{"person":' || {person("i")} || ',"pool":"adults","since":1790000000,"gender":"male","age":30}}' END,
        CASE WHEN i <= {chatting} THEN {chat_id("'open' || (i + 1) / 2")} END,
        CASE WHEN i <= {chatting} THEN {person("CASE WHEN i % 2 = 1 THEN i + 1 ELSE i - 1 END")} END,
        CASE WHEN i <= {chatting} THEN {NOW} - i % 3600 END,
        {chat_id("i")}, {person(f"1 + i * 17 % {size.users}")}, {NOW} - i % {YEARS_S}, 'left', i % 2 = 0,
        {long_ago}, {long_ago}
    FROM generate_series(1::bigint, {size.users}) AS i
    """


def _chats(size: Size) -> str:
    """The two strides have no large common divisor with the number of people, so everybody gets their share."""
    return f"""
    INSERT INTO chats (id, user1, user2, bot1, bot2, active, opened_at, closed_at, closed_by, reason,
        told1_bot, told1_message, told2_bot, told2_message, rating1)
    SELECT {chat_id("i")}, {person(f"1 + i * 7919 % {size.users}")}, {person(f"1 + i * 104729 % {size.users}")},
        {FIRST_BOT} + i % {BOTS}, {FIRST_BOT} + i / 7 % {BOTS}, false,
        {NOW} - {YEARS_S} + i * ({YEARS_S}::float8 / {size.chats}),
        {NOW} - {YEARS_S} + i * ({YEARS_S}::float8 / {size.chats}) + i % 900,
        {person(f"1 + i * 7919 % {size.users}")}, 'left',
        {FIRST_BOT} + i % {BOTS}, i, {FIRST_BOT} + i / 7 % {BOTS}, i + 1,
        CASE WHEN i % 10 = 0 THEN 'good' WHEN i % 25 = 0 THEN 'bad' END
    FROM generate_series(1::bigint, {size.chats}) AS i
    """


def _open_chats(size: Size) -> str:
    return f"""
    INSERT INTO chats (id, user1, user2, bot1, bot2, active, opened_at,
        told1_bot, told1_message, told2_bot, told2_message)
    SELECT {chat_id("'open' || i")}, {person("2 * i - 1")}, {person("2 * i")}, {FIRST_BOT}, {FIRST_BOT + 1}, true,
        {NOW} - i % 3600, {FIRST_BOT}, i, {FIRST_BOT + 1}, i
    FROM generate_series(1::bigint, {size.open}) AS i
    """


def _blocks(size: Size) -> str:
    return f"""
    INSERT INTO blocks (user_id, blocked_id, blocked_at, lifted_at)
    SELECT {person(f"1 + i * 13 % {size.users}")}, {person(f"1 + i * 29 % {size.users}")}, {NOW} - i % {YEARS_S},
        CASE WHEN i % 9 = 0 THEN {NOW} END
    FROM generate_series(1::bigint, {size.users // 5}) AS i ON CONFLICT DO NOTHING
    """


def _complaints(size: Size) -> str:
    """Of the oldest chats."""
    return f"""
    INSERT INTO complaints (chat_id, user_id, accused_id, reason, filed_at)
    SELECT {chat_id("i")}, {person(f"1 + i * 7919 % {size.users}")}, {person(f"1 + i * 104729 % {size.users}")},
        'spam', {NOW} - i % {YEARS_S}
    FROM generate_series(1::bigint, {size.chats // 100}) AS i ON CONFLICT DO NOTHING
    """


async def fill(connection: AsyncConnection, size: Size) -> None:
    """Replace everything. It needs AUTOCOMMIT, and no limit on how long a statement takes."""
    await connection.exec_driver_sql(f"TRUNCATE {', '.join((*BIG, journal_positions.name))}")
    found = await connection.execute(
        sa.text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(:tables) AND indexname LIKE 'ix%'"),
        {"tables": list(BIG)},
    )
    indexes: dict[str, str] = {row.indexname: row.indexdef for row in found}
    for name in indexes:
        await connection.exec_driver_sql(f"DROP INDEX {name}")
    for table in (users, chats):
        await connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP CONSTRAINT pk_{table.name}")
    for statement in (_users(size), _chats(size), _open_chats(size), _blocks(size), _complaints(size)):
        await connection.exec_driver_sql(statement)
    for table in (users, chats):
        await connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD CONSTRAINT pk_{table.name} PRIMARY KEY (id)")
    for definition in indexes.values():
        await connection.exec_driver_sql(definition)
    await connection.exec_driver_sql("VACUUM ANALYZE")
