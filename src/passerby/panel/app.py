"""The panel as an ASGI application: every request passes the same gates, in this order.

    host        it names the panel's own address: a foreign page cannot reach us under a name of its own
    method      GET, HEAD or POST; only POST changes anything
    origin      a POST comes from our own page, as the browser says (Sec-Fetch-Site, or Origin)
    token       a POST shows the token of this session's forms
    session     it is valid: not ended, not idle, not too old
    role        the member's role allows the page. Each request reads who they are
    passkey     a member who has one has shown it in this session
    proof       acts that matter most need a proof that is a few minutes old
    limit       a session acts at most once a second on average

A refusal is logged, without the thing that was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hmac import compare_digest
from random import Random
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from passerby.domain.panel import ROTATE_S, is_valid
from passerby.kernel.panel import PanelSession
from passerby.kernel.staff import COMMAND_LINE, THE_OPERATOR, StaffMember
from passerby.panel.answers import FIELD, KeptAnswers
from passerby.panel.http import Answer, Request, Sender, request_of, see
from passerby.panel.kept import KeptForm, KeptForms
from passerby.panel.look import Look
from passerby.panel.visit import BROWSER, SESSION, Route, Visit, csrf_of, digest_of, new_cookie
from passerby.ports.clock import Clock
from passerby.ports.panel import PanelAccess
from passerby.ports.records import RecordsLost
from passerby.ports.staff import StaffRecords
from passerby.telemetry import logs
from passerby.web.exchange import Gone, Receive, Scope, Send, TooLarge

SEEN_EVERY_S: Final = 60.0
ACTS: Final = 60
ACTS_WITHIN_S: Final = 60.0
AGAIN: Final = "/again"
"""Where somebody goes on who had to prove once more who they are."""


class Panel:
    """`url`: where browsers reach the panel, without a path."""

    def __init__(
        self,
        url: str,
        routes: Sequence[Route],
        look: Look,
        access: PanelAccess,
        staff: StaffRecords,
        key: bytes,
        clock: Clock,
        rng: Random,
        kept: KeptForms,
    ) -> None:
        parts = urlsplit(url)
        self._host, self._origin = parts.netloc, f"{parts.scheme}://{parts.netloc}"
        self._sender = Sender(secure=parts.scheme == "https")
        routes = (*routes, Route("GET", AGAIN, self._again), Route("POST", AGAIN, self._sent_again))
        self._exact = {(route.method, route.path): route for route in routes if not route.path.endswith("/*")}
        self._open = [(route.method, route.path[:-1], route) for route in routes if route.path.endswith("/*")]
        self._look = look
        self._access = access
        self._staff = staff
        self._key = key
        self._clock = clock
        self._rng = rng
        self._kept = kept
        self._answers = KeptAnswers(rng)

    @property
    def addresses(self) -> list[tuple[str, str]]:
        """The method and the path of every page that needs a session."""
        return [each for each, route in self._exact.items() if not route.open]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await request_of(scope, receive)
        except Gone:
            return
        except TooLarge:
            await self._sender.send(send, Answer(status=413), head=False)
            return
        try:
            answer = await self._answer(request)
        except RecordsLost:
            answer = Answer(
                b"The database does not answer now. Try again in a moment.", 503, "text/plain; charset=utf-8"
            )
        except Exception as error:  # noqa: BLE001  # the supervisor: a bug ends one request
            logs.failed("panel.broken", error)
            answer = Answer(b"This page is broken. The error is in the log.", 500, "text/plain; charset=utf-8")
        await self._sender.send(send, answer, head=request.method == "HEAD")

    async def _answer(self, request: Request) -> Answer:
        if request.headers.get("host", "") != self._host:
            return self._refused("host", 421)
        if request.path.startswith("/static/"):
            return self._look.file(request.path.removeprefix("/static/")) or Answer(status=404)
        if request.method not in ("GET", "HEAD", "POST"):
            return Answer(status=405)
        route = self._route("GET" if request.method == "HEAD" else request.method, request.path)
        visit, cookies = await self._visit(request)
        if route is None:
            return _with(self._look.page(visit, "error.html", {"said": "There is no such page."}, 404), cookies)
        if request.method == "POST" and (why := self._forged(visit)):
            said = "This form is too old, or it is not ours. Go back, load the page again, and try once more."
            return _with(self._refused(why, 403, visit, said), cookies)
        return _with(await self._served(route, visit), cookies)

    async def _served(self, route: Route, visit: Visit) -> Answer:
        if route.open:
            return await route.handler(visit)
        if visit.me is None or visit.session is None:
            return self._to_login(visit)
        if visit.owes_passkey and not route.half:
            return self._to_login(visit)
        if not visit.may(route.needs):
            return self._refused("role", 403, visit, "Your role does not allow this.")
        if route.fresh and not visit.is_fresh:
            return self._to_login(visit)
        if visit.request.method == "POST":
            acts = f"acts of session {visit.session.number}"
            if not await self._access.allowed(acts, ACTS, ACTS_WITHIN_S, visit.now):
                return self._refused("limit", 429, visit, "That was a lot. Wait a minute.")
            return self._to_answer(visit, await route.handler(visit))
        return self._kept_answer(visit) or await route.handler(visit)

    def _to_answer(self, visit: Visit, answer: Answer) -> Answer:
        """Send the browser on to a page that answers a form."""
        if answer.location or not answer.at:
            return answer
        return see(self._answers.keep(answer, digest_of(visit.browser), visit.member.number, visit.now))

    def _kept_answer(self, visit: Visit) -> Answer | None:
        self._answers.forget_old(visit.now)
        name = visit.request.query.get(FIELD, "")
        browser = digest_of(visit.browser)
        return self._answers.of(name, browser, visit.member.number, visit.request.path, visit.now) if name else None

    def _route(self, method: str, path: str) -> Route | None:
        found = self._exact.get((method, path))
        if found is not None:
            return found
        return next((route for verb, start, route in self._open if verb == method and path.startswith(start)), None)

    async def _visit(self, request: Request) -> tuple[Visit, dict[str, str]]:
        """The signed-in member, and the cookies that the answer sets."""
        now = self._clock.now()
        cookies: dict[str, str] = {}
        browser = request.cookies.get(self._sender.cookie_name(BROWSER), "")
        if len(browser) != 64:
            browser = cookies[BROWSER] = new_cookie(self._rng)
        secret = request.cookies.get(self._sender.cookie_name(SESSION), "")
        session = await self._access.session(digest_of(secret), now) if secret else None
        if session is None or not is_valid(session, now):
            return Visit(request, now, csrf_of(self._key, browser), browser), cookies
        me = await self._member(session)
        if me is None:
            return Visit(request, now, csrf_of(self._key, browser), browser), cookies
        passkeys = await self._access.passkeys(me.number) if me.number != COMMAND_LINE else ()
        session = await self._used(session, request, now, cookies)
        token = csrf_of(self._key, f"session {session.number} {session.made_at!r}")
        return Visit(request, now, token, browser, session, me, passkeys), cookies

    async def _member(self, session: PanelSession) -> StaffMember | None:
        """The member, with the role that they have now. None: they are staff no more."""
        if session.member == COMMAND_LINE:
            return THE_OPERATOR
        return next((each for each in await self._staff.team() if each.number == session.member), None)

    async def _used(self, session: PanelSession, request: Request, now: float, cookies: dict[str, str]) -> PanelSession:
        """A page that refreshes itself is not somebody at work: it keeps no session alive.

        Returns: the session, with its new secret if it got one.
        """
        if request.is_refresh:
            return session
        if request.method == "GET" and now - session.rotated_at >= ROTATE_S:
            cookies[SESSION] = new_cookie(self._rng)
            digest = digest_of(cookies[SESSION])
            await self._access.seen(session.number, now, digest)
            return msgspec.structs.replace(session, digest=digest)
        if now - session.seen_at >= SEEN_EVERY_S:
            await self._access.seen(session.number, now)
        return session

    def _forged(self, visit: Visit) -> str:
        """Why this POST is not from one of our forms. Empty: it is."""
        headers = visit.request.headers
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site != "same-origin":
            return "origin"
        if origin is not None and origin != self._origin:
            return "origin"
        if site is None and origin is None:
            return "origin"
        given = visit.request.form.get("csrf", "")
        return "" if _same(given, visit.csrf) else "token"

    def _to_login(self, visit: Visit) -> Answer:
        """Then back to where they were. A form that needs a fresh proof waits for that proof. A member who has a
        passkey proves it with that."""
        request = visit.request
        if request.is_refresh:
            return Answer(status=401)
        back = request.path if request.method == "GET" else "/"
        if request.method == "POST" and visit.me is not None:
            form = KeptForm(visit.member.number, request.path, request.form, visit.now)
            self._kept.keep(digest_of(visit.browser), form)
            back = AGAIN
        return see(f"{'/passkey' if visit.passkeys else '/login'}?next={quote(back)}")

    async def _again(self, visit: Visit) -> Answer:
        kept = self._kept.of(digest_of(visit.browser), visit.member.number, visit.now)
        if kept is None:
            return see("/")
        page = self._look.page_of(kept.path)
        values = {"title": "Go on?", "kept": kept, "page": page.title, "back": page.path}
        return self._look.page(visit, "again.html", values)

    async def _sent_again(self, visit: Visit) -> Answer:
        """As if the form was sent now: with the role and the proof of now."""
        kept = self._kept.take(digest_of(visit.browser), visit.member.number, visit.now)
        route = self._route("POST", kept.path) if kept is not None else None
        if kept is None or route is None:
            return see("/")
        return await self._served(route, replace(visit, request=replace(visit.request, path=kept.path, form=kept.form)))

    def _refused(self, why: str, status: int, visit: Visit | None = None, said: str = "") -> Answer:
        logs.record("panel.refused", "warning", reason=why, status=status)
        if visit is None:
            return Answer(status=status)
        return self._look.page(visit, "error.html", {"said": said}, status)


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode(), other.encode())


def _with(answer: Answer, cookies: Mapping[str, str]) -> Answer:
    """A header that the page itself sets wins."""
    merged: dict[str, Any] = {**cookies, **answer.cookies}
    return replace(answer, cookies=merged)
