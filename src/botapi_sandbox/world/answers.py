"""The data that goes into the core with a request and comes out of it: uploads, answers, refusals, waiting polls.

This module has only the types and their encoding. Other modules choose the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

Json = dict[str, Any]
"""A JSON object of the Bot API. The core uses them exactly as on the wire; `schema` checks them."""

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
    """The answer that the HTTP server must write.

    `fault` tells the server to misbehave instead: `reset_before` (nothing was done, cut the connection), `reset_after`
    (it was done, cut the connection), `stall` (done or not, never answer). The server first waits `delay_s` seconds.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON_HEADERS)
    fault: ConnectionFault | None = None
    delay_s: float = 0.0

    def json(self) -> Any:
        """The decoded body, for callers without HTTP."""
        return msgspec.json.decode(self.body)


class Refusal(Exception):
    """The request is answered with `ok: false`."""

    def __init__(self, status: int, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(status, description)
        self.status = status
        self.description = description
        self.retry_after = retry_after


def bad_request(text: str) -> Refusal:
    """A 400 with Telegram's prefix."""
    return Refusal(400, f"Bad Request: {text}")


def forbidden(text: str) -> Refusal:
    """A 403 with Telegram's prefix."""
    return Refusal(403, f"Forbidden: {text}")


def unsupported(what: str) -> Refusal:
    """The refusal of a feature that the sandbox does not have. It never pretends to have one."""
    return bad_request(f"the sandbox does not support {what} yet")


def success(result: object) -> Answer:
    """A 200 with `result`, which may contain already encoded parts (`msgspec.Raw`)."""
    return Answer(200, _encode({"ok": True, "result": result}))


def refused(refusal: Refusal) -> Answer:
    """The body that Telegram writes for a refusal, and the header for flood limits."""
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
    """A long poll that has found nothing yet.

    The server sets `wake`. It calls `World.resume(waiting)` after `wake` was called or `deadline` (Unix seconds) has
    passed, and `World.abandon(waiting)` if the client left. `wake` is called at most once per wait.
    """

    __slots__ = ("answer", "apply_fault", "bot_id", "deadline", "limit", "wake")

    def __init__(self, bot_id: int, limit: int, deadline: float) -> None:
        self.bot_id = bot_id
        self.limit = limit
        self.apply_fault: Callable[[Answer], Answer] | None = None
        """A fault that changes the later answer."""
        self.deadline = deadline
        self.answer: Answer | None = None
        self.wake: Callable[[], None] | None = None

    def wake_up(self) -> None:
        """Tell the server to resume the poll."""
        wake, self.wake = self.wake, None
        if wake is not None:
            wake()
