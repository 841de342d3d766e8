"""A command ends with its own exit code, whatever the threads of libraries do at that moment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from passerby.cli.process_exit import UNWRITTEN
from tests.cli.command import PASSERBY, TOKEN, WAIT_S, passerby, running
from tests.size import size

STUBBORN = """
import sys
import threading, time
from passerby.cli import app as commands
from passerby.cli import main

def version():
    threading.Thread(target=time.sleep, args=(3600,)).start()
    {body}

known = commands.app.registered_commands
known[:] = [each for each in known if each.callback is not commands.version]
commands.app.command()(version)
sys.argv = ["passerby", "version"]
main()
"""


def test_a_thread_that_does_not_end_delays_no_command(tmp_path: Path) -> None:
    with running(tmp_path, PASSERBY[0], "-c", STUBBORN.format(body='print("said")')) as process:
        output, _ = process.communicate(timeout=WAIT_S)
    assert (process.returncode, output) == (0, "said\n")


@pytest.mark.parametrize(
    ("body", "code"),
    [("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit('a sentence')", 1), ("1 / 0", 1)],
    ids=["a code", "none", "a sentence", "a crash"],
)
def test_a_command_ends_with_its_own_exit_code(tmp_path: Path, body: str, code: int) -> None:
    with running(tmp_path, PASSERBY[0], "-c", STUBBORN.format(body=body)) as process:
        process.communicate(timeout=WAIT_S)
    assert process.returncode == code


def test_functions_registered_for_the_exit_are_called(tmp_path: Path) -> None:
    body = "import atexit; atexit.register(print, 'the end'); print('begun', end=' ')"
    with running(tmp_path, PASSERBY[0], "-c", STUBBORN.format(body=body)) as process:
        output, _ = process.communicate(timeout=WAIT_S)
    assert (process.returncode, output) == (0, "begun the end\n")


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_output_that_cannot_be_written_is_not_a_success(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PASSERBY, "version"], cwd=tmp_path, stdout=full, check=False, timeout=WAIT_S)
    assert done.returncode > 0


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_the_last_of_the_output_that_cannot_be_written_is_not_a_success_either(tmp_path: Path) -> None:
    """`print` succeeds. Its output is written when the process ends."""
    for code, ends_with in ((0, UNWRITTEN), (3, 3)):
        command = (PASSERBY[0], "-c", f"from passerby.cli.process_exit import leave; print('said'); leave({code})")
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(command, cwd=tmp_path, stdout=full, check=False, timeout=WAIT_S, env=environment)
        assert done.returncode == ends_with


@pytest.mark.sized
@pytest.mark.parametrize("arguments", [("doctor",), ("webhook", "info"), ("status",)])
def test_a_short_command_never_ends_by_a_signal(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """In the past, one `doctor` in four was aborted, because a native thread met an interpreter that was shutting
    down."""
    for _ in range(size(1, 6)):
        done = passerby(tmp_path, *arguments, BOT_TOKENS=TOKEN, BOT_API_URL="http://127.0.0.1:9")
        assert done.returncode == 1, done.stderr
