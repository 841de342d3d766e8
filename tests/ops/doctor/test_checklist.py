"""The checklist for production: each of its lines names checks of the doctor, and each check can fail and can pass."""

import asyncio
import re
import resource
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr

from passerby.adapters.sql import SchemaState
from passerby.kernel.ids import BotId
from passerby.ops.backup.directory import Directory, DirectoryState, Verified
from passerby.ops.cluster.drill import Drill, LastDrill, note_drill
from passerby.ops.doctor import backups, database, machine, operation, polling, redis, telegram
from passerby.ops.doctor.finding import GIB, Finding, Verdict, skew
from passerby.ports.telegram import TokenRefused
from passerby.ports.webhook_api import WebhookState
from passerby.settings import Settings, open_backup_key
from tests.ops.backup.test_soundness import put
from tests.ops.doctor.test_servers import INFO, WELL

PAGE: Final = Path(__file__).parents[3] / "docs/how-to/laptop-to-production.md"
NO_CHECK: Final = {
    *("SECRET_KEY", "synchronous_commit", "noeviction", "appendfsync always", "maxmemory", "ALERT_WEBHOOK_URL"),
}
BOT: Final = "bot 123456789"
DAY_S: Final = 86_400.0

Found = Iterable[Finding]
Check = Callable[[Path, bool], Found]
"""(a directory, whether all is well) -> the findings."""


def lines() -> list[str]:
    return PAGE.read_text("utf-8").partition("## The checklist")[2].split("- [ ] ")[1:]


def named(line: str) -> set[str]:
    """The names in brackets, which are those of checks."""
    inside = re.findall(r"\(([^)]*`[^)]*)\)", line)
    return {name for each in inside for name in re.findall(r"`([^`]+)`", each)} - NO_CHECK


TOKENS: Final = tuple(SecretStr(f"{number}:" + "x" * 35) for number in (123456789, 987654321))


def settings(directory: Path, **given: Any) -> Settings:
    whole: dict[str, Any] = {
        "bot_tokens": TOKENS,
        "sqlite_db_path": directory / "passerby.db",
        "run_dir": directory / "run",
    }
    return Settings(**whole | given)


def on_servers(directory: Path, **given: Any) -> Settings:
    whole: dict[str, Any] = {
        "bot_tokens": TOKENS,
        "redis_url": SecretStr("redis://localhost/0"),
        "postgres_uri": SecretStr("postgresql://localhost/p"),
        "run_dir": directory / "run",
    }
    return Settings(**whole | given)


def collected(part: AsyncIterator[Finding]) -> list[Finding]:
    async def collect() -> list[Finding]:
        return [each async for each in part]

    return asyncio.run(collect())


def of_redis(config: dict[str, str], info: dict[str, str]) -> Check:
    """Redis with this configuration and these figures, if not all is well."""
    return lambda there, is_well: redis._judged(
        WELL if is_well else WELL | config, INFO if is_well else INFO | info, on_servers(there)
    )


def of_file(name: str, **given: Any) -> Check:
    """A file that others may read, if not all is well."""

    def check(there: Path, is_well: bool) -> Found:
        file = there / name
        file.write_text("A" * 43 + "=\n")
        file.chmod(0o600 if is_well else 0o644)
        return machine.checks(settings(there, **given))

    return check


def disk(there: Path, is_well: bool) -> Found:
    with pytest.MonkeyPatch.context() as patch:
        usage = shutil.disk_usage(there)
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=(6 if is_well else 4) * GIB))
        return list(machine.checks(settings(there)))


def open_files(there: Path, is_well: bool) -> Found:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resource, "getrlimit", lambda _: (65_536 if is_well else 1_024, 65_536))
        return list(machine.checks(settings(there)))


def logs(there: Path, is_well: bool) -> Found:
    place = there / "run" / "logs"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "worker-1.log").open("wb") as file:
        file.truncate((10 if is_well else 100) << 20)
    return collected(operation.checks(settings(there), time.time))


def backup(there: Path, is_well: bool) -> Found:
    """One backup, made two days ago if not all is well, and its restore test."""
    place = there / "backups"
    place.mkdir(mode=0o700, exist_ok=True)
    made_at = time.time() - (60.0 if is_well else 2 * DAY_S)
    for old in place.iterdir():
        old.unlink()
    file = place / time.strftime("passerby-%Y%m%dT%H%M%SZ.backup", time.gmtime(made_at))
    put(file, open_backup_key(settings(there), make=True))
    directory = Directory(place)
    tested = Verified(file.name, time.time() - (1 if is_well else 9) * DAY_S, [])
    directory.put_state(DirectoryState(verified=tested))
    return backups.checks(settings(there, backup_dir=place), time.time)


def backup_directory(there: Path, is_well: bool) -> Found:
    """The disk of the database, without a copy elsewhere, if not all is well."""
    command = {"backup_upload_command": "cp {file} /elsewhere"} if is_well else {}
    return backups.checks(settings(there, backup_dir=there / "backups", **command), time.time)


def reboot(there: Path, is_well: bool) -> Found:
    wants = there / "systemd" / "multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    if is_well:
        (wants / "passerby.service").touch()
    return collected(operation.checks(settings(there), time.time))


def failover(there: Path, is_well: bool) -> Found:
    settled = on_servers(there)
    settled.run_path.mkdir(exist_ok=True)
    if is_well:
        note_drill(settled.run_path, LastDrill(time.time() - DAY_S, Drill("worker-1", 2, 7.1, 7.2)))
    return collected(operation.checks(settled, time.time))


def alerts(there: Path, is_well: bool) -> Found:
    webhook = {"alert_webhook_url": SecretStr("https://x/"), "alert_webhook_secret": SecretStr("y" * 32)}
    return collected(operation.checks(settings(there, **webhook if is_well else {}), time.time))


def heartbeat(there: Path, is_well: bool) -> Found:
    given = {"heartbeat_url": SecretStr("https://x/")} if is_well else {}
    return collected(operation.checks(settings(there, **given), time.time))


CHECKS: Final[dict[str, Check]] = {
    "bots": lambda there, is_well: machine.checks(settings(there, **{} if is_well else {"bot_tokens": ()})),
    BOT: lambda there, is_well: [telegram.judged_name(BOT, "a_bot" if is_well else TokenRefused())],
    f"{BOT} updates": lambda there, is_well: telegram.webhook_findings(
        f"{BOT} updates", WebhookState(url="" if is_well else "https://x/"), settings(there), 0.0
    ),
    "polling": lambda there, is_well: polling.judged({BotId(123456789): polling.Polls(5.0 if is_well else 90.0)}),
    "key": lambda there, is_well: machine.checks(on_servers(there, **{"secret_key": KEY} if is_well else {})),
    "key file": of_file("passerby.key"),
    ".env": of_file(".env"),
    "postgresql version": lambda there, is_well: [database.judged_version("18.1" if is_well else "13.2")],
    "schema": lambda there, is_well: [
        database.judged_schema(settings(there), SchemaState("0001", "0001" if is_well else "0002"))
    ],
    "pools": lambda there, is_well: [database.judged_pools(on_servers(there), 1, 200 if is_well else 20, 3)],
    "postgresql sync": lambda there, is_well: [database.judged_sync("on", "on" if is_well else "off")],
    "redis version": of_redis({}, {"redis_version": "6.2.0"}),
    "redis policy": of_redis({"maxmemory-policy": "allkeys-lru"}, {}),
    "redis file": of_redis({"appendonly": "no"}, {}),
    "redis sync": of_redis({"appendfsync": "everysec"}, {}),
    "redis memory": of_redis({}, {"used_memory": str(9 * GIB), "maxmemory": str(10 * GIB)}),
    **{
        check: lambda there, is_well, check=check: [skew(check, 0.1 if is_well else 3.0)]  # type: ignore[misc]
        for check in ("redis clock", "postgresql clock", "bot api clock")
    },
    "disk": disk,
    "open files": open_files,
    "memory": lambda there, is_well: machine.checks(settings(there, max_memory_mb=512 if is_well else 128)),
    "logs": logs,
    "backup": backup,
    "backup directory": backup_directory,
    "restore test": backup,
    "alerts": alerts,
    "heartbeat": heartbeat,
    "reboot": reboot,
    "failover": failover,
}
KEY: Final = "A" * 43 + "="


@pytest.mark.parametrize("line", lines(), ids=lambda line: line[:30])
def test_each_line_of_the_checklist_names_checks_of_the_doctor(line: str) -> None:
    assert named(line)
    assert named(line) <= CHECKS.keys()


def test_each_check_here_is_in_the_checklist() -> None:
    assert set.union(*map(named, lines())) == CHECKS.keys()


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_of_the_checklist_says_what_to_do_and_then_that_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(operation, "UNITS", tmp_path / "systemd")
    monkeypatch.setattr(operation, "CONTAINERS", ())

    def found(is_well: bool) -> Finding:
        return next(each for each in CHECKS[check](tmp_path, is_well) if each.check == check)

    red, green = found(False), found(True)
    assert red.verdict is not Verdict.OK
    assert red.remedy, "it says what to do"
    assert green.verdict is Verdict.OK
    assert green.told, "it shows what it has seen"
    assert green.told != red.told
    assert not green.remedy
