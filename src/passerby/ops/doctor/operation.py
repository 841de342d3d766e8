"""Checks how it is operated: do alerts reach somebody, does it start after a reboot, was a failover tried?"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from passerby.adapters.sql import ConnectionPool, DatabaseUnusable, SqlRecords, SqlStaff
from passerby.domain.team import may
from passerby.kernel.staff import Permission
from passerby.ops.cluster.configuration import LOG_BYTES, LOGS
from passerby.ops.cluster.drill import last_drill
from passerby.ops.counting import counted
from passerby.ops.doctor.finding import Finding, warn, well
from passerby.ports.records import RecordsLost
from passerby.settings import Settings

UNTRIED_DAYS: Final = 90
SOON_S: Final = 600.0
"""A process that starts within ten minutes of a boot was started by the boot."""
UNITS: Final = Path("/etc/systemd/system")
CONTAINERS: Final = (Path("/.dockerenv"), Path("/run/.containerenv"), Path("/var/run/secrets/kubernetes.io"))
_FEW: Final = ConnectionPool(2, 1)


async def checks(settings: Settings, now: Callable[[], float]) -> AsyncIterator[Finding]:
    for each in (*_heartbeat(settings), *_reboot(settings), *_drill(settings, now()), *_logs(settings)):
        yield each
    yield await _alerts(settings)


async def _alerts(settings: Settings) -> Finding:
    """Whether somebody hears of alerts."""
    webhook = settings.alert_webhook_url is not None
    listeners = await _listeners(settings) if settings.staff_bot is not None else 0
    told = [f"{listeners} of the team get them in the staff bot"] if listeners else []
    told += ["ALERT_WEBHOOK_URL gets them"] if webhook else []
    if told:
        return well("alerts", ", and ".join(told))
    if settings.staff_bot is None:
        return warn("alerts", "nobody hears of them", "set STAFF_BOT_TOKEN, or ALERT_WEBHOOK_URL")
    return warn("alerts", "nobody of the team gets them", "send /alerts on to the staff bot")


async def _listeners(settings: Settings) -> int:
    uri = settings.postgres_uri
    if uri is None and not settings.sqlite_db_path.exists():
        return 0
    records = SqlRecords.at(uri.get_secret_value() if uri is not None else settings.sqlite_db_path, _FEW)
    try:
        team = await SqlStaff(records.engine).team()
    except (RecordsLost, DatabaseUnusable, SQLAlchemyError):
        return 0  # the database's own check says what is wrong
    finally:
        await records.aclose()
    return sum(each.alerts and may(each, Permission.ALERTS) for each in team)


def _heartbeat(settings: Settings) -> Iterator[Finding]:
    if settings.heartbeat_url is not None:
        yield well("heartbeat", "HEARTBEAT_URL is asked every minute")
    else:
        remedy = "set HEARTBEAT_URL to a service that tells you when nobody asks it"
        yield warn("heartbeat", "if the whole machine fails, nobody hears of it", remedy)


def _reboot(settings: Settings) -> Iterator[Finding]:
    units = sorted(each.name for each in UNITS.glob("*.wants/passerby*.service"))
    after_s = _after_boot(settings.run_path)
    if any(each.exists() for each in CONTAINERS):
        yield well("reboot", "it is in a container: what runs containers starts it")
    elif units and after_s is not None and after_s < SOON_S:
        yield well("reboot", f"{units[0]} is enabled, and it was started {after_s:.0f} s after the last one")
    elif units:
        yield well("reboot", f"{units[0]} is enabled; the last one was not its start, so try one")
    elif after_s is not None and after_s < SOON_S:
        yield well("reboot", f"it was started {after_s:.0f} s after the last one")
    else:
        remedy = "enable deploy/systemd/passerby.service, or one unit a process; then try a reboot"
        yield warn("reboot", "nothing is known to start it", remedy)


def _after_boot(run_path: Path) -> float | None:
    """How many seconds after the machine's boot the oldest process of this installation was started."""
    starts = []
    for file in run_path.glob("*.pid"):
        try:
            fields = Path(f"/proc/{int(file.read_text())}/stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        starts.append(int(fields[19]) / os.sysconf("SC_CLK_TCK"))
    return min(starts, default=None)


def _drill(settings: Settings, now: float) -> Iterator[Finding]:
    if not settings.is_shared:
        return
    last = last_drill(settings.run_path)
    if last is None:
        yield warn("failover", "it was never tried here", "run passerby drill failover at a quiet hour")
        return
    days = (now - last.at) / 86_400
    told = f"tried {counted(days, 'day')} ago: all was well after {last.drill.whole_s} s"
    if days > UNTRIED_DAYS:
        yield warn("failover", told, "run passerby drill failover at a quiet hour")
    else:
        yield well("failover", told)


def _logs(settings: Settings) -> Iterator[Finding]:
    found = {each: each.stat().st_size for each in (settings.run_path / LOGS).glob("*")}
    if not found:
        yield well("logs", "there are none yet; at most six files of ten MiB a process")
        return
    told = f"{counted(len(found), 'file')} with {sum(found.values()) / 1e6:.1f} MB; at most six of ten MiB a process"
    if large := [each.name for each, size in found.items() if size > 2 * LOG_BYTES]:
        remedy = "see what else writes there; then stop the cluster, delete the file, and start the cluster"
        yield warn("logs", f"{told}, but {large[0]} is larger", remedy)
    else:
        yield well("logs", told)
