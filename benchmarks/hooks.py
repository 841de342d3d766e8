"""Sends updates to a bot's webhook as Telegram does: a limited number at once, and one at a time for each chat.

The next update of a chat waits for the 200 of the previous one. A refused update is sent again after a while, and so is
one that comes before the webhook listens.
"""

import asyncio
from collections import deque
from typing import cast
from urllib.parse import urlsplit

AT_ONCE = 40
"""Telegram's default for `max_connections`."""
AGAIN_S = 0.5


class Hook:
    """The webhook of one bot. Connections are opened when needed, and kept."""

    def __init__(self, url: str, path: str, secret: str) -> None:
        where = urlsplit(url)
        assert where.hostname is not None
        self._place = (where.hostname, where.port)
        self._head = (
            f"POST {where.path}/{path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: "
        ).encode()
        self._ready: deque[tuple[int, bytes]] = deque()
        self._behind: dict[int, deque[bytes]] = {}
        self._idle: list[_Line] = []
        self._lines = set[_Line]()
        self._opening = 0
        self._connecting = set[asyncio.Task[None]]()
        self.refused = 0

    def put(self, person: int, update: bytes) -> None:
        waiting = self._behind.get(person)
        if waiting is not None:
            waiting.append(update)
            return
        self._behind[person] = deque()
        self._bring(person, update)

    def _bring(self, person: int, update: bytes) -> None:
        self._ready.append((person, update))
        self._open()
        self._send()

    def _open(self) -> None:
        """Open one more connection, if an update needs it."""
        if self._ready and not self._idle and len(self._lines) + self._opening < AT_ONCE:
            self._opening += 1
            task = asyncio.get_running_loop().create_task(self._connect())
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, line = await loop.create_connection(lambda: _Line(self), *self._place)
        except OSError:
            loop.call_later(AGAIN_S, self._open)  # nobody listens yet
            return
        finally:
            self._opening -= 1
        self._lines.add(line)
        self.free(line)

    def free(self, line: "_Line") -> None:
        self._idle.append(line)
        self._send()

    def _send(self) -> None:
        while self._ready and self._idle:
            person, update = self._ready.popleft()
            self._idle.pop().ask(person, update, b"%b%d\r\n\r\n%b" % (self._head, len(update), update))

    def answered(self, person: int, update: bytes, status: bytes) -> None:
        if status != b"200":
            self.refused += 1
            asyncio.get_running_loop().call_later(AGAIN_S, self._bring, person, update)
        elif waiting := self._behind[person]:
            self._bring(person, waiting.popleft())
        else:
            del self._behind[person]

    async def aclose(self) -> None:
        """Close all connections. Requests in progress are lost."""
        for line in tuple(self._lines):
            line.hang_up()
        while self._lines:
            await asyncio.sleep(0)

    def closed(self, line: "_Line") -> None:
        self._lines.discard(line)
        if line in self._idle:
            self._idle.remove(line)


class _Line(asyncio.Protocol):
    """Answers have no body."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._received = b""
        self._asked: tuple[int, bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, person: int, update: bytes, request: bytes) -> None:
        self._asked = (person, update)
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received.endswith(b"\r\n\r\n") and self._asked is not None:
            status, self._received = self._received[9:12], b""
            asked, self._asked = self._asked, None
            self._hook.answered(*asked, status)
            if not self._transport.is_closing():
                self._hook.free(self)

    def hang_up(self) -> None:
        self._asked = None
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hook.closed(self)
        if self._asked is not None:
            self._hook.answered(*self._asked, b"")
