"""Alerts about backups: real ones that get old, and a new one that ends the alert."""

import asyncio
from pathlib import Path

from passerby.domain.alerts import rules
from passerby.ops.backup.duty import BackupDuty
from passerby.ops.backup.taking import take
from passerby.ops.backup.verifying import verify
from passerby.settings import Settings
from tests.contract.records_places import make_tables
from tests.runtime.alerting.stage import clean_metrics
from tests.runtime.alerting.test_server_causes import Fleet

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


def test_a_backup_that_nobody_repeats_or_tests_is_an_alert_until_somebody_does(tmp_path: Path) -> None:
    settings = Settings(
        bot_tokens="123456789:" + "x" * 35, sqlite_db_path=tmp_path / "passerby.db", backup_dir=tmp_path / "backups"
    )

    async def main() -> None:
        await make_tables(settings.sqlite_db_path)
        fleet = Fleet()
        duty = BackupDuty(settings, fleet.clock)
        await take(settings, fleet.clock.now)
        await verify(settings, None, fleet.clock.now)
        _measured(duty)
        fleet.clock.offset_s += 25 * HOUR_S
        await fleet.passes(10)
        assert not fleet.fires(rules.BACKUP_OLD)
        fleet.clock.offset_s += 2 * HOUR_S
        await fleet.passes(10)
        assert fleet.fires(rules.BACKUP_OLD)
        assert not fleet.fires(rules.RESTORE_TEST_OLD)
        fleet.clock.offset_s += 7 * DAY_S
        await fleet.passes(10)
        assert fleet.fires(rules.RESTORE_TEST_OLD)
        await take(settings, fleet.clock.now)
        await verify(settings, None, fleet.clock.now)
        _measured(duty)
        await fleet.passes(80)
        assert not fleet.fires(rules.BACKUP_OLD)
        assert not fleet.fires(rules.RESTORE_TEST_OLD)

    with clean_metrics():
        asyncio.run(main())


def test_backups_that_are_wanted_and_never_made_are_an_alert_also_over_restarts(tmp_path: Path) -> None:
    settings = Settings(
        bot_tokens="123456789:" + "x" * 35, sqlite_db_path=tmp_path / "passerby.db", backup_dir=tmp_path / "backups"
    )

    async def main() -> None:
        await make_tables(settings.sqlite_db_path)
        fleet = Fleet()
        _measured(BackupDuty(settings, fleet.clock))
        fleet.clock.offset_s += 25 * HOUR_S
        _measured(BackupDuty(settings, fleet.clock))
        await fleet.passes(10)
        assert not fleet.fires(rules.BACKUP_OLD)
        fleet.clock.offset_s += 2 * HOUR_S
        duty = BackupDuty(settings, fleet.clock)
        _measured(duty)
        await fleet.passes(10)
        assert fleet.fires(rules.BACKUP_OLD)
        await take(settings, fleet.clock.now)
        _measured(duty)
        await fleet.passes(80)
        assert not fleet.fires(rules.BACKUP_OLD)
        fleet.clock.offset_s += 8 * DAY_S
        await take(settings, fleet.clock.now)
        _measured(BackupDuty(settings, fleet.clock))
        await fleet.passes(10)
        assert fleet.fires(rules.RESTORE_TEST_OLD)

    with clean_metrics():
        asyncio.run(main())


def test_a_backup_that_cannot_be_restored_is_an_alert_until_another_one_can(tmp_path: Path) -> None:
    settings = Settings(
        bot_tokens="123456789:" + "x" * 35, sqlite_db_path=tmp_path / "passerby.db", backup_dir=tmp_path / "backups"
    )

    async def main() -> None:
        await make_tables(settings.sqlite_db_path)
        fleet = Fleet()
        path = (await take(settings, fleet.clock.now)).path
        await verify(settings, None, fleet.clock.now)
        _measured(BackupDuty(settings, fleet.clock))
        await fleet.passes(10)
        assert not fleet.fires(rules.RESTORE_TEST_FAILED)
        damaged = bytearray(path.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        path.write_bytes(damaged)
        await verify(settings, None, fleet.clock.now)
        _measured(BackupDuty(settings, fleet.clock))
        await fleet.passes(10)
        assert fleet.fires(rules.RESTORE_TEST_FAILED)
        fleet.clock.offset_s += DAY_S
        await take(settings, fleet.clock.now)
        await verify(settings, None, fleet.clock.now)
        _measured(BackupDuty(settings, fleet.clock))
        await fleet.passes(80)
        assert not fleet.fires(rules.RESTORE_TEST_FAILED)

    with clean_metrics():
        asyncio.run(main())


def _measured(duty: BackupDuty) -> None:
    duty._measure(duty._look())
