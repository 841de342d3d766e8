"""The Bot API sandbox as a process, and its control API as methods. It does not know who uses it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pyreqwest.client import Client, ClientBuilder

from tests import warm

Json = dict[str, Any]

START_S = 120.0
_BOUNDARY = "a-line-that-is-in-no-file"
_LONGEST_EVENT = 1 << 20


class Sandbox:
    """The control API at `url`. Raises: AssertionError, if the sandbox refuses."""

    def __init__(self, url: str, http: Client) -> None:
        self.url = url
        self._http = http

    async def get(self, path: str) -> Any:
        response = await self._http.get(f"{self.url}/sandbox/{path}").build().send()
        assert response.status == 200, f"GET {path}: {await response.text()}"
        return await response.json()

    async def _give(self, method: str, path: str, body: bytes, kind: str = "application/json") -> Any:
        request = self._http.request(method, f"{self.url}/sandbox/{path}").body_bytes(body)
        response = await request.header("Content-Type", kind).build().send()
        assert response.status == 200, f"{method} {path}: {await response.text()}"
        return await response.json()

    async def post(self, path: str, body: Json) -> Any:
        return await self._give("POST", path, json.dumps(body).encode())

    async def put(self, path: str, body: Any) -> Any:
        return await self._give("PUT", path, json.dumps(body).encode())

    async def upload(self, path: str, fields: Json, files: Mapping[str, bytes]) -> Any:
        """`files`: pictures, by the names of their fields."""
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        for key, file in files.items():
            head = f'Content-Disposition: form-data; name="{key}"; filename="it.png"\r\nContent-Type: image/png'
            parts.append(f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode() + file + b"\r\n")
        parts.append(f"--{_BOUNDARY}--\r\n".encode())
        return await self._give("POST", path, b"".join(parts), f"multipart/form-data; boundary={_BOUNDARY}")

    async def file(self, file_id: str) -> bytes:
        response = await self._http.get(f"{self.url}/sandbox/files/{file_id}").build().send()
        return (await response.bytes()).to_bytes() if response.status == 200 else b""

    async def journal(self, after: int = 0) -> list[Json]:
        entries: list[Json] = (await self.get(f"journal?after={after}"))["entries"]
        assert not entries or after or entries[0]["n"] == 1, "the first entries of the journal are missing"
        return entries

    async def events(self, people: Iterable[int], is_open: asyncio.Event) -> AsyncIterator[Json]:
        """Yield what these people's phones show, as it happens. Sets `is_open` once no more events are missed."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=_LONGEST_EVENT)
        try:
            asked = ",".join(map(str, people))
            writer.write(f"GET /sandbox/events?people={asked} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            while line := await reader.readline():
                is_open.set()
                # The chunk lengths are on lines of their own.
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
            raise AssertionError("the stream of events ended")
        finally:
            writer.close()


@asynccontextmanager
async def a_sandbox(directory: Path, *, bots: int, seed: int) -> AsyncIterator[tuple[Sandbox, list[str]]]:
    """Start a sandbox on a free port. Yields it and its bots' tokens. It stops at the end of the block."""
    log = directory / "sandbox.log"
    with log.open("wb") as output:
        process = warm.start(
            [sys.executable, "-m", "botapi_sandbox", "--port", "0", "--bots", str(bots), "--seed", str(seed)],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        async with asyncio.timeout(START_S):
            while len(lines := log.read_text().splitlines()) <= bots:
                assert process.poll() is None, f"the sandbox ended while it started: {lines}"
                await asyncio.sleep(0.02)
        url = next(word for word in lines[0].split() if word.startswith("http://"))
        tokens = [line.split()[-1] for line in lines[1:]]
        async with ClientBuilder().no_proxy().build() as http:
            yield Sandbox(url, http), tokens
    finally:
        process.terminate()
        process.wait()
