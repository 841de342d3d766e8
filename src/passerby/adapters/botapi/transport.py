"""HTTP/1.1 to one server: requests with a prepared head, over connections that stay open.

It does what a Bot API call needs and no more: a body of known length goes out in one write, one whole answer comes
back. No redirects, no cookies, no compression, no pipelining. Files go another way.

It exists for two reasons: it knows what a lost answer means, and it needs a third of a general client's CPU per call.

    not sent      no connection could be made, or this one was already closed: nothing can have arrived
    unknown       the bytes were handed to the system; then the connection broke, went silent or sent nonsense

Only a few connections are made within a short time (CONNECTS_AT_ONCE, PACE_S), because a handshake costs as much as
dozens of calls. A call that waits to make one takes the next free connection instead. `dialler` finds an address that
works.

Nothing is retried: if the server closes a connection at the moment of the write, the outcome counts as unknown.
"""

import asyncio
import socket
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import unquote, urlsplit

from passerby.adapters.botapi.connection import Asker, Connection, Lost, Pending, Reply
from passerby.adapters.botapi.dialler import Dialler
from passerby.ports.soon import own_task

CONNECT_S = 10.0
CONNECTS_AT_ONCE = 64
PACE_S = 0.5
"""For this long, a new connection counts as one that is being made. In that time it takes calls that would have made
more of them: a burst of a thousand calls made 396 connections without this."""
HANDSHAKE_S = 3.0
"""If a server accepts a connection but has not finished the handshake by then, its next address is tried."""

HANDSHAKES = 2
IDLE_S = 60.0
"""A connection is closed after this long without use, before the server closes it: nginx waits 75 s."""

SWEEP_S = 1.0
"""How often time-outs are checked. All calls share one timer: a timer each would cost as much as parsing the answer."""

_REQUEST: Final = b"%b%d\r\n\r\n%b"


def place_of(base_url: str) -> tuple[str, int]:
    """Return the host and the port of an http(s) URL."""
    parts = urlsplit(base_url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


class Transport:
    """Connections to the server of `base_url` (http or https), at most `max_connections`. Callers wait for a free one.

    `on_connected` is called for each new connection. Belongs to the event loop that first uses it.
    """

    def __init__(self, base_url: str, *, max_connections: int, on_connected: Callable[[], None]) -> None:
        parts = urlsplit(base_url)
        self._secure = parts.scheme == "https"
        self._host, port = place_of(base_url)
        self.dialler = Dialler(self._host, port)
        self._path = parts.path.rstrip("/")
        login, _, self._authority = parts.netloc.rpartition("@")
        self._login = f"Authorization: Basic {b64encode(unquote(login).encode()).decode()}\r\n" if login else ""
        self._context = ssl.create_default_context() if self._secure else None
        self._on_connected = on_connected
        self._room = max_connections
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._connecting = 0
        self._pacing: set[asyncio.TimerHandle] = set()
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        """The calls that wait for a free connection, or for permission to make one (None)."""
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def head(self, path: str) -> bytes:
        """Return the head of a request for `post`. `path` is already quoted."""
        for part in (self._authority, self._path, path):
            if any(character <= " " or character == "\x7f" for character in part):
                raise ValueError("a path has no spaces and no control characters")
        return (
            f"POST {self._path}{path} HTTP/1.1\r\nHost: {self._authority}\r\nUser-Agent: passerby\r\n"
            f"{self._login}Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode("ascii")

    def post(self, head: bytes, body: bytes, timeout_s: float) -> Awaitable[Reply]:
        """Send a request, in this turn if a connection is free. Returns its answer, whatever the status.

        Raises: Lost.
        """
        pending = Pending()
        connection = self.begin(head, body, timeout_s, pending)
        if connection is None:
            return self._post(_REQUEST % (head, len(body), body), timeout_s)
        pending.connection = connection
        return pending

    def begin(self, head: bytes, body: bytes, timeout_s: float, asker: Asker) -> Connection | None:
        """Send a request in this turn. Returns the connection that brings its answer to `asker`; None if none is free.
        Then nothing has happened."""
        if not (self._room and self._idle):
            return None
        connection = self._idle.pop()
        if not connection.usable:
            connection.hang_up()
            warm = self._warm()
            if warm is None:
                return None
            connection = warm
        self._room -= 1
        self._busy.add(connection)
        loop = connection.loop
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_S, self._sweep)
        connection.ask(_REQUEST % (head, len(body), body), loop.time() + timeout_s, asker)
        return connection

    async def _post(self, request: bytes, timeout_s: float) -> Reply:
        """Wait for a free connection, or make one."""
        await own_task()
        loop = asyncio.get_running_loop()
        # We do not use asyncio's Semaphore: it scans all waiters each time.
        while not self._room:
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()
                raise
        self._room -= 1
        try:
            connection = self._warm() or await self._connection(min(timeout_s, CONNECT_S))
        except BaseException:
            self._leave()
            raise
        pending = Pending()
        pending.connection = connection
        self._ask(connection, request, timeout_s, pending)
        return await pending

    def _ask(self, connection: Connection, request: bytes, timeout_s: float, asker: Asker) -> None:
        self._busy.add(connection)
        if self._sweeper is None:
            self._sweeper = connection.loop.call_later(SWEEP_S, self._sweep)
        connection.ask(request, connection.loop.time() + timeout_s, asker)

    def _take_back(self, connection: Connection) -> None:
        """A call is over: its answer is here, or nobody waits for it any more."""
        self._busy.discard(connection)
        connection.deadline = connection.loop.time() + IDLE_S
        if connection.usable and not self._waiters and not self._closed:
            self._idle.append(connection)
        else:
            self._give(connection)
        self._room += 1
        if self._waiting:
            self._wake()

    def _leave(self) -> None:
        self._room += 1
        if self._waiting:
            self._wake()

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def aclose(self) -> None:
        """Close all connections. Calls under way are lost."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for timer in self._pacing:
            timer.cancel()
        self._pacing.clear()
        self.dialler.aclose()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(Lost("the client was closed", sent=False))
        self._waiters.clear()
        connections = [*self._idle, *self._busy]
        self._idle.clear()
        for connection in connections:
            connection.fail("the client was closed")
            connection.hang_up()
        await asyncio.gather(*(connection.gone for connection in connections))

    def _warm(self) -> Connection | None:
        """Return the connection that was used last. Unused ones then grow old and are closed."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.hang_up()
        return None

    def _give(self, connection: Connection) -> None:
        """Take back a connection after a call."""
        if not connection.usable or self._closed:
            connection.hang_up()
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    async def _connection(self, timeout_s: float) -> Connection:
        """Wait for the next free connection, or make a new one."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._connecting >= CONNECTS_AT_ONCE:
                    connection = await self._next()
                    if connection is None:
                        return await self._made()
                    if connection.usable:
                        return connection
                    connection.hang_up()
                self._connecting += 1
                return await self._made()
        except TimeoutError:
            pass
        raise Lost("no connection (time-out)", sent=False)

    async def _next(self) -> Connection | None:
        """Return a free connection. None means that the caller may make one now; it is already counted."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                connection = waiter.result()
                if connection is None:
                    self._connected()
                else:
                    self._give(connection)
            raise

    def _pace(self) -> None:
        """A connection was made. After a while, the next one may begin."""

        def passed() -> None:
            self._pacing.discard(timer)
            self._connected()

        timer = asyncio.get_running_loop().call_later(PACE_S, passed)
        self._pacing.add(timer)

    def _connected(self) -> None:
        """An attempt to connect has failed, or some time has passed since it succeeded. The next one may begin."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._connecting -= 1

    async def _made(self) -> Connection:
        """Return a new connection. Raises: Lost."""
        try:
            connection = await self._attempted()
        except BaseException:
            self._connected()
            raise
        self._pace()
        self._on_connected()
        return connection

    async def _attempted(self) -> Connection:
        failure = "the client was closed"
        for _ in range(HANDSHAKES if not self._closed else 0):
            try:
                connected, address = await self.dialler.connect()
            except OSError as error:
                raise Lost(f"no connection ({type(error).__name__})", sent=False) from None
            try:
                return await self._with_tls(connected)
            except (OSError, ssl.SSLError) as error:
                self.dialler.demote(address)
                failure = f"no connection ({'time-out' if type(error) is TimeoutError else type(error).__name__})"
        raise Lost(failure, sent=False)

    async def _with_tls(self, connected: socket.socket) -> Connection:
        """Do the TLS handshake, if there is one. Raises: OSError, ssl.SSLError."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop, self._take_back),
                    sock=connected,
                    ssl=self._context,
                    server_hostname=self._host if self._secure else None,
                )
        except BaseException:
            connected.close()
            raise
        return connection

    def _sweep(self) -> None:
        """Give up late calls, and close connections that nobody has used."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._busy):
            if now >= connection.deadline:
                connection.fail("time-out")
        while self._idle and (self._idle[0].deadline <= now or not self._idle[0].usable):
            self._idle.pop(0).hang_up()
        self._sweeper = loop.call_later(SWEEP_S, self._sweep) if self._busy or self._idle else None
