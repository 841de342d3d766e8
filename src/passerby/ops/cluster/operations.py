"""Operations on a whole cluster: start it, replace its processes one by one, end it.

Each takes `tell`, which gets a line for the person at the terminal after each step. An operator waits for these
commands, so they use real time.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from passerby.ops.cluster import sockets
from passerby.ops.cluster.configuration import CONTROL, GRACE_S, LOGS, PASSERBY, Program, configuration, write
from passerby.ops.cluster.control import Cluster, ClusterFault, Kept, NoCluster
from passerby.ops.cluster.installations import is_kept, serving

Tell = Callable[[str], None]

READY_S: Final = 60.0
"""How long a process may take from its start until it is ready."""

HOPELESS: Final = 3
"""After this many crashes of one process, while none is ready, there is no use in waiting."""

_ENDED: Final = "process.ended"
_STOPPED: Final = "runtime.stopped"
"""Events of a process's log."""

STARTING: Final = "cluster.lock"

_LOOK_S: Final = 0.1
_SUPERVISOR_S: Final = 60.0


def launch(
    directory: Path,
    programs: tuple[Program, ...],
    shutdown_s: float,
    *,
    foreground: bool,
    command: tuple[str, ...] = PASSERBY,
    style: str = "console",
) -> subprocess.Popen[bytes]:
    """Start supervisor, which starts the processes. Returns when it answers. In the background, it runs on after this
    command.

    The caller has checked that none is running here. Raises: ClusterFault, if supervisor does not start.
    """
    cluster = Cluster(directory)
    root = os.geteuid() == 0
    path = write(directory, configuration(programs, shutdown_s=shutdown_s, root=root, command=command, style=style))
    supervisor = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(path)]
    if foreground:
        supervisor.append("--nodaemon")
    complaints = directory / LOGS / "start.log"
    with complaints.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603  # our own interpreter
            supervisor, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    if not _within(_SUPERVISOR_S, lambda: cluster.exists() or (child.poll() or 0) != 0) or not cluster.exists():
        child.kill()
        child.wait()
        raise ClusterFault(f"supervisor does not start: {_why_not(complaints)}")
    return child


def _why_not(complaints: Path) -> str:
    """Supervisor's reason. Its last line only says where its help is."""
    try:
        lines = complaints.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    reason = next((line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")), None)
    if reason is not None and "path too long" in reason:
        return "the path of RUN_DIR is too long for the sockets in it; choose a shorter one"
    return reason or last_line(complaints) or "it gives no reason"


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold the lock for starting a cluster here. Raises: ClusterFault, if another command holds it."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (directory / STARTING).open("ab")
    except OSError as error:
        raise ClusterFault(f"{directory} cannot be made or written to ({error.strerror}); set RUN_DIR") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClusterFault("another `passerby cluster` is starting one here at this moment") from None
        yield


def refuse_second(directory: Path, bots: frozenset[int], api: str) -> None:
    """Changes nothing. Raises: ClusterFault, if these bots are served here already: by a cluster, by a process that no
    cluster started, or from another run directory of this machine."""
    cluster = Cluster(directory)
    if (pid := cluster.pid()) is not None:
        if cluster.exists():
            raise ClusterFault(f"a cluster runs here already (process {pid}); `passerby status` shows it")
        raise ClusterFault(f"a supervisor (process {pid}) is here and does not answer; `passerby stop` ends it")
    kept_by_others = [
        f"{name} (process {pid})" for name, pid in living(directory).items() if not is_kept(pid, directory)
    ]
    if kept_by_others:
        raise ClusterFault(
            f"{', '.join(kept_by_others)} runs here already, and no cluster started it; end it where it was started"
        )
    if beside := serving(bots, api, besides=directory):
        raise ClusterFault(
            f"these bots are served on this machine already: {', '.join(map(str, beside))}; "
            f"set RUN_DIR={beside[0].directory} to work with that one, or end it first"
        )


def living(directory: Path) -> dict[str, int]:
    """The ids of the processes that listen in this directory, by name."""
    pids = ((name, sockets.pid_behind(sockets.path_of(directory, name))) for name in sockets.names(directory))
    return {name: pid for name, pid in pids if pid is not None}


def orphans(directory: Path) -> dict[str, int]:
    """Processes whose supervisor is gone. They continue to work, but nothing restarts them."""
    if sockets.pid_behind(directory / CONTROL) is not None:
        return {}
    return {name: pid for name, pid in living(directory).items() if is_kept(pid, directory)}


def clear_orphans(directory: Path, shutdown_s: float, tell: Tell) -> None:
    """End the processes that a lost supervisor left behind: first by SIGTERM, then by SIGKILL."""
    found = orphans(directory)
    for name, pid in found.items():
        tell(f"{name} (process {pid}) was left behind by a supervisor that is gone: it is told to end.")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    if not _within(shutdown_s + GRACE_S, lambda: not any(map(_is_there, found.values()))):
        for pid in filter(_is_there, found.values()):
            os.kill(pid, signal.SIGKILL)
        _within(GRACE_S, lambda: not any(map(_is_there, found.values())))


def await_ready(cluster: Cluster, names: list[str], tell: Tell, ready_s: float = READY_S) -> None:
    """Return when all of them are ready.

    Raises: ClusterFault, if that takes longer than `ready_s`, or if they crash repeatedly. The text says why.
    """
    waiting = list(names)
    before = {one.name: one.ends for one in cluster.processes()}

    def look() -> bool:
        kept = {one.name: one for one in cluster.processes()}
        for name in list(waiting):
            if sockets.is_ready(cluster.directory, name):
                waiting.remove(name)
                tell(f"{name} is ready (process {kept[name].pid}).")
        return not waiting or all(_is_hopeless(kept[name], before[name]) for name in waiting)

    in_time = _within(ready_s, look)
    if waiting:
        kept = [one for one in cluster.processes() if one.name in waiting]
        why = "; ".join(f"{one.name} {_why(one)}" for one in kept)
        raise ClusterFault(why if in_time else f"not ready within {ready_s:g} s: {why}")


def reload(cluster: Cluster, tell: Tell, ready_s: float = READY_S) -> None:
    """Replace every process by a new one, which reads the settings again. Each is ready before the next is replaced.

    Raises: ClusterFault, if one does not get ready. The ones after it are not replaced.
    """
    for one in cluster.processes():
        cluster.stop(one.name)
        cluster.start(one.name)
        await_ready(cluster, [one.name], tell, ready_s)


def end(cluster: Cluster, shutdown_s: float, tell: Tell = lambda _: None) -> None:
    """End all processes and wait for their end. It works if supervisor is gone or stuck, too.

    Raises: NoCluster, if there is nothing to end; ClusterFault, if it does not end.
    """
    pid = cluster.pid()
    try:
        cluster.end()
    except NoCluster:
        if pid is not None:
            tell(f"supervisor (process {pid}) does not answer: it is killed.")
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _within(GRACE_S, lambda: not _is_there(pid))
        elif not orphans(cluster.directory):
            raise
        clear_orphans(cluster.directory, shutdown_s, tell)
        (cluster.directory / CONTROL).unlink(missing_ok=True)
        return
    # supervisor ends the processes at the same time, and kills the ones that take too long.
    if pid is not None and not _within(shutdown_s + 2 * GRACE_S, lambda: not _is_there(pid)):
        raise ClusterFault(f"supervisor (process {pid}) has not ended yet")
    (cluster.directory / CONTROL).unlink(missing_ok=True)


def last_line(log: Path) -> str:
    """The last line that says what a process does or what is wrong. Empty if it has said nothing since it ended last.

    That a process has ended with some code is no reason: the line before says why.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    told = [line.strip() for line in lines if line.strip() and _ENDED not in line]
    return told[-1] if told and _STOPPED not in told[-1] else ""


def _is_hopeless(one: Kept, ends_before: int) -> bool:
    return one.state == "FATAL" or one.ends - ends_before >= HOPELESS


def _why(one: Kept) -> str:
    if one.ends and one.state != "RUNNING":
        return f"ends at once: {last_line(one.log) or 'it says nothing'}"
    return f"waits ({last_line(one.log) or 'it says nothing'})"


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # The process has ended, but no one has read its exit code yet.
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] != "Z"
    return True


def _within(patience_s: float, done: Callable[[], bool]) -> bool:
    """Wait until `done` is true, for `patience_s` at most. Returns whether it is."""
    ends_at = time.monotonic() + patience_s  # noqa: TID251  # see above
    while not done():
        if time.monotonic() > ends_at:  # noqa: TID251
            return False
        time.sleep(_LOOK_S)
    return True
