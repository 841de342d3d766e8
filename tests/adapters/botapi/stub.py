"""A tiny Bot API server for behaviour that no good server shows: reset, stall, answer in HTML, refuse on demand.

It records every request. It answers with what was scripted for a method, and otherwise like a successful send.
Telegram's own behaviour belongs into the sandbox; this stub only gives answers that an adapter could get.
"""

import asyncio
import json
import re
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Request:
    path: str
    members: dict[str, Any]
    files: dict[str, tuple[str, bytes]]
    raw: bytes

    @property
    def bot(self) -> str:
        return self.path.removeprefix("/bot").split(":")[0]

    @property
    def method(self) -> str:
        return self.path.rsplit("/", 1)[-1]


@dataclass(slots=True)
class Reply:
    """`then` runs with the connection's writer, before the answer or instead of it."""

    status: int = 200
    body: bytes = b""
    headers: tuple[str, ...] = ()
    then: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None
    silent: bool = False


def ok(result: Any) -> Reply:
    return Reply(body=json.dumps({"ok": True, "result": result}).encode())


def refusal(code: int, description: str, **parameters: Any) -> Reply:
    answer: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        answer["parameters"] = parameters
    return Reply(status=code, body=json.dumps(answer).encode())


async def _abort(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


RESET = Reply(then=_abort, silent=True)

_PARTS = {
    "sendPhoto": "photo",
    "sendVideo": "video",
    "sendVoice": "voice",
    "sendDocument": "document",
    "sendAudio": "audio",
    "sendAnimation": "animation",
    "sendVideoNote": "video_note",
    "sendSticker": "sticker",
    "sendLivePhoto": "live_photo",
}


@dataclass(slots=True)
class Stub:
    requests: list[Request] = field(default_factory=list)
    script: dict[str, deque[Reply]] = field(default_factory=lambda: defaultdict(deque))
    files: dict[str, bytes] = field(default_factory=dict)
    handlers: dict[str, Callable[[Request], Awaitable[Reply]]] = field(default_factory=dict)
    url: str = ""
    _last: int = 100

    def answer(self, method: str, *replies: Reply) -> None:
        self.script[method].extend(replies)

    def calls(self, method: str | None = None) -> list[Request]:
        return [request for request in self.requests if method in (None, request.method)]

    async def reply(self, request: Request) -> Reply:
        scripted = self.script.get(request.method)
        if scripted:
            return scripted.popleft()
        if request.path.startswith("/file/"):
            return self._download(request.path)
        if request.method in self.handlers:
            return await self.handlers[request.method](request)
        return self._usual(request)

    def _download(self, path: str) -> Reply:
        content = self.files.get(path.split("/", 3)[-1])
        return Reply(status=404) if content is None else Reply(body=content)

    def _usual(self, request: Request) -> Reply:
        match request.method:
            case "getFile":
                name = request.members["file_id"]
                if name not in self.files:
                    return refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
                return ok({"file_id": name, "file_path": name, "file_size": len(self.files[name])})
            case "getUpdates":
                return ok([])
            case "answerCallbackQuery" | "setMyCommands":
                return ok(True)
            case "sendMediaGroup":
                media = request.members["media"]
                return ok([self._message(entry["type"], request.bot) for entry in media])
            case method:
                return ok(self._message(_PARTS.get(method, ""), request.bot))

    def _message(self, part: str, bot: str) -> dict[str, Any]:
        self._last += 1
        message: dict[str, Any] = {"message_id": self._last, "date": 1, "chat": {"id": 5, "type": "private"}}
        if part:
            sent_file = {
                "file_id": f"{part}-{self._last}-of-{bot}",
                "file_unique_id": f"u{self._last}",
                "width": 1,
                "height": 1,
            }
            message[part] = [sent_file] if part == "photo" else sent_file
        return message


_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_BOUNDARY = re.compile(rb"boundary=([^\r\n;]+)", re.IGNORECASE)
_NAME = re.compile(rb'[; ]name="([^"]*)"')
_FILE_NAME = re.compile(rb'filename="([^"]*)"')


def _read(head: bytes, body: bytes) -> Request:
    path = head.split(b" ", 2)[1].decode()
    boundary = _BOUNDARY.search(head)
    members: dict[str, Any] = {}
    files: dict[str, tuple[str, bytes]] = {}
    if boundary:
        for part in body.split(b"--" + boundary[1])[1:-1]:
            top, _, content = part[2:-2].partition(b"\r\n\r\n")
            name_found, file_found = _NAME.search(top), _FILE_NAME.search(top)
            assert name_found
            name = name_found[1].decode()
            if file_found:
                files[name] = (file_found[1].decode(), content)
            else:
                text = content.decode()
                members[name] = json.loads(text) if text[:1] in "[{" or text in ("true", "false") else text
    elif body:
        members = json.loads(body)
    return Request(path, members, files, head + body)


@asynccontextmanager
async def serving() -> AsyncIterator[Stub]:
    """Yield a stub on a free port. At the end it is closed with all its connections."""
    stub = Stub()
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                request = _read(head, body)
                stub.requests.append(request)
                reply = await stub.reply(request)
                if reply.then:
                    await reply.then(writer)
                if reply.silent:
                    return
                lines = (f"HTTP/1.1 {reply.status} X", f"Content-Length: {len(reply.body)}", *reply.headers, "", "")
                writer.write("\r\n".join(lines).encode() + reply.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            # The client or the end of the test has ended it. Either way there is nothing left to do.
            pass
        finally:
            writer.transport.abort()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**16)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
        # The task of a connection that was just accepted has not begun. It must begin, so that it can close it.
        for _ in range(3):
            await asyncio.sleep(0)
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
