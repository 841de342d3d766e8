"""Notes in a log which database it belongs to.

The log is named after its database without the ending: `chats.db` and `chats.sqlite` would both use `chats.live`. Two
installations that share a log would each take the other's chats for their own. So the lock file notes the database by a
hash of its name, and another one in the same directory is refused.

An older release has noted nothing. Then a database that is not there yet cannot be the one that a used log belongs to,
if there is another one.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from passerby.adapters.memory.log import FileLog

_HEADER: Final = b"SQLite format 3\x00"


class LogOfAnother(Exception):
    """The log belongs to another database in the same directory. Its argument is that one's name."""


def take_for(log: FileLog, database: Path) -> None:
    """Note that a log belongs to this database, unless it is another one's that is still there.

    Raises: LogOfAnother; OSError, if the directory cannot be read or the note cannot be written.
    """
    noted, ours = log.database, _mark(database.name)
    if noted == ours:
        return
    if noted or (log.size and not database.exists()):
        for other in sorted(database.parent.iterdir()):
            if other.stem != database.stem or other.name == database.name:
                continue
            if _mark(other.name) == noted or (not noted and _is_database(other)):
                raise LogOfAnother(other.name)
    log.put_database(ours)


def _mark(name: str) -> bytes:
    return hashlib.sha256(os.fsencode(name)).digest()[:8]


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return path.is_file() and file.read(len(_HEADER)) == _HEADER
    except OSError:
        return False
