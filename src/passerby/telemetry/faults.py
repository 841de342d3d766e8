"""Faults of our own code in this process, grouped by fingerprint, until somebody takes them to the records.

They have what the log line has: the event, the types of the exception's chain, and our own frames. Line numbers are in
the frames but not in the fingerprint, so a fault keeps its fingerprint when code above it moves.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

MOST: Final = 200
"""More kinds of faults than that are not kept."""


class SeenFault(NamedTuple):
    fingerprint: str
    event: str
    error: str
    frames: tuple[str, ...]
    times: int


_seen: dict[str, SeenFault] = {}


def note(event: str, error: str, frames: Sequence[str]) -> None:
    """Count one more."""
    name = fingerprint_of(event, error, frames)
    before = _seen.get(name)
    if before is not None:
        _seen[name] = before._replace(times=before.times + 1)
    elif len(_seen) < MOST:
        _seen[name] = SeenFault(name, event, error, tuple(frames), 1)


def take() -> list[SeenFault]:
    """Return the faults that were seen since the last call."""
    taken = list(_seen.values())
    _seen.clear()
    return taken


def fingerprint_of(event: str, error: str, frames: Sequence[str]) -> str:
    """16 hexadecimal digits."""
    places = [re.sub(r":\d+", "", frame) for frame in frames]
    return hashlib.sha256("\n".join((event, error, *places)).encode()).hexdigest()[:16]
