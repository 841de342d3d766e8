"""A TCP proxy that imitates network faults: it can be slow, stall, cut its connections and reject new ones.

It carries bytes between a loopback port and a server, which is a port or a Unix socket. It knows no protocol.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_CHUNK = 1 << 16
_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends a reset."""


class Proxy:
    """`delay_s` delays each piece of bytes, in both directions, without delaying the pieces after it any longer."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]]) -> None:
        self.connect = connect
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._takes = True
        self.delay_s = 0.0
        self.port = 0
        self.carried = 0
        """Bytes, both ways."""
        self.delayed = 0
        """Pieces that `delay_s` delayed."""
        self.held = 0
        """Pieces that arrived during a stall."""
        self.cuts = 0
        self.turned_away = 0

    @classmethod
    @asynccontextmanager
    async def to(cls, connect: Callable[[], Awaitable[Streams]]) -> AsyncIterator[Self]:
        proxy = cls(connect)
        proxy._server = await asyncio.start_server(proxy._carry, "127.0.0.1", 0)
        proxy.port = proxy._server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            proxy._server.close()
            proxy.flow()
            proxy.cut()
            if proxy._carrying:
                await asyncio.wait(proxy._carrying, timeout=2.0)

    def stall(self) -> None:
        """Carry nothing and report no error. Connections stay open, as if half-open."""
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._open:
            taken = writer.get_extra_info("socket")
            if taken is not None and taken.family in {socket.AF_INET, socket.AF_INET6}:
                with suppress(OSError):
                    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.cuts += 1
            writer.transport.abort()

    def turn_away(self, *, always: bool) -> None:
        """From now on, reset every new connection, or accept them again."""
        self._takes = not always

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._takes:
            self.turned_away += 1
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        self._open.add(writer)
        try:
            there, away = await self.connect()
            self._open.add(away)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass(reader, away))
                    group.create_task(self._pass(there, writer))
            finally:
                self._open.discard(away)
                away.transport.abort()
        except* OSError:
            pass  # one side closed, and the other side now sees it
        finally:
            self._carrying.discard(task)
            self._open.discard(writer)
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)

        async def deliver() -> None:
            while True:
                due, piece = await pieces.get()
                if due > loop.time():
                    self.delayed += 1
                    await asyncio.sleep(due - loop.time())
                if not self._flows.is_set():
                    self.held += 1
                    await self._flows.wait()
                if not piece:
                    raise ConnectionResetError
                writer.write(piece)
                await writer.drain()
                self.carried += len(piece)

        delivering = asyncio.ensure_future(deliver())
        try:
            while not delivering.done():
                reading = asyncio.ensure_future(reader.read(_CHUNK))
                await asyncio.wait((reading, delivering), return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    reading.cancel()
                    break
                piece = reading.result()
                await pieces.put((loop.time() + self.delay_s, piece))
                if not piece:
                    break
            await delivering
        finally:
            delivering.cancel()


def to_port(port: int) -> Callable[[], Awaitable[Streams]]:
    return lambda: asyncio.open_connection("127.0.0.1", port)


def to_socket(path: str) -> Callable[[], Awaitable[Streams]]:
    return lambda: asyncio.open_unix_connection(path)
