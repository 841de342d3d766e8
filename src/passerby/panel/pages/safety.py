"""Safety: the queue of cases, the case in hand, and what can be decided about it.

Its buttons are those of the staff bot (`passerby.staff.cases`), so that a case goes the same way from either place.
Evidence is opened by a press of its own, which is in the audit. It is blurred and grey until somebody wants to see it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from passerby.adapters.sql.panel_ledger import PanelLedger
from passerby.catalogue import Catalogue
from passerby.domain.small_numbers import FEW, count, parts
from passerby.kernel.case import About, CaseState
from passerby.kernel.content import Content
from passerby.kernel.effect import Button, Menu
from passerby.kernel.ids import BotId
from passerby.kernel.sanction import Reason, SanctionKind
from passerby.kernel.staff import Permission, ShowExhibit, StaffDecision
from passerby.kernel.staff_requests import Pressed
from passerby.kernel.text import Text
from passerby.panel.figure import RECORDS, Figure
from passerby.panel.http import Answer, see
from passerby.panel.look import Look, seconds
from passerby.panel.sealed import OpenExhibit
from passerby.panel.visit import Act, Page, Route, Visit
from passerby.staff.cases.deciding import LENGTHS_H
from passerby.staff.cases.view import FOR_GOOD, length

PERIOD_DAYS: Final = 30
LANES: Final = {0: "minors and threats", 1: "appeals", 2: "the rest"}
ABOUT: Final = {About.REPORTS: "reports", About.APPEAL: "an appeal", About.FARM: "a farm"}
STATES: Final = {CaseState.OPEN: "open", CaseState.SECOND: "waits for a second member"}
NEXT: Final = "case_next"
SECOND: Final = frozenset({"case_confirm", "case_refuse"})
"""The acts that a second member decides."""
BY_FORM: Final = frozenset({"case_kind", "case_why", "case_long"})
"""The staff bot asks for a sanction in three steps. Here, one form asks for all of it."""
ACTIONS: Final = frozenset(
    {"case_show", "case_see", "case_do", "case_note", "case_dismiss", "case_leave", "case_mute", "case_uphold"}
    | {"case_overturn", "case_lift", "case_suspend", "case_ban", NEXT}
)
LEGAL: Final = frozenset({"case_hold", "case_unmask"})
"""Evidence is held for the law, or it is asked who somebody is. A second member must agree to the latter."""
PATHS: Final = dict.fromkeys(SECOND, "/safety/second") | dict.fromkeys(LEGAL, "/safety/legal")
GRAVE: Final = LEGAL | frozenset(
    {"case_confirm", "case_mute", "case_overturn", "case_lift", "case_suspend", "case_ban"}
)

SendBlurred = Callable[[ShowExhibit, BotId, Content], Awaitable[bool]]
"""Show a file in the member's chat with the staff bot. False: that is not possible."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One exhibit, as the page shows it. `words` are blurred and grey; `told` says what is elsewhere."""

    whose: str
    words: str = ""
    told: str = ""


class SafetyPage:
    page = Page("/safety", "Safety", Permission.SANCTION)

    def __init__(
        self, look: Look, ledger: PanelLedger, act: Act, words: Catalogue, opened: OpenExhibit, blurred: SendBlurred
    ) -> None:
        self._look = look
        self._ledger = ledger
        self._act = act
        self._words = words
        self._opened = opened
        self._blurred = blurred

    @property
    def routes(self) -> tuple[Route, ...]:
        needs = Permission.SANCTION
        return (
            Route("GET", "/safety", self.show, needs),
            Route("POST", "/safety/press", self.press, needs),
            Route("POST", "/safety/restrict", self.restrict, needs),
            Route("POST", "/safety/second", self.second, Permission.BAN, fresh=True),
            Route("POST", "/safety/legal", self.legal, Permission.LEGAL, fresh=True),
        )

    async def show(self, visit: Visit) -> Answer:
        return await self._page(visit)

    async def press(self, visit: Visit) -> Answer:
        return await self._pressed(visit, visit.request.form.get("action", ""), ACTIONS)

    async def second(self, visit: Visit) -> Answer:
        return await self._pressed(visit, visit.request.form.get("action", ""), SECOND)

    async def legal(self, visit: Visit) -> Answer:
        return await self._pressed(visit, visit.request.form.get("action", ""), LEGAL)

    async def restrict(self, visit: Visit) -> Answer:
        form = visit.request.form
        chosen = [form.get(name, "") for name in ("token", "kind", "reason", "hours")]
        if chosen[3] == FOR_GOOD and chosen[1] != SanctionKind.BANNED:
            return await self._page(visit, said=("Only a ban can be for good. Nothing was done.",), status=400)
        return await self._done(visit, Pressed("case_do", ".".join(chosen)[:64]))

    async def _pressed(self, visit: Visit, action: str, known: frozenset[str]) -> Answer:
        if action not in known:
            return see("/safety")
        return await self._done(visit, Pressed(action, visit.request.form.get("token", "")[:64]))

    async def _done(self, visit: Visit, pressed: Pressed) -> Answer:
        done = await self._act(pressed, visit.by)
        shows = [each for each in done.effects if isinstance(each, ShowExhibit)]
        if not shows:
            return await self._page(visit, done)
        seen = [await self._see(each) for each in shows]
        card = await self._act(Pressed("case_show", pressed.token), visit.by)
        return await self._page(visit, card, seen)

    async def _see(self, exhibit: ShowExhibit) -> Seen:
        whose = f"{self._words.plain(exhibit.of, 'en')}, " + (
            f"message {exhibit.place}" if exhibit.place else "comment"
        )
        match await self._opened(exhibit):
            case None:
                return Seen(whose, told="This was erased.")
            case str() as comment:
                return Seen(whose, comment)
            case (bot, Content() as content):
                if content.file is None:
                    return Seen(whose, content.text or f"({content.kind})")
                sent = await self._blurred(exhibit, bot, content)
                where = "is in your chat with the staff bot, blurred." if sent else "can be seen in the staff bot only."
                return Seen(whose, content.text, f"The {content.kind} {where}")

    async def _page(
        self,
        visit: Visit,
        done: StaffDecision | None = None,
        seen: list[Seen] | None = None,
        said: tuple[str, ...] = (),
        status: int = 200,
    ) -> Answer:
        waiting = await self._ledger.open_cases()
        decided = await self._ledger.decided_cases(visit.now - PERIOD_DAYS * 86_400)
        oldest = min((each.oldest for each in waiting), default=None)
        upheld = sum(number for outcome, number in decided if outcome not in ("dismissed", "lifted", ""))
        whole = sum(number for _, number in decided)
        figures = [
            Figure("Open cases", count(sum(each.cases for each in waiting)), RECORDS, visit.now, "wait for a decision"),
            Figure("The oldest waits", seconds(visit.now - oldest if oldest else None), RECORDS, visit.now, ""),
            Figure("Decided", count(whole), RECORDS, visit.now, f"in {PERIOD_DAYS} days"),
            Figure("Led to something", _share(upheld, whole), RECORDS, visit.now, ""),
        ]
        lanes = [
            {
                "lane": LANES.get(each.lane, str(each.lane)),
                "about": ABOUT.get(About(each.about), each.about),
                "state": STATES.get(CaseState(each.state), each.state),
                "cases": each.cases,
                "oldest": seconds(visit.now - each.oldest),
            }
            for each in waiting
        ]
        buttons = _buttons(done.menu if done is not None else None)
        if done is not None and done.reply is not None:
            said = tuple(self._words.plain(done.reply, "en").splitlines())
            status = 409 if done.refused else status
        shown = {
            "title": "Safety",
            "figures": figures,
            "lanes": lanes,
            "decided": [
                (outcome or "no decision", shown)
                for (outcome, _), shown in zip(decided, parts([number for _, number in decided]), strict=True)
            ],
            "mine": await self._ledger.case_of(visit.member.number, visit.now),
            "said": said,
            "seen": seen or [],
            "buttons": [self._button(each) for each in buttons if each.action not in BY_FORM],
            "restricts": next((each.token for each in buttons if each.action == "case_kind"), ""),
            "kinds": [(each.value, self._plain(f"people.kind_{each}")) for each in SanctionKind],
            "reasons": [(each.value, self._plain(f"reasons.{each}")) for each in Reason],
            "lengths": [
                *((str(hours), self._words.plain(length(hours), "en")) for hours in LENGTHS_H),
                (FOR_GOOD, "for good, with a second member"),
            ],
        }
        return self._look.page(visit, "safety.html", shown, status)

    def _plain(self, key: str) -> str:
        return self._words.plain(Text(key), "en")

    def _button(self, button: Button) -> dict[str, Any]:
        return {
            "label": self._words.plain(button.label, "en"),
            "action": button.action,
            "token": button.token,
            "path": PATHS.get(button.action, "/safety/press"),
            "is_grave": button.action in GRAVE,
        }


def _share(part: int, whole: int) -> str:
    """In percent. The whole is shown, so a share would tell a small part of it, or a small rest."""
    told = whole >= FEW and not 0 < part < FEW and not 0 < whole - part < FEW
    return f"{part / whole * 100:.0f} %" if told else "–"


def _buttons(menu: Menu | None) -> list[Button]:
    return [button for row in menu.rows for button in row] if menu is not None else []
