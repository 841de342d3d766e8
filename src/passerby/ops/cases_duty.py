"""The duty that gathers reports and farms into cases, and lets a rule act on reports before a person has looked."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from passerby.kernel.case import CaseFile
from passerby.kernel.farm import FarmSeen
from passerby.kernel.staff import StaffDecision
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.records import RecordsLost
from passerby.ports.staff import StaffRecords
from passerby.telemetry import logs

EVERY_S: Final = 5.0


class CasesDuty:
    """`rule` gets a case and the time. `farms` reads the farms that the watch sees now."""

    def __init__(
        self,
        records: StaffRecords,
        rule: Callable[[CaseFile, float], StaffDecision],
        farms: Callable[[], Awaitable[Sequence[FarmSeen]]],
        clock: Clock,
    ) -> None:
        self._records = records
        self._rule = rule
        self._farms = farms
        self._clock = clock
        self._faults = logs.Faults()
        self._gathered: Sequence[FarmSeen] = ()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            now = self._clock.now()
            try:
                count = await self._records.measure(partial(_at, self._rule, now), now)
                await self._gather(now)
            except RecordsLost as error:
                self._faults.began("records", "cases.waiting", **logs.fields_of(error))
            except LiveStoreLost as error:  # others report it
                logs.record("cases.store_lost", "debug", error=logs.name_of(error))
            else:
                self._faults.over("records", "cases.resumed")
                if count:
                    logs.record("cases.measured", count=count)
            await self._clock.sleep(EVERY_S)

    async def _gather(self, now: float) -> None:
        """The watch looks much more seldom than this, so most times nothing is new."""
        farms = await self._farms()
        if farms != self._gathered:
            if count := await self._records.open_farm_cases(farms, now):
                logs.record("cases.farms", count=count)
            self._gathered = farms


def _at(rule: Callable[[CaseFile, float], StaffDecision], now: float, file: CaseFile) -> StaffDecision:
    return rule(file, now)
