"""What goes into the core with a request and what comes out of it: uploads, answers, refusals, waiting polls.

The rules by which an answer is chosen live elsewhere; here are only the shapes and their encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

Json = dict[str, Any]
"""A JSON object of the Bot API. The core passes these about as they stand on the wire; `schema` checks them."""

ConnectionFault = Literal["reset_before", "reset_after", "stall"]

_encode = msgspec.json.Encoder().encode
_JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}

BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file part of a multipart request."""

    data: bytes
    name: str = "file"
    mime: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the HTTP shell shall write.

    `fault` tells the shell to misbehave instead: `reset_before` (nothing happened, cut the connection), `reset_after`
    (it did happen, cut the connection), `stall` (it happened or not, never answer). `delay_s` seconds pass first.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON_HEADERS)
    fault: ConnectionFault | None = None
    delay_s: float = 0.0

    def json(self) -> Any:
        """The decoded body, for those who drive the core without HTTP."""
        return msgspec.json.decode(self.body)


class Refusal(Exception):
    """The request is answered with `ok: false`. `description` is without the prefix that the code implies."""

    def __init__(self, status: int, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(status, description)
        self.status = status
        self.description = description
        self.retry_after = retry_after


def bad_request(text: str) -> Refusal:
    """400, with Telegram's prefix."""
    return Refusal(400, f"Bad Request: {text}")


def forbidden(text: str) -> Refusal:
    """403, with Telegram's prefix."""
    return Refusal(403, f"Forbidden: {text}")


def not_done(what: str) -> Refusal:
    """The sandbox owns up to what it cannot do, rather than pretend."""
    return bad_request(f"the sandbox does not do {what} yet")


def success(result: object) -> Answer:
    """200 with `result`, which may hold `msgspec.Raw` pieces that are already encoded."""
    return Answer(200, _encode({"ok": True, "result": result}))


def refused(refusal: Refusal) -> Answer:
    """The body (and for floods the header) that Telegram writes for a refusal."""
    body: Json = {"ok": False, "error_code": refusal.status, "description": refusal.description}
    headers = _JSON_HEADERS
    if refusal.retry_after is not None:
        body["parameters"] = {"retry_after": refusal.retry_after}
        headers = {**_JSON_HEADERS, "Retry-After": str(refusal.retry_after)}
    return Answer(refusal.status, _encode(body), headers)


def bad_gateway() -> Answer:
    """The front proxy's 502: HTML, not JSON."""
    return Answer(502, BAD_GATEWAY, {"Content-Type": "text/html"})


class Waiting:
    """A long poll that found nothing yet.

    The shell sets `wake`, and calls `World.resume(waiting)` when it is called or when `deadline` (unix seconds) has
    passed, and `World.abandon(waiting)` if the client went away. `wake` is called at most once per wait.
    """

    __slots__ = ("answer", "bot_id", "deadline", "limit", "spoil", "wake")

    def __init__(self, bot_id: int, limit: int, deadline: float) -> None:
        self.bot_id = bot_id
        self.limit = limit
        self.spoil: Callable[[Answer], Answer] | None = None
        """A fault that shall act on the answer once there is one."""
        self.deadline = deadline
        self.answer: Answer | None = None
        self.wake: Callable[[], None] | None = None

    def rouse(self) -> None:
        """Tell the shell to come back."""
        wake, self.wake = self.wake, None
        if wake is not None:
            wake()
