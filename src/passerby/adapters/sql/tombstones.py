"""The row that stays of a person who had their data erased, if a ban or another restriction binds them, or if they have
had what everybody has once: a keyed pseudonym of their Telegram id, with the restrictions and what is spent. So both
hold on every bot when they come back, and nobody without the key can tell whom a row is about. The same table has
`erasure_notes`.

The pseudonym is an HMAC of the id, with a key that comes from SECRET_KEY. Earlier keys still find theirs.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.metadata import metadata
from passerby.adapters.sql.unreadable import ERRORS, notes
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import Sanction
from passerby.kernel.spent import Spent

tombstones = sa.Table(
    "tombstones",
    metadata,
    sa.Column("pseudonym", sa.Text, primary_key=True, comment="a keyed hash of a Telegram user id"),
    sa.Column("until", sa.Double, comment="when the last restriction ends; null: never"),
    sa.Column("body", sa.Text, nullable=False, comment="JSON: the restrictions that bind"),
)
sa.Index("ix_tombstones_until", tombstones.c.until)

_PURPOSE: Final = b"tombstones"
_AT_ONCE: Final = 1_000


class _Body(msgspec.Struct, omit_defaults=True):
    """`version` is the person's when they were erased, so that their next value is newer."""

    version: int
    sanctions: tuple[Sanction, ...] = ()
    spent: Spent | None = None


_read: Final = msgspec.json.Decoder(_Body)


def is_readable(body: str) -> bool:
    """Raises: one of `unreadable.ERRORS`, if it is not."""
    return bool(_read.decode(body))


Pseudonyms = Callable[[PersonId], Sequence[str]]
"""The pseudonyms of a person: with the present key first, then with earlier ones. Empty: no tombstones are kept."""


def no_pseudonyms(person: PersonId) -> Sequence[str]:
    return ()


def keyed(*keys: bytes) -> Pseudonyms:
    """Pseudonyms made with these keys, the present one first."""
    derived = [hmac.digest(key, _PURPOSE, hashlib.sha256) for key in keys]

    def pseudonyms(person: PersonId) -> Sequence[str]:
        return [hmac.digest(key, b"%d" % person, hashlib.sha256).hex() for key in derived]

    return pseudonyms


def row_of(value: Participant, pseudonym: str) -> dict[str, object]:
    """The tombstone of a person of whom only restrictions and what is spent are left."""
    ends = [each.until for each in value.sanctions]
    if value.spent is not None:
        ends.append(value.spent.until)
    until = None if None in ends else max(end for end in ends if end is not None)
    body = msgspec.json.encode(_Body(value.version, value.sanctions, value.spent)).decode()
    return {"pseudonym": pseudonym, "until": until, "body": body}


async def remembered(
    connection: AsyncConnection, persons: Iterable[PersonId], pseudonyms: Pseudonyms
) -> dict[PersonId, Participant]:
    """Those of these people who have a tombstone, as they are when they come back."""
    whose = {pseudonym: person for person in persons for pseudonym in pseudonyms(person)}
    names, found = list(whose), {}
    for start in range(0, len(names), _AT_ONCE):
        for pseudonym, body in await connection.execute(_FIND, {"names": names[start : start + _AT_ONCE]}):
            try:
                left = _read.decode(body)
            except ERRORS:
                notes.row("tombstones", pseudonym[:8], "body", "cannot be decoded")
                continue
            person = whose[pseudonym]
            found[person] = Participant(person, left.version, sanctions=left.sanctions, spent=left.spent)
    return found


_FIND: Final = sa.select(tombstones.c.pseudonym, tombstones.c.body).where(
    tombstones.c.pseudonym.in_(sa.bindparam("names", expanding=True))
)
ADD: Final = sa.insert(tombstones)
DROP: Final = sa.delete(tombstones).where(tombstones.c.pseudonym == sa.bindparam("name"))
