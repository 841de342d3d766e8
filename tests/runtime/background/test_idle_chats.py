"""A chat in which nobody says anything is brought up with who owes a word, now and then."""

import asyncio

import pytest

from passerby.kernel.event import ChatIdle
from passerby.kernel.ids import MessageId, MessageRef, UpdateRef
from passerby.kernel.rules import Rules
from passerby.ports.message_map import Copied, Mark
from passerby.runtime.background.idle_chats import AGAIN_S, IdleChatWatch
from tests.runtime.virtual import VirtualClock
from tests.runtime.world import ANN, BEN, BOT, CHAT, OTHER_BOT, Bench, couple
from tests.staged import in_virtual_time

TWO_YEARS_S = 730 * 86_400.0


class SetClock(VirtualClock):
    """One whose wall time somebody sets."""

    off_s = 0.0

    def now(self) -> float:
        return super().now() + self.off_s


async def watched(bench: Bench, rules: Rules, for_s: float) -> list[ChatIdle]:
    found: list[ChatIdle] = []
    watch = IdleChatWatch(bench.store, rules, bench.clock, found.append)
    task = asyncio.ensure_future(watch.run())
    await asyncio.sleep(for_s)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return found


@in_virtual_time
async def test_who_owes_a_word_is_brought_up_and_not_who_spoke_last() -> None:
    bench = Bench()
    await bench.put(*couple())
    said = Copied(MessageRef(BOT, MessageId(1)), MessageRef(OTHER_BOT, MessageId(2)), 0)
    await bench.store.mark(Mark((UpdateRef(BOT, 1),), (), CHAT, (said,), speaker=ANN))
    found = await watched(bench, Rules(idle_nudge_s=100, idle_end_s=0), 111)
    assert [(event.person, event.bot, event.chat, event.speaker) for event in found] == [(BEN, OTHER_BOT, CHAT, ANN)]


@in_virtual_time
async def test_it_is_brought_up_again_but_not_at_every_look() -> None:
    bench = Bench()
    await bench.put(*couple())
    found = await watched(bench, Rules(idle_nudge_s=100, idle_end_s=1000), 100 + 3 * AGAIN_S + 15)
    assert len(found) == 4


@in_virtual_time
async def test_nothing_is_brought_up_before_its_time_or_where_nobody_wants_it() -> None:
    bench = Bench()
    await bench.put(*couple())
    assert await watched(bench, Rules(idle_nudge_s=100, idle_end_s=0), 95) == []
    assert await watched(bench, Rules(idle_nudge_s=0, idle_end_s=0), 1000) == []


@pytest.mark.parametrize("by_s", [-TWO_YEARS_S, TWO_YEARS_S])
@in_virtual_time
async def test_a_clock_that_is_set_makes_no_chat_quiet(by_s: float) -> None:
    bench = Bench()
    await bench.put(*couple())
    clock = SetClock()
    found: list[ChatIdle] = []
    watch = IdleChatWatch(bench.store, Rules(idle_nudge_s=1000, idle_end_s=0), clock, found.append)
    task = asyncio.ensure_future(watch.run())
    await asyncio.sleep(50)
    clock.off_s = by_s
    await asyncio.sleep(900)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert found == []
