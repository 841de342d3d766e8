"""What whoever connects may cost before anything of ours looks at the request: bytes, time, connections.

uvicorn bounds none of it with httptools. The parser keeps a header until its line ends, and every header until the head
ends, so a request that never does fills the memory. A connection that says nothing stays for ever.

    431 and closed   the head, or a trailer after the body, has more than MOST_HEAD bytes
    closed           the head has not come within HEAD_WITHIN_S of the connection or of its first byte,
                     or the body not within BODY_WITHIN_S after it
    closed at once   there are as many connections as `limit_concurrency` allows

The sandbox has the same bounds in a module of its own, because neither may know the other.
"""

import asyncio
import logging
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD: Final = 32 * 1024
"""As nginx takes at most (large_client_header_buffers 4 8k)."""

HEAD_WITHIN_S: Final = 10.0
BODY_WITHIN_S: Final = 30.0

_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

_ERRORS_ALONE: Final = logging.getLogger("uvicorn.error.bounded")
_ERRORS_ALONE.setLevel(logging.ERROR)


class _HeadTooLarge(Exception):
    pass


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's, with bounds."""

    _head: int = 0
    """Bytes of this request's head and trailers that are finished."""
    _idle: int = 0
    """Bytes that came since anything but a header did."""
    _moved: bool = False
    _in_request: bool = False
    _timer: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        # A stranger's nonsense is not worth a line each time.
        self.logger = _ERRORS_ALONE

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()
        else:
            self._give(HEAD_WITHIN_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._give(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_request and self._timer is None:
            # Also for the blank lines that a parser skips before a request: uvicorn's own patience ends with any byte.
            self._give(HEAD_WITHIN_S)
        self._moved = False
        super().data_received(data)
        self._idle = 0 if self._moved else self._idle + len(data)
        if self._idle > MOST_HEAD:
            self._refuse()

    def on_message_begin(self) -> None:
        self._in_request = self._moved = True
        self._head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._moved = True
        self._give(BODY_WITHIN_S)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._moved, self._in_request = True, False
        self._give(None)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        # What the parser's callbacks raise ends here, too.
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

    def _give(self, patience_s: float | None) -> None:
        """So much time from now on; None: as much as it takes."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if patience_s is None else self.loop.call_later(patience_s, self._end)

    def _end(self) -> None:
        self._timer = None
        transport: Any = self.transport
        if not transport.is_closing():
            # `close` would wait for a reader who does not read.
            transport.abort()
