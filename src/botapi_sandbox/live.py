"""The event streams: phone events as server-sent events, for one person or several over one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from botapi_sandbox.wire import Receive, Send
from botapi_sandbox.world import World
from botapi_sandbox.world.answers import Json

_encode = msgspec.json.Encoder().encode
MOST_WAITING = 10_000
"""A page with more unread events than this is disconnected. It then reloads."""
MOST_WAITING_FOR_ALL = 200_000
"""The limit for a stream of everybody. Its reader is a program, which cannot reload."""
HEARTBEAT_S = 15.0


class Streams:
    """All open event streams of a server."""

    def __init__(self, world: World) -> None:
        self._open: dict[asyncio.Queue[bytes | None], frozenset[int] | None] = {}
        """Each stream with the people whose phones it shows; None means everybody."""
        self._now = world.now
        self._closing = False
        self._stop: Callable[[], None] = world.on_event(self._event)

    def close(self) -> None:
        """End every stream."""
        self._closing = True
        self._stop()
        for waiting in self._open:
            _put(waiting, None)

    def _event(self, person_id: int, event: Json) -> None:
        if not self._open:
            return
        line: bytes | None = None
        for waiting, people in self._open.items():
            if people is None or person_id in people:
                line = line or b"data: " + _encode({"person": person_id, "at": self._now(), **event}) + b"\n\n"
                _put(waiting, line)

    async def serve(self, people: frozenset[int] | None, receive: Receive, send: Send) -> None:
        """Stream until the client leaves or the server stops. `people` None: everybody, also people who come later."""
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue(
            MOST_WAITING if people is not None else MOST_WAITING_FOR_ALL
        )
        self._open[waiting] = people
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b": open\n\n", "more_body": True})
        gone = asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda _: _put(waiting, None))
        try:
            while not self._closing:
                try:
                    line = await asyncio.wait_for(waiting.get(), HEARTBEAT_S)
                except TimeoutError:
                    line = b": still here\n\n"
                if line is None:
                    break
                while not waiting.empty() and len(line) < 65536:
                    more = waiting.get_nowait()
                    if more is None:
                        _put(waiting, None)
                        break
                    line += more
                await send({"type": "http.response.body", "body": line, "more_body": True})
        finally:
            gone.cancel()
            del self._open[waiting]
        await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    # The first message is the request's own empty body.
    while (await receive())["type"] != "http.disconnect":
        pass


def _put(waiting: asyncio.Queue[bytes | None], line: bytes | None) -> None:
    if waiting.full():
        while not waiting.empty():
            waiting.get_nowait()
        line = None
    waiting.put_nowait(line)
