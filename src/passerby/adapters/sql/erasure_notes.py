"""The notes that somebody had their data erased, so that a backup of an earlier day does not bring them back.

A note stays for a year among the tombstones, under the person's keyed pseudonym. It says when, and nothing else.
Backups are kept for half a year.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.rows import READ, row
from passerby.adapters.sql.salvage import person_of
from passerby.adapters.sql.tables import users
from passerby.adapters.sql.tombstones import ADD, Pseudonyms, tombstones
from passerby.domain.personal_data import cleared
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import DataRequests, Idle
from passerby.ports.facts import PersonChanged

KEPT_S: Final = 365 * 86_400.0

_MARK: Final = "erased:"
_BODY: Final = '{"version":0}'
_AT_ONCE: Final = 500


def note_names(pseudonyms: Sequence[str]) -> list[str]:
    return [_MARK + each for each in pseudonyms]


def note_of(name: str, at: float) -> dict[str, object]:
    """The row of a note."""
    return {"pseudonym": name, "until": at + KEPT_S, "body": _BODY}


async def noted(connection: AsyncConnection) -> dict[str, float]:
    """When somebody was erased, by the name of their note."""
    return {name: until - KEPT_S for name, until in await connection.execute(_NOTES) if until is not None}


async def put(connection: AsyncConnection, notes: Mapping[str, float]) -> None:
    """Add those that are not there."""
    there = await noted(connection)
    if rows := [note_of(name, at) for name, at in sorted(notes.items()) if name not in there]:
        await connection.execute(ADD, rows)


async def erase_again(connection: AsyncConnection, notes: Mapping[str, float], pseudonyms: Pseudonyms) -> int:
    """Clear everybody with one of these notes whose row is older than it, and have the rest of their data erased by the
    first worker, as after every erasure. They get no message. Returns how many they are."""
    due: dict[PersonId, float] = {}
    for person, created_at in await connection.execute(_PEOPLE):
        at = max((notes.get(name, 0.0) for name in note_names(pseudonyms(person))), default=0.0)
        if at and (created_at or 0.0) <= at:
            due[person] = at
    for some in _in_parts(sorted(due)):
        for values in (await connection.execute(_READ, {"people": some})).all():
            me = person_of(values)
            requests = DataRequests(erase_at=due[me.person])
            value = cleared(msgspec.structs.replace(me, state=Idle(), requests=requests))
            fields = row(PersonChanged(value, due[me.person]))
            changes = {name: value for name, value in fields.items() if name not in ("id", "created_at")}
            await connection.execute(sa.update(users).where(users.c.id == me.person).values(changes))
    return len(due)


def _in_parts(people: Sequence[PersonId]) -> Iterator[Sequence[PersonId]]:
    return (people[start : start + _AT_ONCE] for start in range(0, len(people), _AT_ONCE))


_NOTES: Final = sa.select(tombstones.c.pseudonym, tombstones.c.until).where(
    tombstones.c.pseudonym.startswith(_MARK, autoescape=True)
)
_PEOPLE: Final = sa.select(users.c.id, users.c.created_at)
_READ: Final = sa.select(*READ).where(users.c.id.in_(sa.bindparam("people", expanding=True)))
