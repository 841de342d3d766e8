"""HTTP servers in the event loop that is already running: on a Unix socket, or on a port.

uvicorn does not handle signals or write logs here, because the program does. It sends no headers about itself.
"""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn._types import ASGIApplication

from passerby.web.connection_limits import BoundedProtocol

_BACKLOG = 2048
_KEEP_ALIVE_S = 75
"""Longer than nginx keeps an idle connection to us (60 s). If the server closed first, a request could get lost."""

_MOST_AT_ONCE = 10_000
_FOR_OPERATORS = 100
"""The most connections to the pages. They come from a few people, a probe and a metrics collector."""
_LAST_ANSWERS_S = 2
_NEXT_PORTS = 64


class CannotListen(Exception):
    """The text says why, as a part of a sentence for the operator. It does not contain the address."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Listener:
    """A running server. `address`: host:port, or the name of the socket's file. `most`: connections at a time."""

    def __init__(
        self, app: Any, listening: socket.socket, address: str, file: "_File | None" = None, most: int = _FOR_OPERATORS
    ) -> None:
        self.address = address
        self._file = file
        self._socket = listening
        application: ASGIApplication = app
        self._server = _Server(
            uvicorn.Config(
                application,
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
                limit_concurrency=most + 1,
                backlog=_BACKLOG,
            )
        )
        self._serving = asyncio.ensure_future(self._server.serve(sockets=[listening]))

    @property
    def port(self) -> int:
        """0 for a Unix socket."""
        name = self._socket.getsockname()
        return int(name[1]) if isinstance(name, tuple) else 0

    def refuse(self) -> None:
        """Accept no new connections. Open connections continue."""
        for server in getattr(self._server, "servers", ()):  # there are none before uvicorn has started
            server.close()
        self._socket.close()

    async def aclose(self) -> None:
        """Accept no new requests, answer the current ones within two seconds, and close all connections."""
        if self._file is not None:
            # First, so that no client finds a socket that is about to close.
            self._file.remove()
        self._server.should_exit = True
        await self._serving


class _File:
    """The file of a Unix socket. It is ours only until another process replaces it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = path.stat().st_ino

    def remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._number:
                self._path.unlink()


def listen_on_socket(app: Any, path: Path, most: int = _FOR_OPERATORS) -> Listener:
    """Listen on a Unix socket that only this user can reach. The socket of a dead process is replaced.

    Raises: CannotListen.
    """
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if _is_answered(path):
            raise CannotListen(f"another process answers at {path.name}")
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(str(path))
            path.chmod(0o600)
            _make_ready(listening)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        raise CannotListen(f"{path.name} cannot be made there ({error.strerror or error})") from None
    return Listener(app, listening, path.name, _File(path), most)


def listen_on_tcp(app: Any, host: str, port: int, *, shared: bool = False, or_next: bool = False) -> Listener:
    """Listen on a port; 0 means any free one.

    `shared`: several processes on this machine may listen there. The kernel spreads connections over them.
    `or_next`: if the port is taken, use one of the 63 after it.
    Raises: CannotListen.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise CannotListen("the address is not one of this machine") from None
    family, _, _, _, place = found[0]
    reason = ""
    for step in range(_NEXT_PORTS if or_next and port else 1):
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listening.bind((place[0], port + step, *place[2:]))
            _make_ready(listening)
        except (OSError, OverflowError) as error:
            listening.close()
            reason = str(getattr(error, "strerror", None) or "no such port")
            continue
        name = f"[{place[0]}]" if ":" in str(place[0]) else str(place[0])
        most = _most_at_once() if shared else _FOR_OPERATORS
        return Listener(app, listening, f"{name}:{listening.getsockname()[1]}", most=most)
    raise CannotListen(reason)


def _most_at_once() -> int:
    """Half of the files that this process may open. The other half is for the files that it opens itself."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST_AT_ONCE if allowed == resource.RLIM_INFINITY else min(_MOST_AT_ONCE, allowed // 2)


def _make_ready(listening: socket.socket) -> None:
    # From here on, clients can connect. They wait a moment until uvicorn has started.
    listening.listen(_BACKLOG)
    listening.setblocking(False)


def _is_answered(path: Path) -> bool:
    """Whether a running process listens on this socket. Raises: CannotListen, if the file is not a socket."""
    if not path.is_socket():
        if path.exists():
            raise CannotListen(f"there is a file named {path.name} already")
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
        knock.settimeout(1)
        try:
            knock.connect(str(path))
        except TimeoutError:
            return True
        except OSError:
            return False
    return True
