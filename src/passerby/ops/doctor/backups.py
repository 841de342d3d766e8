"""Checks the backups: whether one is made every day, and whether it was restored for a test every week."""

from collections.abc import Callable, Iterator
from typing import Final

from passerby.ops.backup.directory import Directory, begun_at
from passerby.ops.doctor.finding import Finding, fail, warn, well
from passerby.settings import Settings

OLD_H: Final = 26
"""A day, and two hours for a backup that takes long."""
UNTESTED_DAYS: Final = 8


def checks(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    if settings.backup_dir is None:
        yield warn("backup", "none is made: BACKUP_DIR is not set", "set it to a directory on another disk")
        return
    directory = Directory(settings.backup_dir)
    backups = directory.backups()
    if not backups:
        yield warn("backup", f"there is none in {directory.path} yet", "run passerby backup run")
        return
    newest = backups[-1]
    hours = (now() - (begun_at(newest) or 0.0)) / 3600
    told = f"{newest.name}, {hours:.0f} h ago, {newest.stat().st_size / 1e6:.1f} MB; {len(backups)} are kept"
    if hours > OLD_H:
        yield fail("backup", told, "run passerby backup run, and look for backup.failed in the logs")
    else:
        yield well("backup", told)
    state = directory.state()
    if settings.backup_upload_command is not None and newest.name not in state.uploaded:
        yield warn("backup copy", "the newest is not copied elsewhere", "run passerby backup run, and see what it says")
    verified = state.verified
    if verified is None:
        yield warn("restore test", "no backup was restored for a test yet", "run passerby backup verify")
        return
    days = (now() - verified.at) / 86_400
    told = f"{verified.name}, {days:.0f} days ago"
    if verified.problems:
        yield fail("restore test", f"{told}: {verified.problems[0]}", "make a new backup, and verify it")
    elif days > UNTESTED_DAYS:
        yield warn("restore test", told, "run passerby backup verify")
    else:
        yield well("restore test", f"{told}: everything was there")
