"""The commands read supervisor's answers, which are written here."""

from pathlib import Path
from typing import Any

import pytest

from passerby.ops.cluster.control import Cluster, ClusterFault
from passerby.ops.cluster.operations import await_ready


class Told(Cluster):
    """A cluster whose supervisor says this about its processes."""

    def __init__(self, directory: Path, **states: str) -> None:
        super().__init__(directory)
        self._states = states

    def _call(self, method: str, *arguments: Any, timeout_s: float | None = None) -> Any:
        if method == "passerby.runs":
            return []
        return [
            {
                "name": name,
                "statename": state,
                "pid": 5,
                "start": 1_000,
                "now": 1_060,
                "stdout_logfile": str(self.directory / "none.log"),
            }
            for name, state in self._states.items()
        ]


def test_one_process_that_is_given_up_does_not_end_the_wait_for_the_others(tmp_path: Path) -> None:
    cluster = Told(tmp_path, one="FATAL", two="STARTING")
    with pytest.raises(ClusterFault, match=r"not ready within 0\.1 s: one .*; two "):
        await_ready(cluster, ["one", "two"], print, 0.1)
    with pytest.raises(ClusterFault, match=r"\Aone waits"):
        await_ready(Told(tmp_path, one="FATAL"), ["one"], print, 60.0)


def test_the_time_up_of_a_process_counts_from_its_start(tmp_path: Path) -> None:
    assert Told(tmp_path, one="RUNNING").process("one").up_s == 60
