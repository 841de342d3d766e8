"""A start notices another key, a run that did not end on purpose, and whatever is in the place of its files."""

import asyncio
import base64
import re
from pathlib import Path
from random import Random

import pytest

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.files import check_key_mark, open_log
from passerby.bootstrap.start import Start
from passerby.ops.stores import init_schema
from passerby.ports.live_store import LiveStoreLost
from passerby.settings import Settings, WrongSetting, former_keys
from tests.contract.live_places import Disk, DiskLog
from tests.contract.records_memory import MemoryRecords
from tests.runtime.virtual import VirtualClock, run

KEY, OTHER = bytes(32), bytes(range(32))


def opens(path: Path, key: bytes, previous: str = "") -> bool:
    log = FileLog(path)
    settings = Settings(secret_key_previous=previous)  # type: ignore[arg-type]
    try:
        check_key_mark(log, settings, key, former_keys(settings))
    except WrongSetting:
        return False
    finally:
        log.close()
    return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "passerby.live"


def test_a_new_key_beside_an_existing_live_store_is_refused(path: Path) -> None:
    assert opens(path, KEY)
    assert opens(path, KEY)
    assert not opens(path, OTHER)
    assert opens(path, KEY), "the refusal changed nothing"


def test_a_changed_key_is_accepted_with_the_former_key(path: Path) -> None:
    assert opens(path, KEY)
    assert opens(path, OTHER, base64.b64encode(KEY).decode())
    assert opens(path, OTHER)
    assert not opens(path, KEY)


def test_an_operator_can_say_that_the_former_key_is_lost(path: Path) -> None:
    assert opens(path, KEY)
    assert opens(path, OTHER, "lost")
    assert opens(path, OTHER)


def starts(directory: Path, key: bytes, previous: str = "") -> str:
    """Start with this key and end again. Returns the sentence if the start is refused."""
    settings = Settings(
        sqlite_db_path=directory / "passerby.db",
        secret_key=base64.b64encode(key).decode(),  # type: ignore[arg-type]
        secret_key_previous=previous,  # type: ignore[arg-type]
    )

    async def start() -> None:
        async with Start(settings, SystemClock(), asyncio.Event()).records(needed=True):
            pass

    try:
        asyncio.run(start())
    except WrongSetting as wrong:
        return str(wrong)
    return ""


def test_the_database_knows_its_key_even_if_the_files_beside_it_are_gone(tmp_path: Path) -> None:
    assert starts(tmp_path, KEY) == starts(tmp_path, KEY) == ""
    assert starts(tmp_path, OTHER) == (
        "SECRET_KEY: is not the key that passerby.db was used with; set the old one, or name it in "
        "SECRET_KEY_PREVIOUS; if it is lost, set SECRET_KEY_PREVIOUS=lost once"
    )
    assert starts(tmp_path, KEY) == "", "the refusal changed nothing"
    assert starts(tmp_path, OTHER, base64.b64encode(KEY).decode()) == starts(tmp_path, OTHER) == ""
    assert starts(tmp_path, KEY)
    assert starts(tmp_path, KEY, "lost") == starts(tmp_path, KEY) == ""


class Killed(BaseException):
    pass


def test_the_database_knows_that_the_run_before_did_not_end_on_purpose(tmp_path: Path) -> None:
    """Even if all files of the live store and of RUN_DIR are gone."""
    settings = Settings(sqlite_db_path=tmp_path / "passerby.db")

    async def run(*, is_killed: bool = False) -> bool:
        start = Start(settings, SystemClock(), asyncio.Event())
        async with start.records(needed=True):
            if is_killed:
                raise Killed
        return start.had_crashed

    assert not asyncio.run(run())
    with pytest.raises(Killed):
        asyncio.run(run(is_killed=True))
    assert asyncio.run(run())
    assert not asyncio.run(run())


@pytest.mark.parametrize("name", ["passerby.live", "passerby.live.lock", "passerby.db-wal", "passerby.db-shm"])
def test_a_directory_in_the_place_of_a_file_is_named(name: str, tmp_path: Path) -> None:
    settings = Settings(sqlite_db_path=tmp_path / "passerby.db")
    (tmp_path / name).mkdir()

    def open_all() -> None:
        open_log(settings).close()
        asyncio.run(init_schema(settings))

    with pytest.raises(WrongSetting, match=rf"SQLITE_DB_PATH: {re.escape(name)} .*; remove it"):
        open_all()


def test_a_start_with_a_log_that_cannot_be_written_ends_with_a_sentence(tmp_path: Path) -> None:
    async def failure() -> WrongSetting | None:
        disk, clock = Disk(), VirtualClock()
        store = MemoryStore(DiskLog(disk), clock, Random())
        disk.full = True
        with pytest.raises(LiveStoreLost):
            await store.adopt((), whole=True)
        start = Start(Settings(sqlite_db_path=tmp_path / "passerby.db"), clock, asyncio.Event())
        async with asyncio.timeout(3600):
            await start.watch(store, MemoryRecords(), lambda: False)
        return start.failure

    assert "SQLITE_DB_PATH: the live store cannot be used: " in str(run(failure()))
