"""The note of a restore that is not done yet. It is beside the live store, and outlives a kill.

    emptied      what the live store held is set aside, and the records are surely the old ones
    returning    the restore has failed, and the live store gets back what it held
    replacing    the records may be the old ones, or those of the backup

Until a restore has ended, nothing starts: with records of which nobody knows how old they are, copies of a broadcast
could be sent twice, and messages could reach the partner of another time.
"""

from enum import Enum
from pathlib import Path
from typing import Final

from passerby.settings import Settings, WrongSetting
from passerby.settings.forms import bytes_of

AGAIN: Final = "run `passerby backup restore --replace` once more; nothing starts before that"
PROBLEM: Final = "a restore was ended before it was done"


class Step(Enum):
    EMPTIED = "emptied"
    RETURNING = "returning"
    REPLACING = "replacing"


def path_of_note(settings: Settings) -> Path:
    live = settings.live_path
    return live.with_name(f".{live.name}.restore")


def read_note(content: bytes | None) -> Step | None:
    """A note that says nothing we know is one of the worst case."""
    if content is None:
        return None
    return next((step for step in Step if step.value.encode() == content), Step.REPLACING)


def noted_in_file(settings: Settings) -> Step | None:
    path = path_of_note(settings)
    try:
        return read_note(bytes_of(path))
    except FileNotFoundError:
        return None
    except OSError:
        return Step.REPLACING


def must_be_done(settings: Settings) -> None:
    """Where the live store is a file. Raises: WrongSetting, if a restore was ended before it was done."""
    if not settings.is_shared and noted_in_file(settings) is not None:
        setting = "SQLITE_DB_PATH" if settings.postgres_uri is None else "POSTGRES_URI"
        raise WrongSetting(setting, PROBLEM, AGAIN)
