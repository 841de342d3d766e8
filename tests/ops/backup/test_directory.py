"""Which backups are kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from passerby.ops.backup.directory import Directory, DirectoryState, Verified, begun_at, kept, strange
from passerby.ops.backup.failure import BackupFailed
from passerby.ops.backup.sealed import MAGIC

START = datetime(2026, 1, 1, 3, 30, tzinfo=UTC)


def test_a_year_of_daily_backups_leaves_seven_days_four_weeks_and_six_months(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    there: set[Path] = set()
    for day in range(365):
        there = kept({*there, directory.new_path((START + timedelta(days=day)).timestamp())})
    dates = sorted(datetime.fromtimestamp(begun_at(path) or 0, UTC).date().isoformat() for path in there)
    assert dates[-7:] == [f"2026-12-{day}" for day in range(25, 32)]
    assert dates[:-7] == [
        "2026-07-31",
        "2026-08-31",
        "2026-09-30",
        "2026-10-31",
        "2026-11-30",
        "2026-12-13",
        "2026-12-20",
    ]


@pytest.mark.parametrize(
    "content",
    [
        '{"verified": {"name": "b", "at": 1e300, "problems": []}}',
        '{"verified": {"name": "b", "at": 9e9, "problems": []}}',
        '{"passed": {"name": "b", "at": -1.0, "problems": []}}',
        '{"since": 1e300}',
        '{"since": "yesterday"}',
        '{"x": ' + "[" * 100_000,
        "[1]",
        "",
    ],
)
def test_notes_that_cannot_be_true_count_for_nothing(tmp_path: Path, content: str) -> None:
    directory = Directory(tmp_path)
    (tmp_path / "state.json").write_text(content)
    now = START.timestamp()
    assert directory.state(now) == DirectoryState()
    assert directory.wanted_since(now) == now
    assert json.loads((tmp_path / "state.json").read_text())["since"] == now


def test_something_else_in_the_place_of_the_notes_is_named(tmp_path: Path) -> None:
    directory, now = Directory(tmp_path), START.timestamp()
    (tmp_path / "state.json").symlink_to("/dev/zero")
    assert directory.state(now) == DirectoryState()
    (tmp_path / "state.json").unlink()
    (tmp_path / "state.json").mkdir()
    assert directory.state(now) == DirectoryState()
    with pytest.raises(BackupFailed, match=r"state\.json in BACKUP_DIR is a directory; remove it"):
        directory.put_state(DirectoryState())


def at_hours(directory: Directory, *hours: int) -> list[Path]:
    found = [directory.new_path((START + timedelta(hours=hour)).timestamp()) for hour in hours]
    for path in found:
        path.write_bytes(MAGIC)
    return found


def test_the_newest_backup_of_each_day_stays_and_all_of_the_last_day(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    early, last, *fresh = at_hours(directory, 0, 12, 36, 40, 50)
    assert kept([early, last, *fresh]) == {last, *fresh}
    assert kept(fresh) == set(fresh)


def test_a_backup_by_hand_does_not_remove_the_last_one_that_passed_a_restore_test(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    tested, untested, last, newest = at_hours(directory, 0, 1, 2, 40)
    directory.put_state(DirectoryState(verified=Verified(tested.name, START.timestamp(), [])))
    assert directory.retire() == [untested]
    assert directory.backups() == [tested, last, newest]
    directory.put_state(DirectoryState(verified=Verified(tested.name, START.timestamp(), ["it is damaged"])))
    assert directory.retire() == [tested]


def test_a_failed_restore_test_does_not_forget_the_last_backup_that_passed(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    good, damaged, last, newest = at_hours(directory, 0, 1, 2, 40)
    passed = Verified(good.name, START.timestamp(), [])
    failed = Verified(damaged.name, START.timestamp(), ["it is damaged"])
    state = DirectoryState().after(passed).after(failed)
    assert state.last_passed == passed
    directory.put_state(state)
    assert directory.retire() == [damaged]
    assert directory.backups() == [good, last, newest]
    again = Verified(good.name, START.timestamp(), ["it is damaged"])
    assert state.after(again).last_passed is None


def test_backups_are_kept_by_number_not_by_age(tmp_path: Path) -> None:
    """After a year without backups, the old ones are still there."""
    directory = Directory(tmp_path)
    old = [directory.new_path((START + timedelta(days=day)).timestamp()) for day in range(3)]
    new = directory.new_path((START + timedelta(days=400)).timestamp())
    assert kept([*old, new]) == {*old, new}


def test_only_whole_backups_count(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    path = directory.new_path(START.timestamp())
    path.write_bytes(MAGIC)
    path.with_name(path.name + ".part").touch()
    (tmp_path / "passerby-notes.backup").touch()
    assert directory.backups() == [path]


def test_a_file_that_is_only_named_like_a_backup_is_never_the_newest_one(tmp_path: Path) -> None:
    directory, now = Directory(tmp_path), START.timestamp()
    good, empty, link, folder, future = (directory.new_path(now + hour * 3600) for hour in (-4, -3, -2, -1, 9_000))
    good.write_bytes(MAGIC)
    empty.touch()
    link.symlink_to(tmp_path / "nowhere")
    folder.mkdir()
    future.write_bytes(MAGIC)
    assert directory.backups(now) == [good]
    assert directory.find(None, now) == good
    assert directory.retire(now) == []
    assert directory.named() == [good, empty, link, folder, future]
    assert [strange(path, now) for path in directory.named()] == [
        "",
        "this is not a backup of Passerby",
        "it is not a file",
        "it is not a file",
        "its name says a time in the future",
    ]
