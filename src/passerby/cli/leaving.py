"""The end of a process, without the end of the interpreter.

Python takes itself apart at its end, while threads of native libraries (pyreqwest's among them) may still let go of
results of ours. Such a thread then finds no interpreter, and the process is aborted: exit code 134, of a command that
had done its work, about one time in four. By now everything of ours is closed in good order, so what is left is to say
what has been written, to do what was registered for the end, and to go.
"""

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn

UNWRITTEN = 120
"""What Python ends with when it cannot write the last of its output."""


def leave(code: int) -> NoReturn:
    """End the process with this code."""
    with suppress(Exception):
        atexit._run_exitfuncs()  # noqa: SLF001  # the public way leads through the interpreter's end
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            code = code or UNWRITTEN
    os._exit(code)
