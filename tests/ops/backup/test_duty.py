"""When a backup or a restore test is due, and that a worker really makes them."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from passerby.bootstrap.clock import SystemClock
from passerby.ops.backup.directory import Directory, DirectoryState, Verified
from passerby.ops.backup.duty import BackupDuty, scheduled_before
from passerby.ops.backup.sealed import MAGIC
from passerby.settings import Settings
from tests.ops.backup.test_backups import fill

NIGHT = datetime(2026, 5, 4, 3, 30, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86_400.0


class StandingClock:
    """Stands at `at`."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, delay_s: float) -> None:
        raise AssertionError("nobody sleeps here")


def test_the_daily_backup_is_due_at_its_time_and_is_made_up_for_if_it_was_missed(on_a_file: Settings) -> None:
    directory = Directory(on_a_file.backup_dir or Path())
    directory.path.mkdir()

    def due(now: float) -> list[str]:
        return BackupDuty(on_a_file, StandingClock(now)).due()

    assert due(NIGHT) == ["run", "verify"]
    directory.new_path(NIGHT).write_bytes(MAGIC)
    directory.put_state(DirectoryState(Verified("b", NIGHT, [])))
    assert due(NIGHT + 23 * HOUR) == []
    assert due(NIGHT + DAY) == ["run"]
    assert due(NIGHT + 5 * DAY) == ["run"]
    directory.new_path(NIGHT + 5 * DAY + 9 * HOUR).write_bytes(MAGIC)
    assert due(NIGHT + 5 * DAY + 10 * HOUR) == []
    assert due(NIGHT + 6 * DAY) == ["run"]
    directory.new_path(NIGHT + 7 * DAY).write_bytes(MAGIC)
    assert due(NIGHT + 7 * DAY) == ["verify"]


def test_a_file_from_the_future_does_not_put_the_daily_backup_off(on_a_file: Settings) -> None:
    directory = Directory(on_a_file.backup_dir or Path())
    directory.path.mkdir()
    directory.new_path(NIGHT + 9_000 * DAY).write_bytes(MAGIC)
    assert "run" in BackupDuty(on_a_file, StandingClock(NIGHT)).due()


def test_after_a_failed_restore_test_the_next_backup_is_tested_at_once(on_a_file: Settings) -> None:
    directory = Directory(on_a_file.backup_dir or Path())
    directory.path.mkdir()
    directory.new_path(NIGHT).write_bytes(MAGIC)
    directory.put_state(DirectoryState(Verified(directory.new_path(NIGHT).name, NIGHT, ["it is damaged"])))
    assert BackupDuty(on_a_file, StandingClock(NIGHT + HOUR)).due() == []
    assert BackupDuty(on_a_file, StandingClock(NIGHT + DAY)).due() == ["run", "verify"]
    directory.new_path(NIGHT + 2 * HOUR).write_bytes(MAGIC)
    assert BackupDuty(on_a_file, StandingClock(NIGHT + 3 * HOUR)).due() == ["verify"]


def test_the_time_of_the_daily_backup_is_the_last_one_that_has_passed() -> None:
    assert scheduled_before(NIGHT, "03:30") == NIGHT
    assert scheduled_before(NIGHT - 1, "03:30") == NIGHT - DAY
    assert scheduled_before(NIGHT + 20 * HOUR, "23:00") == NIGHT + 19.5 * HOUR


def test_a_worker_makes_a_backup_and_restores_it_for_a_test(
    on_a_file: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("SQLITE_DB_PATH", str(on_a_file.sqlite_db_path))
    monkeypatch.setenv("BACKUP_DIR", str(on_a_file.backup_dir))
    monkeypatch.chdir(on_a_file.sqlite_db_path.parent)
    directory = Directory(on_a_file.backup_dir or Path())

    async def work() -> Verified:
        await fill(on_a_file, range(1, 4))
        doing = asyncio.ensure_future(BackupDuty(on_a_file, SystemClock()).run())
        try:
            async with asyncio.timeout(100):
                while (found := directory.state().verified) is None:
                    assert not doing.done()
                    await asyncio.sleep(0.05)
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
        return found

    assert asyncio.run(work()).problems == []
    assert len(directory.backups()) == 1


def test_a_backup_that_fails_is_tried_again_an_hour_later(on_a_file: Settings) -> None:
    clock = StandingClock(NIGHT)
    duty = BackupDuty(on_a_file, clock, (os.path.realpath("/bin/false"),))
    asyncio.run(duty._do("run"))
    assert "run" not in duty.due()
    clock.at += HOUR
    assert "run" in duty.due()
