"""A worker lapses: the others take it for dead, although it is not."""

import asyncio

import pytest

from tests.scenario.stage import Stage, play
from tests.scenario.stores import FLEET

TAKEN_OVER_S = 60.0


@pytest.mark.parametrize("store", [FLEET])
def test_people_who_search_while_a_worker_lapses_are_found_for_each_other(store: str) -> None:
    """It leaves work behind that nobody of its process will do."""

    async def scene(on: Stage) -> None:
        for nth in range(on.size):
            on.ann.write("/stop")
            await on.quiet()
            on.ann.write("/search")
            on.bob.write("/search")
            _, worker = list(on.running.values())[nth]
            await asyncio.sleep(0.1)
            worker.membership.lapse("taken for dead")
            await on.quiet()
            await asyncio.sleep(TAKEN_OVER_S)
            assert on.ann.told()[-1] == on.bob.told()[-1] == "search.found"
            assert worker not in [each for _, each in on.running.values()]

    play(store, scene, home=False)
