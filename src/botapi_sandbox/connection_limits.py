"""Limits what a connection may cost before our code sees a request: bytes, time, number of connections.

uvicorn limits neither the bytes of a request's head nor the time for it. The parser keeps a header until its line ends,
and every header until the head ends, so an endless request fills the memory. A silent connection stays open without
limit. And with `limit_concurrency` connections, uvicorn answers 503 to all of them.

    431 and closed   the head and the trailers have more than MOST_HEAD bytes together (without the 431, if a response
                     is unfinished)
    closed           the head did not arrive within HEAD_WITHIN_S after the connection opened, or after the first byte
                     of a later request; or the body not within BODY_WITHIN_S after the head
    closed at once   this connection would be the one with number `limit_concurrency`

Passerby has the same limits for its own pages in `passerby.web.connection_limits`. The two packages may not import each
other.
"""

import asyncio
import logging
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD: Final = 32 * 1024
"""The same as nginx's default (large_client_header_buffers 4 8k)."""

HEAD_WITHIN_S: Final = 10.0
BODY_WITHIN_S: Final = 120.0
"""Longer than Passerby's, because files are uploaded here, perhaps on a busy machine."""

_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

_QUIET_LOGGER: Final = logging.getLogger("uvicorn.error.bounded")
_QUIET_LOGGER.setLevel(logging.ERROR)


class _HeadTooLarge(Exception):
    pass


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits."""

    _head: int = 0
    """Bytes of this request's address and of its finished headers and trailers."""
    _unreported: int = 0
    """Bytes received since the parser last reported anything but a header."""
    _progressed: bool = False
    """In this call, the parser reported something other than a header."""
    _stage: str = ""
    """"head", "body", or "" between requests."""
    _timed: str = ""
    """The stage that the timer is for."""
    _timer: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        # Malformed requests from strangers are common, so they are not logged.
        self.logger = _QUIET_LOGGER

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            transport.abort()
        else:
            self._start_timer("head")

    def connection_lost(self, exc: Exception | None) -> None:
        self._start_timer("")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._progressed = False
        super().data_received(data)
        self._unreported = 0 if self._progressed else self._unreported + len(data)
        if self._unreported > MOST_HEAD:
            self._refuse()
        # Between complete requests uvicorn has a timer of its own. Blank lines before a request need ours: any byte
        # stops uvicorn's timer, and the parser reports nothing for them.
        stage = self._stage or ("" if self._progressed else "head")
        if stage != self._timed and self.parser is not None:
            self._start_timer(stage)

    def on_message_begin(self) -> None:
        self._stage, self._progressed, self._head = "head", True, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stage, self._progressed = "body", True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stage, self._progressed = "", True
        if self._timed:
            # The next request may begin in the same data: it gets a time limit of its own.
            self._start_timer("")
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        # Errors raised by the parser's callbacks end here, too.
        if self._head > MOST_HEAD:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MOST_HEAD:
            raise _HeadTooLarge

    def _refuse(self) -> None:
        if not self.transport.is_closing():
            answering: Any = self.cycle  # None before the first request
            if answering is None or answering.response_complete:
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _start_timer(self, stage: str) -> None:
        """Start the timer of this stage; "" only stops the timer."""
        if self._timer is not None:
            self._timer.cancel()
        patience_s = HEAD_WITHIN_S if stage == "head" else BODY_WITHIN_S
        self._timer = self.loop.call_later(patience_s, self._abort) if stage else None
        self._timed = stage

    def _abort(self) -> None:
        self._timer = None
        transport: Any = self.transport
        if not transport.is_closing():
            # `close` would wait for a client that does not read.
            transport.abort()
