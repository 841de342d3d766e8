"""What is done to a whole cluster: start it, replace its processes one after the other, end it.

Each takes `tell`, which gets a line for the person at the terminal whenever something is done. These are
commands of an operator, who waits for processes: here time is the real one.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from passerby.cluster import sockets
from passerby.cluster.configuration import CONTROL, GRACE_S, LOGS, PASSERBY, Program, configuration, write
from passerby.cluster.control import Cluster, ClusterFault, Kept

Tell = Callable[[str], None]

READY_S: Final = 60.0
"""How long a process may take from its start to being ready."""

HOPELESS: Final = 3
"""Crashes of one process, while none is ready, after which waiting for it has no sense."""

_LOOK_S: Final = 0.1
_SUPERVISOR_S: Final = 15.0


def launch(
    directory: Path,
    programs: tuple[Program, ...],
    shutdown_s: float,
    *,
    foreground: bool,
    command: tuple[str, ...] = PASSERBY,
) -> subprocess.Popen[bytes]:
    """Start supervisor, which starts everything else; return once it answers. In the background it is on its own.

    Raises: ClusterFault, if one runs here already or supervisor does not start.
    """
    cluster = Cluster(directory)
    if (pid := cluster.pid()) is not None:
        raise ClusterFault(f"a cluster runs here already (process {pid}); `passerby status` shows it")
    root = os.geteuid() == 0
    path = write(directory, configuration(programs, shutdown_s=shutdown_s, root=root, command=command))
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
        raise ClusterFault(f"supervisor does not start: {last_line(complaints) or 'it gives no reason'}")
    return child


def clear_orphans(directory: Path, shutdown_s: float, tell: Tell) -> None:
    """End processes that a supervisor which is gone has left behind: they go on working, but nobody keeps them.

    They are told to end, and killed when they do not.
    """
    names = [name for name in sockets.names(directory) if name.startswith(("worker-", "web-"))]
    found = {name: pid for name in names if (pid := sockets.pid_behind(sockets.path_of(directory, name))) is not None}
    for name, pid in found.items():
        tell(f"{name} (process {pid}) was left behind by a supervisor that is gone: it is told to end.")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    if not _within(shutdown_s + GRACE_S, lambda: not any(map(_is_there, found.values()))):
        for pid in filter(_is_there, found.values()):
            os.kill(pid, signal.SIGKILL)
        _within(GRACE_S, lambda: not any(map(_is_there, found.values())))


def await_ready(cluster: Cluster, names: list[str], tell: Tell, ready_s: float = READY_S) -> None:
    """Return once every one of them is ready.

    Raises: ClusterFault, if that takes longer than `ready_s`, or if they crash again and again; the text says why.
    """
    waiting = list(names)
    before = {one.name: one.crashes for one in cluster.processes()}

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
    """Replace every process by a new one that has read the settings anew, each ready before the next goes.

    Raises: ClusterFault, when one does not get ready; those after it are as they were.
    """
    for one in cluster.processes():
        cluster.stop(one.name)
        cluster.start(one.name)
        await_ready(cluster, [one.name], tell, ready_s)


def end(cluster: Cluster, shutdown_s: float) -> None:
    """End everything; return when it has ended. Raises: NoCluster; ClusterFault, if it does not."""
    pid = cluster.pid()
    cluster.end()
    # supervisor ends the processes side by side, and kills what takes longer.
    if pid is not None and not _within(shutdown_s + 2 * GRACE_S, lambda: not _is_there(pid)):
        raise ClusterFault(f"supervisor (process {pid}) has not ended yet")
    (cluster.directory / CONTROL).unlink(missing_ok=True)


def last_line(log: Path) -> str:
    """The last thing that a process said; empty if nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _is_hopeless(one: Kept, crashes_before: int) -> bool:
    return one.state == "FATAL" or one.crashes - crashes_before >= HOPELESS


def _why(one: Kept) -> str:
    if one.crashes and one.state != "RUNNING":
        return f"ends at once: {last_line(one.log) or 'it says nothing'}"
    return f"waits ({last_line(one.log) or 'it says nothing'})"


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended and that nobody has asked about yet.
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] != "Z"
    return True


def _within(patience_s: float, done: Callable[[], bool]) -> bool:
    """Look until it is so, for `patience_s` at most; whether it is."""
    ends_at = time.monotonic() + patience_s  # noqa: TID251  # see above
    while not done():
        if time.monotonic() > ends_at:  # noqa: TID251
            return False
        time.sleep(_LOOK_S)
    return True
