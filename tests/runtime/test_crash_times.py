"""The file that says when a process of a name has crashed."""

import os
from pathlib import Path

import pytest

from passerby.runtime.crash_times import Crashed, CrashTimes


def test_crashes_are_known_to_the_next_process(tmp_path: Path) -> None:
    CrashTimes(tmp_path / "one.crashes").add(Crashed(1000.0, was_stuck=True))
    again = CrashTimes(tmp_path / "one.crashes")
    again.add(Crashed(1005.0, was_stuck=False))
    assert CrashTimes(tmp_path / "one.crashes").last_hour(1010.0) == [Crashed(1000.0, True), Crashed(1005.0, False)]


def test_a_pipe_in_its_place_holds_no_start_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "one.crashes")
    times = CrashTimes(tmp_path / "one.crashes")
    assert times.last_hour(1000.0) == []
    os.mkfifo(tmp_path / "one.crashes-new")
    with pytest.raises(OSError, match="pipe"):
        times.add(Crashed(1000.0, was_stuck=False))
    assert times.last_hour(1000.0) == [Crashed(1000.0, was_stuck=False)], "it is counted all the same"
