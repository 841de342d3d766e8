"""Finds the people whose chat or search a restore ends, and begins a live store that holds their notices.

The newest source that can be read says who searches and chats: the live store, the database before the restore, or the
backup. People whose messages still waited hear it too, because these messages are gone.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from passerby.adapters.sql import DatabaseUnusable, SqlRecords
from passerby.dialogue.keyboards import keys_for
from passerby.kernel.effect import Priority
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Idle, Participant
from passerby.kernel.text import text
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.outbox import Notice, Outgoing, Parked
from passerby.ports.participants import Commit
from passerby.ports.records import RecordsLost
from passerby.ports.trails import Trail

US: Final = WorkerId("restore")
"""It never runs, so the first worker inherits its notices."""
_PREFIX: Final = "restore:"
_AT_ONCE: Final = 500

Busy = dict[PersonId, BotId]
"""People who search, chat or wait for an answer, and the bot that each of them uses."""


class Ended(NamedTuple):
    """A live store's contents. `busy` is None if it cannot tell. `messages` and `notices` waited to be delivered."""

    busy: Busy | None = None
    messages: int = 0
    notices: int = 0


async def in_live_store(store: LiveStore, now: float) -> Ended:
    """Look before it is emptied. Raises: LiveStoreLost."""
    entries: list[Outgoing] = []
    with suppress(LiveStoreLost):  # it is in doubt, and refuses
        entries = await store.inherit(US)
    notices = [each for each in entries if isinstance(each, Notice)]
    # People who should hear of an earlier restore, and have not heard of it.
    found = {each.to: each.bot for each in notices if each.id.startswith(_PREFIX)}
    found |= {each.person: each.bot for each in entries if isinstance(each, Trail) and each.expires_at > now}
    if not store.newborn:
        found |= busy_among(stored.participant for stored in await store.everybody())
    told = None if store.newborn and not found else found
    return Ended(told, sum(isinstance(each, Parked) for each in entries), len(notices))


async def in_records(database: str | Path) -> Busy:
    """Nobody, if the tables cannot be read."""
    records = SqlRecords.at(database)
    try:
        return busy_among((await records.active()).people)
    except (DatabaseUnusable, RecordsLost, SQLAlchemyError):  # no tables, or those of another release
        return {}
    finally:
        await records.aclose()


def busy_among(people: Iterable[Participant]) -> Busy:
    return {each.person: each.bot for each in people if not isinstance(each.state, Idle) and each.bot is not None}


async def begin(store: LiveStore, busy: Mapping[PersonId, BotId], now: float) -> None:
    """Put the notices into an empty store, and declare it whole: nobody searches or chats. Raises: LiveStoreLost."""
    keys = keys_for(Idle())
    notices = [
        Notice(f"{_PREFIX}{person}:{now:.0f}", person, bot, text("chat.connection_lost"), Priority.MATCH, now, keys)
        for person, bot in sorted(busy.items())
    ]
    await store.adopt((), whole=True)
    for at in range(0, len(notices), _AT_ONCE):
        await store.commit(Commit(outbox=tuple(notices[at : at + _AT_ONCE]), owner=US))
