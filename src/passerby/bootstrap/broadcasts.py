"""Broadcasts as the commands and the panel show them: plain values, ready for JSON."""

from typing import Any

import msgspec

from passerby.domain.broadcasts.comparison import compared
from passerby.domain.broadcasts.options import shown
from passerby.kernel.broadcast import Broadcast
from passerby.ports.broadcasts import BroadcastRecords


def row(each: Broadcast) -> dict[str, Any]:
    return {
        "number": each.number,
        "state": each.state,
        "options": shown(each),
        "people": each.people,
        "started_at": each.started_at,
        "ended_at": each.ended_at,
        "why": each.why,
        "revision": each.revision,
    }


async def latest(broadcasts: BroadcastRecords, most: int = 50) -> list[dict[str, Any]]:
    """The latest ones, the newest first. Raises: RecordsLost."""
    return [row(each) for each in await broadcasts.latest(most)]


async def figures(broadcasts: BroadcastRecords, number: int) -> dict[str, Any] | None:
    """One of them, with what became of its targets and what it did. `compared` has 95 % intervals of differences.

    Raises: RecordsLost.
    """
    found = await broadcasts.broadcast(number)
    if found is None:
        return None
    arms = await broadcasts.arms(number)
    return row(found) | {
        "progress": (await broadcasts.progress(number)).counts,
        "arms": [msgspec.structs.asdict(each) for each in arms],
        "compared": [each._asdict() for each in compared(arms)],
    }
