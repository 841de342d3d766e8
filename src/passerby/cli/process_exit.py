"""Ends a process without shutting the interpreter down.

While Python shuts down, threads of native libraries (pyreqwest's, for example) may still release Python objects. Such a
thread finds no interpreter, and the process aborts: about one time in four, a command that had done its work ended with
exit code 134. Everything of ours is closed by then, so it is enough to flush the output, run the registered exit
functions, and end.
"""

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn

UNWRITTEN = 120
"""Python's exit code if it cannot write the last of its output."""


def leave(code: int) -> NoReturn:
    """End the process with this code."""
    with suppress(Exception):
        atexit._run_exitfuncs()  # noqa: SLF001  # the public function shuts the interpreter down
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            code = code or UNWRITTEN
    os._exit(code)
