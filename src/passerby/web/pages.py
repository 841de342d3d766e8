"""Pages for operators: whether this process is alive, whether it is ready, its counters, and what it is doing.

    /livez     200 whenever the event loop turns; while it is stuck there is no answer, so probes need a time limit
    /readyz    200, or 503 and a line for each reason why not
    /metrics   Prometheus' text format
    /status    JSON: this process, what it holds, and what it knows of the others

They say nothing about a person, but much about the installation. Do not publish them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from passerby.web.exchange import Receive, Scope, Send, answer

PATIENCE_S = 3.0
"""A store that takes longer than this to answer is not ready. A probe does not wait longer either."""

_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_METRICS = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
_JSON = (b"content-type", b"application/json")
_FRESH = (b"cache-control", b"no-store")


class Watched(Protocol):
    """The data that the pages show. Both methods may take long; the pages wait at most `PATIENCE_S`."""

    async def unready(self) -> Sequence[str]:
        """Why this process is not ready, one sentence for each reason. Empty if it is ready."""
        ...

    async def status(self) -> Mapping[str, object]:
        """The state of this process, in values that JSON can hold. `/status` shows it."""
        ...


class Pages:
    """`watched` is replaced at the start of each incarnation. It is None before the first."""

    def __init__(self, exposition: Callable[[], bytes]) -> None:
        self._exposition = exposition
        self.watched: Watched | None = None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, headers=[(b"allow", b"GET, HEAD")])
            return
        match scope["path"]:
            case "/livez":
                await answer(send, 200, b"ok\n", (_TEXT, _FRESH))
            case "/readyz":
                reasons = await self._reasons()
                body = "\n".join((*(reasons or ("ok",)), ""))
                await answer(send, 503 if reasons else 200, body.encode(), (_TEXT, _FRESH))
            case "/metrics":
                await answer(send, 200, self._exposition(), (_METRICS, _FRESH))
            case "/status":
                await self._status(send)
            case _:
                await answer(send, 404)

    async def _reasons(self) -> Sequence[str]:
        if self.watched is None:
            return ("it is starting, or stopping",)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self.watched.unready()
        except TimeoutError:
            return (f"it does not know within {PATIENCE_S:g} seconds whether it is",)

    async def _status(self, send: Send) -> None:
        if self.watched is None:
            await answer(send, 503)
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                told = await self.watched.status()
        except TimeoutError:
            await answer(send, 503)
        else:
            await answer(send, 200, msgspec.json.encode(told), (_JSON, _FRESH))
