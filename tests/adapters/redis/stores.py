"""Stores opened in a test's event loop, and a wire to the server that can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from urllib.parse import urlsplit

from hiredis import Reader

from passerby.adapters.redis import RedisStore, open_redis
from tests.runtime.virtual import VirtualClock


@asynccontextmanager
async def opened(url: str, seed: int = 1, replicas: int = 0) -> AsyncIterator[RedisStore]:
    """Open a store. The seed distinguishes one process from another."""
    store, _ = await open_redis(url, VirtualClock(), Random(seed), replicas=replicas, may_lose=True)
    try:
        yield store
    finally:
        await store.hang_up()


def wait_at_most(store: RedisStore, patience_s: float) -> None:
    """From now on, the store waits this long for an answer. A line's timer may still run for an earlier call."""
    store._batcher._patience_s = patience_s
    for line in store._batcher._lines:
        if line._timer is not None:
            line._timer.cancel()
            line._timer = None


class Wire:
    """Carries bytes between a store and its server, until it is told to break, once."""

    def __init__(self, url: str) -> None:
        server = urlsplit(url)
        self._place = (server.hostname, server.port)
        self.lose_request = False
        """The next request breaks the connection before the server has seen it."""
        self.lose_answer = False
        """The next answer breaks the connection: the server has carried out the call, but nobody gets the answer."""
        self.breaks = 0
        self.requests = 0
        """How many pieces came from the store. Each small piece is one write."""

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        """Yield the URL of the near end."""
        links: list[asyncio.Task[None]] = []

        def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            links.append(asyncio.ensure_future(self._link(reader, writer)))

        server = await asyncio.start_server(link, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.close()
            await asyncio.gather(*links)

    async def _link(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection(*self._place)

        async def there() -> None:
            while data := await near_reader.read(1 << 16):
                if self.lose_request:
                    self.lose_request = False
                    self.breaks += 1
                    return
                self.requests += 1
                far.write(data)

        async def back() -> None:
            while data := await far_reader.read(1 << 16):
                if self.lose_answer:
                    self.lose_answer = False
                    self.breaks += 1
                    return
                near.write(data)

        ways = [asyncio.ensure_future(way()) for way in (there, back)]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (near, far):
            end.close()
            with suppress(OSError):
                await end.wait_closed()


class Sentinel:
    """Answers where the master is, as a sentinel does. `port` None: it does not know."""

    def __init__(self, port: int | None) -> None:
        self._port = port
        self.heard: list[list[bytes]] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Yield the port that it listens on."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = Reader()
        while data := await reader.read(1 << 16):
            commands.feed(data)
            while (command := commands.gets()) is not False:
                self.heard.append(command)
                writer.write(self._answer(command[0]))
        writer.close()

    def _answer(self, word: bytes) -> bytes:
        if word != b"SENTINEL":
            return b"+OK\r\n"
        if self._port is None:
            return b"*-1\r\n"
        port = str(self._port)
        return f"*2\r\n$9\r\n127.0.0.1\r\n${len(port)}\r\n{port}\r\n".encode()
