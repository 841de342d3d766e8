"""Exports: the figures as CSV or JSON. They name nobody, and small groups are hidden as on the pages."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from passerby.adapters.sql.panel_counter import CHATS, DAYS, GROWTH, Growth
from passerby.adapters.sql.panel_reader import PanelReader
from passerby.domain.audit import AuditRow
from passerby.domain.small_numbers import FEW, NOT_SHOWN, told, untold
from passerby.domain.spreadsheet import as_csv
from passerby.kernel.staff import Permission
from passerby.panel import export_columns
from passerby.panel.export_columns import EXPORTS, in_order
from passerby.panel.http import Answer
from passerby.panel.look import Look, day, exact
from passerby.panel.pages.growth import read_sources
from passerby.panel.pages.health import ENDS, LENGTHS
from passerby.panel.visit import Page, Route, Visit

Table = Sequence[Mapping[str, Any]]
WHOLES: Final = (("open", *(name for name, _ in LENGTHS)), ("open", *ENDS), ("left", "nobody left"))
"""The columns of chats that add up to all chats."""
AUDIT_ROWS: Final = 10_000


class ExportsPage:
    page = Page("/exports", "Exports", Permission.FIGURES)

    def __init__(self, look: Look, reading: PanelReader) -> None:
        self._look = look
        self._reading = reading
        self._tables: dict[str, tuple[Permission, Callable[[float], Awaitable[Table]]]] = {
            "growth": (Permission.FIGURES, self._growth),
            "chats": (Permission.FIGURES, self._chats),
            "audit": (Permission.AUDIT, self._audit),
        }

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/exports", self.show, Permission.FIGURES),
            Route("GET", "/exports/*", self.save, Permission.FIGURES),
        )

    async def show(self, visit: Visit) -> Answer:
        tables = [(name, EXPORTS[name]) for name, (needs, _) in self._tables.items() if visit.may(needs)]
        return self._look.page(visit, "exports.html", {"title": "Exports", "tables": tables})

    async def save(self, visit: Visit) -> Answer:
        name, _, form = visit.request.path.removeprefix("/exports/").partition(".")
        if name not in self._tables or form not in ("csv", "json"):
            return self._look.page(visit, "error.html", {"said": "There is no such file."}, 404)
        needs, read = self._tables[name]
        if not visit.may(needs):
            return self._look.page(visit, "error.html", {"said": "Your role does not allow this."}, 403)
        rows = await read(visit.now)
        saved_as = f"passerby-{name}-{day(int(visit.now // 86_400))}.{form}"
        if form == "json":
            written = msgspec.json.encode([_with_details(row) for row in rows])
            return Answer(written, kind="application/json", saved_as=saved_as)
        table = as_csv(rows, tuple(EXPORTS[name].columns))
        return Answer(table.encode(), kind="text/csv; charset=utf-8", saved_as=saved_as)

    async def _growth(self, now: float) -> Table:
        today = int(now // 86_400)
        rows = []
        sources = await read_sources(self._reading, today - DAYS, today)
        for number, body, _ in await self._reading.figures(GROWTH, today - DAYS, today):
            growth = msgspec.json.decode(body, type=Growth)
            tables = (
                ("all", {"": growth.all}),
                ("bot", growth.bots),
                ("language", growth.languages),
                ("source", sources.get(number, {})),
            )
            for part, table in tables:
                # Deleted people are counted for each day, not for its bots, languages and sources.
                deleted = 0 if part == "all" else None
                not_told = _untold(table)
                for name in sorted(table):
                    counts: dict[str, Any] = {**_hidden(table[name]), **not_told[name]}
                    row = {"day": day(number), "part": part, "name": name, "deleted": deleted, **counts}
                    rows.append(in_order(row, export_columns.GROWTH, 0))
        return rows

    async def _chats(self, now: float) -> Table:
        today = int(now // 86_400)
        found = await self._reading.figures(CHATS, today - DAYS, today)
        days = {number: msgspec.json.decode(body, type=dict[str, int]) for number, body, _ in found}
        rows = ({"day": day(number), **_hidden(counts, untold(counts, WHOLES))} for number, counts in days.items())
        return [in_order(row, export_columns.CHATS, 0) for row in rows]

    async def _audit(self, now: float) -> Table:
        return [_dated(row) for row in await self._reading.audit_before(2**62, AUDIT_ROWS)]


def _dated(row: AuditRow) -> dict[str, Any]:
    return in_order({**row._asdict(), "at": exact(row.at)}, export_columns.AUDIT, None)


def _with_details(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Details of the audit are the text of a JSON object. In a JSON file, they are that object."""
    try:
        return {**row, "details": msgspec.json.decode(row["details"])} if "details" in row else row
    except msgspec.DecodeError:
        return row


def _untold(table: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, str]]:
    """Of each row, the numbers that would tell a small one of another row, because all rows together are in the file,
    too. Those who can be reached would tell how few cannot."""
    found: dict[str, dict[str, str]] = {name: {} for name in table}
    for step in dict.fromkeys(step for steps in table.values() for step in steps):
        values = [steps.get(step, 0) for steps in table.values()]
        for name, value, is_told in zip(table, values, told(values), strict=True):
            if value >= FEW and not is_told:
                found[name][step] = NOT_SHOWN
    gone = [steps["people"] - steps["alive"] if "alive" in steps else 0 for steps in table.values()]
    for name, is_told in zip(table, told(gone), strict=True):
        if not is_told and table[name]["alive"] >= FEW:
            found[name]["alive"] = NOT_SHOWN
    return found


def _hidden(counts: Mapping[str, int], more: Collection[str] = ()) -> dict[str, Any]:
    """`more`: these are not told either."""
    return {
        name: f"<{FEW}" if 0 < value < FEW else NOT_SHOWN if name in more else value
        for name, value in sorted(counts.items())
    }
