"""Approvals: all that waits for a second member of the team. Agreeing carries it out at once, as in the staff bot. Bans
of cases and broadcasts are looked at, and approved, on their own pages.
"""

from passerby.adapters.sql.approvals import SqlApprovals
from passerby.adapters.sql.broadcast_rows import submitted_now
from passerby.adapters.sql.cases import proposed_now
from passerby.catalogue import Catalogue
from passerby.dialogue.approvals import broadcast_card, card, case_card
from passerby.domain.approvals import may_decline, obstacle, proposals, submitted
from passerby.kernel.staff import StaffFacts
from passerby.kernel.staff_requests import Pressed
from passerby.kernel.text import Text
from passerby.panel.http import Answer
from passerby.panel.look import Look
from passerby.panel.visit import Act, Page, Route, Visit
from passerby.ports.staff import StaffRecords


class ApprovalsPage:
    page = Page("/approvals", "Approvals")

    def __init__(self, look: Look, waiting: SqlApprovals, staff: StaffRecords, act: Act, words: Catalogue) -> None:
        self._look = look
        self._waiting = waiting
        self._staff = staff
        self._act = act
        self._words = words

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/approvals", self.show),
            Route("POST", "/approvals/agree", self.agree, fresh=True),
            Route("POST", "/approvals/decline", self.decline),
        )

    async def show(self, visit: Visit) -> Answer:
        return await self._page(visit)

    async def agree(self, visit: Visit) -> Answer:
        return await self._press(visit, "approval_agree")

    async def decline(self, visit: Visit) -> Answer:
        return await self._press(visit, "approval_decline")

    async def _press(self, visit: Visit, action: str) -> Answer:
        number = visit.request.form.get("approval", "")[:10]
        done = await self._act(Pressed(action, number), visit.by)
        said = self._words.plain(done.reply, "en") if done.reply is not None else ""
        return await self._page(visit, said, 409 if done.refused else 200)

    async def _page(self, visit: Visit, said: str = "", status: int = 200) -> Answer:
        facts = StaffFacts(visit.member, await self._staff.team())
        rows = []
        for each in await self._waiting.waiting(visit.now):
            if may_decline(each, facts):
                why = obstacle(each, facts, visit.now)
                lines = self._words.plain(card(each, visit.now), "en").splitlines()
                hint = self._words.plain(Text(why), "en") if why is not None else ""
                rows.append({"number": each.number, "lines": lines, "hint": hint})
        cases = [
            self._words.plain(case_card(each), "en").splitlines()
            for each in proposals(await proposed_now(self._waiting.engine), facts)
        ]
        broadcasts = [
            (each.number, self._words.plain(broadcast_card(each), "en").splitlines())
            for each in submitted(await submitted_now(self._waiting.engine), facts)
        ]
        shown = {"title": "Approvals", "rows": rows, "cases": cases, "broadcasts": broadcasts, "said": said}
        return self._look.page(visit, "approvals.html", shown, status)
