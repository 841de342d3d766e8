"""Runs the sandbox, which is a separate program: as a command, or as a child process next to Passerby."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path


def run_sandbox(arguments: Sequence[str]) -> int:
    """Run the sandbox in this process. Returns its exit code."""
    from botapi_sandbox.cli import main

    return main(list(arguments)) or 0


def start_sandbox(arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start the sandbox as a child in this process group. Its output goes to `log`.

    It ignores Ctrl-C and SIGTERM, which may reach the whole group at once, so that its clients can finish first. It
    ends when the pipe to it closes: by `end_sandbox`, or because this process has ended for any reason.
    """
    # A blocked signal stays blocked in the child, whatever handlers it sets.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603  # our own interpreter, our own module
                [sys.executable, "-m", "passerby.cli.sandbox", *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_sandbox(child: subprocess.Popen[bytes], patience_s: float = 5) -> None:
    """Ask it to end. Kill it if it does not end within `patience_s`."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # in this thread, which is enough to deliver it
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(run_sandbox(sys.argv[1:]))
