"""ASGI functions that the Bot API and the control API share: read a request, write an answer, cut a connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import Any

from botapi_sandbox.connection_limits import BoundedProtocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TRANSPORT = "sandbox.transport"


class Protocol(BoundedProtocol):
    """uvicorn's protocol with limits. It also gives the app the transport, to cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_TRANSPORT: {"it": self.transport}}


class TooLarge(Exception):
    """The body is larger than allowed."""


def header(scope: Scope, name: bytes) -> str:
    """A request header, or ""."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


async def read(receive: Receive, most: int) -> bytes:
    """The whole body. Raises: TooLarge."""
    message = await receive()
    body: bytes = message.get("body", b"")
    size = len(body)
    if size <= most and not message.get("more_body"):
        return body
    chunks = [body]
    while message.get("more_body"):
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > most:
            # Keep reading so that the client can see the answer, but store nothing.
            chunks = [b""]
    if size > most:
        raise TooLarge
    return b"".join(chunks)


async def write(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Write a complete answer."""
    sized = [(b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body})


def cut(scope: Scope) -> None:
    """Reset the TCP connection: the client sees ECONNRESET, not an orderly end."""
    transport: asyncio.Transport = scope["extensions"][_TRANSPORT]["it"]
    connection = transport.get_extra_info("socket")
    if connection is not None:
        linger_at_once = struct.pack("ii", 1, 0)
        with suppress(OSError, ValueError):  # the client is already gone, perhaps its socket, too
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_at_once)
    transport.abort()
