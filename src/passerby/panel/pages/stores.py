"""Stores: what is slow or large."""

from collections.abc import Awaitable, Callable

from passerby.kernel.staff import Permission
from passerby.ops.slow.insights import Insights
from passerby.panel.http import Answer
from passerby.panel.look import Look
from passerby.panel.visit import Page, Route, Visit

LOOKED_FOR_S = 30.0


class StoresPage:
    """`slow` looks into both stores; it takes a moment, so everybody sees the same look for half a minute."""

    page = Page("/stores", "Stores", Permission.SETTINGS)

    def __init__(self, look: Look, slow: Callable[[float], Awaitable[Insights]]) -> None:
        self._look = look
        self._slow = slow
        self._last: tuple[float, Insights] | None = None

    @property
    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", "/stores", self.show, Permission.SETTINGS),)

    async def show(self, visit: Visit) -> Answer:
        if self._last is None or visit.now - self._last[0] > LOOKED_FOR_S:
            self._last = (visit.now, await self._slow(visit.now))
        at, found = self._last
        parts = [("Processes on this machine", found.processes), ("Records", found.records)]
        if found.live is not None:
            parts.append(("Live store", found.live))
        shown = {"title": "Stores", "at": at, "parts": parts, "findings": found.findings}
        return self._look.page(visit, "stores.html", shown)
