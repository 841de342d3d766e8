"""Updates that take workers down: when to give one up, and who knows how often it has been tried.

An update that ended a worker comes again, here or to another. What it has done is told by the next process of that
worker's name (see `flight_recorder` and `App`), as soon as that has started, and counted in the live store. So one that
has been told of is not tried at once: the worker that it took down last may not have said so yet.
"""

from collections.abc import Iterable
from typing import Final

from passerby.kernel.ids import UpdateRef
from passerby.ports.live_store import LiveStore

FATAL_CRASHES: Final = 2
"""An update that has taken down as many workers is not tried again. One may have been chance: a process that was killed
while it happened to work on that."""

CRASH_HEARD_S: Final = 10.0
"""How long the process that an update took down last may take to start and say so, from when the update came again."""


async def crashes_of(store: LiveStore, refs: Iterable[UpdateRef]) -> int:
    """How many workers have ended while they worked on the worst of these updates. Raises: LiveStoreLost."""
    of: dict[object, list[UpdateRef]] = {}
    for ref in refs:
        of.setdefault(ref.bot, []).append(ref)
    known = [await store.known(same[0].bot, [ref.update for ref in same]) for same in of.values()]
    return max((count for each in known for count in each.crashes.values()), default=0)
