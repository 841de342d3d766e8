"""Money: the ledger, what is owed, and what is at stake with each bot."""

from typing import Final

from passerby.adapters.sql.panel_ledger import PanelLedger
from passerby.kernel.staff import Permission
from passerby.panel.figure import RECORDS, Figure
from passerby.panel.http import Answer
from passerby.panel.look import Look, count, day, seconds
from passerby.panel.visit import Page, Route, Visit

PERIOD_DAYS: Final = 30


class MoneyPage:
    page = Page("/money", "Money", Permission.MONEY)

    def __init__(self, look: Look, ledger: PanelLedger) -> None:
        self._look = look
        self._ledger = ledger

    @property
    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", "/money", self.show, Permission.MONEY),)

    async def show(self, visit: Visit) -> Answer:
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
        }
        return self._look.page(visit, "money.html", shown)
