"""Maps the failures of databases to errors for the caller, and says which are temporary. One table a database.

- *Undone*: the server rolled the whole transaction back in favour of another one. Repeat it at once.
- *Lost*: the database is unreachable, full, locked or failing over. The transaction may be stored or not.
- *Refused*: the server does not let us in. At the start this is a wrong setting. Later, somebody is changing the
  server, and it counts as lost.
- *Damaged*: the file is corrupt. Only the operator can repair that. It ends a start. A process that runs goes on
  without the records, as if they were lost.
- *Changed*: somebody has changed our tables while we run. Only the operator can repair that, so it counts as lost. The
  next start says what is different (see `whole`).
- *Ours*: everything else is a bug. The exception of SQLAlchemy is not changed.
"""

import asyncio
import socket
import sqlite3
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any, Final, TypeVar

from sqlalchemy import exc

from passerby.ports.records import RecordsDamaged, RecordsLost
from passerby.telemetry import metrics

T = TypeVar("T")


class Fate(Enum):
    UNDONE = auto()
    LOST = auto()
    REFUSED = auto()
    DAMAGED = auto()
    CHANGED = auto()
    OURS = auto()


class DatabaseUnusable(Exception):
    """The database of these settings can never work.

    The text is one sentence for the operator, without secrets: the problem, then optionally a semicolon and a remedy.
    """

    @property
    def problem(self) -> str:
        return str(self).partition("; ")[0]

    @property
    def remedy(self) -> str:
        """Empty if the text names no remedy."""
        return str(self).partition("; ")[2]


class UnknownRevision(DatabaseUnusable):
    """There are tables of ours, and nothing says which release made them. A restore replaces them."""


class Undone(RecordsLost):
    """Certainly nothing of the transaction is stored."""


class Refused(RecordsLost):
    """The text is for the operator."""


class Locked(RecordsLost):
    """Another program has the SQLite file locked. The text is for the operator."""


class Changed(RecordsLost):
    """Our tables are not as we made them. The text is for the operator."""


class Damaged(DatabaseUnusable, RecordsDamaged):
    """The text is for the operator."""


DAMAGED: Final = "the database file is damaged; stop everything that uses it and restore a backup"

NEWER: Final = "a newer release has changed this database; use that release"

CHANGED: Final = "somebody has changed the tables; passerby doctor says what is different"

# Source: PostgreSQL manual, appendix A. The longest prefix counts.
SQLSTATES: Final = {
    "08": Fate.LOST,  # the connection
    "25006": Fate.LOST,  # read-only: the server has become a replica
    "25P03": Fate.LOST,  # ended by the server: idle within a transaction
    "25P04": Fate.LOST,  # ended by the server: a transaction that took too long
    "26000": Fate.UNDONE,  # no such prepared statement: a pooler has changed the server under it
    "28": Fate.REFUSED,  # user or password
    "3D000": Fate.REFUSED,  # no such database
    "42501": Fate.REFUSED,  # no rights
    "40": Fate.LOST,  # rollback; 40003 means that the outcome is unknown
    "40001": Fate.UNDONE,  # serialization failure
    "40P01": Fate.UNDONE,  # deadlock
    "42703": Fate.CHANGED,  # no such column
    "42804": Fate.CHANGED,  # a column of another type
    "42P01": Fate.CHANGED,  # no such table
    "42P10": Fate.CHANGED,  # no unique index where there was one
    "P0001": Fate.CHANGED,  # a trigger refuses; ours guards the audit, which we never change
    "42P05": Fate.UNDONE,  # the prepared statement already exists: the same reason
    "53": Fate.LOST,  # resources: memory, disk, connections
    "55P03": Fate.LOST,  # lock timeout
    "57": Fate.LOST,  # the operator: shutdown, starting up, cancelled
    "58": Fate.LOST,  # the system: input and output
}

_REFUSALS: Final = {
    "3D000": "the server has no database of this name",
    "42501": "this user may not use the tables; make it their owner, or grant it all rights",
}

# Source: sqlite.org/rescode.html. Primary codes.
SQLITE_CODES: Final = {
    sqlite3.SQLITE_BUSY: Fate.LOST,
    sqlite3.SQLITE_LOCKED: Fate.LOST,
    sqlite3.SQLITE_NOMEM: Fate.LOST,
    sqlite3.SQLITE_READONLY: Fate.LOST,
    sqlite3.SQLITE_IOERR: Fate.LOST,
    sqlite3.SQLITE_FULL: Fate.LOST,
    sqlite3.SQLITE_CANTOPEN: Fate.LOST,
    sqlite3.SQLITE_PROTOCOL: Fate.LOST,
    sqlite3.SQLITE_CORRUPT: Fate.DAMAGED,
    sqlite3.SQLITE_NOTADB: Fate.DAMAGED,
}

# For the operator: why PostgreSQL does not answer. The longest prefix counts. For other states, the name of the
# driver's exception is shown.
_LOSSES: Final = {
    "08": "the connection broke",
    "25006": "the server is read-only, perhaps a replica",
    "25P03": "the server ended the connection: nothing was asked for too long",
    "53": "the server lacks memory, disk or connections",
    "53100": "the server's disk is full",
    "53300": "the server has no connection left",
    "55P03": "a lock was not free in time",
    "57014": "the statement took too long, or was cancelled",
    "57P01": "the server was stopped, or ended the connection",
    "57P02": "the server crashed",
    "57P03": "the server is starting or stopping",
    "58": "the server's disk reports an error",
}
BROKEN: Final = "the connection broke"
"""An error of the driver itself. It has several, which say nothing to an operator."""

_UNREACHABLE: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (exc.TimeoutError, "no connection was free in time"),
    (ConnectionRefusedError, "nothing listens at its address"),
    (socket.gaierror, "its host name is not known"),
    (TimeoutError, "no answer in time"),
    (ConnectionError, BROKEN),
    (FileNotFoundError, "its socket is not there"),
)

# Of the code that SQLite gives to all kinds of faults, those texts that mean tables which are not ours.
SQLITE_CHANGED: Final = ("no such table", "no such column", "has no column named", "ON CONFLICT clause does not match")

LOCKED: Final = "another program has the database file locked"

# For the operator. For other codes, the exception's type is shown.
SQLITE_SENTENCES: Final = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_READONLY: "the disk or the database file is read-only",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "the disk does not let the database file be opened",
}


def fate(error: exc.DBAPIError) -> Fate:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER or any(words in str(cause) for words in SQLITE_CHANGED):
            return Fate.CHANGED
        return Fate.OURS if code is None else SQLITE_CODES.get(code & 0xFF, Fate.OURS)
    state = getattr(cause, "sqlstate", None)
    if state is None:  # an error of the driver itself: the connection broke
        gone = error.connection_invalidated or isinstance(error, exc.InterfaceError | exc.OperationalError)
        return Fate.LOST if gone else Fate.OURS
    return next((SQLSTATES[state[:length]] for length in (5, 2) if state[:length] in SQLSTATES), Fate.OURS)


@contextmanager
def losses() -> Iterator[None]:
    """Turn temporary failures into RecordsLost or Undone, and damage into Damaged.

    The cause is told in our words or by its type, because its text may quote a row.
    """
    try:
        yield
    except exc.DBAPIError as error:
        match fate(error):
            case Fate.UNDONE:
                raise Undone(_name(error)) from None
            case Fate.LOST:
                metrics.STORE_ERRORS.add("records")
                sentence = _sqlite_sentence(error)
                raise (Locked if sentence == LOCKED else RecordsLost)(sentence or _loss(error)) from None
            case Fate.REFUSED:
                raise Refused(_sentence(error)) from None
            case Fate.DAMAGED:
                raise Damaged(DAMAGED) from None
            case Fate.CHANGED:
                metrics.STORE_ERRORS.add("records")
                raise Changed(CHANGED) from None
            case Fate.OURS:
                raise
    except (exc.TimeoutError, OSError) as error:
        # OSError: a refused connection, an unknown host, or TimeoutError from a slow statement.
        metrics.STORE_ERRORS.add("records")
        words = next((words for kind, words in _UNREACHABLE if isinstance(error, kind)), type(error).__name__)
        raise RecordsLost(words) from None


def _name(error: exc.DBAPIError) -> str:
    """The name of the driver's exception. SQLAlchemy's adapter has one name for all."""
    cause = error.orig
    return type(getattr(cause, "__cause__", None) or cause).__name__


def _loss(error: exc.DBAPIError) -> str:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return _name(error) if isinstance(error.orig, sqlite3.Error) else BROKEN
    return next((_LOSSES[state[:length]] for length in (5, 2) if state[:length] in _LOSSES), _name(error))


def _sqlite_sentence(error: exc.DBAPIError) -> str | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else SQLITE_SENTENCES.get(code & 0xFF)


def _sentence(error: exc.DBAPIError) -> str:
    return _REFUSALS.get(getattr(error.orig, "sqlstate", ""), "the server refuses this user or password")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Let `work` finish even if its caller is cancelled meanwhile. The cancellation follows then.

    An abandoned statement would continue in SQLite's thread, and leave a transaction open that locks everybody out.
    Every statement has a time limit, so this wait has one too.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # mark it as retrieved: no caller is left
        raise
