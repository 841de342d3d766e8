"""The duty that counts for the panel: a sample of the fleet each minute, and figures by day every few minutes."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from passerby import __version__
from passerby.adapters.sql.panel_counter import PanelCounter
from passerby.kernel.ids import BotId
from passerby.panel.marks import RELEASE, Release
from passerby.panel.samples import delivered, sample_of
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import RecordsLost
from passerby.runtime.membership.report import Report, read_report
from passerby.telemetry import logs

MINUTE: Final = "minute"
SAMPLES_KEPT_MIN: Final = 2 * 1440
COUNT_EVERY_S: Final = 900.0


class FiguresDuty:
    """`bots` returns those of the moment."""

    def __init__(
        self, bots: Callable[[], Sequence[BotId]], store: LiveStore, counting: PanelCounter, clock: Clock
    ) -> None:
        self._bots = bots
        self._store = store
        self._counting = counting
        self._clock = clock
        self._counted_at = float("-inf")
        self._release_kept = False
        self._reports: dict[str, Report] | None = None
        self._faults = logs.Faults()

    async def run(self) -> None:
        """Run until cancelled."""
        # The first sample is at the next full minute: bots that are about to be polled would count as late.
        is_first = True
        while True:
            try:
                if not is_first:
                    await self.sample()
                    await self._note_release()
                is_first = False
                if self._clock.monotonic() - self._counted_at >= COUNT_EVERY_S:
                    self._counted_at = self._clock.monotonic()
                    await self._counting.count(self._clock.now())
            except (LiveStoreLost, RecordsLost) as error:
                self._faults.began("stores", "figures.waiting", error=logs.name_of(error))
            else:
                self._faults.over("stores", "figures.resumed")
            now = self._clock.now()
            await self._clock.sleep(60.0 - now % 60.0)

    async def _note_release(self) -> None:
        """For the graphs: from which moment on this release was running."""
        if not self._release_kept:
            now = self._clock.now()
            if await self._counting.newest(RELEASE) != (body := msgspec.json.encode(Release(__version__)).decode()):
                await self._counting.keep(RELEASE, int(now // 60), body, now)
            self._release_kept = True

    async def sample(self) -> None:
        """Store how the fleet is now. Raises: LiveStoreLost, RecordsLost."""
        figures = await self._store.figures()
        members = await self._store.members()
        now = self._clock.now()
        reports = {str(worker): read_report(blob) for worker, blob in members.workers.items()}
        made = sample_of(
            reports,
            self._bots(),
            now,
            waiting=figures.waiting,
            chats=figures.chats,
            outbox=figures.outbox,
            journal=figures.journal,
        )
        if self._reports is not None:
            made = msgspec.structs.replace(made, delivery=delivered(self._reports, reports))
        self._reports = reports
        minute = int(now // 60)
        body = msgspec.json.encode(made).decode()
        await self._counting.keep(MINUTE, minute, body, now, drop_before=minute - SAMPLES_KEPT_MIN)
