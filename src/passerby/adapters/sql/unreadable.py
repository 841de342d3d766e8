"""Rows that cannot be read: a value of the wrong type, a JSON text that is none, a number out of all bounds.

SQLite stores any value in any column, and people edit databases by hand. One such row must not stop the others. Code
that reads rows skips it, or takes a default for the value, and notes it here. Each is logged once in a process.

The log names the table, the column and the reason, never the value. A person appears as a pseudonym that stays the same
for as long as the key does, so that `passerby doctor` and the log name the same one.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from passerby.kernel.ids import PersonId
from passerby.telemetry import logs

T = TypeVar("T")

MOST_NUMBER: Final = 2**62
"""No version and no position comes near it, and one more is no overflow in a database."""
MOST_TIME: Final = 1e11
"""Unix seconds: in about 3,000 years."""

ERRORS: Final = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, msgspec.MsgspecError)
"""The errors of a decoder whose row makes no sense. Failures of the database are not among them."""

_MOST_NOTED: Final = 1_000


class Unreadable(NamedTuple):
    """`key` says which row, without naming a person. `why` does not quote the value."""

    table: str
    column: str
    key: str
    why: str
    person: bool = False

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        return f"{place} of {self.key}: {self.why}"


class Notes:
    """The damage that was found in this process. `found` is empty if every row could be read."""

    def __init__(self) -> None:
        self._pseudonyms = logs.Pseudonyms(os.urandom(32))
        self.found: dict[Unreadable, None] = {}
        self.tells = True
        """Whether they are logged, too."""

    def name_people_with(self, key: bytes) -> None:
        """The installation's key, so that a person has the same pseudonym in every process."""
        self._pseudonyms = logs.Pseudonyms(key)

    def row(self, table: str, key: object, column: str = "", why: str = "it makes no sense") -> None:
        """`key` must not name a person."""
        self._note(Unreadable(table, column, str(key), why))

    def person(self, person: PersonId, column: str, why: str) -> None:
        """For a row of `users`."""
        self._note(Unreadable("users", column, self._pseudonyms.of(person, 0.0), why, person=True))

    def _note(self, found: Unreadable) -> None:
        if found in self.found or len(self.found) >= _MOST_NOTED:
            return
        self.found[found] = None
        if not self.tells:
            return
        reason = f"{found}; it is left out"
        if found.person:
            reason = f"{found.table}.{found.column}: {found.why}; a default counts in its place"
            logs.record("records.row_unreadable", "error", reason=reason, person=logs.Pseudonym(found.key))
        else:
            logs.record("records.row_unreadable", "error", reason=reason)


notes: Final = Notes()


def readable(table: str, rows: Iterable[Any], decode: Callable[[Any], T], key: Callable[[Any], object]) -> list[T]:
    """Yield the result of `decode` for each row. Rows that it cannot decode are noted and left out.

    `key` says which row it is. It must not name a person.
    """
    found: list[T] = []
    for row in rows:
        try:
            found.append(decode(row))
        except ERRORS:
            notes.row(table, key(row))
    return found


def whole_number(value: object) -> int:
    """Raises: ValueError, if it is no number that we count with."""
    if type(value) is not int or not 0 <= value <= MOST_NUMBER:
        raise ValueError
    return value


def identifier(value: object) -> int:
    """The id of a bot, a person or a message. Raises: ValueError, if it is not a whole number."""
    if type(value) is not int:
        raise ValueError
    return value


def position(value: object) -> int:
    """A position in the journal. 0 if it cannot be read: what was applied is then compared, and applied again."""
    try:
        return whole_number(value)
    except ValueError:
        notes.row("journal_positions", "a generation", "applied", "no position")
        return 0


def text_of(value: object) -> str:
    """Raises: ValueError, if it is not a text."""
    if type(value) is not str:
        raise ValueError
    return value


def is_time(value: object) -> bool:
    return type(value) in (float, int) and -MOST_TIME <= value <= MOST_TIME  # type: ignore[operator]
