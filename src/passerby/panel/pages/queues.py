"""Safety and money: queues and sums. Cases are decided in the staff bot, where evidence is shown blurred."""

from typing import Final

from passerby.adapters.sql.panel_ledger import PanelLedger
from passerby.kernel.staff import Permission
from passerby.panel.figure import RECORDS, Figure
from passerby.panel.http import Answer
from passerby.panel.look import FEW, Look, count, day, people, seconds
from passerby.panel.visit import Page, Route, Visit

PERIOD_DAYS: Final = 30
LANES: Final = {0: "minors and threats", 1: "appeals", 2: "the rest"}


class SafetyPage:
    page = Page("/safety", "Safety", Permission.SANCTION)

    def __init__(self, look: Look, ledger: PanelLedger) -> None:
        self._look = look
        self._ledger = ledger

    @property
    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", "/safety", self.show, Permission.SANCTION),)

    async def show(self, visit: Visit) -> Answer:
        waiting = await self._ledger.open_cases()
        decided = await self._ledger.decided_cases(visit.now - PERIOD_DAYS * 86_400)
        oldest = min((each.oldest for each in waiting), default=None)
        upheld = sum(number for outcome, number in decided if outcome not in ("dismissed", "lifted", ""))
        whole = sum(number for _, number in decided)
        figures = [
            Figure("Open cases", count(sum(each.cases for each in waiting)), RECORDS, visit.now, "wait for a decision"),
            Figure("The oldest waits", seconds(visit.now - oldest if oldest else None), RECORDS, visit.now, ""),
            Figure("Decided", count(whole), RECORDS, visit.now, f"in {PERIOD_DAYS} days"),
            Figure("Led to something", "–" if whole < FEW else f"{upheld / whole * 100:.0f} %", RECORDS, visit.now, ""),
        ]
        lanes = [
            {
                "lane": LANES.get(each.lane, str(each.lane)),
                "about": each.about,
                "state": {"open": "open", "second": "waits for a second member"}.get(each.state, each.state),
                "cases": each.cases,
                "oldest": seconds(visit.now - each.oldest),
            }
            for each in waiting
        ]
        shown = {
            "title": "Safety",
            "figures": figures,
            "lanes": lanes,
            "decided": [(outcome or "no decision", people(number)) for outcome, number in decided],
        }
        return self._look.page(visit, "safety.html", shown)


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
