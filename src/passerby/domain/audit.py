"""The audit's chain: the hash of each row covers the row and the hash before it.

So a row that was changed, removed, added or moved later shows, and so does every row after it. An attacker who can
rewrite the whole table can make another chain that fits. Against that, note the newest hash somewhere else from time to
time.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

BEGINNING = ""
"""The hash before the first row."""


class AuditRow(NamedTuple):
    """A row of the audit. `actor`: the number of a staff member; 0 is the command line; None: a rule did it.

    `details` is JSON. `hash` is hexadecimal SHA-256.
    """

    number: int
    at: float
    actor: int | None
    action: str
    subject: str
    details: str
    reason: str
    hash: str = ""


def hash_of(row: AuditRow, previous: str) -> str:
    """The hash that the row must have after a row with the hash `previous`."""
    said = msgspec.json.encode((previous, *row[:-1]))
    return hashlib.sha256(said).hexdigest()


def chained(rows: Iterable[AuditRow], last: AuditRow | None) -> Iterator[AuditRow]:
    """The rows with their numbers and hashes, to be added after `last`. Their own numbers do not matter."""
    number, previous = (last.number, last.hash) if last is not None else (0, BEGINNING)
    for row in rows:
        number += 1
        numbered = row._replace(number=number)
        previous = hash_of(numbered, previous)
        yield numbered._replace(hash=previous)


class Broken(NamedTuple):
    """The first row that does not fit, and what that means: the rest of a sentence about it."""

    number: int
    meaning: str


def first_broken(rows: Sequence[AuditRow], last: AuditRow | None) -> Broken | None:
    """The first row that does not follow from the rows before it. None if all do.

    `last` is the row before these. If a row is missing, its number counts.
    """
    number, previous = (last.number, last.hash) if last is not None else (0, BEGINNING)
    for row in rows:
        number += 1
        if row.number > number:
            return Broken(number, f"is missing, or was moved: row {row.number} follows row {number - 1}")
        if row.number < number:
            return Broken(number, f"was added later, or moved: row {row.number} is in its place")
        if row.hash != hash_of(row, previous):
            return Broken(number, "was changed later, or the row before it was")
        previous = row.hash
    return None
