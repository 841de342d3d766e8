"""A drill: kill one worker of a healthy fleet, and watch the others take over.

It kills like a crash does (SIGKILL). The supervisor starts the worker again. Open chats go on meanwhile; see the
reliability page for the bounds of what a kill may cost.
"""

import fcntl
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from passerby.ops.cluster.overview import Overview, ProcessRow
from passerby.settings.forms import MOST_TIME, bytes_of

PATIENCE_S: Final = 120.0
LOOK_EVERY_S: Final = 0.2
_LAST: Final = "last-drill.json"
_LOCK: Final = "drill.lock"


class CannotDrill(Exception):
    """The text says why, for the operator."""


class Drill(msgspec.Struct, frozen=True):
    """`killed` had these `bots`. `taken_over_s`: until these were polled again, and each duty had a holder.
    `whole_s`: until the killed process was ready again, and nothing needed a look."""

    killed: str
    bots: int
    taken_over_s: float
    whole_s: float


class LastDrill(msgspec.Struct, frozen=True):
    """`at` in Unix seconds."""

    at: float
    drill: Drill


def last_drill(directory: Path) -> LastDrill | None:
    """The last drill of this run directory that ended well."""
    try:
        noted = msgspec.json.decode(bytes_of(directory / _LAST), type=LastDrill)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None
    return noted if 0 <= noted.at <= MOST_TIME else None


def note_drill(directory: Path, done: LastDrill) -> None:
    """Raises: OSError."""
    (directory / _LAST).write_bytes(msgspec.json.encode(done))


@contextmanager
def only_drill(directory: Path) -> Iterator[None]:
    """Two at once would kill two workers, or more than are left. Raises: CannotDrill, OSError."""
    lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotDrill("another drill runs here now; wait until it has ended") from None
        yield
    finally:
        os.close(lock)


def failover(
    look: Callable[[], Overview],
    kill: Callable[[int, signal.Signals], None],
    now: Callable[[], float],
    sleep: Callable[[float], None],
    begin: Callable[[Sequence[int]], None] | None = None,
) -> Drill:
    """`now` in seconds of a clock that nobody sets. `begin` hears which bots the worker has that is killed next.

    Raises: CannotDrill, also if the fleet does not recover in time; whatever `begin` raises.
    """
    before = look()
    victim = _victim(before)
    if begin is not None:
        its_own = [each.bot for each in before.bots if each.owner == victim.name]
        begin(its_own or [each.bot for each in before.bots])
        before = look()  # a probe takes a while, and workers share the bots out again
        victim = _victim(before)
    try:
        kill(victim.pid, signal.SIGKILL)
    except ProcessLookupError:
        raise CannotDrill(
            f"{victim.name} has ended by itself just now; wait until all is well, and try again"
        ) from None
    except PermissionError:
        raise CannotDrill(f"this user may not end {victim.name}; run this as the user of the cluster") from None
    began_at = now()
    taken_over_s: float | None = None
    while now() - began_at < PATIENCE_S:
        sleep(LOOK_EVERY_S)
        seen = look()
        gone_s = now() - began_at
        if taken_over_s is None and _is_taken_over(before, seen, victim, gone_s):
            taken_over_s = gone_s
        if taken_over_s is not None and not seen.faults and _pid_of(seen, victim.name) not in (0, victim.pid):
            return Drill(victim.name, victim.bots, round(taken_over_s, 1), round(gone_s, 1))
    told = "took over" if taken_over_s is not None else "did not take over"
    raise CannotDrill(f"the others {told}, but after {PATIENCE_S:.0f} s the fleet is not whole: see `passerby status`")


def _victim(seen: Overview) -> ProcessRow:
    """The worker here with the most bots. Raises: CannotDrill."""
    if seen.faults:
        raise CannotDrill(f"the fleet is not healthy: {seen.faults[0]}")
    kept = [each for each in seen.processes if each.pid and each.restarts is not None]
    if len(kept) < 2:
        raise CannotDrill("a cluster of at least two processes must run here: start one with `passerby cluster`")
    return max(kept, key=lambda each: each.bots)


def _is_taken_over(before: Overview, seen: Overview, victim: ProcessRow, gone_s: float) -> bool:
    """Whether each bot and each duty has a holder, and the bots of the killed worker were polled since the kill.

    A poll of another bot may have begun before, and goes on.
    """
    its_own = {each.bot for each in before.bots if each.owner == victim.name}
    polled = all(
        each.refused
        or (
            each.owner is not None
            and (each.bot not in its_own or (each.polled_ago_s is not None and each.polled_ago_s < gone_s))
        )
        for each in seen.bots
    )
    return polled and before.duties.keys() <= seen.duties.keys()


def _pid_of(seen: Overview, name: str) -> int:
    return next((each.pid for each in seen.processes if each.name == name), 0)
