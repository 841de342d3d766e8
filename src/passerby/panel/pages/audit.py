"""Audit: what staff did, the newest first. Each row shown is compared with the chain."""

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlencode

import msgspec

from passerby.adapters.sql.panel_reader import EVERYTHING, AuditSearch, PanelReader
from passerby.domain import support
from passerby.domain.audit import first_broken
from passerby.kernel.staff import Permission
from passerby.panel.http import Answer
from passerby.panel.look import Look
from passerby.panel.visit import Page, Route, Visit
from passerby.ports.staff import StaffRecords

A_PAGE: Final = 50
_NEWEST: Final = 2**62
_DIGITS: Final = 19
_LONGEST: Final = 100


def said_of(details: str) -> str:
    """The details of a row in words. A value that is no JSON object is shown as it is."""
    try:
        found = msgspec.json.decode(details)
    except (msgspec.DecodeError, UnicodeError):
        return details
    return _said(found) if isinstance(found, dict) else details


def _said(value: object) -> str:
    match value:
        case dict():
            return "; ".join(f"{str(name).replace('_', ' ')}: {_said(each)}" for name, each in value.items())
        case list():
            return ", ".join(map(_said, value)) or "none"
        case bool():
            return "yes" if value else "no"
        case None | "":
            return "–"
        case _:
            return str(value)


def _words(written: str) -> str:
    """Without what the database could not compare."""
    return "".join(each for each in written if each.isprintable()).strip()[:_LONGEST]


def _search(query: Mapping[str, str]) -> AuditSearch:
    """The search that the form asks for. A support code is found however it is written."""
    who, about = query.get("who", ""), _words(query.get("about", ""))
    code = support.read(about)
    actor: int | Literal["", "rule"] = (
        "rule" if who == "rule" else int(who) if who.isdecimal() and len(who) < _DIGITS else ""
    )
    return AuditSearch(actor, _words(query.get("action", "")), support.shown(code) if code else about)


class AuditPage:
    page = Page("/audit", "Audit", Permission.AUDIT)

    def __init__(self, look: Look, reading: PanelReader, staff: StaffRecords) -> None:
        self._look = look
        self._reading = reading
        self._staff = staff

    @property
    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", "/audit", self.show, Permission.AUDIT),)

    async def show(self, visit: Visit) -> Answer:
        asked = visit.request.query.get("before", "")
        before = int(asked) if asked.isdecimal() and len(asked) < _DIGITS else _NEWEST
        search = _search(visit.request.query)
        # One more than is shown: the row before the first one shown says what that one must follow.
        rows = list(await self._reading.audit_before(before, A_PAGE + 1, search))
        in_order = rows[::-1]
        is_beginning = len(rows) <= A_PAGE
        broken = first_broken(in_order if is_beginning else in_order[1:], None if is_beginning else in_order[0])
        names = {each.number: each.name for each in await self._staff.everybody()}
        asked_for = {"who": str(search.actor), "action": search.action, "about": search.subject}
        shown = {
            "title": "Audit",
            "search": asked_for,
            "is_search": search != EVERYTHING,
            "searched": urlencode({name: value for name, value in asked_for.items() if value}),
            "rows": rows[:A_PAGE],
            "names": names,
            "details": {row.number: said_of(row.details) for row in rows},
            "older": rows[A_PAGE - 1].number if len(rows) > A_PAGE else 0,
            "broken": broken,
        }
        return self._look.page(visit, "audit.html", shown)
