"""Updates that take workers down: when to give one up, and who knows how often it has been tried.

An update that ended a worker comes again, to this worker or another. The next process of the ended worker's name
reports the crash as soon as it has started (see `flight_recorder` and `App`), and the live store counts it. So an
update with a reported crash is not tried at once: the worker that it took down last may not have reported yet.
"""

from collections.abc import Iterable
from typing import Final

from passerby.kernel.ids import UpdateRef
from passerby.ports.live_store import LiveStore

FATAL_CRASHES: Final = 2
"""An update that has taken down this many workers is not tried again. One crash may be chance: a process that was
killed while it worked on the update."""

CRASH_HEARD_S: Final = 10.0
"""How long to wait, from when the update came again, for the last process that it took down to start and report
that."""


async def crashes_of(store: LiveStore, refs: Iterable[UpdateRef]) -> int:
    """How many workers have ended while they worked on the worst of these updates. Raises: LiveStoreLost."""
    of: dict[object, list[UpdateRef]] = {}
    for ref in refs:
        of.setdefault(ref.bot, []).append(ref)
    known = [await store.known(same[0].bot, [ref.update for ref in same]) for same in of.values()]
    return max((count for each in known for count in each.crashes.values()), default=0)
