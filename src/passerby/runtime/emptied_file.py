"""Keeps the process alive if somebody empties a file that it has mapped, for example with `: > passerby.flight`.

Memory that is mapped from a file has nothing behind it then, so the kernel sends SIGBUS to the thread that touches it,
and that ends the process. We fill the file again instead, and the thread repeats what it did. Any other SIGBUS ends the
process as before.

Python's own handlers cannot do that: they run when the interrupted code has returned, and this code never does. So the
handler is a C function that `ctypes` makes. Python code may run in it, because only code that holds the interpreter
touches this memory.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

MOST_UNEXPLAINED: Final = 3
"""After so many signals in a row for which no file was too short, the next one ends the process. More than one, because
two threads may touch the same memory."""

_contents: dict[int, Callable[[], bytes]] = {}
"""By open file: what to fill it with."""

_unexplained = 0
_set_handler: Any = None
_handler: Any = None
_former: Any = None
"""The C function that `signal` returned; it belongs to whatever handled SIGBUS before us."""


def keep_filled(file: int, content: Callable[[], bytes]) -> None:
    """From now on, fill this open file if it is shorter than `content` says and its memory is touched.

    Does nothing on systems on which that is impossible.
    """
    _contents[file] = content
    if _handler is None:
        with suppress(ImportError, OSError, AttributeError):
            _install()


def let_go(file: int) -> None:
    """The file is about to be closed."""
    _contents.pop(file, None)
    if not _contents:
        _uninstall()


def _install() -> None:
    global _former, _handler, _set_handler, _unexplained  # noqa: PLW0603  # a process has one handler of a signal
    import ctypes  # a Python may lack it

    _set_handler = ctypes.CDLL(None).signal
    _set_handler.argtypes, _set_handler.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    _handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(_fill)
    _unexplained = 0
    _former = _set_handler(signal.SIGBUS, ctypes.cast(_handler, ctypes.c_void_p))


def _uninstall() -> None:
    global _handler  # noqa: PLW0603  # as above
    if _handler is not None:
        _set_handler(signal.SIGBUS, _former)
        _handler = None


def _fill(_signal: int) -> None:
    global _unexplained  # noqa: PLW0603  # as above
    is_filled = False
    for file, content in list(_contents.items()):
        wanted = content()
        with suppress(OSError):
            if os.fstat(file).st_size < len(wanted):
                is_filled |= os.pwrite(file, wanted, 0) == len(wanted)
    _unexplained = 0 if is_filled else _unexplained + 1
    if _unexplained > MOST_UNEXPLAINED:
        _set_handler(signal.SIGBUS, _former)
