"""Finds the Passerby processes on this machine that this user may see, in any run directory.

Without it, `passerby status` in a shell without RUN_DIR would see nothing, and `passerby cluster` would start a second
cluster on the same bots. It reads from /proc which processes have Passerby in their command line and which sockets they
listen on, and asks each socket. It finds nothing on systems other than Linux.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from passerby.ops.cluster import sockets
from passerby.ops.cluster.configuration import CONTROL

_PROC: Final = Path("/proc")
_LISTENS: Final = "00010000"
"""The flag of listening sockets in /proc/net/unix. Source: linux/net.h, __SO_ACCEPTCON."""

_KEPT_BY: Final = b"SUPERVISOR_SERVER_URL=unix://"
"""The variable that supervisor sets in the environment of its processes."""


class Running(NamedTuple):
    """A process that serves bots: its socket's directory and its name there."""

    directory: Path
    name: str
    pid: int
    bots: frozenset[int]
    api: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid}) in {self.directory}"


def serving(bots: frozenset[int], api: str, *, besides: Path) -> list[Running]:
    """The processes on this machine that serve one of these bots, on that Bot API server, from another directory than
    `besides`.

    In the order of directories and names.
    """
    found = [one for one in running(Path(os.path.realpath(besides))) if one.api == api and one.bots & bots]
    return sorted(found, key=lambda one: (one.directory, sockets.sort_key(one.name)))


def running(besides: Path) -> Iterator[Running]:
    """All processes that answer from another directory. Each is asked once."""
    listening = _listening()
    for pid, inodes in _ours():
        for path in sorted({_at(pid, listening[inode]) for inode in inodes if inode in listening}):
            if path.parent.resolve() == besides:
                continue
            try:
                told = sockets.status(path.parent, path.stem)
            except sockets.Silent:
                continue
            serves: Any = told.get("serves")
            if isinstance(serves, dict):
                bots = frozenset(bot for bot in serves.get("bots", ()) if isinstance(bot, int))
                yield Running(path.parent, path.stem, pid, bots, str(serves.get("api", "")))


def is_kept(pid: int, directory: Path) -> bool:
    """Whether the supervisor of this run directory started the process, even if that supervisor is gone."""
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    given = [each.removeprefix(_KEPT_BY) for each in environment if each.startswith(_KEPT_BY)]
    return any(Path(os.fsdecode(path)).resolve() == (directory / CONTROL).resolve() for path in given)


def _listening() -> dict[str, Path]:
    """The listening sockets that may be of our processes, by inode."""
    found = {}
    try:
        lines = (_PROC / "net" / "unix").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return {}
    for line in lines[1:]:
        _, _, _, flags, _, _, inode, *path = line.split(maxsplit=7)
        if flags == _LISTENS and path and path[0].endswith(".sock") and Path(path[0]).name != CONTROL:
            found[inode] = Path(path[0])
    return found


def _ours() -> Iterator[tuple[int, list[str]]]:
    """The processes that this user may inspect, with their sockets' inodes."""
    for place in _PROC.glob("[0-9]*"):
        try:
            if b"passerby" not in (place / "cmdline").read_bytes():
                continue
            # A descriptor may be closed while we look.
            links = [str(each.readlink()) for each in (place / "fd").iterdir() if each.is_symlink()]
        except OSError:
            continue
        yield int(place.name), [link[len("socket:[") : -1] for link in links if link.startswith("socket:[")]


def _at(pid: int, path: Path) -> Path:
    """The absolute path. The kernel reports a socket's path as the process wrote it, perhaps relative to its
    directory."""
    try:
        return path if path.is_absolute() else (_PROC / str(pid) / "cwd").readlink() / path
    except OSError:
        return path
