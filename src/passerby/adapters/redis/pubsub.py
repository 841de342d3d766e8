"""Wakes readers when a pool's tickets change. All readers of a process share one subscription.

Every message of the channel also goes to one more listener (see `holds`).

Messages may be lost with a connection. So a reader first listens, then reads, then waits. When a subscription begins or
breaks, all readers are woken and read again.

A server that has left its cluster still answers, but it publishes nothing more. So when calls had to go to another
server, the subscription follows them (`renew`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from passerby.ports.clock import Clock

HEARTBEAT_S = 15.0
"""After this much silence we ping the server. If it does not answer either, the connection is given up."""

AGAIN_S = 0.5


class PubSub:
    def __init__(
        self,
        connect: Callable[[], Awaitable[AbstractConnection]],
        channel: bytes,
        clock: Clock,
        on_message: Callable[[bytes], None],
    ) -> None:
        self._connect = connect
        self._channel = channel
        self._clock = clock
        self._on_message = on_message
        self._readers: dict[bytes, list[asyncio.Event]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Start listening, unless that has been done."""
        if self._listening is None:
            self._listening = asyncio.ensure_future(self._listen())
        elif self._listening.done() and not self._listening.cancelled():
            self._listening.result()  # a bug: it ends only when cancelled

    def renew(self) -> None:
        """Subscribe again, at the server that is the right one now."""
        if self._following is not None:
            self._following.cancel()

    @contextmanager
    def changes(self, pool: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever the pool may have changed."""
        self.listen()
        changed = asyncio.Event()
        readers = self._readers.setdefault(pool.encode(), [])
        readers.append(changed)
        try:
            yield changed
        finally:
            readers.remove(changed)

    async def aclose(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            following = self._following = asyncio.ensure_future(self._follow())
            try:
                await asyncio.wait((following,))
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
            if not following.cancelled():
                with suppress(RedisError, OSError):  # the woken readers ask the store and get the error themselves
                    following.result()
            self._wake(*self._readers)
            await self._clock.sleep(AGAIN_S)

    async def _follow(self) -> None:
        """Follow the channel until the connection breaks."""
        connection = await self._connect()
        try:
            await connection.send_command("SUBSCRIBE", self._channel, check_health=False)
            asked = False
            while True:
                message = await connection.read_response(timeout=HEARTBEAT_S)
                if message is not None:
                    asked = False
                    self._handle(message)
                elif asked:
                    return
                else:
                    asked = True
                    await connection.send_command("PING", check_health=False)
        finally:
            await connection.disconnect(nowait=True)

    def _handle(self, message: list[bytes]) -> None:
        if message[0] == b"message":
            self._wake(message[2])
            self._on_message(message[2])
        elif message[0] == b"subscribe":
            self._wake(*self._readers)

    def _wake(self, *pools: bytes) -> None:
        for pool in pools:
            for changed in self._readers.get(pool, ()):
                changed.set()
