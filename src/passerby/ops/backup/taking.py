"""Makes a backup: dump, seal, name, retire, copy elsewhere. Each step leaves what is whole before it begins."""

import asyncio
import errno
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from passerby import __version__
from passerby.ops.backup import erasures
from passerby.ops.backup.directory import PART, Directory, settle
from passerby.ops.backup.failure import BackupFailed
from passerby.ops.backup.manifest import Manifest
from passerby.ops.backup.places import database_of, directory_of
from passerby.ops.backup.sealed import BackupSealer
from passerby.ops.backup.soundness import soundness_of
from passerby.ops.stores import database as records_of
from passerby.ops.stores import must_exist
from passerby.settings import Settings, open_backup_key

_UPLOAD_S: Final = 6 * 3600.0
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})


class Taken(NamedTuple):
    """`retired`: older backups that were deleted. `not_uploaded`: why the copy elsewhere failed. Empty: it did not."""

    path: Path
    manifest: Manifest
    retired: list[Path]
    not_uploaded: str


async def take(settings: Settings, now: Callable[[], float], reached: Callable[[str], None] = lambda _: None) -> Taken:
    """`reached` hears the name of each step before it begins. Raises: BackupFailed, WrongSetting, OSError."""
    directory = directory_of(settings)
    await must_exist(settings, may_be_older=True)
    key = open_backup_key(settings, make=True)
    with directory.locked():
        database = database_of(settings)
        reached("sweep")
        directory.sweep()
        await database.sweep()
        path = directory.new_path(now())
        if path.exists():
            raise BackupFailed("a backup was begun in this very second; try again")
        reached("dump")
        part = path.with_name(path.name + PART)
        with _written(part) as file:
            made_at = now()
            async with database.dump() as dump:
                sealer = BackupSealer(file, key)
                reached("seal")
                async for data in dump.stream:
                    sealer.write(data)
            manifest = Manifest(
                made_at, database.kind, dump.version, __version__, dump.contents, sealer.size, sealer.sha256
            )
            erasures.keep(directory, await erasures.in_records(records_of(settings)), now())
            reached("finish")
            sealer.finish(manifest.encoded())
        reached("name")
        settle(part, path)
        reached("retire")
        retired = directory.retire(now(), lambda each: not soundness_of(each, key).problem)
        reached("upload")
        return Taken(path, manifest, retired, await _upload(settings, directory))


@contextmanager
def _written(part: Path) -> Iterator[BinaryIO]:
    """A new file. If it cannot be written whole, it is removed: a full disk needs the room."""
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise BackupFailed(
                f"{part.parent} takes no more ({error.strerror}): make room, or use another disk"
            ) from None
        raise


async def _upload(settings: Settings, directory: Directory) -> str:
    """Copy every backup that was not copied yet, the newest first. Returns what went wrong; empty: nothing."""
    if settings.backup_upload_command is None:
        return ""
    state, there = directory.state(), directory.backups()
    done = [name for name in state.uploaded if any(path.name == name for path in there)]
    problem = ""
    for path in reversed(there):
        if path.name in done:
            continue
        problem = await _run(shlex.split(settings.backup_upload_command), path)
        if problem:
            break
        done.append(path.name)
    directory.put_state(msgspec.structs.replace(state, uploaded=tuple(done)))
    return problem


async def _run(command: list[str], path: Path) -> str:
    words = [word.replace("{file}", str(path)) for word in command]
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL)
    except OSError as error:
        return f"BACKUP_UPLOAD_COMMAND cannot be started ({error.strerror})"
    try:
        code = await asyncio.wait_for(process.wait(), _UPLOAD_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return f"BACKUP_UPLOAD_COMMAND ended with code {code}" if code else ""
