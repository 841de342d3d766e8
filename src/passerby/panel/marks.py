"""Marks with a time, for the graphs: releases, and broadcasts that began."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import msgspec

from passerby.adapters.sql import SqlBroadcasts
from passerby.adapters.sql.panel_reader import PanelReader
from passerby.kernel.broadcast import Broadcast

RELEASE: Final = "release"
MOST: Final = 60
_DAY_S: Final = 86_400.0


class Release(msgspec.Struct, frozen=True):
    version: str


class Marks:
    """Raises: RecordsLost from every method."""

    def __init__(self, reading: PanelReader, broadcasts: SqlBroadcasts) -> None:
        self._reading = reading
        self._broadcasts = broadcasts

    async def of_days(self, days: range) -> list[tuple[int, str]]:
        """(index in `days`, what happened), in order."""
        found = await self._between(days.start * _DAY_S, days.stop * _DAY_S)
        return [(int(at // _DAY_S) - days.start, said) for at, said in found]

    async def of_moments(self, moments: Sequence[float]) -> list[tuple[int, str]]:
        """(index of the moment at which it had happened, what it was), in order. `moments` rise."""
        if not moments:
            return []
        found = await self._between(moments[0], moments[-1])
        return [(bisect_left(moments, at), said) for at, said in found]

    async def _between(self, since: float, until: float) -> list[tuple[float, str]]:
        rows = await self._reading.figures(RELEASE, int(since // 60), int(until // 60))
        found = [
            (minute * 60.0, f"release {msgspec.json.decode(body, type=Release).version}") for minute, body, _ in rows
        ]
        found += [
            (each.started_at, f"broadcast {each.number}, {each.category}")
            for each in await self._broadcasts.latest(MOST)
            if _is_shown(each) and each.started_at is not None
        ]
        return sorted((at, said) for at, said in found if since <= at < until)


def _is_shown(broadcast: Broadcast) -> bool:
    """Previews and tests go to the team only."""
    return not broadcast.is_test
