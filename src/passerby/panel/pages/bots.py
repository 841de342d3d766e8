"""Bots: how each is, and closing one before it is retired."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from passerby.adapters.sql import SqlStaff
from passerby.adapters.sql.panel_reading import PanelReading
from passerby.catalogue import Catalogue
from passerby.kernel.ids import BotId
from passerby.kernel.staff import DrainAsked, DrainEndAsked, Permission
from passerby.panel.http import Answer, see
from passerby.panel.live import LiveLook
from passerby.panel.look import Look
from passerby.panel.pages.growth import read_growth
from passerby.panel.pages.now import read_samples
from passerby.panel.samples import state_of
from passerby.panel.visit import Act, Page, Route, Visit
from passerby.settings import WrongSetting

SHOWN_MIN: Final = 1440
CELL_MIN: Final = 24
"""Minutes in one cell of the bar, so that sixty cells are a day."""

Sister = Callable[[BotId, BotId | None, Collection[BotId]], Awaitable[tuple[BotId, str]]]
"""(bot, wanted, closing) -> the sister and its username. Raises: WrongSetting."""


class BotsPage:
    page = Page("/bots", "Bots", Permission.FIGURES)

    def __init__(
        self,
        look: Look,
        live: LiveLook,
        reading: PanelReading,
        staff: SqlStaff,
        act: Act,
        words: Catalogue,
        bots: Sequence[BotId],
        sister: Sister,
    ) -> None:
        self._look = look
        self._live = live
        self._reading = reading
        self._staff = staff
        self._act = act
        self._words = words
        self._bots = bots
        self._sister = sister

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/bots", self.show, Permission.FIGURES),
            Route("POST", "/bots/drain", self.drain, Permission.SETTINGS, fresh=True),
            Route("POST", "/bots/open", self.reopen, Permission.SETTINGS, fresh=True),
        )

    async def show(self, visit: Visit) -> Answer:
        fleet = await self._live.look()
        samples = await read_samples(self._reading, visit.now, SHOWN_MIN)
        today = int(visit.now // 86_400)
        growth, counted_at = await read_growth(self._reading, today - 29, today)
        closing = {each.bot: each for each in await self._staff.drains()}
        rows = []
        for bot in self._bots:
            name = str(bot)
            by_cell: dict[int, str] = {}
            for each in samples:
                cell = int((visit.now - each.at) // 60) // CELL_MIN
                by_cell[cell] = by_cell.get(cell, "") + each.bots.get(name, " ")
            steps = [days.bots[name] for days in growth.values() if name in days.bots]
            holder = fleet.holders.get(f"bot:{bot}", "")
            rows.append(
                {
                    "bot": name,
                    "state": state_of(bot, fleet.reports.values(), visit.now),
                    "beats": "".join(_worst(by_cell.get(cell, "")) for cell in range(59, -1, -1)),
                    "holder": fleet.reports[holder].name if holder in fleet.reports else "",
                    "new": sum(each["people"] for each in steps),
                    "blocked": sum(each["people"] - each["alive"] for each in steps),
                    "closing": closing.get(bot),
                }
            )
        shown = {
            "title": "Bots",
            "bots": rows,
            "fleet": fleet,
            "counted_at": counted_at,
            "may_act": visit.may(Permission.SETTINGS),
            "others": [str(bot) for bot in self._bots if bot not in closing],
        }
        return self._look.page(visit, "bots.html", shown)

    async def drain(self, visit: Visit) -> Answer:
        bot, wanted = (visit.request.form.get(name, "") for name in ("bot", "sister"))
        if bot not in map(str, self._bots) or wanted not in ("", *map(str, self._bots)):
            return self._failed(visit, "There is no such bot.")
        closing = [each.bot for each in await self._staff.drains()]
        try:
            sister, username = await self._sister(BotId(int(bot)), BotId(int(wanted)) if wanted else None, closing)
        except WrongSetting as error:
            return self._failed(visit, f"{error.problem}: {error.remedy}.")
        done = await self._act(DrainAsked(BotId(int(bot)), sister, username), visit.by)
        if done.refused and done.reply is not None:
            return self._failed(visit, self._words.plain(done.reply, "en"))
        return see("/bots")

    async def reopen(self, visit: Visit) -> Answer:
        bot = visit.request.form.get("bot", "")
        if bot.isdecimal():
            await self._act(DrainEndAsked(BotId(int(bot))), visit.by)
        return see("/bots")

    def _failed(self, visit: Visit, said: str) -> Answer:
        return self._look.page(visit, "error.html", {"said": said}, 400)


def _worst(states: str) -> str:
    """One cell for several minutes: its worst minute, so that a short outage shows."""
    return next((each for each in "lh-o" if each in states), " ")
