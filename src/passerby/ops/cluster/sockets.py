"""Sends requests to our processes over their Unix sockets in the run directory. `web.pages` answers them."""

import http.client
import json
import socket
import struct
from pathlib import Path
from typing import Any, Final

from passerby.ops.cluster.configuration import CONTROL

PATIENCE_S: Final = 3.5
"""A process asks its stores before it answers, and waits up to 2 s for each."""

_ANSWER_LIMIT: Final = 16 * 1024 * 1024


class Silent(Exception):
    """The process does not answer: it has not started yet, or it is gone, stopped or stuck."""


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def path_of(directory: Path, name: str) -> Path:
    return directory / f"{name}.sock"


def names(directory: Path) -> list[str]:
    """The processes that have, or had, a socket here, in the order of the numbers in their names."""
    found = (path.stem for path in directory.glob("*.sock") if path.name != CONTROL)
    return sorted(found, key=sort_key)


def sort_key(name: str) -> tuple[str, int, str]:
    """For sorting: web-2 comes before web-10."""
    stem, _, number = name.rpartition("-")
    return (stem, int(number), name) if number.isdigit() else (name, 0, name)


def ask(directory: Path, name: str, path: str, timeout_s: float = PATIENCE_S) -> tuple[int, bytes]:
    """GET `path`. Returns the status and the body. Raises: Silent."""
    connection = Connection(path_of(directory, name), timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(_ANSWER_LIMIT)
    except (OSError, http.client.HTTPException):
        raise Silent from None
    finally:
        connection.close()


def is_ready(directory: Path, name: str) -> bool:
    try:
        return ask(directory, name, "/readyz")[0] == http.client.OK
    except Silent:
        return False


def status(directory: Path, name: str) -> dict[str, Any]:
    """The process's own status. Raises: Silent, also if the answer makes no sense."""
    code, body = ask(directory, name, "/status")
    try:
        told = json.loads(body)
    except ValueError:
        raise Silent from None
    if code != http.client.OK or not isinstance(told, dict):
        raise Silent
    return told


def pid_behind(path: Path) -> int | None:
    """The process that listens there, according to the kernel. It may be stopped. None if no process listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PATIENCE_S)
        try:
            probe.connect(str(path))
            told = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except (OSError, AttributeError):
            return None
    pid: int = struct.unpack("3i", told)[0]
    return pid or None
