"""Learns which bots close. Staff say so in the records, and every process looks there."""

from collections.abc import Mapping
from contextlib import suppress

from passerby.kernel.drain import Drain
from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.records import RecordsLost
from passerby.ports.staff import StaffRecords

EVERY_S = 2.0


class Drains:
    """`now`: the bots that close. While the records are away, it stays as it was."""

    def __init__(self, records: StaffRecords | None, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self.now: Mapping[BotId, Drain] = {}

    async def run(self) -> None:
        """Look until cancelled. Returns at once if nobody can say that a bot closes."""
        while self._records is not None:
            with suppress(RecordsLost):  # the recorder reports it
                self.now = {each.bot: each for each in await self._records.drains()}
            await self._clock.sleep(EVERY_S)
