"""Reads one request and sends one answer, with a minimum of ASGI."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]


class TooLarge(Exception):
    """The body has more bytes than are accepted."""


class Gone(Exception):
    """The client has closed the connection."""


def header(scope: Scope, name: bytes) -> bytes:
    """A header of the request, or b"". `name` is in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""


async def read(receive: Receive, most: int) -> bytes:
    """The whole body. Raises: TooLarge, as soon as it is larger than `most` bytes; Gone."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise TooLarge
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


async def answer(send: Send, status: int, body: bytes = b"", headers: Headers = ()) -> None:
    """Send one whole answer. Without `body`, an error has only its number."""
    sized = [(b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body})
