"""The duty that keeps the records small, done by whichever worker holds its lease."""

from typing import Final

from passerby.adapters.sql.retention import Retention
from passerby.ports.clock import Clock
from passerby.ports.records import RecordsLost
from passerby.telemetry import logs

LOOK_EVERY_S: Final = 60.0
PAUSE_S: Final = 0.2
"""Between two batches, so that others get their turn. 2,500 chats a second can still be packed."""
FORGET_EVERY_S: Final = 3600.0
RESUMMARISE_EVERY_S: Final = 86_400.0


class RetentionDuty:
    def __init__(self, retention: Retention, clock: Clock) -> None:
        self._retention = retention
        self._clock = clock
        self._forgot_at = float("-inf")
        self._resummarised_at = float("-inf")
        self._faults = logs.Faults()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            try:
                await self._all()
            except RecordsLost as error:
                self._faults.began("records", "retention.waiting", **logs.fields_of(error))
            else:
                self._faults.over("records", "retention.resumed")
            await self._clock.sleep(LOOK_EVERY_S)

    async def _all(self) -> None:
        while await self._retention.pack(self._clock.now()):
            await self._clock.sleep(PAUSE_S)
        if self._clock.monotonic() - self._forgot_at < FORGET_EVERY_S:
            return
        count = 0
        while deleted := await self._retention.forget(self._clock.now()):
            count += deleted
            await self._clock.sleep(PAUSE_S)
        self._forgot_at = self._clock.monotonic()
        if count and self._forgot_at - self._resummarised_at >= RESUMMARISE_EVERY_S:
            await self._retention.resummarise()
            self._resummarised_at = self._forgot_at
        if count:
            logs.record("retention.deleted", count=count)
