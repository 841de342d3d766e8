"""Updates that end workers: when to give one up, and how often it has been tried.

Telegram delivers such an update again, to this worker or another. The next process with the ended worker's name reports
the crash as soon as it has started (see `flight_recorder`), and the live store counts it. So an update with a
reported crash is not tried at once: the worker that it ended last may not have reported yet.
"""

from collections.abc import Iterable
from typing import Final

from passerby.kernel.ids import UpdateRef
from passerby.ports.live_store import LiveStore

FATAL_CRASHES: Final = 2
"""An update that has ended this many workers is not tried again. One crash may be chance: the process may have been
killed while it worked on the update."""

CRASH_HEARD_S: Final = 10.0
"""How long to wait, after the update came again, for the last process that it ended to start again and report the
crash."""


async def crashes_of(store: LiveStore, refs: Iterable[UpdateRef]) -> int:
    """Return how many workers have ended while they worked on the worst of these updates. Raises: LiveStoreLost."""
    of: dict[object, list[UpdateRef]] = {}
    for ref in refs:
        of.setdefault(ref.bot, []).append(ref)
    known = [await store.known(same[0].bot, [ref.update for ref in same]) for same in of.values()]
    return max((count for each in known for count in each.crashes.values()), default=0)
