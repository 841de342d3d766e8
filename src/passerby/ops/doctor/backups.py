"""Checks the backups: whether one is made every day, and whether it was restored for a test every week."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from passerby.ops.backup.directory import Directory, begun_at, strange
from passerby.ops.backup.soundness import soundness_of
from passerby.ops.counting import counted
from passerby.ops.doctor.finding import GIB, Finding, fail, warn, well
from passerby.ops.restore_note import AGAIN, PROBLEM, noted_in_file
from passerby.settings import Settings, WrongSetting, open_backup_key

OLD_H: Final = 26
"""A day, and two hours for a backup that takes long."""
UNTESTED_DAYS: Final = 8


def _place(settings: Settings, path: Path) -> Iterator[Finding]:
    """Whether backups can be written, and survive the loss of the database's disk."""
    above = path
    while not above.exists():
        above = above.parent
    if not os.access(above, os.W_OK | os.X_OK):
        what = "is not writable for this user" if above == path else f"cannot be made in {above}"
        yield fail("backup directory", f"{path} {what}", f"run mkdir -p {path}, and chown it to this user")
        return
    free = shutil.disk_usage(above).free
    told = f"{path} {'is there' if above == path else 'is made by the first backup'}, {free / GIB:.1f} GiB free"
    if above == path and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield warn("backup directory", f"others may look into {path}", f"run chmod 700 {path}")
    if _is_beside(settings, above):
        yield warn("backup directory", f"{told}, on the disk of the database", "use another disk, or copy backups away")
    else:
        yield well("backup directory", told)


def _is_beside(settings: Settings, place: Path) -> bool:
    """Whether one disk has the database and every backup. Where PostgreSQL has its files, its user may not see."""
    if settings.postgres_uri is not None or settings.backup_upload_command is not None:
        return False
    database = settings.sqlite_db_path.absolute()
    while not database.exists():
        database = database.parent
    return place.stat().st_dev == database.stat().st_dev


def checks(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    if settings.backup_dir is None:
        yield warn("backup", "none is made: BACKUP_DIR is not set", "set it to a directory on another disk")
        return
    directory = Directory(settings.backup_dir)
    if not settings.is_shared and noted_in_file(settings) is not None:
        yield fail("restore", PROBLEM, AGAIN)
    yield from _place(settings, directory.path)
    named = directory.named()
    try:
        key = open_backup_key(settings, make=False) if named else None
    except WrongSetting as wrong:
        yield fail("backup", f"no backup can be opened: {wrong.setting} {wrong.problem}", wrong.remedy)
        key = None
    kept: list[Path] = []
    for path in named:
        if not (problem := soundness_of(path, key, now()).problem):
            kept.append(path)
        elif strange(path, now()):
            remedy = "look where it comes from, and remove it"
            yield warn("backup", f"{path.name} is not counted: {problem}", remedy)
        else:
            remedy = "look at the disk of BACKUP_DIR, and move this file away"
            yield warn("backup", f"{path.name} is not counted: {problem}", remedy)
    if not kept:
        which = "no sound one" if named else "none"
        yield (fail if named else warn)(
            "backup", f"there is {which} in {directory.path} yet", "run passerby backup run"
        )
        return
    newest = kept[-1]
    hours = (now() - (begun_at(newest) or 0.0)) / 3600
    are = "is" if len(kept) == 1 else "are"
    told = f"{newest.name}, {hours:.0f} h ago, {newest.stat().st_size / 1e6:.1f} MB; {len(kept)} {are} kept"
    if hours > OLD_H:
        yield fail("backup", told, "run passerby backup run, and look for backup.failed in the logs")
    else:
        yield well("backup", told)
    state = directory.state(now())
    if settings.backup_upload_command is not None and newest.name not in state.uploaded:
        yield warn("backup copy", "the newest is not copied elsewhere", "run passerby backup run, and see what it says")
    verified = state.verified
    if verified is None:
        yield warn("restore test", "no backup was restored for a test yet", "run passerby backup verify")
        return
    days = (now() - verified.at) / 86_400
    told = f"{verified.name}, {counted(days, 'day')} ago"
    if verified.problems:
        yield fail("restore test", f"{told}: {verified.problems[0]}", "make a new backup, and verify it")
    elif days > UNTESTED_DAYS:
        yield warn("restore test", told, "run passerby backup verify")
    else:
        yield well("restore test", f"{told}: everything was there")
