"""Short forms of faults in which a store loses data, or a disk or clock is wrong. The long forms: `make faults`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.cases import CASES
from tests.faults.cases_redis_loss import redis_older, sentinel_returns
from tests.faults.stage import Stage, play
from tests.size import in_full

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


TIMES = [("power-cut", 2), ("disk-errors", 2), ("clocks-far", 3), ("flipped-log", 2)]


@pytest.mark.parametrize(("name", "times"), in_full(TIMES, 0))
def test_after_a_loss_no_message_goes_to_a_former_partner_or_vanishes_silently(
    name: str, times: int, tmp_path: Path
) -> None:
    case = replace(CASES[name], people=8, bots=1)
    report = asyncio.run(play(case, tmp_path, times=times))
    assert report.wrong == {}
    assert report.verdict.sent > 0


@pytest.mark.parametrize(
    ("name", "disturb"), in_full([("redis-older", redis_older), ("sentinel-returns", sentinel_returns)], 0)
)
def test_no_message_goes_to_a_former_partner_after_redis_goes_back_in_time(
    name: str, disturb: Callable[[Stage, int], Awaitable[None]], tmp_path: Path
) -> None:
    case = replace(CASES[name], people=8, bots=1, workers=2, disturb=lambda stage: disturb(stage, 1))
    report = asyncio.run(play(case, tmp_path))
    assert report.wrong == {}
    assert report.verdict.sent > 0
