"""The HTTP shell: the Bot API, file downloads, the control API and the playground on one port.

It reads requests, lets the core answer, and does what the core cannot: wait for long polls, delay, cut connections.
The rules of Telegram are in the core. It is bare ASGI without a framework, because benchmarks also run against this
server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping
from functools import partial
from importlib.resources import files as package_files
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import quote

from botapi_sandbox.bodies import BadBody, read_body
from botapi_sandbox.callers import refusal
from botapi_sandbox.control import Control
from botapi_sandbox.wire import Receive, Scope, Send, TooLarge, cut, header, read, write
from botapi_sandbox.world import Answer, Waiting, World
from botapi_sandbox.world.answers import Refusal, refused
from botapi_sandbox.world.files import MOST_UPLOAD

_log = logging.getLogger("botapi_sandbox")
MOST_BODY = MOST_UPLOAD + 2 * 2**20
"""The largest upload, and room for the other fields. Above this, Telegram's front proxy answers 413."""
STALLED_FOR_S = 600.0
_PLAIN = ((b"content-type", b"text/plain; charset=utf-8"),)
_JSON = ((b"content-type", b"application/json"),)
_NO_PAGE = b"The playground page is not part of this installation. The Bot API is at /bot<token>/<method>.\n"


class App:
    """The ASGI application around one world. `hosts` are names it answers to, besides IP addresses and localhost."""

    def __init__(self, world: World, hosts: Collection[str] = ()) -> None:
        self._world = world
        self._hosts = frozenset(hosts)
        self._closing = asyncio.Event()
        self._page = Path(str(package_files("botapi_sandbox").joinpath("playground")))
        self.control = Control(world)

    def close(self) -> None:
        """End long polls and event streams, so that the server can stop."""
        self._closing.set()
        self.control.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        try:
            is_page = not path.startswith(("/bot", "/file/", "/sandbox/"))
            if (problem := refusal(scope, self._hosts, is_page=is_page)) is not None:
                await write(send, 403, problem.encode() + b"\n", _PLAIN)
            elif path.startswith("/bot"):
                await self._bot_api(path, scope, receive, send)
            elif path.startswith("/file/bot"):
                await self._file(path, scope, send)
            elif path.startswith("/sandbox/"):
                await self.control(scope, receive, send)
            else:
                await self._static(path, send)
        except TooLarge:
            await _answer(send, refused(Refusal(413, "Request Entity Too Large")))
        except Exception:  # noqa: BLE001 - the one supervised place
            # A bug in the sandbox ends one request but not the server, and it is logged.
            _log.exception("a bug in the sandbox: %s %s", scope["method"], path.rpartition("/")[2])
            await _answer(send, refused(Refusal(500, "Internal Server Error: a bug in the sandbox")))

    async def _bot_api(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        token, _, method = path[4:].partition("/")
        try:
            body = await read(receive, MOST_BODY)
            query = scope["query_string"].decode("latin-1")
            params, uploads = read_body(header(scope, b"content-type"), body, query)
        except BadBody as problem:
            await _answer(send, refused(Refusal(400, f"Bad Request: {problem}")))
            return
        if method.lower() == "getupdates":
            polled = self._world.poll(token, params)
            answer = await self._wait(polled, receive) if isinstance(polled, Waiting) else polled
            if answer is None:
                cut(scope)
                return
        else:
            answer = self._world.call(token, method, params, uploads)
        if answer.fault is None and answer.delay_s == 0:
            await _answer(send, answer)
        else:
            await self._misbehave(answer, scope, send)

    async def _misbehave(self, answer: Answer, scope: Scope, send: Send) -> None:
        delay_s = STALLED_FOR_S if answer.fault == "stall" else answer.delay_s
        if delay_s:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), delay_s)
        if answer.fault is None:
            await _answer(send, answer)
        else:
            cut(scope)

    async def _wait(self, waiting: Waiting, receive: Receive) -> Answer | None:
        """Wait until a long poll has an answer. None if the client left or the server stops."""
        loop = asyncio.get_running_loop()
        gone = asyncio.ensure_future(receive())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            while True:
                woken: asyncio.Future[None] = loop.create_future()
                waiting.wake = partial(_resolve, woken)
                remaining_s = max(0.0, waiting.deadline - self._world.now())
                await asyncio.wait(
                    (woken, gone, closing), timeout=remaining_s + 0.002, return_when=asyncio.FIRST_COMPLETED
                )
                if (gone.done() or closing.done()) and waiting.answer is None:
                    self._world.abandon(waiting)
                    return None
                outcome = self._world.resume(waiting)
                if isinstance(outcome, Answer):
                    return outcome
        finally:
            gone.cancel()
            closing.cancel()

    async def _file(self, path: str, scope: Scope, send: Send) -> None:
        token, _, file_path = path[len("/file/bot") :].partition("/")
        found = self._world.fetch_file(token, file_path)
        if isinstance(found, Answer):
            await self._misbehave(found, scope, send)
            return
        data, mime = found
        name = file_path.rpartition("/")[2]
        disposition = f"attachment; filename*=UTF-8''{quote(name)}".encode()
        await write(send, 200, data, [(b"content-type", mime.encode()), (b"content-disposition", disposition)])

    async def _static(self, path: str, send: Send) -> None:
        if path in ("/", "/playground"):
            path = "/playground/"
        if not path.startswith("/playground/"):
            await write(send, 404, b"Not Found\n", _PLAIN)
            return
        file = (self._page / (path.removeprefix("/playground/") or "index.html")).resolve()
        if not file.is_relative_to(self._page.resolve()) or not file.is_file():
            missing_page = path == "/playground/"
            await write(send, 200 if missing_page else 404, _NO_PAGE if missing_page else b"Not Found\n", _PLAIN)
            return
        mime = guess_type(file.name)[0] or "application/octet-stream"
        if mime.startswith("text/") or mime.endswith("javascript"):
            mime += "; charset=utf-8"
        headers = [(b"content-type", mime.encode()), (b"cache-control", b"no-cache")]
        await write(send, 200, file.read_bytes(), headers)


def _resolve(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


async def _answer(send: Send, answer: Answer) -> None:
    headers: Mapping[str, str] = answer.headers
    if len(headers) == 1 and answer.body[:1] == b"{":
        await write(send, answer.status, answer.body, _JSON)
    else:
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await write(send, answer.status, answer.body, pairs)
