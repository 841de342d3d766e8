"""Requests and answers of the panel, over the bare ASGI of `passerby.web`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from passerby.web.exchange import Receive, Scope, Send, answer, read

MOST_FORM: Final = 256 * 1024
SEE_OTHER: Final = 303

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SECURE: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")
_HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is without the query. If a field is given twice, the first one counts. `headers` have lower-case names."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    cookies: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def is_refresh(self) -> bool:
        """The page asks for itself again, without its reader."""
        return self.headers.get("hx-request") == "true"


@dataclass(frozen=True, slots=True)
class Answer:
    """`cookies`: name -> value; an empty value deletes it. `saved_as`: the browser saves it under this name."""

    body: bytes = b""
    status: int = 200
    kind: str = _HTML
    location: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict)
    saved_as: str = ""
    at: str = ""
    """The address, of a page of ours, that shows this to somebody who comes with GET."""
    keeps: bool = False
    """Browsers may keep it: its address changes with its content."""


def see(location: str, cookies: Mapping[str, str] | None = None) -> Answer:
    """Go there, with GET. `location` is a path of ours."""
    return Answer(status=SEE_OTHER, location=location, cookies=cookies or {})


async def request_of(scope: Scope, receive: Receive) -> Request:
    """Raises: TooLarge, Gone."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    form: Mapping[str, str] = {}
    if scope["method"] == "POST":
        body = await read(receive, MOST_FORM)
        if headers.get("content-type", "").partition(";")[0].strip() == "application/x-www-form-urlencoded":
            form = _fields(body.decode("utf-8", "replace"))
    query = _fields(scope.get("query_string", b"").decode("latin-1"))
    return Request(scope["method"], scope["path"], query, form, _cookies(headers.get("cookie", "")), headers)


def _fields(text: str) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=200).items()}
    except ValueError:
        return {}


def _cookies(text: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(text).items()}
    except CookieError:
        return {}


class Sender:
    """Sends answers with the headers that every answer of the panel has. `secure`: it is reached by https."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._headers = (*SECURE, *((STRICT_TRANSPORT,) if secure else ()))

    def cookie_name(self, name: str) -> str:
        """With https, browsers take cookies of such a name only from this host, and only by https."""
        return f"__Host-{name}" if self._secure else name

    async def send(self, send: Send, given: Answer, *, head: bool) -> None:
        headers: list[tuple[bytes, bytes]] = [*self._headers, (b"content-type", given.kind.encode())]
        kept = b"public, max-age=31536000, immutable" if given.keeps else b"no-store"
        headers.append((b"cache-control", kept))
        if given.location:
            headers.append((b"location", given.location.encode()))
        if given.saved_as:
            headers.append((b"content-disposition", f'attachment; filename="{given.saved_as}"'.encode()))
        headers += [(b"set-cookie", self._cookie(name, value)) for name, value in given.cookies.items()]
        await answer(send, given.status, b"" if head else given.body, headers)

    def _cookie(self, name: str, value: str) -> bytes:
        parts = [f"{self.cookie_name(name)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if self._secure:
            parts.append("Secure")
        if not value:
            parts.append("Max-Age=0")
        return "; ".join(parts).encode()
