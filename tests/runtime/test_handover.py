"""Between two workers, a bot is without a poll only while work in hand is finished. Checkouts are answered even so."""

import asyncio

import pytest

from passerby.kernel.money_event import CheckoutAsked
from passerby.ports.leases import Fence, LeaseName, bot_lease
from passerby.ports.telegram import AnswerCheckout, OutgoingCall, SendContent
from passerby.runtime.inbound.look_ahead import SAME_OFFSET_S
from passerby.runtime.leased_tasks import FIRST_ANSWER_S
from passerby.runtime.membership.heartbeat import BEAT_S, HASTE_S, Wanted
from tests.runtime.membership.test_heartbeat import Worker as Member
from tests.runtime.test_worker import House, at_home
from tests.runtime.virtual import EPOCH
from tests.runtime.world import ANN, BEN, BOT, EVE, OTHER_BOT, Answer, written
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


SLOW_S = 3.0


async def slowly(outgoing: OutgoingCall) -> Answer:
    """Telegram takes its time with messages of people."""
    if isinstance(outgoing, SendContent):
        await asyncio.sleep(SLOW_S)
    return None


@in_virtual_time
async def test_checkouts_are_answered_once_while_a_bot_is_handed_over_and_their_updates_go_to_the_next_worker() -> None:
    house = House()
    await house.app.start()
    await house.meet()
    successor = Successor(house)
    await successor.begin()
    await asyncio.sleep(5 * BEAT_S)
    (left,) = [bot for bot in house.telegram.bots if bot_lease(bot) not in successor.has]
    house.telegram.answer = slowly
    stopping = asyncio.create_task(house.app.stop(20.0))
    await asyncio.sleep(BEAT_S - 0.1)
    writer = ANN if left == BOT else BEN
    house.happens(written(writer, "hello", 2000, left, sent_at=EPOCH + 20), left)
    await asyncio.sleep(0.5)
    asked_at = house.clock.monotonic()
    house.happens(CheckoutAsked(EVE, left, "q1", "nothing", 75), left)
    house.happens(written(writer, "how are you?", 2001, left, sent_at=EPOCH + 21), left)
    await asyncio.sleep(1.0)
    assert left not in successor.gained_at, "a message is still in hand"
    answers = [at - asked_at for at, each in house.telegram.tried if isinstance(each, AnswerCheckout)]
    assert len(answers) == 1
    assert answers[0] <= SAME_OFFSET_S + 0.05
    assert await stopping
    await asyncio.sleep(BEAT_S)
    assert bot_lease(left) in successor.gained_at
    assert house.left == 2, "the checkout and the second message were not taken"
    assert sum(isinstance(each, AnswerCheckout) for _, each in house.telegram.tried) == 1
    assert [each for each in house.telegram.sent if isinstance(each, SendContent)] != []
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
