"""Supervisor's control interface, as far as we use it: list, start and stop processes."""

import xmlrpc.client
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from passerby.ops.cluster import sockets
from passerby.ops.cluster.configuration import CONTROL, GROUP, PID_FILE

_PATIENCE_S: Final = 10.0
_STOPPING_S: Final = 400.0
"""Longer than the longest SHUTDOWN_TIMEOUT_S. After that, supervisor kills."""

ALIVE: Final = ("STARTING", "RUNNING")


class NoCluster(Exception):
    """No cluster is running in this run directory."""


class ClusterFault(Exception):
    """A command failed. The text is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A process as supervisor sees it. `state` is supervisor's word for it. `up_s`: seconds since it started.

    `pid` 0: it is not running. `rests_s`: it was given up, and is tried again after this many seconds.
    """

    name: str
    state: str
    pid: int
    up_s: float
    restarts: int
    crashes: int
    refusals: int
    rests_s: int
    log: Path

    @property
    def ends(self) -> int:
        """How often it has ended unexpectedly: crashes and refusals."""
        return self.crashes + self.refusals


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._path = path
        self._timeout_s = timeout_s

    def make_connection(self, host: Any) -> Any:
        connection = sockets.Connection(self._path, self._timeout_s)
        self._connection = host, connection  # the proxy closes this connection when it is closed
        return connection


class Cluster:
    """The cluster of a run directory. All methods except `exists` and `pid` raise NoCluster if there is none."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def exists(self) -> bool:
        """Whether supervisor is running here and answers."""
        try:
            self._call("supervisor.getState")
        except NoCluster:
            return False
        return True

    def pid(self) -> int | None:
        """Supervisor's process id, even if it is stuck. None if it is not running."""
        if sockets.pid_behind(self.directory / CONTROL) is None:
            return None
        # The kernel reports the process that listened first, but supervisor has forked since.
        try:
            return int(self._call("supervisor.getPID"))
        except NoCluster:
            return self.silent_pid()

    def silent_pid(self) -> int | None:
        """Supervisor's process id, without asking it."""
        if sockets.pid_behind(self.directory / CONTROL) is None:
            return None
        try:
            return int((self.directory / PID_FILE).read_text("ascii"))
        except (OSError, ValueError):
            return None

    def processes(self) -> list[Kept]:
        """All processes, in the order of the numbers in their names."""
        told = self._call("supervisor.getAllProcessInfo")
        runs = {run["name"]: run for run in self._call("passerby.runs")}
        kept = [_kept(process, runs.get(process["name"], {})) for process in told]
        return sorted(kept, key=lambda one: sockets.sort_key(one.name))

    def process(self, name: str) -> Kept:
        return next(one for one in self.processes() if one.name == name)

    def stop(self, name: str) -> None:
        """Stop a process and wait for its end."""
        if self.process(name).state in ALIVE:
            self._call("supervisor.stopProcess", f"{GROUP}:{name}", True, timeout_s=_STOPPING_S)

    def start(self, name: str) -> None:
        """Start a process. Returns at once; whether it can work shows later."""
        if self.process(name).state not in ALIVE:
            self._call("supervisor.startProcess", f"{GROUP}:{name}", False)

    def end(self) -> None:
        """Tell supervisor to end all processes, then itself. Returns at once."""
        self._call("supervisor.shutdown")

    def _call(self, method: str, *arguments: Any, timeout_s: float | None = None) -> Any:
        transport = _Transport(self.directory / CONTROL, timeout_s or _PATIENCE_S)
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
            try:
                return getattr(proxy, method)(*arguments)
            except xmlrpc.client.Fault as fault:
                raise ClusterFault(f"supervisor refuses {method}: {fault.faultString}") from None
            except (OSError, HTTPException, xmlrpc.client.Error):
                raise NoCluster from None


def _kept(told: dict[str, Any], run: dict[str, Any]) -> Kept:
    state = str(told["statename"])
    return Kept(
        name=told["name"],
        state=state,
        pid=told["pid"],
        up_s=float(max(0, told["now"] - told["start"])) if told["pid"] else 0.0,
        restarts=run.get("restarts", 0),
        crashes=run.get("crashes", 0),
        refusals=run.get("refusals", 0),
        rests_s=run.get("rests_s", 0) if state == "FATAL" else 0,
        log=Path(told["stdout_logfile"]),
    )
