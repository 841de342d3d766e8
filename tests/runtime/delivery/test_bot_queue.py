"""A bot's budget, and which delivery passes first when it is short."""

import asyncio

from passerby.domain.budgets import Budget
from passerby.kernel.effect import Priority
from passerby.runtime.delivery.bot_queue import FLOOD_WINDOW_S, BotQueue
from passerby.runtime.delivery.limiters import LocalLimiter
from passerby.runtime.tasks import Background
from tests.runtime.virtual import VirtualClock, settled
from tests.runtime.world import ANN, BEN
from tests.staged import in_virtual_time

raised: list[BaseException] = []


class Queue:
    def __init__(self, bot_queue: BotQueue, clock: VirtualClock) -> None:
        self.bot_queue = bot_queue
        self.clock = clock
        self.passed: list[tuple[str, float]] = []

    def join(self, name: str, priority: Priority) -> asyncio.Task[None]:
        return asyncio.ensure_future(self._wait(name, priority))

    async def _wait(self, name: str, priority: Priority) -> None:
        await self.bot_queue.queue(priority)
        self.passed.append((name, self.clock.monotonic()))


def bot_queue(rate: float = 1.0, burst: int = 1) -> tuple[BotQueue, Queue]:
    clock = VirtualClock()
    opened = BotQueue(LocalLimiter(Budget(rate, burst), clock), Background(raised.append), clock)
    return opened, Queue(opened, clock)


@in_virtual_time
async def test_all_deliveries_pass_at_once_while_the_budget_lasts() -> None:
    opened, _ = bot_queue(1.0, 3)
    assert [opened.passes(asyncio.get_running_loop().time()) for _ in range(4)] == [True, True, True, False]
    await asyncio.sleep(1.0)
    assert [opened.passes(asyncio.get_running_loop().time()) for _ in range(2)] == [True, False]


@in_virtual_time
async def test_without_budget_they_pass_by_priority_and_then_in_order() -> None:
    opened, queue = bot_queue()
    assert opened.passes(asyncio.get_running_loop().time())
    for name, priority in [
        ("broadcast", Priority.BROADCAST),
        ("reply", Priority.COMMAND),
        ("chat 1", Priority.CHAT),
        ("match", Priority.MATCH),
        ("chat 2", Priority.CHAT),
        ("system", Priority.SYSTEM),
    ]:
        queue.join(name, priority)
    await asyncio.sleep(3.5)
    queue.join("chat 3", Priority.CHAT)
    await asyncio.sleep(20)
    assert queue.passed == [
        ("chat 1", 1.0),
        ("chat 2", 2.0),
        ("match", 3.0),
        ("chat 3", 4.0),
        ("reply", 5.0),
        ("system", 6.0),
        ("broadcast", 7.0),
    ]
    assert opened.waiting == 0


@in_virtual_time
async def test_no_delivery_overtakes_waiting_ones() -> None:
    opened, queue = bot_queue(1.0, 2)
    assert opened.passes(asyncio.get_running_loop().time())
    assert opened.passes(asyncio.get_running_loop().time())
    queue.join("first", Priority.BROADCAST)
    await asyncio.sleep(0.999)
    assert not opened.passes(asyncio.get_running_loop().time())
    await asyncio.sleep(0.002)
    assert [name for name, _ in queue.passed] == ["first"]


@in_virtual_time
async def test_no_delivery_overtakes_at_the_moment_when_the_next_may_pass() -> None:
    opened, queue = bot_queue()
    assert opened.passes(asyncio.get_running_loop().time())
    tried: list[bool] = []
    asyncio.get_running_loop().call_later(1.0, lambda: tried.append(opened.passes(asyncio.get_running_loop().time())))
    queue.join("first", Priority.BROADCAST)
    await asyncio.sleep(1.5)
    assert tried == [False]
    assert queue.passed == [("first", 1.0)]


@in_virtual_time
async def test_a_cancelled_place_costs_nothing() -> None:
    opened, queue = bot_queue()
    assert opened.passes(asyncio.get_running_loop().time())
    queue.join("given up", Priority.CHAT).cancel()
    queue.join("also", Priority.CHAT)
    await settled()
    quitter = queue.join("quits", Priority.CHAT)
    queue.join("stays", Priority.CHAT)
    await asyncio.sleep(0.5)
    quitter.cancel()
    await asyncio.sleep(10)
    assert queue.passed == [("also", 1.0), ("stays", 2.0)]


@in_virtual_time
async def test_one_held_chat_holds_only_itself_and_two_hold_the_bot() -> None:
    opened, queue = bot_queue(100.0, 100)
    assert not opened.note_flood(ANN, 10.0)
    assert not opened.note_flood(ANN, 10.0)
    assert opened.passes(asyncio.get_running_loop().time())
    await asyncio.sleep(FLOOD_WINDOW_S + 0.1)
    assert not opened.note_flood(BEN, 10.0), "long after"
    await asyncio.sleep(1.0)
    held_at = queue.clock.monotonic()
    assert opened.note_flood(ANN, 10.0)
    assert not opened.passes(asyncio.get_running_loop().time())
    queue.join("later", Priority.CHAT)
    await asyncio.sleep(9.9)
    assert queue.passed == []
    await asyncio.sleep(1.0)
    assert queue.passed == [("later", held_at + 10.0)]


@in_virtual_time
async def test_a_bot_is_held_for_the_shorter_of_two_chat_holds() -> None:
    """One chat may be held for an hour, and another for a second."""
    opened, _ = bot_queue(100.0, 100)
    assert opened.note_flood(ANN, 1.0) == 0.0
    assert opened.note_flood(BEN, 2000.0) == 1.0
    assert not opened.passes(asyncio.get_running_loop().time())
    await asyncio.sleep(1.1)
    assert opened.passes(asyncio.get_running_loop().time())


@in_virtual_time
async def test_a_shorter_hold_does_not_shorten_a_longer_one() -> None:
    opened, _ = bot_queue(100.0, 100)
    opened.note_flood(ANN, 100.0)
    assert opened.note_flood(BEN, 100.0)
    assert opened.note_flood(ANN, 1.0)
    await asyncio.sleep(50)
    assert not opened.passes(asyncio.get_running_loop().time())


@in_virtual_time
async def test_a_hold_that_begins_while_people_wait_holds_them() -> None:
    opened, queue = bot_queue(1.0, 1)
    assert opened.passes(asyncio.get_running_loop().time())
    queue.join("waits", Priority.CHAT)
    opened.note_flood(ANN, 30.0)
    opened.note_flood(BEN, 30.0)
    await asyncio.sleep(29)
    assert queue.passed == []
    await asyncio.sleep(2)
    assert queue.passed == [("waits", 30.0)]


@in_virtual_time
async def test_a_lost_bot_lets_all_waiting_deliveries_through_to_fail() -> None:
    opened, queue = bot_queue(0.001, 1)
    assert opened.passes(asyncio.get_running_loop().time())
    for name in ("one", "two"):
        queue.join(name, Priority.SYSTEM)
    await asyncio.sleep(1)
    opened.lose()
    await settled()
    assert [name for name, _ in queue.passed] == ["one", "two"]
    queue.join("three", Priority.CHAT)
    await settled()
    assert [name for name, _ in queue.passed] == ["one", "two", "three"]
