"""Runs the command as a person would, with a separate directory and environment."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from passerby.settings import Settings
from tests import warm

PASSERBY = [sys.executable, "-c", "from passerby.cli import main; main()"]
TOKEN = "123456789:" + "x" * 35
WAIT_S = 300
"""For hangs only: on a busy machine a start may take a minute."""


def environment(**given: str) -> dict[str, str]:
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in ours} | {"PYTHONUNBUFFERED": "1"} | given


def passerby(directory: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    return warm.run(
        [*PASSERBY, *arguments],
        cwd=directory,
        env=environment(**given),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )


@contextmanager
def running(directory: Path, *command: str, **given: str) -> Iterator[subprocess.Popen[str]]:
    """A process in its own group. All output comes through `stdout`. The whole group is killed afterwards.

    A script of a test starts in a new interpreter."""
    start = warm.start if list(command[: len(PASSERBY)]) == PASSERBY else subprocess.Popen
    process = start(
        command,
        cwd=directory,
        env=environment(**given),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=WAIT_S)


def said(process: subprocess.Popen[str], sign: str) -> str:
    """Read until a line contains `sign`, and return the line. The time limit of the test ends the wait."""
    assert process.stdout is not None
    heard = []
    for line in process.stdout:
        heard.append(line)
        if sign in line:
            return line
    raise AssertionError(f"it ended without {sign!r}: {''.join(heard)}")


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C: the terminal signals the whole group."""
    os.killpg(process.pid, signal.SIGINT)
