"""Wakes who waits for a change of a pool's tickets: one subscription for all the readers of a process.

Who else wants to hear what comes on the channel (see `holds`) is told everything.

News may be lost with a connection. So a reader listens first, then looks, then waits; and everybody is woken to look
again when a subscription has begun or has broken.

A server that is no longer the right one, because it has left its cluster, still answers, and has no more news. So when
calls had to go elsewhere, the subscription follows them (`renew`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from passerby.ports.clock import Clock

HEARTBEAT_S = 15.0
"""After so much silence the server is asked whether it is there; a connection that answers nothing is given up."""

AGAIN_S = 0.5


class PubSub:
    def __init__(
        self,
        connect: Callable[[], Awaitable[AbstractConnection]],
        channel: bytes,
        clock: Clock,
        hear: Callable[[bytes], None],
    ) -> None:
        self._connect = connect
        self._channel = channel
        self._clock = clock
        self._hear_all = hear
        self._ears: dict[bytes, list[asyncio.Event]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Begin, if that has not been done."""
        if self._listening is None:
            self._listening = asyncio.ensure_future(self._listen())
        elif self._listening.done() and not self._listening.cancelled():
            self._listening.result()  # a bug: it ends only when cancelled

    def renew(self) -> None:
        """Subscribe again, wherever that is now."""
        if self._following is not None:
            self._following.cancel()

    @contextmanager
    def ear(self, pool: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the pool may have changed."""
        self.listen()
        heard = asyncio.Event()
        ears = self._ears.setdefault(pool.encode(), [])
        ears.append(heard)
        try:
            yield heard
        finally:
            ears.remove(heard)

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
                with suppress(RedisError, OSError):  # whoever is woken asks the store, and learns what is the matter
                    following.result()
            self._wake(*self._ears)
            await self._clock.sleep(AGAIN_S)

    async def _follow(self) -> None:
        """Until the connection breaks."""
        connection = await self._connect()
        try:
            await connection.send_command("SUBSCRIBE", self._channel, check_health=False)
            asked = False
            while True:
                message = await connection.read_response(timeout=HEARTBEAT_S)
                if message is not None:
                    asked = False
                    self._hear(message)
                elif asked:
                    return
                else:
                    asked = True
                    await connection.send_command("PING", check_health=False)
        finally:
            await connection.disconnect(nowait=True)

    def _hear(self, message: list[bytes]) -> None:
        if message[0] == b"message":
            self._wake(message[2])
            self._hear_all(message[2])
        elif message[0] == b"subscribe":
            self._wake(*self._ears)

    def _wake(self, *pools: bytes) -> None:
        for pool in pools:
            for heard in self._ears.get(pool, ()):
                heard.set()
