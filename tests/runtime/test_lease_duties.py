"""A task that cannot begin because of a bug is tried again, and the log says whose task it is."""

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from passerby.ports.leases import Fence, LeaseName, bot_lease
from passerby.runtime.lease_duties import AGAIN, MONEY, RECORDER
from passerby.runtime.leased_tasks import LeasedTask
from passerby.runtime.membership.heartbeat import BEAT_S
from tests.runtime.test_handover import Successor
from tests.runtime.test_worker import House
from tests.runtime.world import ANN, BEN, BOT, OTHER_BOT, written
from tests.staged import in_virtual_time

THIS = bot_lease(OTHER_BOT)


async def raises() -> None:
    raise ZeroDivisionError


class BadSetup:
    """The setup of these leases' tasks fails for the first `times`: before anything has begun, or after all has
    (`late`)."""

    def __init__(self, house: House, *leases: LeaseName, times: int = 1_000_000, late: bool = False) -> None:
        self.tried_at: list[float] = []
        self._house, self._leases, self._times, self._late = house, leases or (THIS,), times, late
        duties = house.app._fleet_duties
        self._real: Callable[[Fence], LeasedTask] = duties.task_for
        duties.task_for = self._task_for  # type: ignore[method-assign]

    def _task_for(self, fence: Fence) -> LeasedTask:
        if fence.lease not in self._leases:
            return self._real(fence)
        self.tried_at.append(self._house.clock.monotonic())
        if len(self.tried_at) > self._times:
            return self._real(fence)
        if not self._late:
            raise ZeroDivisionError
        task = self._real(fence)
        begin = task.begin

        async def begin_and_raise() -> None:
            await begin()
            raise ZeroDivisionError

        task.begin = begin_and_raise  # type: ignore[method-assign]
        return task


def of(lines: list[MutableMapping[str, Any]], event: str, name: str) -> list[object]:
    return [line.get(name) for line in lines if line["event"] == event]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("times", [1, 3])
@in_virtual_time
async def test_a_bot_whose_setup_fails_is_polled_once_it_succeeds_and_the_log_names_it(times: int, late: bool) -> None:
    house = House()
    setup = BadSetup(house, times=times, late=late)
    with capture_logs() as lines:
        await house.app.start()
        house.happens(written(ANN, "/start"))
        await asyncio.sleep(0.5)
        assert len(house.telegram.sent) == 1, "the other bot does not wait"
        await asyncio.sleep(60.0)
    assert len(setup.tried_at) == times + 1
    assert of(lines, "fleet.task_not_begun", "bot") == [OTHER_BOT] * times
    assert of(lines, "fleet.task_begun", "bot") == [OTHER_BOT]
    house.happens(written(BEN, "/start", bot=OTHER_BOT), OTHER_BOT)
    began_at = house.clock.monotonic()
    await asyncio.sleep(600.0)
    assert len(house.telegram.sent) == 2
    polls = [bot for at, bot, *_ in house.telegram.polls if at >= began_at]
    assert polls.count(OTHER_BOT) <= polls.count(BOT) + 2, "no failed try polls on"
    assert await house.app.stop(10.0)
    assert house.left == 0


@in_virtual_time
async def test_the_pauses_between_tries_grow_up_to_a_minute() -> None:
    house = House()
    setup = BadSetup(house)
    with capture_logs():
        await house.app.start()
        await asyncio.sleep(600.0)
        assert await house.app.stop(10.0)
        tries = len(setup.tried_at)
        await asyncio.sleep(600.0)
    pauses = [after - before for before, after in zip(setup.tried_at, setup.tried_at[1:], strict=False)]
    for number, pause in enumerate(pauses):
        planned = min(AGAIN.longest_s, AGAIN.first_s * 2.0**number)
        assert planned * AGAIN.low <= pause <= planned * AGAIN.high + 0.01
    assert max(pauses) >= AGAIN.longest_s
    assert len(setup.tried_at) == tries, "nothing is tried after a stop"


@in_virtual_time
async def test_a_bot_whose_setup_fails_goes_to_a_worker_that_should_have_it_and_is_not_tried_here_any_more() -> None:
    house = House()
    setup = BadSetup(house, *map(bot_lease, house.telegram.bots))
    with capture_logs() as lines:
        await house.app.start()
        successor = Successor(house)
        await successor.begin()
        await asyncio.sleep(4 * BEAT_S)
        (left,) = [bot for bot in house.telegram.bots if bot_lease(bot) not in successor.has]
        told = len(lines)
        await asyncio.sleep(600.0)
        assert set(of(lines[told:], "fleet.task_not_begun", "bot")) == {left}
        assert await house.app.stop(20.0)
        await asyncio.sleep(BEAT_S)
        assert bot_lease(left) in successor.has
        tries = len(setup.tried_at)
        await asyncio.sleep(600.0)
    assert len(setup.tried_at) == tries
    await successor.die()


@in_virtual_time
async def test_a_lease_is_given_back_even_if_the_end_of_its_task_fails() -> None:
    house = House()
    await house.app.start()
    for task in house.app._duties.polling.values():
        task.end = raises  # type: ignore[method-assign]
    with capture_logs():
        successor = Successor(house)
        await successor.begin()
        await asyncio.sleep(8 * BEAT_S)
    (left,) = [bot for bot in house.telegram.bots if bot_lease(bot) not in successor.has]
    assert list(house.app._duties.polling) == [left]
    await house.app.abandon()
    await successor.die()


@pytest.mark.parametrize("lease", [MONEY, RECORDER])
@in_virtual_time
async def test_a_worker_whose_duty_cannot_begin_starts_works_and_stops_and_the_log_names_the_duty(
    lease: LeaseName,
) -> None:
    house = House()
    BadSetup(house, lease)
    with capture_logs() as lines:
        await house.app.start()
        house.happens(written(ANN, "/start"))
        await asyncio.sleep(5.0)
        assert len(house.telegram.sent) == 1
        assert await house.app.stop(10.0)
    assert set(of(lines, "fleet.task_not_begun", "kind")) == {lease}
