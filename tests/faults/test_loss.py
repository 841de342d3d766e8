"""Some ways in which a live store loses something, shortly. All of them: `make faults`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.cases import CASES
from tests.faults.cases_loss import flipped_log, power_cut
from tests.faults.cases_redis_loss import redis_older, sentinel_returns
from tests.faults.stage import Stage, play
from tests.size import in_full

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.mark.parametrize(("name", "disturb"), in_full([("power-cut", power_cut), ("flipped-log", flipped_log)], 1))
def test_nobody_is_sent_to_a_former_partner_when_the_log_has_lost_something(
    name: str, disturb: Callable[[Stage, int], Awaitable[None]], tmp_path: Path
) -> None:
    case = replace(CASES[name], people=8, bots=1, disturb=lambda stage: disturb(stage, 2))
    report = asyncio.run(play(case, tmp_path))
    assert report.wrong == {}
    assert report.verdict.sent > 0


@pytest.mark.parametrize(
    ("name", "disturb"), in_full([("redis-older", redis_older), ("sentinel-returns", sentinel_returns)], 1)
)
def test_nobody_is_sent_to_a_former_partner_when_redis_has_gone_back_in_time(
    name: str, disturb: Callable[[Stage, int], Awaitable[None]], tmp_path: Path
) -> None:
    case = replace(CASES[name], people=8, bots=1, workers=2, disturb=lambda stage: disturb(stage, 1))
    report = asyncio.run(play(case, tmp_path))
    assert report.wrong == {}
    assert report.verdict.sent > 0
