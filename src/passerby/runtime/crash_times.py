"""Remembers when a process of this name has crashed: a small file in RUN_DIR, one line a crash.

A process that ends on purpose says so in its page (see `flight_recorder`). If the page of the run before does not say
so, that run has crashed: it was killed, the machine lost its power, or an error ended it. Nobody can count that at the
moment itself, so the next run does.
"""

import errno
from pathlib import Path
from typing import Final, NamedTuple

CRASHES: Final = ".crashes"
"""The file is in RUN_DIR, with the name of the process and this ending."""

HOUR_S: Final = 3600.0
KEPT: Final = 1000


class Crashed(NamedTuple):
    at: float
    """When the next run found it, in Unix seconds."""
    was_stuck: bool


class CrashTimes:
    """Without a path, nothing outlives the process."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known = _read(path) if path is not None else []

    def add(self, crashed: Crashed) -> None:
        """Raises: OSError, if it cannot be written. It is counted all the same."""
        self._known = [*self._known, crashed][-KEPT:]
        if self._path is not None:
            newer = self._path.with_suffix(".crashes-new")
            if newer.is_fifo():
                raise OSError(errno.EINVAL, "it is a pipe", str(newer))
            newer.write_text("".join(f"{each.at:.0f} {int(each.was_stuck)}\n" for each in self._known), "ascii")
            newer.replace(self._path)

    def last_hour(self, now: float) -> list[Crashed]:
        return [each for each in self._known if now - HOUR_S < each.at <= now + HOUR_S]


def _read(path: Path) -> list[Crashed]:
    """The part of it that can be read."""
    try:
        # Reading a pipe would never end.
        lines = path.read_text("ascii", "replace").splitlines() if path.is_file() else []
    except OSError:
        return []
    found = []
    for line in lines:
        at, _, stuck = line.partition(" ")
        if at.isdigit():
            found.append(Crashed(float(at), stuck == "1"))
    return found
