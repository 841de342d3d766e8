"""Prints the end of the cluster's log files. With -f, it continues with new lines."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Final

_LOOK_S: Final = 0.25
_BLOCK: Final = 64 * 1024


def tail(path: Path, lines: int) -> list[str]:
    """The last `lines` of a file, or fewer if it has fewer. Empty if it does not exist."""
    found = b""
    try:
        with path.open("rb") as file:
            position = file.seek(0, os.SEEK_END)
            while position > 0 and found.count(b"\n") <= lines:
                start = max(0, position - _BLOCK)
                file.seek(start)
                found = file.read(position - start) + found
                position = start
    except FileNotFoundError:
        return []
    return found.decode("utf-8", "replace").splitlines()[-lines:] if lines else []


class Follower:
    """Reads the lines that are added to a file, even after a rotation. A new or shorter file is read from its start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._opened()
        self._rest = b""
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)

    def added(self) -> list[str]:
        """The complete lines that were added since the last call."""
        lines = self._read()
        if self._was_replaced():
            lines += self._read()  # lines that were written just before the rotation
            self.close()
            self._file, self._rest = self._opened(), b""
            lines += self._read()
        return lines

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO | None:
        try:
            return self._path.open("rb")
        except FileNotFoundError:
            return None

    def _was_replaced(self) -> bool:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        ours = os.fstat(self._file.fileno())
        return (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino) or now.st_size < self._file.tell()

    def _read(self) -> list[str]:
        if self._file is None:
            return []
        *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]


def show(files: dict[str, Path], lines: int, *, follow: bool, say: Callable[[str], None]) -> None:
    """Print the files. If there are several, each line begins with the name of its process. Ctrl-C ends `follow`."""
    width = max(map(len, files))

    def say_all(name: str, these: Iterable[str]) -> None:
        for line in these:
            say(line if len(files) == 1 else f"{name:<{width}} | {line}")

    followers = {name: Follower(path) for name, path in files.items()} if follow else {}
    for name, path in files.items():
        say_all(name, tail(path, lines))
    try:
        while followers:
            for name, follower in followers.items():
                say_all(name, follower.added())
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        return
    finally:
        for follower in followers.values():
            follower.close()
