"""Exports: the figures as CSV or JSON. They name nobody, and small groups are hidden as on the pages."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from passerby.adapters.sql.panel_counter import CHATS, DAYS, GROWTH, Growth
from passerby.adapters.sql.panel_reader import PanelReader
from passerby.domain.spreadsheet import as_csv
from passerby.kernel.staff import Permission
from passerby.panel.http import Answer
from passerby.panel.look import FEW, NOT_SHOWN, Look, day, of_parts
from passerby.panel.visit import Page, Route, Visit

Table = Sequence[Mapping[str, Any]]
AUDIT_ROWS: Final = 10_000


class ExportsPage:
    page = Page("/exports", "Exports", Permission.FIGURES)

    def __init__(self, look: Look, reading: PanelReader) -> None:
        self._look = look
        self._reading = reading
        self._tables: dict[str, tuple[str, Permission, Callable[[float], Awaitable[Table]]]] = {
            "growth": ("New people by day, bot and language", Permission.FIGURES, self._growth),
            "chats": ("Chats by day", Permission.FIGURES, self._chats),
            "audit": ("The newest 10,000 rows of the audit", Permission.AUDIT, self._audit),
        }

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/exports", self.show, Permission.FIGURES),
            Route("GET", "/exports/*", self.save, Permission.FIGURES),
        )

    async def show(self, visit: Visit) -> Answer:
        tables = [(name, title) for name, (title, needs, _) in self._tables.items() if visit.may(needs)]
        return self._look.page(visit, "exports.html", {"title": "Exports", "tables": tables})

    async def save(self, visit: Visit) -> Answer:
        name, _, form = visit.request.path.removeprefix("/exports/").partition(".")
        title, needs, read = self._tables.get(name, ("", Permission.FIGURES, self._chats))
        if not title or form not in ("csv", "json"):
            return self._look.page(visit, "error.html", {"said": "There is no such file."}, 404)
        if not visit.may(needs):
            return self._look.page(visit, "error.html", {"said": "Your role does not allow this."}, 403)
        rows = await read(visit.now)
        saved_as = f"passerby-{name}-{day(int(visit.now // 86_400))}.{form}"
        if form == "json":
            return Answer(msgspec.json.encode(rows), kind="application/json", saved_as=saved_as)
        return Answer(as_csv(rows).encode(), kind="text/csv; charset=utf-8", saved_as=saved_as)

    async def _growth(self, now: float) -> Table:
        today = int(now // 86_400)
        rows = []
        for number, body, _ in await self._reading.figures(GROWTH, today - DAYS, today):
            growth = msgspec.json.decode(body, type=Growth)
            tables = (("all", {"": growth.all}), ("bot", growth.bots), ("language", growth.languages))
            rows += [
                {"day": day(number), "part": part, "name": name, **_hidden(table[name]), **_untold(table, name)}
                for part, table in tables
                for name in sorted(table)
            ]
        return rows

    async def _chats(self, now: float) -> Table:
        today = int(now // 86_400)
        found = await self._reading.figures(CHATS, today - DAYS, today)
        return [
            {"day": day(number), **_hidden(msgspec.json.decode(body, type=dict[str, int]))} for number, body, _ in found
        ]

    async def _audit(self, now: float) -> Table:
        return [row._asdict() for row in await self._reading.audit_before(2**62, AUDIT_ROWS)]


def _untold(table: Mapping[str, Mapping[str, int]], name: str) -> dict[str, str]:
    """The numbers that would tell a small one of another row, because all rows together are in the file, too."""
    steps = table[name]
    return {step: NOT_SHOWN for step in steps if steps[step] >= FEW and not of_parts(table, name, step)}


def _hidden(counts: Mapping[str, int]) -> dict[str, Any]:
    return {name: f"<{FEW}" if 0 < value < FEW else value for name, value in sorted(counts.items())}
