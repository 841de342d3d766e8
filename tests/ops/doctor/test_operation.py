"""The doctor's findings about operation: alerts, the heartbeat, a reboot, the drill, logs, the backup directory."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from passerby.ops.cluster.drill import Drill, LastDrill, note_drill
from passerby.ops.doctor import backups, operation
from passerby.ops.doctor.finding import Finding
from passerby.settings import Settings

NOW = 1_800_000_000.0
TOKEN = SecretStr("123456789:" + "x" * 35)


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without units and containers."""
    monkeypatch.setattr(operation, "UNITS", tmp_path / "systemd")
    monkeypatch.setattr(operation, "CONTAINERS", (tmp_path / "dockerenv",))


def settings(directory: Path, **given: Any) -> Settings:
    run_dir = directory / "run"
    run_dir.mkdir(exist_ok=True)
    return Settings(
        **{"bot_tokens": (TOKEN,), "sqlite_db_path": directory / "passerby.db", "run_dir": run_dir, **given}
    )


def found(settled: Settings) -> dict[str, Finding]:
    async def all_of() -> dict[str, Finding]:
        return {each.check: each async for each in operation.checks(settled, lambda: NOW)}

    return asyncio.run(all_of())


def verdicts(settled: Settings) -> dict[str, str]:
    return {check: str(each.verdict) for check, each in found(settled).items()}


def test_alerts_that_reach_nobody_are_a_warning(tmp_path: Path) -> None:
    assert verdicts(settings(tmp_path))["alerts"] == "warn"
    webhook = {"alert_webhook_url": SecretStr("https://x/"), "alert_webhook_secret": SecretStr("y" * 32)}
    assert verdicts(settings(tmp_path, **webhook))["alerts"] == "ok"
    staffed = settings(tmp_path, staff_bot_token=SecretStr("987654321:" + "x" * 35))
    assert found(staffed)["alerts"].remedy == "send /alerts on to the staff bot"


def test_a_heartbeat_must_be_set_for_the_death_of_the_machine(tmp_path: Path) -> None:
    assert verdicts(settings(tmp_path))["heartbeat"] == "warn"
    assert verdicts(settings(tmp_path, heartbeat_url=SecretStr("https://x/")))["heartbeat"] == "ok"


def test_a_unit_that_is_enabled_or_a_container_starts_it_after_a_reboot(tmp_path: Path) -> None:
    settled = settings(tmp_path)
    assert verdicts(settled)["reboot"] == "warn"
    wants = tmp_path / "systemd" / "multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "passerby.service").touch()
    assert "try one" in found(settled)["reboot"].told
    (tmp_path / "run" / "supervisord.pid").write_text("1")  # the machine's first process
    assert "after the last one" in found(settled)["reboot"].told
    (tmp_path / "dockerenv").touch()
    assert "in a container" in found(settled)["reboot"].told


def test_a_failover_that_was_never_tried_or_long_ago_is_a_warning(tmp_path: Path) -> None:
    assert "failover" not in verdicts(settings(tmp_path))
    shared = settings(tmp_path).model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    assert verdicts(shared)["failover"] == "warn"
    for days, verdict in ((1, "ok"), (91, "warn")):
        note_drill(shared.run_path, LastDrill(NOW - days * 86_400, Drill("worker-1", 2, 7.1, 7.2)))
        assert verdicts(shared)["failover"] == verdict


def test_the_size_of_the_logs_is_told(tmp_path: Path) -> None:
    logs = settings(tmp_path).run_path / "logs"
    logs.mkdir()
    (logs / "worker-1.log").write_bytes(bytes(2_000_000))
    assert "1 file with 2.0 MB" in found(settings(tmp_path))["logs"].told


def test_a_backup_directory_that_cannot_be_used_or_shares_the_disk_is_named(tmp_path: Path) -> None:
    def place(path: Path, **given: Any) -> Finding:
        settled = settings(tmp_path, backup_dir=path, **given)
        return next(each for each in backups.checks(settled, time.time) if each.check == "backup directory")

    beside = place(tmp_path / "backups")
    assert (beside.verdict, "on the disk of the database" in beside.told) == ("warn", True)
    assert place(tmp_path / "backups", backup_upload_command="cp {file} /elsewhere").verdict == "ok"
    (tmp_path / "closed").mkdir(mode=0o500)
    if os.geteuid():
        assert "cannot be made in" in place(tmp_path / "closed" / "backups").told
        assert "is not writable" in place(tmp_path / "closed").told
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    assert "others may look into" in place(tmp_path / "open").told
    both = list(backups.checks(settings(tmp_path, backup_dir=tmp_path / "open"), time.time))
    told = [each.told for each in both if each.check == "backup directory"]
    assert len(told) == 2, "one warning hides no other"
    assert "on the disk of the database" in told[1]
