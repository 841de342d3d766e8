"""A few real kills, and planted bugs that they reveal. For many more: `make faults`."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.product import planted
from tests.faults.run import Plan, run_plan
from tests.size import size

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.mark.sized
def test_nothing_is_lost_or_misrouted_when_the_process_is_killed(tmp_path: Path) -> None:
    kills = size(2, 6)
    outcome = asyncio.run(run_plan(Plan(kills=kills, people=size(6, 16), alive_s=(0.2, 1.5)), tmp_path))
    assert outcome.happened
    assert outcome.kills >= kills
    assert outcome.stops == 1
    assert outcome.verdict.faults == dict.fromkeys(outcome.verdict.faults, 0)
    assert outcome.disagreements == []
    assert outcome.put_aside == 0, "a kill must not count against an update"


@pytest.mark.long
def test_the_judge_finds_updates_that_were_confirmed_too_early(tmp_path: Path) -> None:
    # A kill loses only messages that wait behind another send. On a quick machine some conversations have no such
    # moment.
    lost = 0
    for seed in range(4):
        plan = Plan(5, people=30, seed=seed, alive_s=(0.2, 1.5), quiet_s=20, command=planted("confirm_early"))
        place = tmp_path / str(seed)
        place.mkdir()
        lost += len(asyncio.run(run_plan(plan, place)).verdict.lost)
        if lost:
            break
    assert lost


@pytest.mark.long
def test_the_judge_finds_updates_that_were_processed_twice(tmp_path: Path) -> None:
    plan = Plan(kills=4, people=30, alive_s=(0.2, 1.5), quiet_s=20, command=planted("dedupe_off"))
    verdict = asyncio.run(run_plan(plan, tmp_path)).verdict
    assert verdict.unprovoked or verdict.most_duplicates > 1


@pytest.mark.long
def test_the_judge_finds_messages_that_went_to_the_wrong_person(tmp_path: Path) -> None:
    plan = Plan(kills=1, people=16, alive_s=(0.2, 1.5), quiet_s=20, command=planted("crossed_wires"))
    assert asyncio.run(run_plan(plan, tmp_path)).verdict.misrouted
