"""Printing the end of log files and new lines, even after a rotation."""

from pathlib import Path

import pytest

from passerby.cli.logfiles import Follower, show, tail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "worker-1.log"
    path.write_text("".join(f"line {number}\n" for number in range(1, 5001)))
    return path


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.mark.parametrize(("lines", "last"), [(2, ["line 4999", "line 5000"]), (0, [])])
def test_the_last_lines_of_a_log_are_printed(log: Path, lines: int, last: list[str]) -> None:
    assert tail(log, lines) == last


def test_a_short_log_is_printed_whole(log: Path) -> None:
    assert tail(log, 10_000) == [f"line {number}" for number in range(1, 5001)]


def test_a_missing_log_file_has_no_lines(tmp_path: Path) -> None:
    assert tail(tmp_path / "none.log", 5) == []


def test_appended_text_comes_once_and_in_whole_lines(log: Path) -> None:
    follower = Follower(log)
    assert follower.added() == []
    add(log, "new\nhal")
    assert follower.added() == ["new"]
    add(log, "f\n")
    assert follower.added() == ["half"]
    follower.close()


def test_no_line_is_missed_when_the_file_is_rotated(log: Path) -> None:
    follower = Follower(log)
    add(log, "last of the old\n")
    log.rename(log.with_suffix(".log.1"))
    add(log, "first of the new\n")
    assert follower.added() == ["last of the old", "first of the new"]
    follower.close()


def test_lines_that_are_written_while_the_file_is_rotated_are_not_missed(log: Path) -> None:
    class Racing(Follower):
        """Something is written, and the file is rotated, between the reading and the look at the file."""

        def _was_replaced(self) -> bool:
            with log.open("a") as file:
                file.write("late\n")
            log.rename(log.with_name("old"))
            log.write_text("new\n")
            return super()._was_replaced()

    follower = Racing(log)
    with log.open("a") as file:
        file.write("early\n")
    assert follower.added() == ["early", "late", "new"]
    follower.close()


def test_a_file_that_was_emptied_is_read_from_its_start(log: Path) -> None:
    follower = Follower(log)
    log.write_text("again\n")
    assert follower.added() == ["again"]
    follower.close()


def test_a_file_that_is_created_later_is_read_from_its_start(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "late.log")
    add(tmp_path / "late.log", "first\n")
    assert follower.added() == ["first"]
    follower.close()


def test_lines_of_several_processes_begin_with_their_names(log: Path, tmp_path: Path) -> None:
    add(tmp_path / "web-10.log", "hello\n")
    said: list[str] = []
    show({"worker-1": log, "web-10": tmp_path / "web-10.log"}, 1, follow=False, say=said.append)
    assert said == ["worker-1 | line 5000", "web-10   | hello"]


def test_lines_of_one_process_are_printed_unchanged(log: Path) -> None:
    said: list[str] = []
    show({"worker-1": log}, 1, follow=False, say=said.append)
    assert said == ["line 5000"]
