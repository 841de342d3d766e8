"""Whole load tests of a few seconds: with the product as it is, and with a planted bug."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis import Redis

from passerby.cli import loadtest
from passerby.cli.loadtest import Wishes
from passerby.loadtest.report import LoadReport
from passerby.loadtest.run import LoadPlan
from passerby.settings import WrongSetting
from simulated_people.habits import Habits
from tests import warm
from tests.cli.command import PASSERBY, environment, passerby, running
from tests.contract.servers import start_postgres, start_valkey
from tests.faults.product import ROOT, planted

HASTY = Habits(pause_s=1.0, willing_s=8.0, patience_s=20.0, blocks=0.15)
"""Much happens in a few seconds."""


def test_a_load_test_of_a_correct_product_reports_that_promises_were_kept(tmp_path: Path) -> None:
    command = [*PASSERBY, "loadtest", "--users", "24", "--seconds", "5", "--json", "--report", "page.html"]
    done = warm.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["promises"]["kept"] is True
    assert report["promises"]["sent"] == report["promises"]["delivered"] + report["promises"]["refused"] > 0
    assert report["latency"]["p50"] > 0
    assert {usage["name"] for usage in report["usage"]} == {"load test", "passerby", "sandbox"}
    assert "page.html" in done.stderr
    assert "All promises were kept" in (tmp_path / "page.html").read_text("utf-8")
    assert not list(tmp_path.glob("*.db"))


def play(tmp_path: Path, plan: LoadPlan, *command: str) -> LoadReport:
    wishes = Wishes(plan, None, (), None, 2, True, None, False, tmp_path, *([command] if command else []))
    outcome: list[LoadReport] = []

    async def main() -> None:
        await loadtest._loadtest(wishes, asyncio.Event(), outcome)

    asyncio.run(main())
    return outcome[0]


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes can import the bugs."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.mark.long
@pytest.mark.usefixtures("importable")
@pytest.mark.parametrize(
    ("bug", "found"), [("crossed_wires", "misrouted"), pytest.param("swallowed", "lost", marks=pytest.mark.long)]
)
def test_a_load_test_finds_a_planted_bug(bug: str, found: str, tmp_path: Path) -> None:
    report = play(tmp_path, LoadPlan(6, 1, users=24, habits=HASTY, quiet_s=3), *planted(bug))
    assert report.exit_code == 1
    assert getattr(report.promises, found) > 0
    assert report.promises.examples[found]


@pytest.mark.long
def test_a_load_test_with_kills_marks_them_and_the_product_survives(tmp_path: Path) -> None:
    report = play(tmp_path, LoadPlan(12, 2, users=20, chaos=True, habits=HASTY, quiet_s=40))
    assert report.kills
    assert all(0 < kill.at < report.seconds for kill in report.kills)
    assert report.promises.kept, report.promises.examples
    assert report.promises.delivered > 0


@pytest.mark.long
def test_ctrl_c_ends_a_load_test_early_with_a_report(tmp_path: Path) -> None:
    command = [*PASSERBY, "loadtest", "--users", "10", "--minutes", "30", "--report", "page.html"]
    with running(tmp_path, *command) as process:
        while not (tmp_path / "page.html").exists() and process.poll() is None:
            # The signal works from the first moment on. A second one would end it at once.
            pids = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and _is_sandbox(pid, process.pid)]  # noqa: PTH208
            if pids:
                os.killpg(process.pid, signal.SIGINT)
                break
        said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "was stopped early" in said
    assert (tmp_path / "page.html").exists()


def _is_sandbox(pid: str, parent: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
    return int(stat.rpartition(")")[2].split()[1]) == parent and "passerby.cli.exit_with_parent" in command


NOTHING: dict[str, Any] = {
    **dict.fromkeys(
        ("users", "dau", "compress", "minutes", "seconds", "workers", "bots", "sandbox", "report", "keep", "farm")
    ),
    "searching": False,
    "budgets": True,
    "chaos": False,
    "metrics": [],
    "seed": 0,
    "json": False,
}


@pytest.mark.parametrize(
    ("asked", "setting"),
    [
        ({"users": 10, "dau": 5}, "--dau"),
        ({"searching": True, "dau": 5}, "--dau"),
        ({"compress": 3.0}, "--compress"),
        ({"minutes": 1.0, "seconds": 10.0}, "--seconds"),
        ({"sandbox": "http://127.0.0.1:9", "chaos": True}, "--chaos"),
        ({"sandbox": "http://127.0.0.1:9", "budgets": False}, "--no-budgets"),
        ({"metrics": ["http://127.0.0.1:9/metrics"]}, "--metrics"),
        ({"farm": "no such style"}, "--farm"),
        ({"farm": "script", "dau": 5}, "--farm"),
        ({"farm": "script", "users": 10}, "--farm"),
    ],
)
def test_options_that_contradict_each_other_are_refused(asked: dict[str, Any], setting: str) -> None:
    with pytest.raises(WrongSetting) as refused:
        loadtest.wishes(**{**NOTHING, **asked})
    assert refused.value.setting == setting


@pytest.mark.parametrize(
    ("asked", "setting"),
    [
        ({"sandbox": "http://api.telegram.org"}, "--sandbox"),
        ({"sandbox": "https://api.telegram.org"}, "--sandbox"),
        ({"sandbox": "http://somebody:secret@127.0.0.1:9"}, "--sandbox"),
        ({"sandbox": "http://127.0.0.1:9"}, "--sandbox"),
        ({"workers": 2}, "REDIS_URL"),
    ],
)
def test_an_unusable_target_is_refused(
    asked: dict[str, Any], setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("REDIS_URL", "POSTGRES_URI"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(WrongSetting) as refused:
        asyncio.run(loadtest._loadtest(loadtest.wishes(**{**NOTHING, **asked}), asyncio.Event(), []))
    assert refused.value.setting == setting
    assert "secret" not in str(refused.value)


def test_a_wrong_argument_gives_one_line_and_exit_code_2_and_leaves_no_files(tmp_path: Path) -> None:
    for arguments in (("--dau", "50000000"), ("--report", "nowhere/x.html")):
        done = passerby(tmp_path, "loadtest", *arguments)
        assert done.returncode == 2
        assert done.stderr.startswith(f"{arguments[0]}: ")
        assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.services
def test_workers_of_a_load_test_get_their_own_stores_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_postgres("-c", "shared_preload_libraries=pg_stat_statements") as postgres, start_valkey() as valkey:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("POSTGRES_URI", postgres.uri)
        monkeypatch.setenv("REDIS_URL", valkey.url)
        with Redis.from_url(valkey.url) as redis:
            redis.config_set("slowlog-log-slower-than", 0)
            redis.set("somebody", "else's")
            plan = LoadPlan(6, 1, users=20, habits=HASTY)
            wishes = Wishes(plan, None, (), 2, 2, True, None, False, tmp_path)
            outcome: list[LoadReport] = []
            asyncio.run(loadtest._loadtest(wishes, asyncio.Event(), outcome))
            (report,) = outcome
            assert redis.keys() == [b"somebody"]
        databases = asyncio.run(_databases(postgres.uri))
    assert not [name for name in databases if "loadtest" in name]
    assert report.promises.kept, report.promises.examples
    assert {"worker-1", "worker-2"} <= {usage.name for usage in report.usage}
    assert any("INSERT INTO users" in each.text for each in report.stores.sql)
    assert report.stores.slowlog
    assert not any("somebody" in each.text for each in report.stores.slowlog)
    assert any(point.gauges.get("connections to the database") for point in report.points)


async def _databases(uri: str) -> list[str]:
    connection = await asyncpg.connect(uri)
    try:
        return [row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")]
    finally:
        await connection.close()
