"""Budgets that are held: what one process publishes, another one heeds, for exactly as long."""

import asyncio

from passerby.adapters.redis.holds import Holds, hold_message
from passerby.kernel.ids import BotId, PersonId
from passerby.ports.shared_budgets import Account
from tests.runtime.virtual import VirtualClock
from tests.staged import in_virtual_time

BOT, OTHER_BOT = BotId(1000001), BotId(1000002)
WHOLE, ANNS = Account(BOT), Account(BOT, PersonId(7))


@in_virtual_time
async def test_a_hold_is_heard_of_as_it_was_published() -> None:
    for account in (WHOLE, ANNS):
        holds = Holds(VirtualClock())
        holds.on_message(hold_message(account, 1.5).encode())
        assert [each in holds for each in (WHOLE, ANNS)] == [account == WHOLE, account == ANNS]
        assert Account(OTHER_BOT) not in holds
        await asyncio.sleep(1.4)
        assert account in holds
        await asyncio.sleep(0.2)
        assert account not in holds, "it is over"
        assert account not in holds


@in_virtual_time
async def test_news_of_a_pool_holds_nothing() -> None:
    holds = Holds(VirtualClock())
    for pool in (b"adults", b"cats and dogs", b""):
        holds.on_message(pool)
    assert WHOLE not in holds


@in_virtual_time
async def test_the_longest_of_several_holds_counts_in_whatever_order_they_come() -> None:
    holds = Holds(VirtualClock())
    for wait_s in (5.0, 60.0, 1.0):
        holds.on_message(hold_message(ANNS, wait_s).encode())
    await asyncio.sleep(59.0)
    assert ANNS in holds
    await asyncio.sleep(2.0)
    assert ANNS not in holds
    holds.add(ANNS, 3.0)
    assert ANNS in holds, "a new one counts from now"
