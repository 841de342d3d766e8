"""Signing in and out.

/login          says how it works; a button asks for a code
/login/wait     shows the code until the staff bot has confirmed it; then a button takes the browser in
/enter/SECRET   a link of the staff bot or of the command line: shows a button, and changes nothing, because
                Telegram and others open links to make previews
/sessions       who is signed in, and buttons to end it
"""

from collections.abc import Sequence
from random import Random
from typing import Final
from urllib.parse import quote

from passerby.domain import support
from passerby.domain.panel import LOGIN_S, is_open, new_code
from passerby.domain.team import may
from passerby.kernel.digits import whole
from passerby.kernel.panel import PanelLogin
from passerby.kernel.staff import COMMAND_LINE, Permission
from passerby.kernel.staff_requests import PanelEntered, SessionEnded
from passerby.panel.agents import named
from passerby.panel.http import Answer, see
from passerby.panel.kept import KeptForms
from passerby.panel.look import Look
from passerby.panel.visit import LOGIN, SESSION, Act, Route, Visit, digest_of, inside, new_cookie
from passerby.ports.panel import PanelAccess
from passerby.ports.staff import StaffRecords

ASKS: Final = 30
TRIES: Final = 30
WITHIN_S: Final = 60.0
"""Limits of the whole installation. Behind a proxy, all browsers seem to have one address."""


class Doors:
    """`has_bot`: there is a staff bot. `commands`: they print a link into the panel, and an invite to the staff bot."""

    def __init__(
        self,
        look: Look,
        access: PanelAccess,
        staff: StaffRecords,
        act: Act,
        rng: Random,
        kept: KeptForms,
        commands: Sequence[str],
        *,
        has_bot: bool,
    ) -> None:
        self._look = look
        self._access = access
        self._staff = staff
        self._act = act
        self._rng = rng
        self._kept = kept
        self._has_bot = has_bot
        self._commands = commands

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/login", self.login, open=True),
            Route("POST", "/login", self.ask, open=True),
            Route("GET", "/login/wait", self.wait, open=True),
            Route("POST", "/login/enter", self.enter, open=True),
            Route("GET", "/enter/*", self.linked, open=True),
            Route("POST", "/enter", self.redeem, open=True),
            Route("POST", "/logout", self.logout, half=True),
            Route("GET", "/sessions", self.sessions),
            Route("POST", "/sessions/end", self.end),
        )

    async def login(self, visit: Visit) -> Answer:
        onward = inside(visit.request.query.get("next", "/"))
        into_panel, into_team = self._commands
        shown = {"title": "Sign in", "has_bot": self._has_bot, "next": onward}
        shown |= {"into_panel": into_panel, "into_team": into_team}
        return self._look.page(visit, "login.html", shown)

    async def ask(self, visit: Visit) -> Answer:
        if not await self._access.allowed("logins", ASKS, WITHIN_S, visit.now):
            return self._failed(visit, "Many browsers are signing in at the moment. Try again in a minute.", 429)
        code = new_code(self._rng)
        await self._access.ask(PanelLogin(code, digest_of(visit.browser), visit.now, visit.now + LOGIN_S))
        onward = inside(visit.request.form.get("next", "/"))
        return see(f"/login/wait?next={quote(onward)}", {LOGIN: code})

    async def wait(self, visit: Visit) -> Answer:
        code = next((value for name, value in visit.request.cookies.items() if name.endswith(LOGIN)), "")
        login = await self._access.login(code) if support.read(code) else None
        if login is None or login.browser != digest_of(visit.browser) or not is_open(login, visit.now):
            return see("/login")
        shown = {
            "title": "Sign in",
            "code": support.shown(code),
            "name": code,
            "is_confirmed": login.confirmed_at is not None,
            "next": inside(visit.request.query.get("next", "/")),
        }
        return self._look.page(visit, "wait.html", shown)

    async def enter(self, visit: Visit) -> Answer:
        return await self._entered(visit, visit.request.form.get("code", ""))

    async def linked(self, visit: Visit) -> Answer:
        secret = visit.request.path.removeprefix("/enter/")
        return self._look.page(visit, "enter.html", {"title": "Sign in", "secret": secret})

    async def redeem(self, visit: Visit) -> Answer:
        return await self._entered(visit, digest_of(visit.request.form.get("secret", "")))

    async def _entered(self, visit: Visit, name: str) -> Answer:
        if not await self._access.allowed("tries", TRIES, WITHIN_S, visit.now):
            return self._failed(visit, "Many browsers are signing in at the moment. Try again in a minute.", 429)
        login = await self._access.login(name)
        useless = "This code or link is too old, was used already, or belongs to another browser."
        if login is None or login.member is None:
            return self._failed(visit, useless, 403)
        by = None
        if login.member != COMMAND_LINE:
            member = next((each for each in await self._staff.team() if each.number == login.member), None)
            if member is None:
                return self._failed(visit, useless, 403)
            by = member.person
        secret = new_cookie(self._rng)
        agent = named(visit.request.headers.get("user-agent", ""))
        replaces = visit.session.number if visit.session is not None else 0
        asked = PanelEntered(name, digest_of(visit.browser), digest_of(secret), agent, replaces)
        if (await self._act(asked, by)).refused:
            return self._failed(visit, useless, 403)
        waits = self._kept.of(digest_of(visit.browser), login.member, visit.now)
        # A link of the command line knows of no page.
        onward = "/again" if waits is not None else inside(visit.request.form.get("next", "/"))
        return see(onward, {SESSION: secret, LOGIN: ""})

    async def logout(self, visit: Visit) -> Answer:
        assert visit.session is not None
        await self._act(SessionEnded(visit.session.number), visit.by)
        return see("/login", {SESSION: ""})

    async def sessions(self, visit: Visit) -> Answer:
        every = await self._access.sessions(visit.now)
        mine = visit.member.number
        shown = [each for each in every if each.member == mine or may(visit.me, Permission.TEAM)]
        names = {each.number: each.name for each in await self._staff.everybody()}
        return self._look.page(visit, "sessions.html", {"title": "Sessions", "sessions": shown, "names": names})

    async def end(self, visit: Visit) -> Answer:
        number = visit.request.form.get("session", "")
        done = await self._act(SessionEnded(int(number)), visit.by) if whole(number) is not None else None
        if done is None or done.refused:
            return self._failed(visit, "This session is over already, or it is not yours.", 403)
        is_mine = visit.session is not None and number == str(visit.session.number)
        return see("/login", {SESSION: ""}) if is_mine else see("/sessions")

    def _failed(self, visit: Visit, said: str, status: int) -> Answer:
        return self._look.page(visit, "error.html", {"said": said}, status, at="/sessions")
