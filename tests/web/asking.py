"""Sends one HTTP request, byte by byte, so that malformed ones are possible, too."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    where: int | Path,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    announced: int | None = None,
) -> Answered:
    """`where` is a port on 127.0.0.1 or a Unix socket. `announced`: a Content-Length that differs from the body's."""
    if isinstance(where, Path):
        reader, writer = await asyncio.open_unix_connection(str(where))
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", where)
    try:
        length = len(body) if announced is None else announced
        told = {"host": "test", "connection": "close", "content-length": str(length), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        found = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(found.get("content-length", 0)) if method != "HEAD" else 0
        return Answered(int(first.split()[1]), found, await reader.readexactly(length))
    finally:
        writer.close()
