"""Errors: the faults of our own code, grouped by fingerprint."""

import msgspec

from passerby import __version__
from passerby.adapters.sql.panel_reader import PanelReader
from passerby.kernel.staff import Permission
from passerby.kernel.staff_requests import FaultResolved
from passerby.panel.http import Answer, see
from passerby.panel.look import Look
from passerby.panel.visit import Act, Page, Route, Visit

MOST = 200


class ErrorsPage:
    page = Page("/errors", "Errors", Permission.SETTINGS)

    def __init__(self, look: Look, reading: PanelReader, act: Act) -> None:
        self._look = look
        self._reading = reading
        self._act = act

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/errors", self.show, Permission.SETTINGS),
            Route("POST", "/errors", self.resolve, Permission.SETTINGS),
        )

    async def show(self, visit: Visit) -> Answer:
        rows = [
            {
                "fault": each,
                "frames": msgspec.json.decode(each.frames, type=list[str]),
                "state": _state(each.resolved_at, each.last_at),
                "is_new": each.version == __version__,
            }
            for each in await self._reading.faults(MOST)
        ]
        rows.sort(key=lambda row: row["state"] == "resolved")
        return self._look.page(visit, "errors.html", {"title": "Errors", "rows": rows, "version": __version__})

    async def resolve(self, visit: Visit) -> Answer:
        fingerprint = visit.request.form.get("fault", "")
        if len(fingerprint) == 16 and fingerprint.isalnum():
            await self._act(FaultResolved(fingerprint), visit.by)
        return see("/errors")


def _state(resolved_at: float | None, last_at: float) -> str:
    if resolved_at is None:
        return "open"
    return "came back" if last_at > resolved_at else "resolved"
