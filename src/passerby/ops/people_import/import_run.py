"""Judges everybody who comes, and writes those who are taken in, while nothing runs.

People who are here already stay as they are, because they may have changed their mind since. Only a ban that they do
not have yet is added. So the command may be repeated: after a kill it goes on where it was.
"""

import secrets
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, DatabaseUnusable, SqlRecords
from passerby.adapters.sql.audit import lock_audit
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import Damaged, losses
from passerby.adapters.sql.staff_orders import add_orders
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.staff import SanctionOrder
from passerby.ops.counting import counted
from passerby.ops.people_import import files, stranger_chatbot
from passerby.ops.people_import.files import UnknownForm
from passerby.ops.people_import.incoming import LIFETIME, Incoming, NotReadable, incoming, refusal
from passerby.ops.people_import.stranger_chatbot import Left
from passerby.ops.standstill import standstill
from passerby.ops.stores import database, init_schema, must_exist, must_fit, sentences
from passerby.ports.clock import Clock
from passerby.ports.facts import BlockChanged, Fact, PersonChanged, SanctionChanged
from passerby.ports.records import RecordsLost
from passerby.settings import Settings

_BATCH: Final = 500
_SQLITE: Final = b"SQLite format 3\0"
_PATIENT: Final = ConnectionPool(timeout_s=60.0)
Row = tuple[str, dict[str, Any] | str]


class ImportFailed(Exception):
    """Nothing was read. The text is one sentence for the operator."""


class WrongSource(ImportFailed):
    """The file or another argument is wrong, not the fleet."""


class Outcome(msgspec.Struct):
    """`taken`: new people. `known`: people who were here already. `asked`: how many are asked what at their next visit.

    `lifetime`: new people whose VIP lasts until LIFETIME. `refused` and `banned` count people. `left`: tables that are
    not taken in.
    """

    rows: int = 0
    taken: int = 0
    known: int = 0
    refused: int = 0
    banned: int = 0
    unreachable: int = 0
    lifetime: int = 0
    asked: Counter[str] = msgspec.field(default_factory=Counter)
    left: list[Left] = msgspec.field(default_factory=list)


async def bring(
    settings: Settings,
    source: str,
    clock: Clock,
    *,
    dry_run: bool,
    bot: int | None = None,
    refused: Callable[[str, str], object] = lambda *_: None,
) -> Outcome:
    """`bot`: the bot of people whose row names none of ours. `refused` hears the place and the reason of each refusal.

    Raises: ImportFailed, FleetRuns, WrongSetting, OSError.
    """
    bots = tuple(settings.tokens)
    if bot is not None and BotId(bot) not in bots:
        raise WrongSource("--bot names none of the bots in BOT_TOKENS")
    if "://" not in source:
        _check_readable(Path(source))
    has_tables = await must_fit(settings)
    if has_tables and dry_run:
        await must_exist(settings)
    outcome = Outcome()
    people = await _read(source, bots, outcome, refused)
    for person in people.values():
        if not person.bots and bot is not None:
            person.bots = (BotId(bot),)
    with sentences(settings):
        if dry_run:
            async with _records(settings, has_tables=has_tables) as records:
                await _judge(settings, people, outcome, refused, clock.now(), records, writes=False)
            return outcome
        async with standstill(settings, clock):
            await init_schema(settings)
            async with _records(settings) as records:
                await _judge(settings, people, outcome, refused, clock.now(), records, writes=True)
    return outcome


@asynccontextmanager
async def _records(settings: Settings, *, has_tables: bool = True) -> AsyncIterator[SqlRecords | None]:
    """None: there are no tables yet."""
    records = SqlRecords.at(database(settings), _PATIENT) if has_tables else None
    try:
        yield records
    finally:
        if records is not None:
            await records.aclose()


async def _read(
    source: str, bots: Iterable[BotId], outcome: Outcome, refused: Callable[[str, str], object]
) -> dict[PersonId, Incoming]:
    """Everybody, each once. Raises: WrongSource, if it is none; ImportFailed, if its server does not answer."""
    try:
        with losses():
            return await _everybody(source, bots, outcome, refused)
    except Damaged:
        raise WrongSource("the database to import is damaged; name a copy that is whole") from None
    except (UnknownForm, DatabaseUnusable) as error:
        raise WrongSource(str(error)) from None
    except RecordsLost as error:
        raise ImportFailed(f"the database to import cannot be used: {error}") from None


async def _everybody(
    source: str, bots: Iterable[BotId], outcome: Outcome, refused: Callable[[str, str], object]
) -> dict[PersonId, Incoming]:
    found: dict[PersonId, Incoming] = {}
    read = 0
    waiting: deque[tuple[str, str]] = deque()
    async with _rows(source, outcome) as rows:
        async for where, row in rows:
            outcome.rows += 1
            try:
                if isinstance(row, str):
                    raise NotReadable(row)
                person = incoming(where, row, bots)
            except NotReadable as error:
                outcome.refused += 1
                if read:
                    refused(where, str(error))
                else:  # of a file that holds no people at all, one sentence is enough
                    waiting.append((where, str(error)))
                continue
            if (earlier := found.get(person.person)) is not None:
                earlier.merge(person)
            else:
                found[person.person] = person
            read += 1
            while waiting:
                refused(*waiting.popleft())
    if not read and "://" not in source and not _is_sqlite(Path(source)):
        path = Path(source)
        why = f"none of its {counted(outcome.rows, 'row')} can be read" if outcome.rows else "it holds no people"
        raise WrongSource(f"{path} cannot be imported: {why}; name a file of CSV (.csv) or JSON lines, or a database")
    for each in waiting:
        refused(*each)
    return found


@asynccontextmanager
async def _rows(source: str, outcome: Outcome) -> AsyncIterator[AsyncIterator[Row]]:
    path = Path(source)
    if "://" in source or _is_sqlite(path):
        async with stranger_chatbot.opened(source if "://" in source else path) as chatbot:
            yield chatbot.rows()
            outcome.left = await chatbot.left_out()
        return

    async def read() -> AsyncIterator[Row]:
        for row in files.rows(path):
            yield row

    yield read()


def _check_readable(path: Path) -> None:
    """Raises: ImportFailed. The file is read more than once, so a pipe would lose rows, or wait without end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise WrongSource(f"{path} is not a regular file; write the people into a file first, and name it")
    try:
        path.open("rb").close()
    except OSError as error:
        told = f"{path} cannot be read ({error.strerror})"
        raise WrongSource(f"{told}; name a file, or the postgresql://… address of a database") from None


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


async def _judge(
    settings: Settings,
    people: dict[PersonId, Incoming],
    outcome: Outcome,
    refused: Callable[[str, str], object],
    now: float,
    records: SqlRecords | None,
    *,
    writes: bool,
) -> None:
    """Judge and count everybody."""
    # Positions in the journal of a run of its own: a batch with an unknown outcome is applied once.
    generation, number = f"import-{secrets.token_hex(8)}", 0
    everybody = sorted(people.values(), key=lambda each: each.person)
    for start in range(0, len(everybody), _BATCH):
        batch = everybody[start : start + _BATCH]
        known = set(await records.people([each.person for each in batch])) if records is not None else set()
        facts: list[Fact] = []
        for person in batch:
            facts += _facts(person, settings.minimum_age, person.person in known, outcome, refused, now)
        if writes and records is not None:
            await records.apply(generation, list(enumerate(facts, number + 1)))
            number += len(facts)
            await _ban(settings, [each for each in batch if each.is_banned(now) and each.person in known], now)


def _facts(
    person: Incoming,
    minimum_age: int,
    is_known: bool,
    outcome: Outcome,
    refused: Callable[[str, str], object],
    now: float,
) -> list[Fact]:
    outcome.banned += person.is_banned(now)
    if is_known:
        outcome.known += 1
        return []
    reason = refusal(person, minimum_age)
    if reason:
        outcome.refused += 1
        refused(person.where, reason + (", only their ban is kept" if person.is_banned(now) else ""))
        if not person.is_banned(now):
            return []
    else:
        outcome.taken += 1
        outcome.unreachable += not person.bots
        outcome.lifetime += person.vip_until == LIFETIME
        outcome.asked["consent"] += 1
        outcome.asked["age"] += person.age is None
        outcome.asked["gender"] += person.gender is None
    brought = person.participant(now, only_ban=bool(reason))
    facts: list[Fact] = [PersonChanged(brought, now)]
    facts += [SanctionChanged(person.person, each, now) for each in brought.sanctions]
    if not reason:
        facts += [BlockChanged(person.person, blocked, True, now) for blocked in person.blocked]
    return facts


async def _ban(settings: Settings, banned: list[Incoming], now: float) -> None:
    """Order bans of people who were here already: the fleet knows how they are now, and does it when it starts."""
    if not banned:
        return
    engine = connect(database_url(database(settings)), _PATIENT, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                await lock_audit(connection)
                orders = [SanctionOrder(each.person, each.ban(now)) for each in banned]
                await add_orders(connection, orders, now)
    finally:
        await engine.dispose()
