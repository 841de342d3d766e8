"""Damages each file of an installation in each way, and opens them all as a start does. Prints what came of it.

A process of its own, because it gives up root's right to ignore the modes of files.
"""

import asyncio
import base64
import ctypes
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from pydantic import SecretStr

from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.files import open_files
from passerby.ops.stores import init_schema
from passerby.settings import Settings, WrongSetting

FILES = (
    *("passerby.db", "passerby.db-wal", "passerby.db-shm", "passerby.live", "passerby.live.lock", "passerby.key"),
    *("run/passerby.flight", "run/passerby.crashes", "run"),
)
PR_CAPBSET_DROP, PR_CAPBSET_READ = 24, 23
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


def dangling(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.parent / "nowhere" / "at all")


def circular(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.name)


def unreadable(path: Path) -> None:
    path.touch()
    path.chmod(0)


def read_only(path: Path) -> None:
    path.touch()
    path.chmod(0o444)


def directory(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def scribbled(path: Path) -> None:
    path.write_bytes(Random(1).randbytes(5_000))


def too_short(path: Path) -> None:
    path.write_text(base64.b64encode(bytes(16)).decode())


def of_another(path: Path) -> None:
    """A good key that is not ours."""
    path.write_text(base64.b64encode(Random(1).randbytes(32)).decode())


DAMAGES: tuple[Callable[[Path], None], ...] = (
    *(dangling, circular, unreadable, read_only, directory, pipe, empty, scribbled),
)


async def start(folder: Path, **given: str) -> str:
    """The output of a start. Empty if it would go on."""
    try:
        settings = Settings(
            bot_tokens=(SecretStr("123456789:" + "x" * 35),),
            sqlite_db_path=folder / given.get("db", "passerby.db"),
            run_dir=folder / given["run"] if "run" in given else None,
        )
        with open_files(settings, "passerby", Random(1), SystemClock()) as files:
            assert files.log is not None
            try:
                await init_schema(settings)
            finally:
                files.log.close()
    except WrongSetting as wrong:
        return str(wrong)
    return ""


async def main(root: Path) -> None:
    """Prints JSON: for each file and damage, the sentence, and whether the file was left as it was."""
    whole = root / "whole"
    whole.mkdir()
    assert await start(whole) == ""
    said: dict[str, dict[str, tuple[str, bool]]] = {}
    for name in FILES:
        for damage in (*DAMAGES, *((too_short, of_another) if name == "passerby.key" else ())):
            folder = root / f"{name.replace('/', '-')}-{damage.__name__}"
            shutil.copytree(whole, folder)
            if name == "run":
                if damage not in (dangling, circular, unreadable):
                    continue
                shutil.rmtree(folder / name)
                (folder / name).mkdir() if damage is unreadable else None
            damage(folder / name)
            before = (folder / name).lstat()
            sentence = await start(folder)
            after = (folder / name).lstat() if (folder / name).is_symlink() or (folder / name).exists() else None
            said.setdefault(name, {})[damage.__name__] = (
                sentence,
                after is not None and (before.st_mode, before.st_size) == (after.st_mode, after.st_size),
            )
    for name in ("passerby.live", "passerby.live.lock", "passerby.key"):
        folder = root / f"database-is-{name}"
        shutil.copytree(whole, folder)
        before = (folder / name).lstat()
        said.setdefault(name, {})["database"] = (
            await start(folder, db=name),
            (folder / name).lstat().st_size == before.st_size,
        )
    print(json.dumps(said))


if __name__ == "__main__":
    for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0)
    if len(sys.argv) == 2:  # the rights are given up by the next program
        os.execv(sys.executable, [sys.executable, "-m", "tests.cli.damaged_files", sys.argv[1], "now"])
    asyncio.run(main(Path(sys.argv[1])))
