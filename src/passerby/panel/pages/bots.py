"""Bots: how each is, what it says of itself; adding one, and closing one before it is retired."""

from collections.abc import Awaitable, Callable, Collection
from typing import Final, Protocol

from passerby.adapters.sql import SqlStaff
from passerby.adapters.sql.panel_reader import PanelReader
from passerby.catalogue import Catalogue
from passerby.domain.small_numbers import people
from passerby.kernel.digits import MOST_ID, whole
from passerby.kernel.ids import BotId
from passerby.kernel.staff import Permission
from passerby.kernel.staff_requests import BotAddAsked, DrainAsked, DrainEndAsked, RetireAsked
from passerby.panel.http import Answer, see
from passerby.panel.live import FleetReader
from passerby.panel.look import Look
from passerby.panel.outages import outages, uptime
from passerby.panel.pages.growth import bots_of, read_growth
from passerby.panel.pages.now import Bots, read_samples
from passerby.panel.samples import state_of
from passerby.panel.visit import Act, Page, Route, Visit
from passerby.settings import WrongSetting

SHOWN_MIN: Final = 1440
MOST_OUTAGES: Final = 20
CELL_MIN: Final = 24
"""Minutes in one cell of the bar, so that sixty cells are a day."""

Sister = Callable[[BotId, BotId | None, Collection[BotId]], Awaitable[tuple[BotId, str]]]
"""(bot, wanted, closing) -> the sister and its username. Raises: WrongSetting."""


NO_FILE: Final = "The tokens are not in a file, so bots cannot be added or removed here. Set BOT_TOKENS_FILE."
OWN_TEXTS: Final = (
    ("intro.name", "name"),
    ("intro.description", "description"),
    ("intro.short", "profile"),
    ("start.consent", "start"),
)
"""The texts that make a bot's face, and what the page calls them."""


class FleetFile(Protocol):
    """The file with the tokens. Raises: WrongSetting, from every method."""

    async def username(self, token: str) -> str: ...
    def add(self, token: str) -> BotId: ...
    def without(self, bot: BotId) -> object: ...
    def remove(self, bot: BotId) -> None: ...


class BotsPage:
    page = Page("/bots", "Bots", Permission.FIGURES)

    def __init__(
        self,
        look: Look,
        live: FleetReader,
        reading: PanelReader,
        staff: SqlStaff,
        act: Act,
        words: Catalogue,
        bots: Bots,
        sister: Sister,
        fleet_file: FleetFile | None,
    ) -> None:
        """`fleet_file`: None if the tokens are in no file, so that bots cannot be added or removed here."""
        self._look = look
        self._live = live
        self._reading = reading
        self._staff = staff
        self._act = act
        self._words = words
        self._bots = bots
        self._sister = sister
        self._file = fleet_file

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/bots", self.show, Permission.FIGURES),
            Route("POST", "/bots/drain", self.drain, Permission.SETTINGS, fresh=True),
            Route("POST", "/bots/open", self.reopen, Permission.SETTINGS, fresh=True),
            Route("POST", "/bots/add", self.add, Permission.SETTINGS, fresh=True),
            Route("POST", "/bots/retire", self.retire, Permission.SETTINGS, fresh=True),
        )

    async def show(self, visit: Visit) -> Answer:
        return await self._page(visit, "", 200)

    async def _page(self, visit: Visit, said: str, status: int) -> Answer:
        fleet = await self._live.fleet()
        samples = await read_samples(self._reading, visit.now, SHOWN_MIN)
        today = int(visit.now // 86_400)
        growth, counted_at = await read_growth(self._reading, today - 29, today)
        new, blocked = bots_of(growth, range(today - 29, today + 1))
        closing = {each.bot: each for each in await self._staff.drains()}
        rows = []
        bots = self._bots()
        for bot in bots:
            name = str(bot)
            by_cell: dict[int, str] = {}
            for each in samples:
                cell = int((visit.now - each.at) // 60) // CELL_MIN
                by_cell[cell] = by_cell.get(cell, "") + each.bots.get(name, " ")
            holder = fleet.holders.get(f"bot:{bot}", "")
            rows.append(
                {
                    "bot": name,
                    "state": state_of(bot, fleet.reports.values(), visit.now),
                    "beats": "".join(_worst(by_cell.get(cell, "")) for cell in range(59, -1, -1)),
                    "uptime": uptime(samples, name),
                    "holder": fleet.reports[holder].name if holder in fleet.reports else "",
                    "new": new.get(name, people(0)),
                    "blocked": blocked.get(name, people(0)),
                    "closing": closing.get(bot),
                }
            )
        shown = {
            "title": "Bots",
            "said": said,
            "bots": rows,
            "outages": outages(samples, list(map(str, bots)))[:MOST_OUTAGES],
            "fleet": fleet,
            "counted_at": counted_at,
            "may_act": visit.may(Permission.SETTINGS),
            "in_file": self._file is not None,
            "own_texts": OWN_TEXTS,
            "others": [str(bot) for bot in bots if bot not in closing],
        }
        return self._look.page(visit, "bots.html", shown, status)

    async def drain(self, visit: Visit) -> Answer:
        bot, wanted = (visit.request.form.get(name, "") for name in ("bot", "sister"))
        if bot not in map(str, self._bots()) or wanted not in ("", *map(str, self._bots())):
            return await self._failed(visit, "There is no such bot.")
        if visit.request.form.get("sure") != "yes":
            name = self._look.bot_name(bot)
            said = (
                f"{name} then takes no new people and starts no new chats. Its people are sent to "
                f"{self._look.bot_name(wanted) if wanted else 'another bot'}. You can open it again."
            )
            return self._sure(visit, f"Close {name}?", said, "Close it", {"bot": bot, "sister": wanted})
        closing = [each.bot for each in await self._staff.drains()]
        try:
            sister, username = await self._sister(BotId(int(bot)), BotId(int(wanted)) if wanted else None, closing)
        except WrongSetting as error:
            return await self._failed(visit, f"{error.problem}: {error.remedy}.")
        done = await self._act(DrainAsked(BotId(int(bot)), sister, username), visit.by)
        if done.refused and done.reply is not None:
            return await self._failed(visit, self._words.plain(done.reply, "en"))
        return see("/bots")

    async def reopen(self, visit: Visit) -> Answer:
        bot = visit.request.form.get("bot", "")
        if whole(bot, MOST_ID) is not None:
            await self._act(DrainEndAsked(BotId(int(bot))), visit.by)
        return see("/bots")

    async def add(self, visit: Visit) -> Answer:
        """Telegram must take the token. It is written into BOT_TOKENS_FILE, and shown and logged nowhere."""
        token = visit.request.form.get("token", "").strip()[:200]
        if self._file is None:
            return await self._failed(visit, NO_FILE)
        try:
            username = await self._file.username(token)
            bot = self._file.add(token)
        except WrongSetting as error:
            return await self._failed(visit, f"The token {error.problem}. To correct it: {error.remedy}.")
        await self._act(BotAddAsked(bot, username), visit.by)
        return see("/bots")

    async def retire(self, visit: Visit) -> Answer:
        """Only a bot that closes: its people were sent to another one."""
        bot = visit.request.form.get("bot", "")
        if bot not in {str(each.bot) for each in await self._staff.drains()} & {*map(str, self._bots())}:
            return await self._failed(visit, "Close the bot first, so that its people know where to go on.")
        if self._file is None:
            return await self._failed(visit, NO_FILE)
        if visit.request.form.get("sure") != "yes":
            name = self._look.bot_name(bot)
            said = f"Its token leaves BOT_TOKENS_FILE, and nobody answers in {name} any more."
            return self._sure(visit, f"Retire {name}?", said, "Retire it", {"bot": bot})
        which = BotId(int(bot))
        try:
            self._file.without(which)
            done = await self._act(RetireAsked(which), visit.by)
            if not done.refused:
                self._file.remove(which)
        except WrongSetting as error:
            return await self._failed(visit, f"{error.setting} {error.problem}. To correct it: {error.remedy}.")
        if done.refused and done.reply is not None:
            return await self._failed(visit, self._words.plain(done.reply, "en"))
        return see("/bots")

    def _sure(self, visit: Visit, title: str, said: str, button: str, fields: dict[str, str]) -> Answer:
        """Ask before it is done."""
        values = {"title": title, "said": said, "button": button, "fields": fields, "back": "/bots"}
        return self._look.page(visit, "sure.html", values)

    async def _failed(self, visit: Visit, said: str) -> Answer:
        return await self._page(visit, said, 400)


def _worst(states: str) -> str:
    """One cell for several minutes: its worst minute, so that a short outage shows."""
    return next((each for each in "lh-o" if each in states), " ")
