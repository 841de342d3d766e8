"""The duty that gathers reports into cases and lets a rule act on them before a person has looked."""

from collections.abc import Callable
from functools import partial
from typing import Final

from passerby.kernel.case import CaseFile
from passerby.kernel.staff import StaffDecision
from passerby.ports.clock import Clock
from passerby.ports.records import RecordsLost
from passerby.ports.staff import StaffRecords
from passerby.telemetry import logs

EVERY_S: Final = 5.0


class CasesDuty:
    """`rule` gets a case and the time."""

    def __init__(self, records: StaffRecords, rule: Callable[[CaseFile, float], StaffDecision], clock: Clock) -> None:
        self._records = records
        self._rule = rule
        self._clock = clock
        self._faults = logs.Faults()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            now = self._clock.now()
            try:
                count = await self._records.measure(partial(_at, self._rule, now), now)
            except RecordsLost as error:
                self._faults.began("records", "cases.waiting", **logs.fields_of(error))
            else:
                self._faults.over("records", "cases.resumed")
                if count:
                    logs.record("cases.measured", count=count)
            await self._clock.sleep(EVERY_S)


def _at(rule: Callable[[CaseFile, float], StaffDecision], now: float, file: CaseFile) -> StaffDecision:
    return rule(file, now)
