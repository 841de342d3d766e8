"""Between two workers, a bot is without a poll only while work in hand is finished. So a checkout waits no longer."""

import asyncio

import pytest

from passerby.ports.leases import Fence, LeaseName, bot_lease
from passerby.runtime.leased_tasks import FIRST_ANSWER_S
from passerby.runtime.membership.heartbeat import BEAT_S, HASTE_S, Wanted
from tests.runtime.membership.test_heartbeat import Worker as Member
from tests.runtime.test_worker import House, at_home
from tests.runtime.world import ANN, OTHER_BOT, written
from tests.staged import in_virtual_time, staged


class Successor(Member):
    """Another worker of the fleet, which only notes when it gets a lease."""

    def __init__(self, house: House) -> None:
        super().__init__("two", house.store, house.clock)
        self._wanted = house.app.membership._callbacks.wanted
        self.gained_at: dict[LeaseName, float] = {}
        self._clock = house.clock

    def wanted(self) -> Wanted:
        return self._wanted()

    async def gained(self, fence: Fence) -> None:
        await super().gained(fence)
        self.gained_at[fence.lease] = self._clock.monotonic()


@pytest.mark.parametrize("phase", range(6))
@in_virtual_time
async def test_a_stopping_worker_polls_until_the_others_ask_for_its_bots_and_no_bot_waits_for_a_heartbeat(
    phase: int,
) -> None:
    house = House()
    await house.app.start()
    successor = Successor(house)
    await successor.begin()
    await asyncio.sleep(5 * BEAT_S + phase * BEAT_S / 6)
    (left,) = [bot for bot in house.telegram.bots if bot_lease(bot) not in successor.has]
    stopping = asyncio.create_task(house.app.stop(20.0))
    await asyncio.sleep(BEAT_S / 2)
    said = len(house.telegram.sent)
    house.happens(written(ANN, "/help", bot=left), left)
    await asyncio.sleep(BEAT_S / 4)
    assert len(house.telegram.sent) > said, "it answers while the others hear that it leaves"
    assert await stopping
    last_poll_at = max(at for at, bot, *_ in house.telegram.polls if bot == left)
    await asyncio.sleep(BEAT_S)
    assert successor.gained_at[bot_lease(left)] <= last_poll_at + HASTE_S + 0.05
    assert house.left == 0
    await successor.die()


@in_virtual_time
async def test_a_worker_without_others_stops_at_once() -> None:
    house = House()
    await house.app.start()
    before = house.clock.monotonic()
    assert await house.app.stop(20.0)
    assert house.clock.monotonic() - before < BEAT_S / 2


@staged(at_home, before=lambda house: house.telegram.silent.add(OTHER_BOT))
async def test_a_bot_is_polled_before_telegram_has_said_who_it_is(house: House, /) -> None:
    first = min(at for at, bot, *_ in house.telegram.polls if bot == OTHER_BOT)
    assert first < FIRST_ANSWER_S / 2
