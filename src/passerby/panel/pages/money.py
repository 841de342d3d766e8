"""Money: the ledger, what is owed, and what is at stake with each bot; refunds, by the code of a purchase."""

from collections.abc import Sequence
from typing import Final

from passerby.adapters.sql.panel_ledger import PanelLedger
from passerby.catalogue import Catalogue
from passerby.kernel.purchase import RefundReason
from passerby.kernel.staff import Permission
from passerby.kernel.staff_requests import RefundAsked
from passerby.kernel.text import Text
from passerby.panel.figure import RECORDS, Figure
from passerby.panel.http import Answer
from passerby.panel.look import Look, count, day, seconds
from passerby.panel.marks import Marks
from passerby.panel.visit import Act, Page, Route, Visit

PERIOD_DAYS: Final = 30


class MoneyPage:
    page = Page("/money", "Money", Permission.MONEY)

    def __init__(self, look: Look, ledger: PanelLedger, marks: Marks, act: Act, words: Catalogue) -> None:
        self._look = look
        self._ledger = ledger
        self._marks = marks
        self._act = act
        self._words = words

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/money", self.show, Permission.MONEY),
            Route("POST", "/money/refund", self.refund, Permission.MONEY, fresh=True),
        )

    async def show(self, visit: Visit) -> Answer:
        return await self._page(visit)

    async def refund(self, visit: Visit) -> Answer:
        form = visit.request.form
        reason = form.get("reason", "")
        if reason not in {*RefundReason}:
            return await self._page(visit, ["This form is not complete. Nothing was done."], 400)
        asked = RefundAsked(form.get("purchase", "")[:20], RefundReason(reason), form.get("note", "")[:500])
        done = await self._act(asked, visit.by)
        said = self._words.plain(done.reply, "en").splitlines() if done.reply is not None else []
        return await self._page(visit, said, 409 if done.refused else 200)

    async def _page(self, visit: Visit, said: Sequence[str] = (), status: int = 200) -> Answer:
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
                "We owe Telegram",
                count(owed),
                RECORDS,
                now,
                f"refunds and cancellations; the oldest for {seconds(now - oldest)}" if oldest else "nothing",
            ),
        ]
        shown = {
            "title": "Money",
            "figures": figures,
            "labels": [day(number) for number in span],
            "sold": [("sold", [float(sold.get(number, 0)) for number in span])],
            "refunded": [("refunded", [float(refunded.get(number, 0)) for number in span])],
            "bots": await self._ledger.exposure(now),
            "charges": await self._ledger.charges(50),
            "marks": await self._marks.of_days(span),
            "said": said,
            "reasons": [
                (each.value, self._words.plain(Text(f"purchases.reason_{each}"), "en")) for each in RefundReason
            ],
        }
        return self._look.page(visit, "money.html", shown, status)
