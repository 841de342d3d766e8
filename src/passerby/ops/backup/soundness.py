"""Tells which backups are sound, as far as their files show without a restore.

A backup may be damaged after it was made: cut off, overwritten, on a disk that loses bits. Then it must not count as
the newest one. This looks at the head, the length, the end, the manifest, and whether the dump is as long as the
manifest says. A file of up to 64 MiB is read as a whole, and its dump compared with its hash. Of a larger one, damage
in the middle shows only in a restore test.
"""

import hashlib
import math
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from passerby.ops.backup.directory import Directory, strange
from passerby.ops.backup.manifest import Manifest
from passerby.ops.backup.sealed import BackupOpener, NotABackup
from passerby.settings import Settings, WrongSetting, open_backup_key

WHOLE: Final = 64 << 20
_LOOKS: Final = 256
"""More than the files that are kept."""


class Soundness(NamedTuple):
    """`manifest` is None if the backup cannot be opened. `problem` says what is wrong. Empty: nothing that shows."""

    size: int
    manifest: Manifest | None
    problem: str


class Sound(NamedTuple):
    """`newest`: the newest sound backup. `damaged`: what is newer and not sound, with the reason, the newest first."""

    newest: Path | None
    damaged: list[tuple[Path, str]]


def soundness_of(path: Path, key: bytes | None, now: float = math.inf) -> Soundness:
    """Look at everything that is named like a backup. Without the key, only the head can be seen."""
    if problem := strange(path, now):
        return Soundness(0, None, problem)
    try:
        found = path.stat()
        if key is None:
            return Soundness(found.st_size, None, "")
        # A write changes the last one of these, even if somebody puts the first ones back.
        return _look(path, key, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    except OSError as error:
        return Soundness(0, None, f"it cannot be read ({error.strerror})")


def newest_sound(directory: Directory, key: bytes | None, now: float = math.inf) -> Sound:
    """The newest sound backup. Opens no older one."""
    damaged: list[tuple[Path, str]] = []
    for path in reversed(directory.named()):
        problem = soundness_of(path, key, now).problem
        if not problem:
            return Sound(path, damaged)
        damaged.append((path, problem))
    return Sound(None, damaged)


def key_of(settings: Settings) -> bytes | None:
    """The key of the backups. None: there is none."""
    try:
        return open_backup_key(settings, make=False)
    except WrongSetting:
        return None


def manifest_in(sealed: BackupOpener) -> Manifest:
    """Raises: NotABackup."""
    try:
        manifest = Manifest.decode(sealed.manifest())
    except ValueError:
        raise NotABackup("it was made by another release, and this one cannot read it") from None
    if manifest.size != sealed.dump_size():
        raise NotABackup("it is damaged: its dump has another length")
    return manifest


@lru_cache(_LOOKS)
def _look(path: Path, key: bytes, _inode: int, size: int, *_times: int) -> Soundness:
    """Raises: OSError."""
    manifest = None
    try:
        with path.open("rb") as file:
            sealed = BackupOpener(file, key)
            manifest = manifest_in(sealed)
            if size <= WHOLE:
                found = hashlib.sha256()
                for data in sealed.dump():
                    found.update(data)
                if found.hexdigest() != manifest.sha256:
                    return Soundness(size, manifest, "it is damaged: its dump has another hash")
    except NotABackup as error:
        return Soundness(size, manifest, str(error))
    return Soundness(size, manifest, "")
