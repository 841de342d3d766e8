"""Starts Python commands from a process that has imported the product already.

A command of Passerby takes most of its CPU time to import its modules, and the tests start hundreds of commands. So one
*warm* process for each process of the test run imports them once. `start` is `subprocess.Popen`, but a Python command
(`python -c CODE`, `python -m MODULE`) is a fork of the warm process. It is our child, in its own directory, environment
and session, with its own streams, and it ends as a command does.

A test of what a start imports, of warnings or of the interpreter's end uses `subprocess`. So do systems without
`prctl`, and commands that need more than `start` knows.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import re
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from passerby.cli.lean_imports import lean_imports

ROOT = Path(__file__).resolve().parents[1]
MODULES = (
    "alembic.command",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "uvloop",
)
PACKAGES = ("botapi_sandbox", "passerby.cli", "passerby.bootstrap", "passerby.ops", "passerby.adapters")
"""Commands import these. A module that is not here is imported by each command that needs it."""
PROGRAMS = re.compile(r"__main__|\.migrations|cli\.(?:sandbox|exit_with_parent)$")
"""Modules that are run by their name, or are read by something else."""
_SUBREAPER = 36
"""Linux: PR_SET_CHILD_SUBREAPER."""
_MOST = 1 << 20
_IS_LINUX = sys.platform == "linux"


class Warm(subprocess.Popen[Any]):
    """A fork of the warm process. `subprocess` does everything but the start."""

    def __init__(self, command: list[str], *, start_new_session: bool = False, **how: Any) -> None:
        self._is_new_session = start_new_session
        super().__init__(command, **how)

    def _execute_child(self, args: Any, *rest: Any) -> None:
        _, _, _, _, cwd, env, _, _, _, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite = rest[:15]
        asked = {
            "command": [os.fspath(each) for each in args],
            "directory": os.fspath(cwd or Path.cwd()),
            "environment": dict(os.environ if env is None else env),
            "new_session": self._is_new_session,
            "mask": [int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        }
        streams = [own if given == -1 else given for own, given in enumerate((p2cread, c2pwrite, errwrite))]
        self.pid = _server().start(asked, streams)
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]


def start(command: Any, **how: Any) -> "subprocess.Popen[Any]":
    """`subprocess.Popen(command, **how)`, faster if the command is Python."""
    words = [os.fspath(each) for each in command]
    known = how.keys() <= {"cwd", "env", "stdin", "stdout", "stderr", "text", "start_new_session"}
    is_python = words[:1] == [sys.executable] and words[1:2] in (["-c"], ["-m"]) and len(words) > 2
    if not (_IS_LINUX and known and is_python) or os.environ.get("TEST_COLD"):
        return subprocess.Popen(words, **how)
    return Warm(words, **how)


def run(command: Any, *, capture_output: bool = False, **how: Any) -> "subprocess.CompletedProcess[Any]":
    """`subprocess.run(command, ...)`, faster if the command is Python."""
    given, timeout, check = how.pop("input", None), how.pop("timeout", None), how.pop("check", False)
    if capture_output:
        how |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if given is not None:
        how["stdin"] = subprocess.PIPE
    with start(command, **how) as process:
        try:
            out, err = process.communicate(given, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(command, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


class _Server:
    """The warm process, as the process of the test run has it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl

    def start(self, asked: dict[str, Any], streams: list[int]) -> int:
        """Return the pid of a new child of ours."""
        # The child's first parent ends at once. Linux gives the child to us only while we ask for such children.
        with self._lock:
            self._prctl(_SUBREAPER, 1, 0, 0, 0)
            try:
                socket.send_fds(self._line, [json.dumps(asked).encode()], streams)
                pid = int(self._line.recv(100) or b"0")
            finally:
                self._prctl(_SUBREAPER, 0, 0, 0, 0)
        assert pid, "the warm process has ended"
        return pid

    def end(self) -> None:
        self._line.close()
        self._process.wait()


_started: _Server | None = None


def _server() -> _Server:
    global _started
    if _started is None or _started.owner != os.getpid():
        _started = _Server()
        atexit.register(_started.end)
    return _started


def _serve(line: socket.socket) -> None:
    """Fork for each request, until the process of the test run has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with lean_imports():
        for each in (*MODULES, *_within(PACKAGES)):
            with suppress(ImportError):  # it needs what may be missing here, or what `lean_imports` hides
                importlib.import_module(each)
    gc.freeze()
    while True:
        words, streams, _, _ = socket.recv_fds(line, _MOST, 3)
        if not words:
            return
        told, tell = os.pipe()
        gone, go = os.pipe()
        first = os.fork()
        if not first:
            child = os.fork()
            if child:
                os.write(tell, str(child).encode())
                os._exit(0)
            os.close(go)
            os.read(gone, 1)  # its parent is the process of the test run by now
            _become(json.loads(words), streams)
        for each in (tell, gone, *streams):
            os.close(each)
        os.waitpid(first, 0)
        os.close(go)
        line.send(os.read(told, 100))
        os.close(told)


def _within(packages: Iterable[str]) -> Iterator[str]:
    for package in packages:
        found = importlib.import_module(package)
        for _, name, _ in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not PROGRAMS.search(name):
                yield name


def _become(asked: dict[str, Any], streams: list[int]) -> NoReturn:
    """Be a new process that runs the command."""
    code = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 256)
        if asked["new_session"]:
            os.setsid()
        os.chdir(asked["directory"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        time.tzset()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, asked["mask"])
        _open_streams()
        code = _call(asked["command"])
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    except BaseException:  # noqa: BLE001  # nothing of the warm process's own must run in its fork
        traceback.print_exc()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code)


def _open_streams() -> None:
    """As Python does at its start. Those of the warm process know whether their old files could be read at random."""
    at_once = "PYTHONUNBUFFERED" in os.environ
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        old = getattr(sys, name)
        buffering = 1 if name == "stderr" else -1
        new = open(number, mode, buffering, old.encoding, old.errors, closefd=False)  # noqa: SIM115
        if at_once and mode == "w":
            new.reconfigure(write_through=True)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def _call(command: list[str]) -> int:
    """Return the exit code that Python would use."""
    _, how, what, *arguments = command
    sys.path[0] = "" if how == "-c" else str(Path.cwd())
    sys.path += [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each not in sys.path]
    sys.argv = [how, *arguments]
    main = sys.modules["__main__"] = ModuleType("__main__")
    try:
        if how == "-c":
            exec(compile(what, "<string>", "exec"), main.__dict__)
        else:
            runpy.run_module(what, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        print(end.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 0


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
