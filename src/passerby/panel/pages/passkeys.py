"""Passkeys: the second factor of a member who has one.

/passkey         shows one: after signing in, and for acts that need a fresh proof. Then they go on as after /login
/passkeys        those of the member; makes and removes them

The challenge is bound to the session's secret, which is replaced as soon as a passkey was shown. So an answer of a
browser is of use once, in this session only.
"""

from random import Random
from urllib.parse import quote

from passerby.adapters.passkeys import PasskeyRefused, Passkeys
from passerby.catalogue import Catalogue
from passerby.kernel.staff import COMMAND_LINE, StaffDecision
from passerby.kernel.staff_requests import PasskeyAdded, PasskeyRemoved
from passerby.panel.agents import named
from passerby.panel.http import Answer, see
from passerby.panel.kept import KeptForms
from passerby.panel.look import Look
from passerby.panel.visit import SESSION, Act, Route, Visit, challenge_of, digest_of, inside, new_cookie
from passerby.ports.panel import PanelAccess
from passerby.telemetry import logs

MOST = 10
"""How many passkeys a member may have."""


class PasskeysPage:
    def __init__(
        self,
        look: Look,
        access: PanelAccess,
        act: Act,
        words: Catalogue,
        passkeys: Passkeys,
        key: bytes,
        rng: Random,
        kept: KeptForms,
    ) -> None:
        self._look = look
        self._access = access
        self._act = act
        self._words = words
        self._passkeys = passkeys
        self._key = key
        self._rng = rng
        self._kept = kept

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/passkey", self.ask, half=True),
            Route("POST", "/passkey", self.prove, half=True),
            Route("GET", "/passkeys", self.show, fresh=True),
            Route("POST", "/passkeys/add", self.add, fresh=True),
            Route("POST", "/passkeys/remove", self.remove, fresh=True),
        )

    async def ask(self, visit: Visit) -> Answer:
        return self._asked(visit, inside(visit.request.query.get("next", "/")))

    async def prove(self, visit: Visit) -> Answer:
        assert visit.session is not None
        onward = inside(visit.request.form.get("next", "/"))
        if self._passkeys.why_not or not visit.passkeys:
            return see("/")
        try:
            passkey, count = self._passkeys.shown(
                visit.request.form.get("credential", ""), self._challenge(visit, "show"), visit.passkeys
            )
        except PasskeyRefused as error:
            logs.record("panel.refused", "warning", reason=f"passkey: {error}", status=403)
            return self._asked(visit, onward, "This was not one of your passkeys, or the page was too old. Try again.")
        secret = new_cookie(self._rng)
        await self._access.proved(visit.session.number, visit.now, digest_of(secret), passkey.name, count)
        waits = self._kept.of(digest_of(visit.browser), visit.member.number, visit.now)
        return see("/again" if waits is not None else onward, {SESSION: secret})

    async def show(self, visit: Visit) -> Answer:
        return self._page(visit)

    async def add(self, visit: Visit) -> Answer:
        assert visit.session is not None
        if self._why_not(visit):
            return self._page(visit, "", 400)
        try:
            made = self._passkeys.made(visit.request.form.get("credential", ""), self._challenge(visit, "make"))
        except PasskeyRefused as error:
            logs.record("panel.refused", "warning", reason=f"passkey: {error}", status=400)
            return self._page(visit, "The browser made no passkey, or the page was too old. Try again.", 400)
        label = named(visit.request.headers.get("user-agent", ""))
        done = await self._act(PasskeyAdded(made.name, made.key, made.times, label), visit.by)
        if done.refused:
            return self._page(visit, self._said(done), 403)
        # It was shown just now, so this session goes on.
        secret = new_cookie(self._rng)
        await self._access.proved(visit.session.number, visit.now, digest_of(secret), made.name, made.times)
        return see("/passkeys", {SESSION: secret})

    async def remove(self, visit: Visit) -> Answer:
        name = visit.request.form.get("passkey", "")
        if name not in {each.name for each in visit.passkeys}:
            return self._page(visit, "You have no such passkey.", 400)
        done = await self._act(PasskeyRemoved(name), visit.by)
        return self._page(visit, self._said(done), 403) if done.refused else see("/passkeys")

    def _said(self, done: StaffDecision) -> str:
        return self._words.plain(done.reply, "en") if done.reply is not None else ""

    def _challenge(self, visit: Visit, to: str) -> bytes:
        assert visit.session is not None
        return challenge_of(self._key, visit.session, to)

    def _why_not(self, visit: Visit) -> str:
        """Why this visitor cannot make a passkey."""
        if visit.member.number == COMMAND_LINE:
            return "Passkeys belong to members. This session is the command line's."
        if len(visit.passkeys) >= MOST:
            return f"You have {MOST} passkeys. Remove one first."
        return self._passkeys.why_not

    def _asked(self, visit: Visit, onward: str, said: str = "") -> Answer:
        if not visit.passkeys:
            return see(onward)
        why_not = self._passkeys.why_not
        options = "" if why_not else self._passkeys.to_show(self._challenge(visit, "show"), visit.passkeys)
        shown = {"title": "Passkey", "why_not": why_not, "options": options, "next": onward, "said": said}
        at = f"/passkey?next={quote(onward)}"
        return self._look.page(visit, "passkey.html", shown, 403 if said else 200, at=at)

    def _page(self, visit: Visit, said: str = "", status: int = 200) -> Answer:
        why_not = self._why_not(visit)
        number = int(visit.member.number)
        options = "" if why_not else self._passkeys.to_make(self._challenge(visit, "make"), number, visit.passkeys)
        shown = {
            "title": "Passkeys",
            "said": said,
            "why_not": why_not,
            "options": options,
            "passkeys": visit.passkeys,
        }
        return self._look.page(visit, "passkeys.html", shown, status, at="/passkeys")
