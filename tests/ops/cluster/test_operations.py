"""Real processes under a real supervisor: started, killed, replaced, ended."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from passerby.ops.cluster import control, operations, sockets
from passerby.ops.cluster.configuration import programs
from passerby.ops.cluster.control import Cluster, ClusterFault, NoCluster
from passerby.ops.cluster.overview import glance

PROGRAM = Path(__file__).with_name("program.py")
STOP_S = 5.0


class Kept:
    """A cluster of `program.py` processes in a run directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.cluster = Cluster(directory)
        self.said: list[str] = []

    def launch(self, workers: int) -> list[str]:
        names = programs(workers)
        operations.launch(
            self.directory, names, STOP_S, foreground=False, command=(sys.executable, str(PROGRAM), str(self.directory))
        ).wait()
        return [one.name for one in names]

    def start(self, workers: int) -> None:
        operations.await_ready(self.cluster, self.launch(workers), self.said.append)

    def pids(self) -> list[int]:
        return [one.pid for one in self.cluster.processes()]

    def runs(self, name: str) -> list[int]:
        return [int(line) for line in (self.directory / f"{name}.runs").read_text().splitlines()]

    def until(self, so: Callable[[], bool]) -> None:
        while not so():  # the time limit of the test ends the wait
            time.sleep(0.05)


@pytest.fixture
def kept(run_path: Path) -> Iterator[Kept]:
    kept = Kept(run_path)
    yield kept
    pid = kept.cluster.pid()
    if pid is not None:
        pids = [one for one in kept.pids() if one]
        for one in (pid, *pids):
            os.kill(one, signal.SIGKILL)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_cluster_starts_and_ends_cleanly(kept: Kept) -> None:
    kept.start(3)
    processes = kept.cluster.processes()
    assert [one.name for one in processes] == ["worker-1", "worker-2", "worker-3"]
    assert [(one.restarts, one.crashes, one.rests_s) for one in processes] == [(0, 0, 0)] * 3
    assert [kept.runs(one.name) for one in processes] == [[one.pid] for one in processes]
    assert [sockets.pid_behind(kept.directory / f"{one.name}.sock") for one in processes] == kept.pids()
    assert sorted(line.split(" (")[0] for line in kept.said) == [f"{one.name} is ready" for one in processes]
    operations.end(kept.cluster, STOP_S)
    assert all(map(is_gone, [one.pid for one in processes]))
    with pytest.raises(NoCluster):
        kept.cluster.processes()


def refused(directory: Path) -> str:
    with pytest.raises(ClusterFault) as caught:
        operations.refuse_second(directory, frozenset({1}), "http://127.0.0.1:1")
    return str(caught.value)


def test_a_second_cluster_in_the_same_place_is_refused(kept: Kept) -> None:
    kept.start(1)
    assert refused(kept.directory).startswith("a cluster runs here already")
    assert kept.runs("worker-1") == kept.pids()


def test_a_run_directory_with_too_long_a_path_is_named(kept: Kept) -> None:
    """Supervisor's last line only says where its help is."""
    deep = Kept(kept.directory / ("x" * 100))
    deep.directory.mkdir()
    with pytest.raises(ClusterFault, match=r"^supervisor does not start: the path of RUN_DIR is too long"):
        deep.launch(1)


def test_a_process_without_a_supervisor_is_not_touched(kept: Kept) -> None:
    """For example, a process under systemd with the same name as one of a cluster."""
    with subprocess.Popen([sys.executable, str(PROGRAM), str(kept.directory), "worker-1"]) as other:
        try:
            kept.until(lambda: sockets.is_ready(kept.directory, "worker-1"))
            assert refused(kept.directory).startswith(f"worker-1 (process {other.pid}) runs here already")
            operations.clear_orphans(kept.directory, STOP_S, kept.said.append)
            with pytest.raises(NoCluster):
                operations.end(kept.cluster, STOP_S, kept.said.append)
            assert (other.poll(), kept.said) == (None, [])
        finally:
            other.kill()


def test_one_of_two_starts_at_the_same_moment_is_refused(kept: Kept) -> None:
    with (
        operations.alone(kept.directory),
        pytest.raises(ClusterFault, match="is starting one here"),
        operations.alone(kept.directory),
    ):
        pass
    with operations.alone(kept.directory):
        pass


def test_stopping_a_cluster_with_a_killed_supervisor_ends_its_processes(kept: Kept) -> None:
    kept.start(2)
    pids, supervisor = kept.pids(), kept.cluster.pid()
    assert supervisor is not None
    assert glance(kept.directory).supervisor == ""
    os.kill(supervisor, signal.SIGKILL)
    kept.until(lambda: is_gone(supervisor))
    assert glance(kept.directory).supervisor.startswith("supervisor is gone, and nobody keeps worker-1, worker-2: ")
    kept.said.clear()
    operations.end(kept.cluster, STOP_S, kept.said.append)
    assert all(map(is_gone, pids))
    assert [line.split(" (")[0] for line in kept.said] == ["worker-1", "worker-2"]
    assert glance(kept.directory).supervisor == ""
    with pytest.raises(NoCluster):
        operations.end(kept.cluster, STOP_S, kept.said.append)


def test_a_supervisor_that_hangs_is_killed_with_its_processes(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.start(1)
    (pid,), supervisor = kept.pids(), kept.cluster.pid()
    monkeypatch.setattr(control, "_PATIENCE_S", 0.5)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGSTOP)
    assert glance(kept.directory).supervisor.startswith(f"supervisor (process {supervisor}) does not answer")
    assert "does not answer" in refused(kept.directory)
    operations.end(kept.cluster, STOP_S, kept.said.append)
    assert is_gone(supervisor)
    assert is_gone(pid)


def test_clusters_in_two_run_directories_do_not_affect_each_other(
    kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Kept(kept.directory / "b")
    other.directory.mkdir()
    kept.start(1)
    other.start(2)
    try:
        assert (len(kept.pids()), len(other.pids())) == (1, 2)
        operations.end(kept.cluster, STOP_S)
        assert not any(map(is_gone, other.pids()))
    finally:
        operations.end(other.cluster, STOP_S)


def test_a_killed_process_is_restarted_and_counted(kept: Kept) -> None:
    kept.start(2)
    first, second = kept.pids()
    os.kill(first, signal.SIGKILL)
    kept.until(lambda: kept.cluster.process("worker-1").pid not in (0, first))
    kept.until(lambda: kept.cluster.process("worker-1").crashes == 1)
    one, two = kept.cluster.processes()
    assert (one.restarts, one.crashes) == (1, 1)
    assert (two.pid, two.restarts, two.crashes) == (second, 0, 0)


def test_a_killed_process_has_its_end_in_its_log(kept: Kept) -> None:
    """The process cannot log it itself."""
    kept.start(1)
    (first,) = kept.pids()
    os.kill(first, signal.SIGKILL)
    end = re.compile(
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[error    \] process.ended +reason='killed by SIGKILL'$", re.MULTILINE
    )
    kept.until(lambda: end.search((kept.directory / "logs" / "worker-1.log").read_text()) is not None)


def test_a_worker_that_fails_is_reported_with_its_last_log_lines(kept: Kept) -> None:
    (kept.directory / "worker-1.exits").write_text("2")
    names = kept.launch(1)
    with pytest.raises(ClusterFault, match="worker-1 ends at once: worker-1 cannot work"):
        operations.await_ready(kept.cluster, names, kept.said.append)
    assert len(kept.runs("worker-1")) >= operations.HOPELESS
    assert kept.said == []


def test_a_worker_that_is_not_ready_in_time_is_reported(kept: Kept) -> None:
    (kept.directory / "worker-2.unready").touch()
    names = kept.launch(2)
    kept.until(lambda: sockets.is_ready(kept.directory, "worker-1"))
    kept.until((kept.directory / "worker-2.sock").exists)
    with pytest.raises(ClusterFault, match=r"^not ready within 1 s: worker-2 waits \(worker-2 begins\)$"):
        operations.await_ready(kept.cluster, names, kept.said.append, ready_s=1)


def test_a_reload_replaces_one_process_after_the_other(kept: Kept) -> None:
    kept.start(2)
    before = kept.pids()
    kept.said.clear()
    operations.reload(kept.cluster, kept.said.append)
    after = kept.pids()
    assert not set(before) & set(after)
    assert [line.split(" (")[0] for line in kept.said] == ["worker-1 is ready", "worker-2 is ready"]
    assert [(one.restarts, one.crashes) for one in kept.cluster.processes()] == [(0, 0), (0, 0)]


def test_a_reload_stops_at_the_first_process_that_does_not_get_ready(kept: Kept) -> None:
    kept.start(2)
    _, second = kept.pids()
    (kept.directory / "worker-1.unready").touch()
    with pytest.raises(ClusterFault, match="worker-1"):
        operations.reload(kept.cluster, kept.said.append, ready_s=0.5)
    assert kept.pids()[1] == second


def test_workers_of_a_killed_supervisor_run_on_until_the_next_start_ends_them(kept: Kept) -> None:
    kept.start(2)
    pids, supervisor = kept.pids(), kept.cluster.pid()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    kept.until(lambda: is_gone(supervisor))
    assert not any(map(is_gone, pids))
    assert not kept.cluster.exists()
    kept.said.clear()
    operations.clear_orphans(kept.directory, STOP_S, kept.said.append)
    assert all(map(is_gone, pids))
    assert len(kept.said) == 2
    kept.start(2)
    assert not set(pids) & set(kept.pids())


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], ""),
        (["SECRET_KEY: is not the key of this database"], "SECRET_KEY: is not the key of this database"),
        (
            ["POSTGRES_URI: refused", "04:20 [error] process.ended reason='it ended with code 2'", ""],
            "POSTGRES_URI: refused",
        ),
        (["it works", "04:20 [info] runtime.stopped reason='all done'"], ""),
        (["04:20 [info] runtime.stopped reason='all done'", "REDIS_URL: refused"], "REDIS_URL: refused"),
    ],
)
def test_the_reason_of_a_process_that_does_not_start_is_what_it_said_since_it_ended(
    lines: list[str], said: str, tmp_path: Path
) -> None:
    log = tmp_path / "worker-1.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    assert operations.last_line(log) == said
    assert operations.last_line(tmp_path / "none.log") == ""
