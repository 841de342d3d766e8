"""A backup that was damaged after it was made counts nowhere as the newest one."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from passerby.adapters.sql.checksums import Contents
from passerby.ops.backup import soundness
from passerby.ops.backup.directory import Directory
from passerby.ops.backup.duty import BackupDuty
from passerby.ops.backup.failure import WrongBackup
from passerby.ops.backup.manifest import Manifest
from passerby.ops.backup.restoring import restore
from passerby.ops.backup.sealed import CHUNK, BackupSealer
from passerby.ops.backup.soundness import newest_sound, soundness_of
from passerby.ops.backup.taking import take
from passerby.ops.backup.verifying import listed
from passerby.ops.doctor import backups
from passerby.ops.doctor.finding import Verdict
from passerby.settings import Settings, open_backup_key
from passerby.telemetry import metrics
from tests.ops.backup.test_backups import CLOCK, fill
from tests.ops.backup.test_duty import DAY, HOUR, NIGHT, StandingClock

START = datetime(2026, 1, 1, 3, 30, tzinfo=UTC).timestamp()
KEY = bytes(32)
Damage = Callable[[Path], object]


def put(path: Path, key: bytes = KEY, size: int = 5_000, said: int | None = None) -> Path:
    """A sound backup with a dump of `size` bytes. `said`: the length that its manifest says."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("wb") as file:
        sealer = BackupSealer(file, key)
        sealer.write(bytes(size))
        there = sealer.size if said is None else said
        sealer.finish(Manifest(0.0, "sqlite", "3", "0", Contents("1", {}, {}), there, sealer.sha256).encoded())
    return path


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def cut_one_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)


def flip(at: float) -> Damage:
    """Change one bit, so far into the file."""

    def done(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[int(len(data) * at)] ^= 1
        path.write_bytes(data)

    return done


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def without_a_manifest(path: Path) -> None:
    """The chunk with the manifest is gone."""
    put(path, size=3 * CHUNK)
    with path.open("r+b") as file:
        file.truncate(3 * (CHUNK + 16) + 42)


DAMAGES: Final[dict[str, Damage]] = {
    "cut": cut,
    "cut by a byte": cut_one_byte,
    "only its head": lambda path: path.write_bytes(path.read_bytes()[:30]),
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "longer": lengthen,
    "no manifest": without_a_manifest,
    "the manifest of another dump": lambda path: put(path, said=7),
    "of another key": lambda path: put(path, key=b"1" * 32),
    **{f"a bit at {at}": flip(at) for at in (0.0, 0.004, 0.007, 0.3, 0.6, 0.9, 0.999)},
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_backup_that_was_damaged_later_is_not_the_newest_one(tmp_path: Path, damage: Damage) -> None:
    directory = Directory(tmp_path)
    good, bad = put(directory.new_path(START)), put(directory.new_path(START + DAY))
    assert newest_sound(directory, KEY) == (bad, [])
    damage(bad)
    found = newest_sound(directory, KEY)
    assert found.newest == good
    assert [path for path, _ in found.damaged] == [bad]
    assert soundness_of(good, KEY).problem == ""


def test_damage_in_the_middle_of_a_large_file_shows_in_the_restore_test_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(Directory(tmp_path).new_path(START), size=4 * CHUNK)
    flip(0.1)(path)
    assert soundness_of(path, KEY).problem == "it is damaged or cut off"
    soundness._look.cache_clear()
    monkeypatch.setattr(soundness, "WHOLE", 3 * CHUNK)
    assert soundness_of(path, KEY).problem == ""


def test_a_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    path = put(Directory(tmp_path).new_path(START))
    before = soundness._look.cache_info()
    assert [soundness_of(path, KEY).problem for _ in range(3)] == ["", "", ""]
    after = soundness._look.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 2)


def test_damaged_backups_never_push_the_last_sound_one_out(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    good = put(directory.new_path(START))
    for day in range(1, 300):
        directory.new_path(START + day * DAY).write_bytes(b"passerby backup 1\n")
    retired = directory.retire(is_sound=lambda path: not soundness_of(path, KEY).problem)
    assert len(retired) > 200
    assert good in directory.named()


def test_after_damage_a_backup_is_due_at_once_and_the_age_is_that_of_the_sound_one(on_a_file: Settings) -> None:
    key = open_backup_key(on_a_file, make=True)
    directory = Directory(on_a_file.backup_dir or Path())
    put(directory.new_path(NIGHT - DAY), key)
    bad = put(directory.new_path(NIGHT), key)
    duty = BackupDuty(on_a_file, StandingClock(NIGHT + HOUR))
    assert "run" not in duty.due()
    duty._measure(duty._look())
    assert metrics.BACKUP_AT.value() == NIGHT
    cut(bad)
    assert "run" in duty.due()
    duty._measure(duty._look())
    assert metrics.BACKUP_AT.value() == NIGHT - DAY
    metrics.BACKUP_AT.clear()


def test_doctor_the_list_and_a_restore_name_the_damaged_file(on_a_file: Settings) -> None:
    asyncio.run(fill(on_a_file, range(1, 4)))
    now = CLOCK.now()
    good = asyncio.run(take(on_a_file, lambda: now - HOUR)).path
    bad = asyncio.run(take(on_a_file, lambda: now)).path
    cut_one_byte(bad)
    said = [each for each in backups.checks(on_a_file, CLOCK.now) if each.check == "backup"]
    assert [(each.verdict, each.told.split()[0]) for each in said] == [
        (Verdict.WARN, bad.name),
        (Verdict.OK, f"{good.name},"),
    ]
    assert [(each.path, each.problem) for each in listed(on_a_file)] == [(good, ""), (bad, "it is damaged or cut off")]
    with pytest.raises(WrongBackup, match=f"{bad.name}: it is damaged.*the newest sound one, name it: {good.stem}"):
        asyncio.run(restore(on_a_file, None, CLOCK, replace=True))
    cut(good)
    last = [each for each in backups.checks(on_a_file, CLOCK.now) if each.check == "backup"][-1]
    assert (last.verdict, last.remedy) == (Verdict.FAIL, "run passerby backup run")


def test_doctor_says_that_without_the_key_no_backup_can_be_opened(on_a_file: Settings) -> None:
    asyncio.run(fill(on_a_file, range(1, 4)))
    asyncio.run(take(on_a_file, CLOCK.now))
    on_a_file.backup_key_path.unlink()
    said = next(each for each in backups.checks(on_a_file, CLOCK.now) if each.check == "backup")
    assert (said.verdict, said.told.startswith("no backup can be opened: BACKUP_KEY is not set")) == (
        Verdict.FAIL,
        True,
    )
