"""A backup is restored over a database file that is damaged, which is when it is needed most."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from passerby.ops.backup.restoring import restore
from passerby.ops.backup.taking import take
from passerby.settings import Settings, WrongSetting
from tests.ops.backup.test_backups import CLOCK, a_second_later, fill, ids
from tests.size import in_full


def _overwrite(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "overwritten": _overwrite,
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:100_000]),
    "another file": lambda path: path.write_text("shopping list"),
}


@pytest.mark.parametrize("damage", in_full(DAMAGES, 1))
def test_a_backup_is_restored_over_a_damaged_file_which_is_kept(on_a_file: Settings, damage: str) -> None:
    database = on_a_file.sqlite_db_path
    asyncio.run(fill(on_a_file, range(1, 4)))
    asyncio.run(take(on_a_file, a_second_later))
    for ending in ("-wal", "-shm"):
        Path(f"{database}{ending}").unlink(missing_ok=True)
    DAMAGES[damage](database)
    broken = database.read_bytes()
    with pytest.raises(WrongSetting, match=r"damaged|is not an SQLite database"):
        asyncio.run(take(on_a_file, a_second_later))
    with pytest.raises(WrongSetting, match="the database file is damaged; add --replace"):
        asyncio.run(restore(on_a_file, None, CLOCK, replace=False))
    assert database.read_bytes() == broken
    restored = asyncio.run(restore(on_a_file, None, CLOCK, replace=True))
    assert restored.aside is not None
    assert restored.aside.read_bytes() == broken
    assert asyncio.run(ids(on_a_file)) == [1, 2, 3]
    assert asyncio.run(restore(on_a_file, None, CLOCK, replace=True)).aside is None


STEPS = (
    ("os.rename", "passerby.db"),
    ("os.link", "passerby.db"),
    ("os.remove", "passerby.db-wal"),
    ("os.chmod", "copy.db"),
)


@pytest.mark.parametrize(("event", "file"), in_full(STEPS, 1))
def test_a_kill_at_any_step_of_a_restore_leaves_the_damaged_database_until_the_restored_one_is_there(
    on_a_file: Settings, event: str, file: str
) -> None:
    asyncio.run(fill(on_a_file, range(1, 4)))
    asyncio.run(take(on_a_file, a_second_later))
    database = on_a_file.sqlite_db_path
    DAMAGES["overwritten"](database)
    broken = database.read_bytes()
    child = os.fork()
    if not child:

        def die(happens: str, args: tuple[object, ...]) -> None:
            if happens == event and any(str(each).endswith(file) for each in args):
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(die)
        try:
            asyncio.run(restore(on_a_file, None, CLOCK, replace=True))
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert database.read_bytes() == broken
    restored = asyncio.run(restore(on_a_file, None, CLOCK, replace=True))
    assert asyncio.run(ids(on_a_file)) == [1, 2, 3]
    assert restored.aside == Path(f"{database}.damaged-1"), "it has one second name, also after the kill"
    assert restored.aside.read_bytes() == broken
