"""One connection to a server, and the calls over it, one at a time. httptools parses the answers.

It knows what a lost answer means: once the bytes were handed to the system, the outcome is unknown.
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, cast

from httptools import HttpParserError, HttpResponseParser

from passerby.ports.soon import Outstanding

HEAD_BYTES = 65_536
BODY_BYTES = 64 * 2**20
"""More than a getUpdates answer with 100 of the largest updates."""


_OTHERS = (
    rb"(?:(?!content-length|transfer-encoding|connection|retry-after|upgrade)[a-z0-9-]{1,64}:[ -~]{0,4096}\r\n){0,40}+"
)
_STAYS = rb"(?:connection: ?keep-alive\r\n)?+"
_USUAL = re.compile(
    rb"HTTP/1\.1 200 [ -~]{0,100}\r\n%b%b%bcontent-length: ?([0-9]{1,7})\r\n%b%b%b\r\n"
    % ((_OTHERS, _STAYS, _OTHERS) * 2),
    re.IGNORECASE,
)
"""The head of a success as nearly every server writes it: one length, no other coding, and the connection stays."""


class _LastHead:
    """The last usual head, cut at its length. Nearly every answer repeats it, except the length; to compare costs a
    tenth of the pattern."""

    __slots__ = ("_after", "_before")

    def __init__(self) -> None:
        self._before = self._after = b""

    def body(self, data: bytes) -> bytes | None:
        """Return the body, if the data is one whole usual answer; None if it has to be parsed."""
        before, after = self._before, self._after
        if before and data.startswith(before):
            at = data.find(b"\r", len(before))
            length, start = data[len(before) : at], at + len(after)
            if length.isdigit() and len(length) <= 7 and data.startswith(after, at):  # as in the pattern
                return data[start:] if len(data) == start + int(length) else None
        head = _USUAL.match(data)
        if head is None:
            return None
        start = head.end()
        self._before, self._after = data[: head.start(1)], data[head.end(1) : start]
        return data[start:] if len(data) == start + int(head[1]) else None


_LAST_HEAD = _LastHead()


class Lost(Exception):
    """There is no answer. `sent`: the request may have been carried out. `reason` quotes nothing of the request."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason, sent)
        self.reason = reason
        self.sent = sent


class Reply(NamedTuple):
    status: int
    body: bytes
    retry_after: str | None


_success: Final = cast("Callable[[tuple[int, bytes, None]], Reply]", partial(tuple.__new__, Reply))
"""A `Reply`, without the Python code that a NamedTuple's class runs."""


class Asker(Protocol):
    """The caller that waits for an answer. One of the two methods is called, once."""

    def replied(self, reply: Reply) -> None: ...

    def lost(self, lost: Lost) -> None: ...


class Pending(Outstanding[Reply]):
    """An answer that is not here yet. If nobody waits for it any more, nobody else may use its connection."""

    __slots__ = ("connection",)

    connection: "Connection"

    replied = Outstanding.settle
    lost = Outstanding.fail

    def give_up(self) -> None:
        self.connection.give_up()


class Connection(asyncio.Protocol):
    """One connection. `deadline` is the answer's during a call, and the connection's own while it is free."""

    __slots__ = (
        "_asker",
        "_body",
        "_is_measured",
        "_is_over",
        "_parser",
        "_reply",
        "_retry_after",
        "_transport",
        "_unparsed",
        "deadline",
        "gone",
        "loop",
        "usable",
    )

    _transport: Any

    def __init__(self, loop: asyncio.AbstractEventLoop, is_over: "Callable[[Connection], None]") -> None:
        self.loop = loop
        self._is_over = is_over
        self._asker: Asker | None = None
        self._reply: Reply | None = None
        """A whole answer. It is handed on when all bytes that came with it are read."""
        self._parser = HttpResponseParser(self)
        self._begin()
        self.deadline = 0.0
        self.usable = False
        self.gone: asyncio.Future[None] = loop.create_future()

    def ask(self, request: bytes, deadline: float, asker: Asker) -> None:
        self._asker = asker
        self.deadline = deadline
        self._unparsed = 0
        self._transport.write(request)

    def give_up(self) -> None:
        """Nobody waits for the answer any more. The next call must not get it."""
        self.usable = False
        if self._asker is not None:
            self._asker = None
            self._is_over(self)

    def fail(self, reason: str) -> None:
        self.usable = False
        asker, self._asker = self._asker, None
        if asker is not None:
            self._is_over(self)
            asker.lost(Lost(reason, sent=True))

    def hang_up(self) -> None:
        self.usable = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.usable = True

    def data_received(self, data: bytes) -> None:
        if self._asker is None:  # nothing was asked: after such bytes, no later answer could be trusted
            self.hang_up()
            return
        if not self._unparsed and (body := _LAST_HEAD.body(data)) is not None:
            self._unparsed = len(data)
            self._hand_on(_success((200, body, None)))
            return
        self._unparsed += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.usable = False
            if self._reply is None:
                self.fail("not HTTP")
        if self._reply is not None:
            self._hand_on(self._reply)
        elif self._unparsed > (HEAD_BYTES if self._body is None else BODY_BYTES):
            self.fail("an answer too large")

    def _hand_on(self, reply: Reply) -> None:
        """The call is over. The caller that gets the answer may use this connection in the same turn."""
        asker, self._asker, self._reply = self._asker, None, None
        if asker is not None:
            self._is_over(self)
            asker.replied(reply)

    def connection_lost(self, error: Exception | None) -> None:
        if error is None and self._body is not None and not self._is_measured:
            self.on_message_complete()  # an answer without a length ends when its connection closes
        self.usable = False
        if self._reply is not None:
            self._hand_on(self._reply)
        self.fail("the connection broke" if error is not None else "the connection was closed")
        if not self.gone.done():
            self.gone.set_result(None)

    def _begin(self) -> None:
        self._body: list[bytes] | None = None
        self._retry_after: str | None = None
        self._is_measured = False

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower in (b"content-length", b"transfer-encoding"):
            self._is_measured = True
        elif lower == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._body = []
        self._unparsed = 0

    def on_body(self, part: bytes) -> None:
        if self._body is not None:
            self._body.append(part)

    def on_message_complete(self) -> None:
        status, body, retry_after = self._parser.get_status_code(), self._body or [], self._retry_after
        self._begin()
        if status < 200:  # 100 Continue, 103 Early Hints: the answer is still to come
            return
        self.usable = self.usable and bool(self._parser.should_keep_alive())
        if self._reply is not None:  # a second answer to one request
            self.usable = False
        else:
            self._reply = Reply(status, body[0] if len(body) == 1 else b"".join(body), retry_after)
