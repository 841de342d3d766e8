"""A backup that is older than somebody's erasure is restored, and the whole app goes on with it."""

import asyncio
from base64 import b64encode
from pathlib import Path

from passerby.bootstrap.clock import SystemClock
from passerby.ops.backup.restoring import restore
from passerby.ops.backup.taking import take
from passerby.settings import Settings
from tests.contract.live_places import Disk, MemoryPlace
from tests.scenario.records_places import FileRecordsPlace
from tests.scenario.stage import PATIENT, Stage, play
from tests.scenario.stores import FILE

A_DAY_S = 86_400.0


class StoppedClock(SystemClock):
    """The records have a thread of their own, in which the scene's clock cannot be read."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        return self._at


def test_a_backup_of_the_days_before_an_erasure_does_not_bring_the_person_back(tmp_path: Path) -> None:
    async def scene(on: Stage) -> None:
        place, live = on.records_place, on.place
        assert isinstance(place, FileRecordsPlace)
        assert isinstance(live, MemoryPlace)
        settings = Settings(
            bot_tokens="123456789:" + "x" * 35,  # type: ignore[arg-type]
            sqlite_db_path=place.file,
            backup_dir=tmp_path / "backups",
            secret_key=b64encode(b"k" * 32).decode(),  # type: ignore[arg-type]
        )
        on.ann.write("hello")
        await on.quiet()
        await asyncio.sleep(5.0)  # let the recorder finish
        place.ask(take(settings, StoppedClock(live.clock.now()).now))
        on.ann.write("/deleteme")
        await on.quiet()
        on.ann.press("erase")
        await on.quiet()
        await on.elapse(A_DAY_S)
        await asyncio.sleep(300.0)
        await on.quiet()
        assert place.mentions(on.ann.id) == []

        await on.stop()
        restored = place.ask(restore(settings, None, StoppedClock(live.clock.now()), replace=True))
        assert restored.erased == 1
        assert place.mentions(on.ann.id) != []
        live.disk = Disk()
        await on.start()
        await asyncio.sleep(300.0)
        await on.quiet()
        assert place.mentions(on.ann.id) == []
        assert on.ann.told().count("my_data.erased") == 1, "they were told once"
        assert place.person(on.bob.id).profile.age == 30
        on.ann.write("hello again")
        await on.quiet()
        assert on.ann.told()[-1].startswith("start.")

    play(FILE, scene, home=False, rules=PATIENT)
