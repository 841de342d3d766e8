"""A restore that is killed: nothing starts until a restore has ended, and that one goes on from any step."""

import asyncio
import json
import shutil
import signal
import sys
from collections import namedtuple
from random import Random
from typing import Any

import pytest
from pydantic import SecretStr

from passerby.adapters.redis import RedisHalfRestored, open_redis
from passerby.bootstrap.files import open_files
from passerby.bootstrap.start import Start
from passerby.ops.backup import postgres, sqlite
from passerby.ops.backup.failure import BackupFailed, NoRoom, PeopleThere
from passerby.ops.backup.restoring import restore
from passerby.ops.backup.taking import take
from passerby.ops.doctor import backups, redis
from passerby.ops.live_store_aside import FilesAside, KeysAside
from passerby.ops.move.moving import move
from passerby.ops.restore_note import Step, noted_in_file, read_note
from passerby.ops.standstill import FleetRuns
from passerby.settings import Settings, WrongSetting
from tests import warm
from tests.ops.backup.test_backups import CLOCK, a_second_later, fill, ids, live_figures, restored, use_live_store
from tests.size import in_full

UNDONE = "a restore was ended before it was done; run `passerby backup restore --replace` once more"
EARLY = ("begin",)
LATE = ("records", "schema", "chats", "forget")
Usage = namedtuple("Usage", ("total", "used", "free"))


class Killed(BaseException):
    """As if the process had ended there: nothing that follows runs."""


def begun(settings: Settings) -> None:
    """A backup of 1 to 4, and a database that also has 10 and 11."""
    asyncio.run(fill(settings, range(1, 5)))
    asyncio.run(take(settings, a_second_later))
    asyncio.run(fill(settings, range(10, 12), chatted=2))
    asyncio.run(use_live_store(settings))


def killed_at(settings: Settings, step: str) -> None:
    """Kill a process of its own. For servers, it gets the addresses by the environment."""
    given = {name: str(value) for name, value in settings.model_dump(exclude_unset=True).items() if value is not None}
    for name in ("postgres_uri", "redis_url", "secret_key"):
        if name in given:
            given[name] = getattr(settings, name).get_secret_value()
    given["bot_tokens"] = "123456789:" + "x" * 35
    program = (
        "import asyncio, json, os, signal, sys\n"
        "from passerby.bootstrap.clock import SystemClock\n"
        "from passerby.ops.backup.restoring import restore\n"
        "from passerby.settings import Settings\n"
        "die = lambda step: step == sys.argv[2] and os.kill(os.getpid(), signal.SIGKILL)\n"
        "settings = Settings(**json.loads(sys.argv[1]))\n"
        "asyncio.run(restore(settings, None, SystemClock(), replace=True, reached=die))\n"
    )
    done = warm.run([sys.executable, "-c", program, json.dumps(given), step], timeout=100)
    assert done.returncode == -signal.SIGKILL


async def start(settings: Settings) -> None:
    """As far as a start looks at the live store."""
    settings = settings.model_copy(update={"secret_key": SecretStr("A" * 43 + "=")})
    with open_files(settings, "passerby", Random(1), CLOCK) as files:
        stop = asyncio.Event()
        opened = Start(settings, CLOCK, stop).live_store(files.log, (files.key,), Random(1))
        async with opened:
            pass


async def said_by_doctor(settings: Settings) -> list[str]:
    found = [each async for each in redis.checks(settings, CLOCK.now)]
    return [each.check for each in (*backups.checks(settings, CLOCK.now), *found) if "before it was done" in each.told]


@pytest.mark.parametrize("step", in_full([*LATE, *EARLY], 1))
def test_after_a_kill_nothing_starts_until_a_restore_has_ended(settings: Settings, step: str) -> None:
    begun(settings)
    killed_at(settings, step)
    for _ in range(2):
        with pytest.raises(WrongSetting) as refused:
            asyncio.run(start(settings))
        assert UNDONE in str(refused.value)
    with pytest.raises((WrongSetting, FleetRuns), match="before it was done"):
        asyncio.run(move(settings, str(settings.run_path.parent / "other.db"), CLOCK))
    assert asyncio.run(said_by_doctor(settings)) == ["restore"]
    if step in LATE:
        with pytest.raises(PeopleThere, match="before it was done: add --replace"):
            asyncio.run(restore(settings, None, CLOCK, replace=False))
    done = restored(settings)
    assert done.was_unfinished == (step in LATE)
    assert asyncio.run(ids(settings)) == [1, 2, 3, 4]
    assert asyncio.run(said_by_doctor(settings)) == []
    asyncio.run(start(settings))


def test_a_restore_that_was_killed_before_it_touched_the_records_is_undone_by_one_that_refuses(
    mostly_on_a_file: Settings,
) -> None:
    begun(mostly_on_a_file)
    before, held = asyncio.run(ids(mostly_on_a_file)), asyncio.run(live_figures(mostly_on_a_file))
    killed_at(mostly_on_a_file, "begin")
    with pytest.raises(PeopleThere, match="the database holds 6 people"):
        asyncio.run(restore(mostly_on_a_file, None, CLOCK, replace=False))
    assert (asyncio.run(ids(mostly_on_a_file)), asyncio.run(live_figures(mostly_on_a_file))) == (before, held)
    asyncio.run(start(mostly_on_a_file))


@pytest.mark.parametrize("at", in_full(["make_place", "bring_back"], 1))
def test_stores_that_were_set_aside_come_back_even_after_another_kill(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    begun(settings)
    held = asyncio.run(live_figures(settings))
    with monkeypatch.context() as broken:
        broken.setattr(sqlite, "_copy_over", _refuse)
        broken.setattr(postgres, "feed", _refuse)
        for kind in (FilesAside, KeysAside):
            broken.setattr(kind, at, _after(getattr(kind, at)))
        with pytest.raises(Killed):
            restored(settings)
    with pytest.raises(PeopleThere):
        asyncio.run(restore(settings, None, CLOCK, replace=False))
    assert asyncio.run(live_figures(settings)) == held
    restored(settings)
    asyncio.run(start(settings))


def test_ctrl_c_leaves_the_live_store_as_it_was(mostly_on_a_file: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(mostly_on_a_file)
    before, held = asyncio.run(ids(mostly_on_a_file)), asyncio.run(live_figures(mostly_on_a_file))

    def interrupt(step: str) -> None:
        if step == "records":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    async def interrupted() -> None:
        await restore(mostly_on_a_file, None, CLOCK, replace=True, reached=interrupt)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    assert (asyncio.run(ids(mostly_on_a_file)), asyncio.run(live_figures(mostly_on_a_file))) == (before, held)
    asyncio.run(start(mostly_on_a_file))


def test_a_restore_without_room_says_so_before_it_changes_anything(
    on_a_file: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(on_a_file)
    held = asyncio.run(live_figures(on_a_file))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(NoRoom, match=r"has 0 MB left, and a restore of this backup needs \d+ MB: make room there"):
        restored(on_a_file)
    monkeypatch.undo()
    assert asyncio.run(live_figures(on_a_file)) == held
    assert noted_in_file(on_a_file) is None


def test_a_note_that_cannot_be_read_is_one_of_the_worst_case(on_a_file: Settings) -> None:
    assert read_note(b"replacing") is read_note(b"something else") is Step.REPLACING
    assert read_note(None) is None
    path = on_a_file.live_path.with_name(f".{on_a_file.live_path.name}.restore")
    path.mkdir()
    assert noted_in_file(on_a_file) is Step.REPLACING


@pytest.mark.services
def test_a_worker_does_not_join_a_redis_that_is_half_restored(on_servers: Settings) -> None:
    async def join() -> None:
        url, name = on_servers.redis_url.get_secret_value(), on_servers.redis_name
        opened = await open_redis(url, CLOCK, Random(1), name=name)
        await opened.store.aclose()

    aside = KeysAside(on_servers)
    asyncio.run(join())
    asyncio.run(aside.note(Step.REPLACING))
    with pytest.raises(RedisHalfRestored):
        asyncio.run(join())
    asyncio.run(aside.note(None))
    asyncio.run(join())


def _refuse(*_: object, **__: object) -> Any:
    raise BackupFailed("refused")


def _after(really: Any) -> Any:
    async def killed(*args: Any) -> None:
        await really(*args)
        raise Killed

    return killed
