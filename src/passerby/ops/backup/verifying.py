"""Restore tests, and what the other commands ask of a backup that is there."""

import hashlib
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from passerby.ops.backup.directory import Verified
from passerby.ops.backup.failure import BackupFailed, DumpRefused
from passerby.ops.backup.manifest import Manifest
from passerby.ops.backup.places import database_of, directory_of
from passerby.ops.backup.sealed import BackupOpener, NotABackup
from passerby.ops.backup.soundness import manifest_in, soundness_of
from passerby.ops.stores import must_not_be_foreign
from passerby.settings import Settings, open_backup_key


class Listed(NamedTuple):
    """`manifest` is None if the backup cannot be opened. `problem`: why it is not sound. Empty: it is."""

    path: Path
    size: int
    manifest: Manifest | None
    problem: str


def listed(settings: Settings, now: float = math.inf) -> list[Listed]:
    """Every backup, and all that is named like one, the oldest first. Raises: WrongSetting."""
    paths = directory_of(settings).named()
    if not paths:
        return []
    key = open_backup_key(settings, make=False)
    return [Listed(path, *soundness_of(path, key, now)) for path in paths]


async def verify(settings: Settings, name: str | None, now: Callable[[], float]) -> Verified:
    """Restore a backup into a database that is thrown away, and compare. None: the newest one.

    The result is noted beside the backups, if this is one of them.

    Raises: BackupFailed, if the test cannot be made; WrongSetting, OSError.
    """
    directory = directory_of(settings)
    if settings.postgres_uri is not None:  # the test needs its server
        await must_not_be_foreign(settings)
    with directory.locked():
        path = directory.find(name, now())
        database = database_of(settings)
        await database.sweep()
        key = open_backup_key(settings, make=False)
        problems: list[str] = []
        with path.open("rb") as file:
            try:
                sealed = BackupOpener(file, key)
                manifest = manifest_in(sealed)
                fits(manifest, database.kind)
                loaded = await database.test(checked(sealed, manifest))
                problems = [*loaded.problems, *manifest.contents.differences(loaded.contents)]
            except (NotABackup, DumpRefused) as error:
                problems = [str(error)]
        verified = Verified(path.name, now(), problems)
        if any(path.samefile(each) for each in directory.backups()):
            directory.put_state(directory.state(now()).after(verified))
        return verified


def fits(manifest: Manifest, kind: str) -> None:
    """Raises: BackupFailed, if a backup is of another kind of database."""
    if manifest.kind != kind:
        told = {"sqlite": "a database file", "postgresql": "PostgreSQL"}
        raise BackupFailed(
            f"this backup is of {told[manifest.kind]}, and the settings name {told[kind]}: restore it with the "
            "settings of that time, and then use passerby move"
        )


async def checked(sealed: BackupOpener, manifest: Manifest) -> AsyncIterator[bytes]:
    """The dump. Raises: NotABackup at the end, if it is not what the manifest says."""
    found = hashlib.sha256()
    for data in sealed.dump():
        found.update(data)
        yield data
    if found.hexdigest() != manifest.sha256:
        raise NotABackup("it is damaged: its dump has another hash")
