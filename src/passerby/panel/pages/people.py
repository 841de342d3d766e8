"""People: one person, by the support code that they show. Nobody can be browsed, and every look is in the audit."""

from typing import Final

from passerby.adapters.sql import SqlStaff
from passerby.catalogue import Catalogue
from passerby.domain import support
from passerby.domain.sanctions import binding
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff import Permission, StaffDecision
from passerby.kernel.staff_requests import LiftAsked, PersonAsked, SanctionAsked
from passerby.kernel.text import Text
from passerby.panel.http import Answer
from passerby.panel.look import Look
from passerby.panel.visit import Act, Page, Route, Visit
from passerby.staff.cases.deciding import LENGTHS_H
from passerby.staff.cases.view import length

LENGTHS: Final = ("", *map(str, LENGTHS_H))
"""In hours, as on the page Safety. Empty: for good."""


class PeoplePage:
    page = Page("/people", "People", Permission.PEOPLE)

    def __init__(self, look: Look, staff: SqlStaff, act: Act, words: Catalogue) -> None:
        self._look = look
        self._staff = staff
        self._act = act
        self._words = words

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/people", self.ask, Permission.PEOPLE),
            # Looking is a form, too: an address would stay in the browser's history, and a look is in the audit.
            Route("POST", "/people", self.show, Permission.PEOPLE),
            Route("POST", "/people/sanction", self.sanction, Permission.SANCTION),
            Route("POST", "/people/lift", self.lift, Permission.SANCTION),
        )

    async def ask(self, visit: Visit) -> Answer:
        return self._page(visit, "", "", ())

    async def show(self, visit: Visit) -> Answer:
        code = visit.request.form.get("code", "")
        done = await self._act(PersonAsked(code), visit.by)
        if done.refused:
            return self._page(visit, "", self._said(done), (), 404)
        subject = await self._staff.subject(support.read(code) or "", visit.now)
        sanctions = binding(subject.person, visit.now) if subject is not None else ()
        return self._page(visit, code, self._said(done), sanctions)

    async def sanction(self, visit: Visit) -> Answer:
        form = visit.request.form
        kind, reason, hours = form.get("kind", ""), form.get("reason", ""), form.get("hours", "")
        is_known = kind in {*SanctionKind} and reason in {*Reason} and hours in LENGTHS
        if not is_known:
            return self._page(visit, "", "This form is not complete. Nothing was done.", (), 400)
        hours_long = float(hours) if hours else None
        asked = SanctionAsked(
            form.get("code", ""), SanctionKind(kind), Reason(reason), hours_long, form.get("note", "")[:500]
        )
        return self._answer(visit, await self._act(asked, visit.by))

    async def lift(self, visit: Visit) -> Answer:
        form = visit.request.form
        asked = LiftAsked(form.get("code", ""), form.get("sanction", ""), form.get("note", "")[:500])
        return self._answer(visit, await self._act(asked, visit.by))

    def _answer(self, visit: Visit, done: StaffDecision) -> Answer:
        return self._page(visit, "", self._said(done), (), 403 if done.refused else 200)

    def _said(self, done: StaffDecision) -> str:
        return self._words.plain(done.reply, "en") if done.reply is not None else ""

    def _kind(self, kind: SanctionKind) -> str:
        """The word of the staff bot, here too."""
        return self._words.plain(Text(f"people.kind_{kind}"), "en")

    def _reason(self, reason: Reason) -> str:
        return self._words.plain(Text(f"reasons.{reason}"), "en")

    def _page(self, visit: Visit, code: str, said: str, sanctions: tuple[Sanction, ...], status: int = 200) -> Answer:
        shown = {
            "title": "People",
            "code": code,
            "said": said,
            "sanctions": [
                {"id": each.id, "kind": self._kind(each.kind), "why": self._reason(each.reason)} for each in sanctions
            ],
            "may_act": visit.may(Permission.SANCTION),
            "kinds": [(kind.value, self._kind(kind)) for kind in SanctionKind],
            "reasons": [(reason.value, self._reason(reason)) for reason in Reason],
            "lengths": [
                *((str(hours), self._words.plain(length(hours), "en")) for hours in LENGTHS_H),
                *([("", "for good, with a second member")] if visit.may(Permission.BAN) else []),
            ],
        }
        return self._look.page(visit, "people.html", shown, status)
