"""Two databases whose names differ only in their ending do not share a log."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from passerby.adapters.memory import FileLog, LogOfAnother, take_for
from passerby.adapters.memory.delivered import Delivered
from passerby.kernel.ids import BotId, UpdateRef


def database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE IF NOT EXISTS t (x)")
    return path


def take(path: Path, *, used: bool = True) -> None:
    log = FileLog(path.with_suffix(".live"))
    try:
        take_for(log, path)
        if used:
            log.append(b"something")
    finally:
        log.close()


def test_a_log_serves_its_database_again_and_again(tmp_path: Path) -> None:
    ours = tmp_path / "x.db"
    take(ours)
    database(ours)
    take(ours)
    take(ours)


def test_a_second_database_with_the_same_beginning_is_refused(tmp_path: Path) -> None:
    take(database(tmp_path / "x.db"))
    other = tmp_path / "x.sqlite"
    for _ in range(2):
        with pytest.raises(LogOfAnother, match=r"^x\.db$"):
            take(other)
        database(other)
    take(tmp_path / "x.db")


def test_a_database_with_another_beginning_has_a_log_of_its_own(tmp_path: Path) -> None:
    take(database(tmp_path / "x.db"))
    take(database(tmp_path / "y.sqlite"))
    assert (tmp_path / "y.live").exists()


def test_a_database_that_was_renamed_keeps_its_log(tmp_path: Path) -> None:
    take(database(tmp_path / "x.db"))
    (tmp_path / "x.db").rename(tmp_path / "x.sqlite")
    take(tmp_path / "x.sqlite")
    database(tmp_path / "x.db")
    with pytest.raises(LogOfAnother):
        take(tmp_path / "x.db")


def without_note(path: Path) -> None:
    """As an older release leaves the lock file."""
    log = FileLog(path.with_suffix(".live"))
    log.append(b"something")
    log.close()


def test_an_existing_installation_keeps_its_log_whatever_lies_beside_it(tmp_path: Path) -> None:
    ours = database(tmp_path / "x.db")
    without_note(ours)
    database(tmp_path / "x.bak")
    (tmp_path / "x.txt").write_text("notes")
    (tmp_path / "x.d").mkdir()
    take(ours)
    take(ours)


def test_the_used_log_of_an_older_release_is_not_taken_for_a_new_database(tmp_path: Path) -> None:
    without_note(database(tmp_path / "x.db"))
    with pytest.raises(LogOfAnother, match=r"^x\.db$"):
        take(tmp_path / "x.sqlite")
    take(tmp_path / "x.db")


def test_a_log_whose_database_was_deleted_serves_a_new_one(tmp_path: Path) -> None:
    take(database(tmp_path / "x.db"))
    (tmp_path / "x.db").unlink()
    take(tmp_path / "x.db")
    (tmp_path / "x.sqlite").write_text("no database")
    take(tmp_path / "x.db")


def test_a_damaged_database_keeps_its_log(tmp_path: Path) -> None:
    take(database(tmp_path / "x.db"))
    (tmp_path / "x.db").write_bytes(b"")
    with pytest.raises(LogOfAnother):
        take(tmp_path / "x.sqlite")


def test_the_used_log_of_an_older_release_belongs_to_no_file_that_is_no_database(tmp_path: Path) -> None:
    without_note(tmp_path / "x.db")
    (tmp_path / "x.txt").write_text("notes")
    (tmp_path / "x.d").mkdir()
    take(tmp_path / "x.sqlite")


def test_a_copy_of_the_files_under_another_directory_is_its_own(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    take(database(first / "x.db"))
    shutil.copytree(first, second)
    take(second / "x.db")


def test_the_note_leaves_the_notes_of_deliveries_alone(tmp_path: Path) -> None:
    refs = [UpdateRef(BotId(1), number) for number in range(1024)]
    log = FileLog(tmp_path / "x.live")
    Delivered(log._lock).note(log._lock, refs, 5.0)
    take_for(log, tmp_path / "x.db")
    assert sorted(Delivered(log._lock).since(6.0)) == refs
    assert log.database
    log.close()
