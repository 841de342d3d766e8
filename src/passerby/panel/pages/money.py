"""Money: the ledger, what is owed, and what is at stake with each bot; refunds by code; questions about payments."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from passerby.adapters.sql.panel_ledger import PanelLedger
from passerby.catalogue import Catalogue
from passerby.domain.small_numbers import count
from passerby.kernel.purchase import RefundReason
from passerby.kernel.staff import Permission, ShowExhibit, StaffDecision
from passerby.kernel.staff_requests import AnswerAsked, PaymentCaseAsked, RefundAsked, RefundPlanned
from passerby.kernel.text import Text
from passerby.panel.figure import RECORDS, Figure
from passerby.panel.http import Answer
from passerby.panel.look import Look, day, seconds
from passerby.panel.marks import Marks
from passerby.panel.sealed import OpenExhibit
from passerby.panel.visit import Act, Page, Route, Visit

PERIOD_DAYS: Final = 30
NOTHING_OPEN: Final[Mapping[str, Any]] = {}


class MoneyPage:
    page = Page("/money", "Money", Permission.MONEY)

    def __init__(
        self, look: Look, ledger: PanelLedger, marks: Marks, act: Act, words: Catalogue, opened: OpenExhibit
    ) -> None:
        self._look = look
        self._ledger = ledger
        self._marks = marks
        self._act = act
        self._words = words
        self._opened = opened

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/money", self.show, Permission.MONEY),
            Route("POST", "/money/refund", self.refund, Permission.MONEY, fresh=True),
            Route("POST", "/money/case", self.look_at, Permission.MONEY),
            Route("POST", "/money/answer", self.answer, Permission.MONEY),
        )

    async def show(self, visit: Visit) -> Answer:
        return await self._page(visit)

    async def refund(self, visit: Visit) -> Answer:
        form = visit.request.form
        reason = form.get("reason", "")
        if reason not in {*RefundReason}:
            return await self._page(visit, ["This form is not complete. Nothing was done."], 400)
        code, note = form.get("purchase", "")[:20], form.get("note", "")[:500]
        if form.get("sure") != "yes":
            return await self._sure(visit, code, RefundReason(reason), note)
        done = await self._act(RefundAsked(code, RefundReason(reason), note), visit.by)
        return await self._page(visit, self._said(done), 409 if done.refused else 200)

    async def _sure(self, visit: Visit, code: str, reason: RefundReason, note: str) -> Answer:
        """Say what the refund does, and ask."""
        plan = await self._act(RefundPlanned(code, reason), visit.by)
        if plan.refused:
            return await self._page(visit, self._said(plan), 409)
        fields = {"purchase": code, "reason": reason.value, "note": note}
        said = [*self._said(plan), f"Your note: {note}"] if note else self._said(plan)
        shown = {"title": "Refund?", "said": said, "button": "Refund", "fields": fields, "back": "/money"}
        return self._look.page(visit, "sure.html", shown)

    async def look_at(self, visit: Visit) -> Answer:
        """A payment case: what the person asks, and what they bought. Opening it is in the audit."""
        code = visit.request.form.get("case", "")[:20]
        done = await self._act(PaymentCaseAsked(code), visit.by)
        if done.refused:
            return await self._page(visit, self._said(done), 409)
        asked = [await self._opened(each) for each in done.effects if isinstance(each, ShowExhibit)]
        words = [each if isinstance(each, str) else "This was erased." for each in asked]
        return await self._page(visit, shown={"case": code, "card": self._said(done), "asked": words})

    async def answer(self, visit: Visit) -> Answer:
        form = visit.request.form
        done = await self._act(AnswerAsked(form.get("case", "")[:20], form.get("words", "")[:5000]), visit.by)
        return await self._page(visit, self._said(done), 409 if done.refused else 200)

    def _said(self, done: StaffDecision) -> list[str]:
        return self._words.plain(done.reply, "en").splitlines() if done.reply is not None else []

    async def _page(
        self, visit: Visit, said: Sequence[str] = (), status: int = 200, shown: Mapping[str, Any] = NOTHING_OPEN
    ) -> Answer:
        now = visit.now
        today = int(now // 86_400)
        span = range(today - PERIOD_DAYS + 1, today + 1)
        sold, refunded = await self._ledger.by_day(span.start)
        owed, oldest = await self._ledger.owed()
        stars, back = (sum(table.values()) for table in (sold, refunded))
        figures = [
            Figure("Sold", f"{count(stars)} ★", RECORDS, now, f"in {PERIOD_DAYS} days"),
            Figure("Refunded", f"{count(back)} ★", RECORDS, now, f"in {PERIOD_DAYS} days"),
            Figure("Subscriptions", count(await self._ledger.subscriptions(now)), RECORDS, now, "paid for now"),
            Figure(
                "On the way back",
                count(owed),
                RECORDS,
                now,
                f"not confirmed by Telegram, the oldest for {seconds(now - oldest)}" if oldest else "nothing waits",
            ),
        ]
        page = {
            "title": "Money",
            "figures": figures,
            "labels": [day(number) for number in span],
            "sold": [("sold", [float(sold.get(number, 0)) for number in span])],
            "refunded": [("refunded", [float(refunded.get(number, 0)) for number in span])],
            "bots": await self._ledger.exposure(now),
            "charges": await self._ledger.charges(50),
            "cases": [(each.code, seconds(now - each.opened_at)) for each in await self._ledger.payment_cases()],
            "opened": shown,
            "marks": await self._marks.of_days(span),
            "said": said,
            "reasons": [
                (each.value, self._words.plain(Text(f"purchases.reason_{each}"), "en")) for each in RefundReason
            ],
        }
        return self._look.page(visit, "money.html", page, status)
