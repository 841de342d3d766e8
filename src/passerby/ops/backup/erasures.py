"""Keeps a restore from bringing back people who had their data erased after the backup was made.

The records note each erasure for a year (`adapters.sql.erasure_notes`). A restore takes the notes of the database that
it replaces, and erases these people once more. Each backup also writes the notes beside the backups. If the database is
gone, these count, so only erasures after the newest backup are not known. Without SECRET_KEY, nobody can tell whom a
note is about.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, DatabaseUnusable
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.erasure_notes import KEPT_S, erase_again, noted, put
from passerby.adapters.sql.failures import losses
from passerby.adapters.sql.tombstones import Pseudonyms
from passerby.ops.backup.directory import Directory, replace_file
from passerby.ports.records import RecordsLost
from passerby.settings.forms import bytes_of

FILE: Final = "erasures.json"
_BEFORE_S: Final = 3_600.0
"""An erasure within this time before a backup may not be in it."""
_PATIENT: Final = ConnectionPool(timeout_s=600.0)

Notes = dict[str, float]


async def in_records(database: str | Path) -> Notes:
    """None, if the tables cannot be read."""
    engine = connect(database_url(database), _PATIENT, poolclass=NullPool)
    try:
        with losses():
            async with engine.connect() as connection:
                return await noted(connection)
    except (DatabaseUnusable, RecordsLost, SQLAlchemyError):  # no tables, or those of another release
        return {}
    finally:
        await engine.dispose()


def in_file(directory: Directory) -> Notes:
    """None, if the file cannot be read."""
    try:
        return msgspec.json.decode(bytes_of(directory.path / FILE), type=Notes)
    except (OSError, msgspec.DecodeError, RecursionError):
        return {}


def keep(directory: Directory, notes: Mapping[str, float], now: float) -> Notes:
    """Write these notes beside the backups, with those that are there. Returns all of them. Raises: OSError."""
    there = in_file(directory)
    found = {name: max(at, there.get(name, 0.0)) for name, at in {**there, **notes}.items()}
    found = {name: at for name, at in sorted(found.items()) if at > now - KEPT_S}
    if found != there:
        replace_file(directory.path / FILE, msgspec.json.encode(found))
    return found


async def erase_after_restore(
    database: str | Path, notes: Mapping[str, float], made_at: float, pseudonyms: Pseudonyms
) -> int:
    """`made_at`: when the backup was. Returns how many people of it are erased once more."""
    late = {name: at for name, at in notes.items() if at > made_at - _BEFORE_S}
    engine = connect(database_url(database), _PATIENT, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                await put(connection, notes)
                return await erase_again(connection, late, pseudonyms) if late else 0
    finally:
        await engine.dispose()
