"""A fleet on real Redis and PostgreSQL: some of the faults, shortly, and a planted bug. All of them: `make faults`."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.cases import CASES
from tests.faults.cases_workers import sleep
from tests.faults.product import planted
from tests.faults.stage import play

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.mark.parametrize("name", [case.name for case in CASES.values() if case.quick])
def test_a_fleet_keeps_its_promises(name: str, tmp_path: Path) -> None:
    report = asyncio.run(play(CASES[name], tmp_path))
    assert report.wrong == {}
    assert report.verdict.delivered > 0


def test_the_judge_finds_a_worker_that_does_not_mind_its_fences(tmp_path: Path) -> None:
    command = (*planted("fence_off"), "worker")
    case = replace(CASES["pause"], disturb=sleep, command=command, quiet_s=5.0)
    verdict = asyncio.run(play(case, tmp_path)).verdict
    assert verdict.most_duplicates > 1 or verdict.unprovoked or verdict.misrouted
