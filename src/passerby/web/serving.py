"""HTTP servers in the event loop that is there already: on a Unix socket, or on an address of their own.

uvicorn without what belongs to the program that holds the loop: signals, logs, the headers that tell what it is.
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

from passerby.web.bounds import BoundedProtocol

_BACKLOG = 2048
_KEEP_ALIVE_S = 75
"""Longer than nginx keeps an idle connection to us (60 s): whoever closes first should not be the one that is asked."""

_MOST_AT_ONCE = 10_000
_FOR_OPERATORS = 100
"""Connections to the pages: a few people, a probe, and something that collects figures."""
_LAST_ANSWERS_S = 2
_NEXT_PORTS = 64


class CannotListen(Exception):
    """The text is a sentence part for the operator: why not, without the address."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Listener:
    """A server that is answering. `address`: host:port, or the name of the socket's file."""

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
                limit_concurrency=most,
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
        """Take no more connections; those that are open go on."""
        for server in getattr(self._server, "servers", ()):  # none before uvicorn has started
            server.close()
        self._socket.close()

    async def aclose(self) -> None:
        """Take no more requests, answer those in hand within two seconds, close every connection."""
        if self._file is not None:
            # First, so that nobody finds an endpoint that is being closed.
            self._file.remove()
        self._server.should_exit = True
        await self._serving


class _File:
    """The file of a Unix socket, which is ours only as long as nobody has put another in its place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = path.stat().st_ino

    def remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._number:
                self._path.unlink()


def listen_on_socket(app: Any, path: Path, most: int = _FOR_OPERATORS) -> Listener:
    """Answer on a Unix socket that only this user can reach; one that a dead process left there is taken over.

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
    """Answer on a port; 0 takes any free one.

    `shared`: several processes of this machine may listen there at once, and the kernel spreads connections over them.
    `or_next`: if the port is taken, one of the 63 after it will do.
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
    """Half of the files that this process may open: the other half is for what it opens itself."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST_AT_ONCE if allowed == resource.RLIM_INFINITY else min(_MOST_AT_ONCE, allowed // 2)


def _make_ready(listening: socket.socket) -> None:
    # Listening from here on: what connects before uvicorn has started waits a moment.
    listening.listen(_BACKLOG)
    listening.setblocking(False)


def _is_answered(path: Path) -> bool:
    """Whether a living process listens at this socket. Raises: CannotListen, if it is none."""
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
