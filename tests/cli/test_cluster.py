"""The cluster commands: what they plan and refuse, and the smallest cluster from its start to its end."""

import json
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from passerby.cli.cluster import WORKERS_BESIDE_WEBHOOKS, plan
from passerby.ops.cluster.control import Cluster, NoCluster
from passerby.ops.cluster.overview import ProcessRow, glance, overview
from passerby.settings import Settings, WrongSetting
from tests.cli.command import TOKEN, passerby

NOWHERE = "http://127.0.0.1:1"
SHARED = {"redis_url": SecretStr("redis://localhost/0"), "postgres_uri": SecretStr("postgresql://localhost/passerby")}
FOUR = tuple(SecretStr(f"{number}:" + "x" * 35) for number in range(100001, 100005))


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short path, for sockets. Processes that still run there afterwards are killed."""
    directory = Path(tempfile.mkdtemp(prefix="psr-"))
    yield directory
    cluster = Cluster(directory / "run")
    try:
        pids = [cluster.pid(), *(one.pid for one in cluster.processes())]
    except NoCluster:
        pids = []
    for pid in filter(None, pids):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize(
    ("workers", "cores", "count"), [(None, 2, 2), (None, 64, 4), (7, 2, 7)], ids=["cores", "bots", "as told"]
)
def test_a_cluster_has_a_worker_for_each_bot_but_not_more_than_cores(
    workers: int | None, cores: int, count: int
) -> None:
    names = [program.name for program in plan(Settings(bot_tokens=FOUR, **SHARED), workers, cores)]
    assert names == [f"worker-{number}" for number in range(1, count + 1)]


def test_with_webhooks_most_processes_receive_them() -> None:
    hooks = Settings(bot_tokens=FOUR, update_mode="webhook", webhook_url="https://chat.example.org", **SHARED)
    roles = [program.role for program in plan(hooks, 4, 8)]
    assert (roles.count("worker"), roles.count("web")) == (WORKERS_BESIDE_WEBHOOKS, 4)


def test_one_process_needs_no_redis_and_two_do(tmp_path: Path) -> None:
    embedded = Settings(bot_tokens=FOUR, sqlite_db_path=tmp_path / "passerby.db")
    assert [program.role for program in plan(embedded, None, 8)] == ["run"]
    assert [program.role for program in plan(embedded, 1, 8)] == ["run"]
    with pytest.raises(WrongSetting, match="REDIS_URL: 2 workers cannot share"):
        plan(embedded, 2, 8)


@pytest.mark.parametrize("command", ["worker", "web"])
def test_a_worker_without_redis_is_refused(tmp_path: Path, command: str) -> None:
    done = passerby(tmp_path, command, BOT_TOKENS=TOKEN)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("REDIS_URL: is not set: this process would be alone")


@pytest.mark.parametrize("command", ["reload", "stop", "logs"])
def test_commands_say_that_no_cluster_is_running(tmp_path: Path, command: str) -> None:
    done = passerby(tmp_path, command, BOT_TOKENS=TOKEN)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"No cluster runs in {tmp_path}/")
    assert done.stderr.count("\n") == 1


def test_stop_says_how_to_stop_a_process_that_no_cluster_keeps(place: Path) -> None:
    (place / "run").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "run" / "passerby.sock"))
        listener.listen()
        done = passerby(place, "stop", BOT_TOKENS=TOKEN, RUN_DIR=str(place / "run"))
    assert done.returncode == 2
    assert f"passerby (process {os.getpid()}) runs there" in done.stderr
    for how in ("Ctrl-C", "systemctl stop", f"kill {os.getpid()}"):
        assert how in done.stderr


def test_status_without_any_process_ends_with_code_1(tmp_path: Path) -> None:
    done = passerby(tmp_path, "status", "--json", BOT_TOKENS=TOKEN)
    assert done.returncode == 1
    assert json.loads(done.stdout)["faults"] == ["nothing runs here"]


def well(place: Path, *command: str, **given: str) -> str:
    """Ask until no fault is reported. A process on a busy machine may not answer in time. Returns what is said then."""
    while (done := passerby(place, *command, **given)).returncode != 0:
        time.sleep(0.2)
    return done.stdout


def test_a_cluster_of_one_process_survives_a_kill_is_reloaded_and_stopped(place: Path) -> None:
    # No other test may serve this bot at the same time, because a second installation would be noticed.
    token = f"{10_000_000 + os.getpid()}:{'x' * 35}"
    given = {"BOT_TOKENS": token, "BOT_API_URL": NOWHERE, "SHUTDOWN_TIMEOUT_S": "60"}

    def state() -> ProcessRow:
        """The process, once it answers that it is ready."""
        while True:
            (process,) = overview(None, glance(place / "run"), at=0, bots=(), pending={}, polls=False).processes
            if process.state == "ready":
                return process
            time.sleep(0.2)

    started = passerby(place, "cluster", **given)
    assert started.returncode == 0, started.stderr
    assert "passerby is ready" in started.stdout
    assert "The cluster runs: 1 process. " in started.stdout
    first = state()
    assert (first.name, first.state, first.restarts) == ("passerby", "ready", 0)

    again = passerby(place, "cluster", **given)
    assert (again.returncode, "a cluster runs here already" in again.stderr) == (1, True)
    assert (state().pid, state().restarts) == (first.pid, 0), "nothing was touched"

    other = place / "elsewhere"
    other.mkdir()
    where = f"set RUN_DIR={(place / 'run').resolve()}"
    for command, code in {"cluster": 1, "stop": 2, "status": 1, "logs": 2}.items():
        lost = passerby(other, command, **given)
        assert lost.returncode == code, command
        assert where in " ".join(f"{lost.stdout}{lost.stderr}".split()), command
    assert list(other.iterdir()) == [], "nothing was made"
    assert state().pid == first.pid

    os.kill(first.pid, signal.SIGKILL)
    while (second := state()).pid == first.pid:
        time.sleep(0.2)
    assert (second.restarts, second.crashes) == (1, 1)
    assert TOKEN.partition(":")[2] not in (place / "run" / "supervisord.conf").read_text()

    reloaded = passerby(place, "reload", **given)
    assert (reloaded.returncode, reloaded.stderr) == (0, "")
    assert state().pid not in (first.pid, second.pid)

    assert "runtime.ready" in passerby(place, "logs", "passerby", **given).stdout
    for command in ("status", "monit"):
        picture = well(place, command, **given)
        assert "passerby" in picture
    stopped = passerby(place, "stop", **given)
    assert (stopped.returncode, stopped.stdout) == (0, "Stopped.\n")
    assert not Cluster(place / "run").exists()


@pytest.mark.long
def test_a_cluster_that_lost_its_supervisor_is_reported_and_can_be_stopped(place: Path) -> None:
    token = f"{20_000_000 + os.getpid()}:{'x' * 35}"
    given = {"BOT_TOKENS": token, "BOT_API_URL": NOWHERE, "SHUTDOWN_TIMEOUT_S": "60"}
    assert passerby(place, "cluster", **given).returncode == 0
    well(place, "status", "--json", **given)
    supervisor = Cluster(place / "run").pid()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    while Cluster(place / "run").silent_pid() is not None:
        time.sleep(0.1)
    seen = passerby(place, "status", "--json", **given)
    assert seen.returncode == 1
    assert json.loads(seen.stdout)["faults"][0].startswith("supervisor is gone, and nobody keeps passerby: ")
    stopped = passerby(place, "stop", **given)
    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert "was left behind by a supervisor that is gone" in stopped.stdout
    assert stopped.stdout.endswith("Stopped.\n")
    assert passerby(place, "stop", **given).returncode == 2
