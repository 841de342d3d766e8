"""The sandbox's control API over HTTP, for many people. Acts that come during one request are sent in the next.

So all acts keep their order, and a busy sandbox gets more acts in one request.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from simulated_people.seen import Event

Json = dict[str, Any]
MOST_AT_ONCE: Final = 500
_LONGEST_LINE: Final = 1 << 20
_encode = msgspec.json.Encoder().encode
_events = msgspec.json.Decoder(Event)


class SandboxFault(Exception):
    """The sandbox does not answer, or not as expected. The text is for the person at the terminal."""


class Entry(msgspec.Struct, frozen=True):
    """The parts of an entry in the sandbox's journal that are needed here."""

    n: int
    at: float
    kind: str
    bot: int
    update_id: int = 0
    update: str = ""
    message_id: int = 0
    update_ids: tuple[int, ...] = ()
    method: str = ""
    status: int = 0


class Page(msgspec.Struct, frozen=True):
    first: int
    last: int
    entries: list[Entry]


class Sandbox:
    """The control API at `url`, "http://host:port". All methods raise SandboxFault."""

    def __init__(self, url: str, http: Client) -> None:
        self.url = url
        self.refused = 0
        """The number of acts that the sandbox refused because no phone could do them."""
        self.http = http
        self._acts: deque[Json] = deque()
        self._more = asyncio.Event()

    @classmethod
    def at(cls, url: str) -> "Sandbox":
        return cls(url, ClientBuilder().no_proxy().build())

    async def aclose(self) -> None:
        await self.http.close()

    @property
    def waiting(self) -> int:
        """The number of acts that are not sent yet."""
        return len(self._acts)

    async def get(self, path: str) -> Any:
        return msgspec.json.decode(await self._ask("GET", path))

    async def post(self, path: str, body: Any) -> Any:
        return msgspec.json.decode(await self._ask("POST", path, _encode(body)))

    async def file(self, file_id: str) -> bytes:
        return await self._ask("GET", f"files/{file_id}")

    async def journal(self, after: int) -> Page:
        return msgspec.json.decode(await self._ask("GET", f"journal?after={after}&brief=1"), type=Page)

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = self.http.request(method, f"{self.url}/sandbox/{path}")
        if body is not None:
            request = request.body_bytes(body).header("Content-Type", "application/json")
        try:
            response = await request.build().send()
            answer = (await response.bytes()).to_bytes()
        except (PyreqwestError, OSError, TimeoutError) as error:
            raise SandboxFault(f"the sandbox at {self.url} does not answer ({type(error).__name__})") from None
        if response.status != 200:
            raise SandboxFault(f"the sandbox at {self.url} refuses {method} /sandbox/{path} with {response.status}")
        return answer

    def act(self, person: int, bot: int, act: str, **fields: Any) -> None:
        """Let a person do something, after all acts before it."""
        self._acts.append({"person": person, "bot": bot, "act": act, **fields})
        self._more.set()

    async def carry(self) -> None:
        """Send acts to the sandbox until cancelled."""
        while True:
            await self._more.wait()
            batch = [self._acts.popleft() for _ in range(min(MOST_AT_ONCE, len(self._acts)))]
            if not self._acts:
                self._more.clear()
            for became in await self.post("acts", batch):
                self.refused += "error" in became

    async def events(self, opened: asyncio.Event) -> AsyncIterator[Event]:
        """The events of all phones, as they happen. `opened` is set when the stream begins."""
        where = urlsplit(self.url)
        try:
            reader, writer = await asyncio.open_connection(where.hostname, where.port or 80, limit=_LONGEST_LINE)
        except OSError:
            raise SandboxFault(f"the sandbox at {self.url} does not answer") from None
        try:
            writer.write(f"GET /sandbox/events?people=all HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
            while line := await reader.readline():
                # The lengths of the chunks are on their own lines.

                if line.startswith(b"data: "):
                    yield _events.decode(line[6:])
                elif line.startswith(b": open"):
                    opened.set()
            raise SandboxFault("the sandbox ended the stream of what phones show: too much was waiting, or it is gone")
        except OSError:
            raise SandboxFault(f"the sandbox at {self.url} has gone") from None
        finally:
            writer.close()
