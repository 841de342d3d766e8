"""A simple HTTP client for the tests of the server. It blocks, so it runs in a thread beside the server's loop."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botapi_sandbox.service import Sandbox, running
from tests.botapi_sandbox.small_world import SmallWorld, small_world

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


def request(url: str, data: bytes | None = None, kind: str = "application/json", verb: str | None = None) -> Reply:
    """Raises: OSError, if the connection fails."""
    asked = urllib.request.Request(url, data, {"Content-Type": kind} if data is not None else {}, method=verb)
    try:
        with _DIRECT.open(asked, timeout=120) as answer:
            return Reply(answer.status, answer.read(), {k.lower(): v for k, v in answer.headers.items()})
    except urllib.error.HTTPError as answer:
        with answer:
            return Reply(answer.code, answer.read(), {k.lower(): v for k, v in answer.headers.items()})


@dataclass
class Served:
    """A small world behind a real server."""

    made: SmallWorld
    sandbox: Sandbox

    async def get(self, path: str) -> Reply:
        return await asyncio.to_thread(request, self.sandbox.url + path)

    async def post(self, path: str, body: Any = None, verb: str = "POST") -> Reply:
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        return await asyncio.to_thread(request, self.sandbox.url + path, data, verb=verb)

    async def raw(self, path: str, data: bytes, kind: str) -> Reply:
        return await asyncio.to_thread(request, self.sandbox.url + path, data, kind)

    async def bot(self, method: str, **params: Any) -> Reply:
        return await self.post(f"/bot{self.made.bot.token}/{method}", params)

    def chat(self, verb: str = "") -> str:
        return f"/sandbox/people/{self.made.ann}/chats/{self.made.bot.id}{verb and '/' + verb}"


@asynccontextmanager
async def served(state: Path | None = None, **switches: Any) -> AsyncIterator[Served]:
    """The world's clock moves only when the test moves it. The server's timer is real."""
    made = small_world(**switches)
    async with running(made.world, state=state) as sandbox:
        yield Served(made, sandbox)


def with_server(test: Callable[[Served], Awaitable[None]], **switches: Any) -> None:
    """Run a test function against a server."""

    async def run() -> None:
        async with served(**switches) as here:
            await test(here)

    asyncio.run(run())


def multipart(fields: dict[str, str], files: dict[str, tuple[str, bytes]]) -> tuple[bytes, str]:
    """A multipart body and its content type."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    for name, (file_name, data) in files.items():
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + b"--b--\r\n", "multipart/form-data; boundary=b"
