"""The slot of a Redis cluster moves while people chat: the short form. The long form: `python -m tests.faults
slot-moves`."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.cases import CASES
from tests.faults.stage import play

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.mark.long
def test_people_notice_only_a_pause_when_a_cluster_slot_moves(tmp_path: Path) -> None:
    report = asyncio.run(play(replace(CASES["slot-moves"], people=8, bots=1, workers=2), tmp_path))
    assert report.wrong == {}
    assert report.verdict.sent > 0
