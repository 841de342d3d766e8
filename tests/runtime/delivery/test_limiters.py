"""Budgets over several processes: together never more than one alone might send, with less than a call per message."""

import asyncio
from itertools import combinations

import pytest

from passerby.adapters.memory import MemoryStore
from passerby.domain.budgets import Budget
from passerby.kernel.ids import BotId, PersonId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.shared_budgets import Account, Grant
from passerby.runtime.delivery.limiters import LEAST_S, SHORTEST_WAIT_S, Limiter, LocalLimiter, SharedLimiter
from tests.runtime.virtual import VirtualClock, run
from tests.runtime.world import ANN, BOT, Bench
from tests.staged import in_virtual_time

CHAT_ACCOUNT, BOT_ACCOUNT = Account(BOT, ANN), Account(BOT)


class Counted:
    """The budgets of a store, with a count of the calls."""

    def __init__(self, store: MemoryStore, delay_s: float = 0.0) -> None:
        self._store = store
        self._delay_s = delay_s
        self.asked = 0

    async def reserve(self, account: Account, rate_per_s: float, burst: int, wanted: int) -> Grant:
        self.asked += 1
        await asyncio.sleep(self._delay_s / 2)
        grant = await self._store.reserve(account, rate_per_s, burst, wanted)
        await asyncio.sleep(self._delay_s / 2)
        return grant

    async def hold(self, account: Account, wait_s: float) -> None:
        await self._store.hold(account, wait_s)

    def is_held(self, account: Account) -> bool:
        return self._store.is_held(account)


async def send(limiter: Limiter, clock: VirtualClock, sent: list[float], pause_s: float = 0.0) -> None:
    """Send as fast as allowed, or with a pause after each message."""
    while True:
        if limiter.ready(clock.monotonic()):
            limiter.spend(clock.monotonic())
            sent.append(clock.monotonic())
            await asyncio.sleep(pause_s)
        else:
            await asyncio.sleep(await limiter.ask())


async def sent_within(
    store: Counted, account: Account, budget: Budget, pauses_s: tuple[float, ...], within_s: float
) -> list[float]:
    clock, sent = VirtualClock(), list[float]()
    senders = [
        asyncio.ensure_future(send(SharedLimiter(account, budget, store, clock), clock, sent, p)) for p in pauses_s
    ]
    await asyncio.sleep(within_s)
    for sender in senders:
        sender.cancel()
    await asyncio.gather(*senders, return_exceptions=True)
    return sent


def most_over(sent: list[float], budget: Budget) -> float:
    """Return by how many messages any stretch of time exceeds its share."""
    return max(
        later - earlier + 1 - (sent[later] - sent[earlier]) * budget.rate_per_s - budget.burst
        for earlier, later in combinations(range(len(sent)), 2)
    )


@pytest.mark.parametrize(
    ("account", "budget"),
    [
        (BOT_ACCOUNT, Budget(30.0, 30)),
        (CHAT_ACCOUNT, Budget(1.0, 20)),
        (CHAT_ACCOUNT, Budget(0.5, 3)),
        (CHAT_ACCOUNT, Budget(1.0, 1)),
    ],
    ids=["bot", "chat", "slow chat", "no burst"],
)
@pytest.mark.parametrize("delay_s", [0.0, 0.04])
@in_virtual_time
async def test_several_senders_never_exceed_the_budget_in_any_stretch_of_time(
    account: Account, budget: Budget, delay_s: float
) -> None:
    store = Counted(Bench().store, delay_s)
    # Some send as fast as allowed; some only now and then, so that they hold blocks while the others press.
    pauses_s = (0.0, 0.0, 0.0, 0.7 / budget.rate_per_s, 3.1 / budget.rate_per_s)
    within_s = 30 / budget.rate_per_s + 10
    sent = await sent_within(store, account, budget, pauses_s, within_s)
    assert most_over(sent, budget) <= delay_s * budget.rate_per_s + LEAST_S * budget.rate_per_s
    assert len(sent) <= budget.rate_per_s * within_s + budget.burst
    assert len(sent) >= 0.8 * budget.rate_per_s * within_s, "nor much less, while many are waiting"


@pytest.mark.parametrize(
    ("account", "budget", "held_s"),
    [(BOT_ACCOUNT, Budget(30.0, 30), 0.45), (CHAT_ACCOUNT, Budget(1.0, 20), 4.5)],
    ids=["bot", "chat"],
)
@in_virtual_time
async def test_saved_blocks_do_not_make_a_burst_larger(account: Account, budget: Budget, held_s: float) -> None:
    clock, store = VirtualClock(), Bench().store
    parts = [SharedLimiter(account, budget, store, clock) for _ in range(4)]
    for part in parts:
        await part.ask()
    await asyncio.sleep(held_s)
    sent = 0
    for part in parts:
        while part.ready(clock.monotonic()) or await part.ask() == 0.0:
            part.spend(clock.monotonic())
            sent += 1
    assert budget.burst / 2 <= sent <= budget.burst


@in_virtual_time
async def test_a_bot_in_steady_use_asks_once_for_several_messages() -> None:
    store = Counted(Bench().store)
    sent = await sent_within(store, BOT_ACCOUNT, Budget(30.0, 30), (0.05,), 20.0)
    assert len(sent) == 400
    assert store.asked <= len(sent) / 5


@in_virtual_time
async def test_a_burst_in_a_chat_asks_once_for_several_messages() -> None:
    store = Counted(Bench().store)
    sent = await sent_within(store, CHAT_ACCOUNT, Budget(1.0, 20), (0.1,), 1.45)
    assert len(sent) == 15
    assert store.asked <= 4


@in_virtual_time
async def test_a_block_that_is_not_used_in_time_expires() -> None:
    clock = VirtualClock()
    limiter = SharedLimiter(CHAT_ACCOUNT, Budget(1.0, 20), Bench().store, clock)
    assert not limiter.ready(clock.monotonic())
    assert await limiter.ask() == 0.0
    assert limiter.ready(clock.monotonic())
    assert not limiter.is_idle(clock.monotonic())
    await asyncio.sleep(4.9)
    assert limiter.ready(clock.monotonic())
    await asyncio.sleep(0.2)
    assert not limiter.ready(clock.monotonic())
    assert limiter.is_idle(clock.monotonic())


@in_virtual_time
async def test_a_granted_block_can_be_used_however_slow_the_store_is() -> None:
    clock = VirtualClock()
    store = Counted(Bench().store, delay_s=9.0)
    limiter = SharedLimiter(BOT_ACCOUNT, Budget(30.0, 30), store, clock)
    assert await limiter.ask() == 0.0
    assert limiter.ready(clock.monotonic())


@in_virtual_time
async def test_a_hold_stops_every_limiter_of_the_account() -> None:
    clock, store = VirtualClock(), Bench().store
    await store.hold(CHAT_ACCOUNT, 30.0)
    limiter = SharedLimiter(CHAT_ACCOUNT, Budget(1.0, 20), store, clock)
    assert await limiter.ask() == pytest.approx(30.0)
    assert not limiter.ready(clock.monotonic())
    other = SharedLimiter(Account(BOT, PersonId(9)), Budget(1.0, 20), store, clock)
    assert await other.ask() == 0.0


@in_virtual_time
async def test_a_refused_limiter_does_not_ask_again_at_once() -> None:
    clock, store = VirtualClock(), Counted(Bench().store)
    limiter = SharedLimiter(BOT_ACCOUNT, Budget(1e4, 1), store, clock)
    assert await limiter.ask() == 0.0
    assert await limiter.ask() == SHORTEST_WAIT_S


def test_a_store_that_is_away_raises_an_error() -> None:
    class Away(Counted):
        async def reserve(self, account: Account, rate_per_s: float, burst: int, wanted: int) -> Grant:
            raise LiveStoreLost

    async def main() -> None:
        limiter = SharedLimiter(BOT_ACCOUNT, Budget(30.0, 30), Away(Bench().store), VirtualClock())
        with pytest.raises(LiveStoreLost):
            await limiter.ask()
        assert not limiter.ready(0.0)

    run(main())


@in_virtual_time
async def test_a_local_budget_is_exact_and_needs_no_call() -> None:
    clock, sent, budget = VirtualClock(), list[float](), Budget(0.3, 2)
    limiter = LocalLimiter(budget, clock)
    assert limiter.is_idle(clock.monotonic())
    sender = asyncio.ensure_future(send(limiter, clock, sent))
    await asyncio.sleep(10.1)
    sender.cancel()
    assert sent == [pytest.approx(at) for at in (0, 0, 1 / 0.3, 2 / 0.3, 3 / 0.3)]
    assert not limiter.is_idle(clock.monotonic())
    await asyncio.sleep(10)
    assert limiter.is_idle(clock.monotonic())


@in_virtual_time
async def test_each_bot_and_each_chat_has_its_own_account() -> None:
    clock, store, budget = VirtualClock(), Bench().store, Budget(0.01, 1)
    for account in (BOT_ACCOUNT, CHAT_ACCOUNT, Account(BotId(2)), Account(BOT, PersonId(9))):
        assert await SharedLimiter(account, budget, store, clock).ask() == 0.0
        assert await SharedLimiter(account, budget, store, clock).ask() == pytest.approx(100.0)


@in_virtual_time
async def test_a_block_granted_before_a_hold_is_not_used_during_it() -> None:
    clock, store = VirtualClock(), Bench().store
    chat = SharedLimiter(CHAT_ACCOUNT, Budget(1.0, 8), store, clock)
    assert await chat.ask() == 0.0
    assert chat.ready(clock.monotonic())
    await store.hold(CHAT_ACCOUNT, 1.0)
    assert not chat.ready(clock.monotonic())
    assert await chat.ask() == pytest.approx(1.0)
    await asyncio.sleep(1.1)
    assert chat.ready(clock.monotonic()), "it was not lost"
