"""A broadcast never takes the budget that the next chat message needs."""

import asyncio
from random import Random

import pytest

from passerby.domain.budgets import Budget
from passerby.kernel.effect import Priority
from passerby.kernel.ids import PersonId
from passerby.runtime.delivery.spare_budget import Take
from tests.runtime.world import ANN, BEN, BOT, Bench
from tests.staged import in_virtual_time

BUDGET, CHAT_BUDGET = Budget(30.0, 30), Budget(1.0, 3)
SHARED = pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])


def bench(*, shared: bool = False, beside: Bench | None = None) -> Bench:
    return Bench(bot_budget=BUDGET, chat_budget=CHAT_BUDGET, shared=shared, beside=beside)


async def taken_in(at: Bench, seconds: float) -> int:
    """How many copies, each to somebody else, get budget within this time if somebody asks all the time."""
    count, until = 0, asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        if await at.courier.spare_budget.take(BOT, PersonId(1_000 + count)) is Take.TAKEN:
            count += 1
        await asyncio.sleep(0.005)
    return count


@SHARED
@in_virtual_time
async def test_a_quiet_bot_gives_two_thirds_of_its_rate(shared: bool) -> None:
    assert 170 <= await taken_in(bench(shared=shared), 10.0) <= 201


@in_virtual_time
async def test_after_a_broadcast_the_next_chat_messages_find_all_of_the_burst_but_one() -> None:
    at = bench()
    assert await taken_in(at, 5.0) > 80
    queue = at.courier._budgets.bot_queue(BOT)
    passed = [queue.passes(asyncio.get_running_loop().time()) for _ in range(30)]
    assert passed.count(True) >= BUDGET.burst - 1


@SHARED
@in_virtual_time
async def test_the_more_chats_use_the_less_is_left_and_a_bot_at_its_limit_gives_nothing(shared: bool) -> None:
    at = bench(shared=shared)
    queue = at.courier._budgets.bot_queue(BOT)

    async def chats(rate_per_s: float) -> None:
        while True:
            await queue.queue(Priority.CHAT)
            await asyncio.sleep(1 / rate_per_s)

    left = []
    for rate_per_s in (15.0, 40.0):
        chatting = asyncio.ensure_future(chats(rate_per_s))
        await asyncio.sleep(20.0)
        left.append(await taken_in(at, 10.0))
        chatting.cancel()
    assert left[0] <= 151
    assert left[1] == 0


class Bursts:
    """Chats that send bursts of relays, more than the bot may send at once. `waited` has the wait of each relay."""

    def __init__(self, at: Bench) -> None:
        self._queue = at.courier._budgets.bot_queue(BOT)
        self.waiting = 0
        self.waited: list[float] = []

    async def run(self, rng: Random, seconds: float) -> None:
        now = asyncio.get_running_loop().time
        until = now() + seconds
        async with asyncio.TaskGroup() as group:
            while now() < until:
                for _ in range(rng.choice((1, 5, 30, 60))):
                    group.create_task(self._relay())
                await asyncio.sleep(rng.uniform(0.5, 4.0))

    async def _relay(self) -> None:
        began = asyncio.get_running_loop().time()
        self.waiting += 1
        await self._queue.queue(Priority.CHAT)
        self.waiting -= 1
        self.waited.append(asyncio.get_running_loop().time() - began)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("where", ["alone", "shared", "in another process"])
@in_virtual_time
async def test_no_copy_goes_out_while_a_relay_waits_and_no_relay_waits_longer(where: str, seed: int) -> None:
    """Not at the peak either: each burst of relays is larger than the burst of the bot."""
    waited, copies = [], []
    for is_broadcast in (False, True):
        chats_at = bench(shared=where != "alone")
        sender = bench(beside=chats_at) if where == "in another process" else chats_at
        chats = Bursts(chats_at)
        running = asyncio.ensure_future(chats.run(Random(seed), 60.0))
        number = 0
        while is_broadcast and not running.done():
            waits = chats.waiting
            if await sender.courier.spare_budget.take(BOT, PersonId(1_000 + number)) is Take.TAKEN:
                number += 1
                copies.append(waits)
            await asyncio.sleep(0.005)
        await running
        waited.append(chats.waited)
    assert len(copies) > 100, "there is a broadcast"
    assert max(waited[0]) > 0.5, "and relays wait"
    assert sum(waits > 0 for waits in copies) == 0
    without, beside = (sorted(each) for each in waited)
    assert len(without) == len(beside)
    # A copy may take one message of a full burst.
    assert all(b - a <= 1 / BUDGET.rate_per_s + 1e-6 for a, b in zip(without, beside, strict=True))


@SHARED
@in_virtual_time
async def test_nothing_is_left_while_a_bot_is_held_or_people_wait_there(shared: bool) -> None:
    at = bench(shared=shared)
    spare, queue = at.courier.spare_budget, at.courier._budgets.bot_queue(BOT)
    assert spare.is_open(BOT)
    for _ in range(31):
        queue.queue(Priority.CHAT)
    assert not spare.is_open(BOT), "people wait"
    await asyncio.sleep(10.0)
    assert spare.is_open(BOT)
    await spare.flooded(BOT, ANN, 7.0)
    assert await spare.take(BOT, BEN) is Take.NOT_NOW
    await asyncio.sleep(7.1)
    assert await spare.take(BOT, BEN) is Take.TAKEN


@in_virtual_time
async def test_one_refusal_closes_a_bot_for_broadcasts_and_only_two_close_it_for_chats() -> None:
    at = bench()
    spare, queue = at.courier.spare_budget, at.courier._budgets.bot_queue(BOT)
    await spare.flooded(BOT, ANN, 7.0)
    assert queue.passes(asyncio.get_running_loop().time())
    await spare.flooded(BOT, BEN, 7.0)
    assert not queue.passes(asyncio.get_running_loop().time())


@SHARED
@in_virtual_time
async def test_a_person_s_own_budget_holds_for_broadcasts_too(shared: bool) -> None:
    at = bench(shared=shared)
    taken = []
    for _ in range(CHAT_BUDGET.burst + 3):
        taken.append(await at.courier.spare_budget.take(BOT, ANN))
        await asyncio.sleep(0.1)
    assert Take.CHAT_BUSY in taken
    assert taken[0] is Take.TAKEN


@in_virtual_time
async def test_nothing_is_left_while_the_outbox_is_late() -> None:
    at = bench()
    at.courier.spare_budget._oldest_s = lambda: 2.1
    assert not at.courier.spare_budget.is_open(BOT)


@in_virtual_time
async def test_paid_copies_have_their_own_rate_and_stop_for_a_held_bot_too() -> None:
    at = bench()
    spare, count = at.courier.spare_budget, 0
    for number in range(2_000):
        count += await spare.take(BOT, PersonId(1_000 + number), paid=True) is Take.TAKEN
        await asyncio.sleep(0.005)
    assert 900 <= count <= 1_001
    assert at.courier._budgets.bot_queue(BOT).passes(asyncio.get_running_loop().time())
    await spare.flooded(BOT, ANN, 7.0)
    assert await spare.take(BOT, BEN, paid=True) is Take.NOT_NOW
