"""A fleet on real Redis and PostgreSQL: kills in their short form; in `make test-all`, every fault and a planted bug.

The long forms: `make faults`.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.cases import CASES
from tests.faults.cases_workers import sleep
from tests.faults.product import planted
from tests.faults.stage import play
from tests.size import IS_LONG

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


def marks(name: str) -> pytest.MarkDecorator:
    return pytest.mark.sized if name == "kills" else pytest.mark.long


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in sorted(CASES)])
def test_a_fleet_keeps_its_promises(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    # How long takeovers take says much about this machine. `make faults` measures it.
    case = replace(CASES[name], takes_over=False, timed=False)
    if not IS_LONG:
        case = replace(case, workers=3, bots=3, people=12)
    # A short path: that of supervisor's socket may have about a hundred characters.
    report = asyncio.run(play(case, tmp_path_factory.mktemp("f")))
    assert report.wrong == {}
    assert report.verdict.delivered > 0


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_judge_finds_a_worker_that_ignores_its_fences(tmp_path: Path) -> None:
    """The judge found it at the first try in seven of seven runs, on a machine with ten times its load.

    Chance decides how much the paused worker has in hand, and how much of it others have sent when it wakes. So the
    test gets two more tries.
    """
    command = (*planted("fence_off"), "worker")
    case = replace(CASES["pause"], disturb=sleep, command=command, quiet_s=5.0)
    for seed in range(3):
        directory = tmp_path / str(seed)
        directory.mkdir()
        verdict = asyncio.run(play(case, directory, seed=seed)).verdict
        if verdict.most_duplicates > 1 or verdict.unprovoked or verdict.misrouted:
            return
    raise AssertionError("a worker without fences sent nothing twice, three times over")
